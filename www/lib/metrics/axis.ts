/** Places and names on an axis of time. */

/** The index of the bucket that a moment lies in; `nearest` is that of the bucket with the nearest beginning. */
export function bucketOf(beginnings: readonly number[], nearest: number, moment: number): number {
  const isNext = (beginnings[nearest] ?? 0) > moment;
  return Math.max(0, isNext ? nearest - 1 : nearest);
}

const MINUTE = 60_000;
const DAY_MS = 1_440 * MINUTE;

const clockOf = (more?: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...more });
const CLOCK = clockOf();
const SECONDS = clockOf({ second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/**
 * Marks that are `step` milliseconds apart: midnights by their day, others by the time of day. A time that would stand
 * there for several days is left out: the days beside it have names.
 */
export function timeLabels(marks: readonly number[], step: number): string[] {
  const labels = marks.map((at) => {
    const date = new Date(at);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    if (step >= DAY_MS || isMidnight) return DAY.format(date);
    return (step < MINUTE ? SECONDS : CLOCK).format(date);
  });
  return labels.map((label) => (labels.indexOf(label) === labels.lastIndexOf(label) ? label : ""));
}
