"use client";

/** What is known about one run: its log, and the log of its messages. */
import { useRef } from "react";
import useSWR from "swr";
import { ask, type BrokerError, type Query } from "@/lib/broker/transport";
import type { LogEntry, Run, RunPage } from "@/lib/broker/types";
import { type Reading, useBroker } from "@/lib/broker/use";

/** The newest run of this id, or the one that was created at this time: an id may be used again once its run has ended. */
export function useRun(
  id: string,
  createdAt: number | null,
): Reading<RunPage> & { run: Run | undefined; others: Run[] } {
  const reading = useBroker<RunPage>(id === "" ? null : "/v2/workflows/logs", { workflowRunId: id, count: 10 });
  const runs = (reading.data?.runs ?? []).filter(({ workflowRunId }) => workflowRunId === id);
  const run = runs.find(({ workflowRunCreatedAt }) => workflowRunCreatedAt === createdAt) ?? runs[0];
  return { ...reading, run, others: runs.filter((other) => other !== run) };
}

const PAGE = 100;
/** So many pages are read back at most. */
const PAGES = 20;
/** So many entries of a run's log are shown at least, if there are as many. */
export const MOST_EVENTS = PAGE * PAGES;
/** Values of a filter that the broker takes. */
const VALUES = 90;

export interface RunEvents {
  /** The newest first. */
  events: LogEntry[];
  /** Whether there are older ones, which were not read. */
  isCut: boolean;
  error: BrokerError | undefined;
  isKnown: boolean;
}

interface Log {
  events: LogEntry[];
  isCut: boolean;
}

const NOTHING: Log = { events: [], isCut: false };

/** The log of a run's messages: read whole once, then only what is new. `next` is when the run's id was used again. */
export function useRunEvents(run: Run | undefined, next?: number): RunEvents {
  const known = useRef<{ of: string; log: Log }>({ of: "", log: NOTHING });
  const of = run ? `${run.workflowRunId}@${run.workflowRunCreatedAt}-${next ?? ""}` : "";
  const { data, error } = useSWR<Log, BrokerError>(run ? ["/v2/logs", of] : null, async () => {
    const before = known.current.of === of ? known.current.log : NOTHING;
    const log = await read(run as Run, next, before);
    known.current = { of, log };
    return log;
  });
  const isCurrent = known.current.of === of;
  return { ...((isCurrent ? data : undefined) ?? NOTHING), error, isKnown: isCurrent && data !== undefined };
}

const keyOf = ({ messageId, time, state, retried }: LogEntry): string =>
  `${messageId} ${time} ${state} ${retried ?? 0}`;

async function read(run: Run, next: number | undefined, before: Log): Promise<Log> {
  const { workflowRunId: id, workflowRunCreatedAt: from, workflowRunCompletedAt: to } = run;
  // Its failure function comes after its end.
  const isOfRun = ({ workflowRunId, time }: LogEntry) =>
    workflowRunId === id &&
    time >= from &&
    (next === undefined || time < next) &&
    (to === undefined || run.failureFunction !== undefined || time <= to + 60_000);
  const isBefore = ({ workflowRunId, time }: LogEntry) => workflowRunId !== id || time < from;
  const byRun = await since({ workflowRunId: id, toDate: next }, before, isOfRun, isBefore);
  if (byRun.events.length > 0) return byRun;
  // A broker without that filter tells them by message.
  const ids = run.steps.flatMap(({ steps }) => steps.map(({ messageId }) => messageId)).slice(0, VALUES);
  const isNamed = ({ messageId }: LogEntry) => ids.includes(messageId);
  return ids.length === 0 ? NOTHING : since({ messageIds: ids }, before, isNamed, (event) => !isNamed(event));
}

/** The newest pages until they meet what is known, or one where nothing is wanted any more. */
async function since(
  query: Query,
  before: Log,
  isWanted: (event: LogEntry) => boolean,
  isBeyond: (event: LogEntry) => boolean,
): Promise<Log> {
  const seen = new Set(before.events.map(keyOf));
  const fresh: LogEntry[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await ask<{ logs?: LogEntry[]; cursor?: string }>("/v2/logs", {
      query: { ...query, count: PAGE, cursor },
    });
    const logs = answer.logs ?? [];
    fresh.push(...logs.filter((event) => isWanted(event) && !seen.has(keyOf(event))));
    cursor = answer.cursor || undefined;
    const events = [...fresh, ...before.events];
    if (logs.some((event) => seen.has(keyOf(event)))) return { events, isCut: before.isCut };
    if (cursor === undefined || (logs.length > 0 && logs.every(isBeyond))) return { events, isCut: false };
  }
  return { events: [...fresh, ...before.events], isCut: true };
}
