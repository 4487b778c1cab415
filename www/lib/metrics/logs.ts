/** Metrics from the newest pages of the logs, for a broker that tells none. */
import type { LogEntry, Metrics, MetricsBucket, Run } from "../broker/types";

/** Upper bounds in milliseconds, as our broker has them. */
export const LATENCY_BOUNDS = [
  5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000,
  30_000, 60_000, 300_000, 900_000,
];

export interface Logged {
  /** Newest first. */
  events: readonly LogEntry[];
  /** Newest first. */
  runs: readonly Run[];
  /** Those that go on, whenever they began. */
  activeRuns: readonly Run[];
  /** Whether the entries go back to the beginning of the window. */
  isComplete: boolean;
  deadLetters?: number;
}

/** The buckets end with the one of `now`, and begin at multiples of their length. */
export function metricsOf(
  { events, runs, activeRuns, isComplete, deadLetters = 0 }: Logged,
  windowMs: number,
  count: number,
  now: number,
): Metrics {
  const bucketMs = Math.ceil(windowMs / count);
  const from = (Math.floor(now / bucketMs) - (count - 1)) * bucketMs;
  const series = Array.from({ length: count }, (_, index) => emptyBucket(from + index * bucketMs));
  const at = (time: number): MetricsBucket | undefined => series[Math.floor((time - from) / bucketMs)];

  // Oldest first: an attempt begins before it ends.
  const begun = new Map<string, number>();
  const newest = new Map<string, LogEntry>();
  const accepted = new Map<string, number>();
  for (const event of events.toReversed()) {
    const { time, messageId, state } = event;
    const bucket = at(time);
    newest.set(messageId, event);
    if (state === "CREATED") accepted.set(messageId, time);
    if (state === "CREATED" && bucket) bucket.accepted += 1;
    if (state === "ACTIVE") begun.set(messageId, time);
    if (state === "DELIVERED" || state === "ERROR") {
      const began = begun.get(messageId);
      begun.delete(messageId);
      if (bucket && began !== undefined) countLatency(bucket, time - began);
      if (bucket) bucket[state === "DELIVERED" ? "delivered" : "errors"] += 1;
    }
    if (state === "FAILED" && bucket) bucket.failed += 1;
    if (state === "CANCELED" && bucket) bucket.canceled += 1;
    const began = accepted.get(messageId) ?? event.createdAt;
    if (bucket && began !== undefined && ENDED.has(state))
      bucket.oldestEndedAt = Math.min(began, bucket.oldestEndedAt ?? began);
  }
  for (const { workflowState, workflowRunCreatedAt, workflowRunCompletedAt } of runs) {
    const started = at(workflowRunCreatedAt);
    if (started) started.runsStarted += 1;
    const ended = workflowRunCompletedAt === undefined ? undefined : at(workflowRunCompletedAt);
    const name = ENDS[workflowState];
    if (ended && name) ended[name] += 1;
  }
  const waiting = [...newest.values()].filter(
    ({ state }) => state === "CREATED" || state === "RETRY" || state === "ERROR",
  );
  const active = [...newest.values()].filter(({ state }) => state === "ACTIVE").length;
  const due = waiting.filter((event) => dueAt(event) <= now);
  const oldest = events.at(-1)?.time;
  return {
    from,
    to: now,
    bucketMs,
    countedFrom: isComplete ? from : Math.max(from, oldest ?? from),
    backlog: {
      waiting: waiting.length,
      due: due.length,
      // Which of them a queue or a flow-control key holds back, the log does not tell.
      held: 0,
      active,
      ...least("oldestDueAt", due.map(dueAt)),
      ...least(
        "oldestAt",
        waiting.map(({ createdAt, time }) => createdAt ?? time),
      ),
    },
    runs: {
      active: activeRuns.length,
      ...least(
        "oldestActiveAt",
        activeRuns.map(({ workflowRunCreatedAt }) => workflowRunCreatedAt),
      ),
    },
    deadLetters,
    health: healthOf(due, now),
    series,
    latencyBounds: LATENCY_BOUNDS,
  };
}

const OVERDUE_MS = 60_000;

function healthOf(due: readonly LogEntry[], now: number): Metrics["health"] {
  const late = due.filter((event) => now - dueAt(event) > OVERDUE_MS);
  if (late.length === 0) return { status: "ok", reasons: [] };
  const message = `messages due for over a minute: ${late.length}; a queue or a flow-control key may hold them back, or the broker is behind`;
  return {
    status: "degraded",
    reasons: [{ code: "overdue", count: late.length, message, ...least("since", late.map(dueAt)) }],
  };
}

/** When a message that waits is delivered next. */
const dueAt = ({ nextDeliveryTime, notBefore, time }: LogEntry): number => nextDeliveryTime ?? notBefore ?? time;

/** The states after which a message is gone. */
const ENDED: ReadonlySet<LogEntry["state"]> = new Set(["DELIVERED", "FAILED", "CANCELED"]);

const ENDS: Partial<Record<Run["workflowState"], "runsSucceeded" | "runsFailed" | "runsCanceled">> = {
  RUN_SUCCESS: "runsSucceeded",
  RUN_FAILED: "runsFailed",
  RUN_CANCELED: "runsCanceled",
};

function countLatency({ latency }: MetricsBucket, milliseconds: number): void {
  const place = LATENCY_BOUNDS.findIndex((bound) => milliseconds <= bound);
  const index = place === -1 ? LATENCY_BOUNDS.length : place;
  latency[index] = (latency[index] ?? 0) + 1;
}

function least<Name extends string>(name: Name, values: readonly number[]): Partial<Record<Name, number>> {
  return values.length === 0 ? {} : ({ [name]: Math.min(...values) } as Record<Name, number>);
}

function emptyBucket(at: number): MetricsBucket {
  return {
    at,
    accepted: 0,
    delivered: 0,
    errors: 0,
    failed: 0,
    canceled: 0,
    runsStarted: 0,
    runsSucceeded: 0,
    runsFailed: 0,
    runsCanceled: 0,
    latency: new Array<number>(LATENCY_BOUNDS.length + 1).fill(0),
  };
}
