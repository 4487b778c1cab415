/** The time axis of a timeline: from times to places between 0 and 1, with long idle times made short. */

export interface Span {
  from: number;
  to: number;
}

/** A stretch of the axis; one that is `idle` is shown shorter than it was. */
export interface Piece extends Span {
  start: number;
  end: number;
  isIdle: boolean;
}

export interface Tick {
  place: number;
  /** Milliseconds since the beginning of `origin`. */
  offset: number;
  /** Milliseconds from the beginning of the axis to that of the piece: 0, or the end of an idle time. */
  origin: number;
}

export interface Axis {
  pieces: Piece[];
  placeOf: (time: number) => number;
  /** Ticks with at least `apart` of the axis between them. */
  ticks: (apart: number) => Tick[];
}

/** An idle time is made short if it is longer than this part of all else. */
const LONG = 0.5;
/** The part of the axis that one short idle time takes, and all of them together. */
const IDLE_SHARE = 0.16;
const IDLE_SHARES = 0.45;
/** Shorter times are no idle times. */
const LEAST_IDLE_MS = 250;

/** The axis from `from` to `to`; `busy` is when something happened, in any order. `isCompressed` makes the rest short. */
export function axisOf({ from, to }: Span, busy: readonly Span[], isCompressed: boolean): Axis {
  const whole = { from, to: Math.max(to, from + 1) };
  const pieces = placed(isCompressed ? split(whole, long(whole, busy)) : [{ ...whole, isIdle: false }]);
  return {
    pieces,
    placeOf: (time) => placeOf(pieces, time),
    ticks: (apart) => ticks(pieces, whole.from, apart),
  };
}

/** Whether there is any time worth making short. */
export function hasIdle(span: Span, busy: readonly Span[]): boolean {
  return long({ from: span.from, to: Math.max(span.to, span.from + 1) }, busy).length > 0;
}

/** The times in which nothing happened and that would leave little room for the rest. */
function long(whole: Span, busy: readonly Span[]): Span[] {
  const idle = gaps(whole, busy).filter((gap) => length(gap) >= LEAST_IDLE_MS);
  const byLength = idle.toSorted((one, other) => length(other) - length(one));
  const chosen: Span[] = [];
  let rest = length(whole);
  for (const gap of byLength) {
    const others = rest - length(gap);
    if (length(gap) <= others * LONG) break;
    chosen.push(gap);
    rest = others;
  }
  return chosen.toSorted((one, other) => one.from - other.from);
}

function gaps(whole: Span, busy: readonly Span[]): Span[] {
  const found: Span[] = [];
  let at = whole.from;
  for (const span of busy.toSorted((one, other) => one.from - other.from)) {
    if (span.from > at) found.push({ from: at, to: Math.min(span.from, whole.to) });
    at = Math.max(at, span.to);
  }
  if (at < whole.to) found.push({ from: at, to: whole.to });
  return found;
}

type Cut = Span & { isIdle: boolean };

function split(whole: Span, idle: readonly Span[]): Cut[] {
  const cuts: Cut[] = [];
  let at = whole.from;
  for (const span of idle) {
    if (span.from > at) cuts.push({ from: at, to: span.from, isIdle: false });
    cuts.push({ ...span, isIdle: true });
    at = span.to;
  }
  if (at < whole.to) cuts.push({ from: at, to: whole.to, isIdle: false });
  return cuts;
}

function placed(cuts: readonly Cut[]): Piece[] {
  const idle = cuts.filter(({ isIdle }) => isIdle).length;
  const isAllIdle = idle === cuts.length;
  const share = isAllIdle ? 1 / idle : Math.min(IDLE_SHARE, IDLE_SHARES / Math.max(1, idle));
  const busy = cuts.reduce((sum, cut) => sum + (cut.isIdle ? 0 : length(cut)), 0);
  let start = 0;
  return cuts.map((cut, index) => {
    const part = cut.isIdle ? share : ((1 - share * idle) * length(cut)) / busy;
    const end = index === cuts.length - 1 ? 1 : start + part;
    const piece = { ...cut, start, end };
    start = end;
    return piece;
  });
}

function placeOf(pieces: readonly Piece[], time: number): number {
  const piece = pieces.find(({ to }) => time <= to) ?? pieces.at(-1);
  if (!piece) return 0;
  const part = Math.min(1, Math.max(0, (time - piece.from) / (piece.to - piece.from)));
  return piece.start + part * (piece.end - piece.start);
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
];

function ticks(pieces: readonly Piece[], from: number, apart: number): Tick[] {
  const found: Tick[] = [];
  for (const piece of pieces) {
    if (piece.isIdle) continue;
    const width = piece.end - piece.start;
    const step = STEPS.find((step) => (step / length(piece)) * width >= apart);
    const origin = piece.from - from;
    const most = step === undefined ? 0 : Math.floor(length(piece) / step);
    for (let index = 0; index <= most; index += 1) {
      const offset = index * (step ?? 0);
      const place = piece.start + (offset / length(piece)) * width;
      const last = found.at(-1);
      if (last && place - last.place < apart) continue;
      found.push({ place, offset, origin });
    }
  }
  return found;
}

const length = ({ from, to }: Span): number => to - from;
