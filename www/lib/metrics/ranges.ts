/** The spans of time that can be looked at; the buckets are of a length that people count in. */
export interface Range {
  id: string;
  title: string;
  windowMs: number;
  buckets: number;
}

const MINUTE = 60_000;

export const RANGES: readonly [Range, ...Range[]] = [
  { id: "15min", title: "15 min", windowMs: 15 * MINUTE, buckets: 60 },
  { id: "1h", title: "1 h", windowMs: 60 * MINUTE, buckets: 60 },
  { id: "6h", title: "6 h", windowMs: 360 * MINUTE, buckets: 72 },
  { id: "24h", title: "24 h", windowMs: 1440 * MINUTE, buckets: 96 },
  { id: "7d", title: "7 d", windowMs: 10_080 * MINUTE, buckets: 84 },
];

export const DEFAULT_RANGE = "1h";

export const rangeOf = (id: string): Range => RANGES.find((range) => range.id === id) ?? RANGES[1] ?? RANGES[0];
