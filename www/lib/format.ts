/** Numbers and times as people read them. */

const UNITS: [milliseconds: number, unit: string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** `840 ms`, `3.2 s`, `4 min 10 s`, `2 d 3 h`. */
export function duration(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  const rounded = Math.round(value);
  if (rounded < 1_000) return `${rounded} ms`;
  if (value < 1_000) return duration(rounded);
  if (value < 10_000) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`;
  const place = UNITS.findIndex(([size]) => value >= size);
  const [size, unit] = UNITS[place] as [number, string];
  const smaller = UNITS[place + 1];
  const whole = `${Math.floor(value / size)} ${unit}`;
  const rest = smaller ? Math.floor((value % size) / smaller[0]) : 0;
  return smaller && rest > 0 ? `${whole} ${rest} ${smaller[1]}` : whole;
}

/** `1.5 h`: a duration in one unit, for scales. */
export function span(milliseconds: number): string {
  const place = UNITS.findIndex(([size]) => milliseconds >= size);
  const [size, unit] = UNITS[place] ?? [1, "ms"];
  return milliseconds === 0 ? "0" : `${Math.round((milliseconds / size) * 100) / 100} ${unit}`;
}

/** `just now`, `12 s ago`, `in 3 min`. */
export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < 2_000) return "just now";
  const place = UNITS.findIndex(([size]) => distance >= size);
  const [size, unit] = UNITS[place] as [number, string];
  const text = `${Math.floor(distance / size)} ${unit}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY_CLOCK = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Date and time in this browser's zone. */
export const dateTime = (at: number): string => DATE_TIME.format(at);

/** The time of day, with the day unless it is today. */
export const clock = (at: number, now = Date.now()): string =>
  new Date(at).toDateString() === new Date(now).toDateString() ? CLOCK.format(at) : DAY_CLOCK.format(at);

const COUNT = new Intl.NumberFormat(undefined);
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export const count = (value: number): string => (value < 10_000 ? COUNT : COMPACT).format(value);

export const percent = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${((100 * part) / whole).toFixed(part > 0 && part / whole < 0.1 ? 1 : 0)} %`;

/** `1 run`, `3 runs`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** The end of a URL that tells endpoints apart: its path, with the host in front if there is only that. */
export function endpointName(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return pathname === "/" ? host : pathname;
  } catch {
    return url;
  }
}

/** A URL without what may hold secrets: no user, no password, no query. */
export function plainUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return url;
  }
}
