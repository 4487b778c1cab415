/** What a span of time amounts to: sums, rates and quantiles of its buckets. */
import type { Metrics, MetricsBucket } from "../broker/types";

/**
 * The value that a share `quantile` of what a histogram counts does not exceed, interpolated within its bucket.
 * `counts` has one more than `bounds`: what exceeds the last bound is reported as that bound. `undefined` if nothing was counted.
 */
export function quantileOf(bounds: readonly number[], counts: readonly number[], quantile: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = quantile * total;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index];
    // The open end has no upper bound to interpolate to.
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = bounds[index - 1] ?? 0;
      return lower + (upper - lower) * Math.max(0, (rank - below) / count);
    }
    below += count;
  }
  return bounds.at(-1);
}

/** Whether a quantile lies beyond the last bound, so that it is "more than". */
export function isBeyond(bounds: readonly number[], value: number | undefined): boolean {
  return value !== undefined && value === bounds.at(-1);
}

export type Totals = Omit<MetricsBucket, "at" | "oldestEndedAt">;

/** The sum of buckets. */
export function totalOf(series: readonly MetricsBucket[]): Totals {
  const total: Totals = {
    accepted: 0,
    delivered: 0,
    errors: 0,
    failed: 0,
    canceled: 0,
    runsStarted: 0,
    runsSucceeded: 0,
    runsFailed: 0,
    runsCanceled: 0,
    latency: [],
  };
  for (const bucket of series) {
    for (const name of COUNTS) total[name] += bucket[name];
    for (const [index, count] of bucket.latency.entries()) total.latency[index] = (total.latency[index] ?? 0) + count;
  }
  return total;
}

const COUNTS = [
  "accepted",
  "delivered",
  "errors",
  "failed",
  "canceled",
  "runsStarted",
  "runsSucceeded",
  "runsFailed",
  "runsCanceled",
] as const;

/** Attempts of which the outcome is known. */
export const attemptsOf = ({ delivered, errors }: Pick<Totals, "delivered" | "errors">): number => delivered + errors;

/** Failed attempts among all, from 0 to 1; `undefined` without any. */
export function errorShareOf(totals: Pick<Totals, "delivered" | "errors">): number | undefined {
  const attempts = attemptsOf(totals);
  return attempts === 0 ? undefined : totals.errors / attempts;
}

/** How long each bucket counts, in minutes: the last one is under way. */
export function minutesOf({ to, bucketMs }: Pick<Metrics, "to" | "bucketMs">, { at }: { at: number }): number {
  return Math.max(1_000, Math.min(bucketMs, to - at)) / 60_000;
}

/** Deliveries a minute over the whole span, counted from where the log is complete. */
export function rateOf(metrics: Metrics, count: (totals: Totals) => number): number {
  const from = Math.max(metrics.from, metrics.countedFrom);
  return count(totalOf(metrics.series)) / Math.max(1 / 60, (metrics.to - from) / 60_000);
}

/** What had not ended at the end of a bucket (of the last one: now); `null` where the log has forgotten what it was. */
export interface Level {
  /** Messages, those under way among them. */
  backlog: number | null;
  /** How long the oldest of them had been there, in milliseconds; `null` without any, too. */
  oldestMs: number | null;
}

/** The backlog of each bucket, counted back from what is there now: whatever has left it since was there before. */
export function levelsOf({ series, backlog, bucketMs, countedFrom, to }: Metrics): Level[] {
  let level = backlog.waiting + backlog.active;
  let oldest = backlog.oldestAt ?? Number.POSITIVE_INFINITY;
  const levels: Level[] = [];
  for (const { at, accepted, delivered, failed, canceled, oldestEndedAt } of series.toReversed()) {
    const end = Math.min(at + bucketMs, to);
    // What came at the very end of a bucket is of the next one.
    const isThere = oldest < at + bucketMs;
    levels.push(
      end < countedFrom
        ? { backlog: null, oldestMs: null }
        : { backlog: level, oldestMs: isThere ? Math.max(0, end - oldest) : null },
    );
    level = Math.max(0, level - accepted + delivered + failed + canceled);
    oldest = Math.min(oldest, oldestEndedAt ?? oldest);
  }
  return levels.toReversed();
}

/** Whether anything happened, or is there. */
export function isEmpty({ backlog, runs, deadLetters, series }: Metrics): boolean {
  const { accepted, delivered, errors, failed, canceled, runsStarted } = totalOf(series);
  return (
    backlog.waiting +
      backlog.active +
      runs.active +
      deadLetters +
      accepted +
      delivered +
      errors +
      failed +
      canceled +
      runsStarted ===
    0
  );
}
