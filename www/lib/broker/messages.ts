/** Messages as the log tells of them: QStash lists none. */
import type { LogEntry, LogPage, MessageState } from "@/lib/broker/types";
import type { Listing } from "@/lib/broker/use";

/** The log, newest first; an answer may be large, for entries tell the body of their message. */
export const LOGS: Listing<LogPage & { logs?: LogEntry[] }, LogEntry> = {
  path: "/v2/logs",
  pageOf: ({ logs, events, cursor }) => ({ items: logs ?? events ?? [], cursor: cursor || undefined }),
  idOf: entryId,
};

/** Those of a run, if one is asked for: hosted QStash may overlook that filter. */
export const ofRun = (entries: readonly LogEntry[], runId: unknown): readonly LogEntry[] =>
  runId ? entries.filter(({ workflowRunId }) => workflowRunId === runId) : entries;

/** Entries have no id: nothing happens to a message twice at one time and try. */
export function entryId({ messageId, time, state, retried }: LogEntry): string {
  return `${messageId}.${time}.${state}.${retried ?? 0}`;
}

/** A message, as far as its newest entries tell. */
export interface MessageSummary {
  messageId: string;
  state: MessageState;
  /** Its newest entry. */
  last: LogEntry;
  /** Deliveries that were begun. */
  tries: number;
  createdAt: number | undefined;
  /** When it is due, if it waits. */
  nextDeliveryTime: number | undefined;
  /** The newest status that its destination answered. */
  responseStatus: number | undefined;
}

const OVER: ReadonlySet<string> = new Set(["DELIVERED", "FAILED", "CANCELED", "CANCELLED"]);
const WAITING: ReadonlySet<string> = new Set(["CREATED", "RETRY", "ERROR"]);

/** Whether nothing else will happen to a message in this state. */
export const isOver = (state: string): boolean => OVER.has(state);

/** Whether a message can be canceled by itself: one of a run ends with that. */
export const isCancelable = ({ state, last }: MessageSummary): boolean =>
  !isOver(state) && state !== "CANCEL_REQUESTED" && last.workflowRunId === undefined;

/** The messages of a log that is told newest first, in the order of their newest entries. */
export function messagesOf(entries: readonly LogEntry[]): MessageSummary[] {
  const byId = new Map<string, MessageSummary>();
  for (const entry of entries) {
    const known = byId.get(entry.messageId);
    if (known) {
      known.createdAt ??= creation(entry);
      known.responseStatus ??= entry.responseStatus;
    } else {
      byId.set(entry.messageId, {
        messageId: entry.messageId,
        state: entry.state,
        last: entry,
        tries: tries(entry),
        createdAt: creation(entry),
        nextDeliveryTime: WAITING.has(entry.state) ? (entry.nextDeliveryTime ?? future(entry)) : undefined,
        responseStatus: entry.responseStatus,
      });
    }
  }
  return [...byId.values()];
}

const creation = ({ createdAt, state, time }: LogEntry): number | undefined =>
  createdAt ?? (state === "CREATED" ? time : undefined);

const future = ({ notBefore, time }: LogEntry): number | undefined =>
  notBefore !== undefined && notBefore > time ? notBefore : undefined;

/** `retried` counts those that failed before. */
function tries({ state, retried = 0 }: LogEntry): number {
  return state === "CREATED" || ((state === "CANCELED" || state === "CANCEL_REQUESTED") && retried === 0)
    ? 0
    : retried + 1;
}

/** One delivery of a message. */
export interface Attempt {
  /** From 1. */
  number: number;
  /** Absent if the log no longer has it. */
  startedAt: number | undefined;
  /** Absent while it is under way. */
  endedAt: number | undefined;
  outcome: "underway" | "delivered" | "failed" | "canceled";
  responseStatus: number | undefined;
  /** The entry with what the destination answered. */
  answer: LogEntry | undefined;
  error: string | undefined;
  /** When the next one follows. */
  nextDeliveryTime: number | undefined;
}

/** The deliveries of one message, the first first. The entries may be in any order. */
export function attemptsOf(entries: readonly LogEntry[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const entry of inOrder(entries)) {
    const { state, time } = entry;
    if (state === "CREATED" || state === "CANCEL_REQUESTED" || state === "IN_PROGRESS") continue;
    const current = attempts.at(-1);
    if (state === "ACTIVE") {
      attempts.push({ ...NOTHING, number: (entry.retried ?? attempts.length) + 1, startedAt: time });
      continue;
    }
    if (state === "CANCELED") {
      if (current?.outcome === "underway") Object.assign(current, { outcome: "canceled", endedAt: time });
      continue;
    }
    const number = (entry.retried ?? 0) + 1;
    const isOfCurrent = current !== undefined && (current.outcome === "underway" || current.number === number);
    const attempt: Attempt = isOfCurrent ? current : { ...NOTHING, number };
    if (!isOfCurrent) attempts.push(attempt);
    attempt.outcome = state === "DELIVERED" ? "delivered" : "failed";
    attempt.endedAt ??= time;
    attempt.responseStatus ??= entry.responseStatus;
    attempt.error ??= entry.error;
    attempt.nextDeliveryTime ??= entry.nextDeliveryTime;
    if (attempt.answer === undefined || hasAnswer(entry)) attempt.answer = entry;
  }
  return attempts;
}

const NOTHING: Omit<Attempt, "number"> = {
  startedAt: undefined,
  endedAt: undefined,
  outcome: "underway",
  responseStatus: undefined,
  answer: undefined,
  error: undefined,
  nextDeliveryTime: undefined,
};

const hasAnswer = ({ responseHeaders, responseBody, responseBodyBase64 }: LogEntry): boolean =>
  responseHeaders !== undefined || responseBody !== undefined || responseBodyBase64 !== undefined;

/** What comes first of what has one time. */
const ORDER: readonly string[] = [
  "CREATED",
  "CANCEL_REQUESTED",
  "ACTIVE",
  "IN_PROGRESS",
  "ERROR",
  "RETRY",
  "DELIVERED",
  "FAILED",
  "CANCELED",
];

/** Entries of one message, oldest first. */
export function inOrder(entries: readonly LogEntry[]): LogEntry[] {
  return entries.toSorted(
    (a, b) => a.time - b.time || (a.retried ?? 0) - (b.retried ?? 0) || ORDER.indexOf(a.state) - ORDER.indexOf(b.state),
  );
}
