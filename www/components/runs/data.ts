"use client";

/** What is known about one run: its log, and the log of its messages. */
import { useRef } from "react";
import useSWR from "swr";
import { ask, type BrokerError } from "@/lib/broker/transport";
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
/** Values of a filter that the broker takes. */
const VALUES = 90;

export interface RunEvents {
  /** The newest first. */
  events: LogEntry[];
  error: BrokerError | undefined;
  isKnown: boolean;
}

/** The log of a run's messages: read whole once, then only what is new. */
export function useRunEvents(run: Run | undefined): RunEvents {
  const known = useRef<{ of: string; events: LogEntry[] }>({ of: "", events: [] });
  const of = run ? `${run.workflowRunId}@${run.workflowRunCreatedAt}` : "";
  const { data, error } = useSWR<LogEntry[], BrokerError>(run ? ["/v2/logs", of] : null, async () => {
    const before = known.current.of === of ? known.current.events : [];
    const events = await read(run as Run, before);
    known.current = { of, events };
    return events;
  });
  const isCurrent = known.current.of === of;
  return { events: (isCurrent ? data : undefined) ?? [], error, isKnown: isCurrent && data !== undefined };
}

const keyOf = ({ messageId, time, state, retried }: LogEntry): string =>
  `${messageId} ${time} ${state} ${retried ?? 0}`;

async function read(run: Run, before: readonly LogEntry[]): Promise<LogEntry[]> {
  const { workflowRunId: id, workflowRunCreatedAt: from, workflowRunCompletedAt: to } = run;
  // Its failure function comes after its end.
  const isOfRun = ({ workflowRunId, time }: LogEntry) =>
    workflowRunId === id &&
    time >= from &&
    (to === undefined || run.failureFunction !== undefined || time <= to + 60_000);
  const byRun = await since({ workflowRunId: id }, before, isOfRun);
  if (byRun.length > 0) return byRun;
  // A broker without that filter tells them by message.
  const ids = run.steps.flatMap(({ steps }) => steps.map(({ messageId }) => messageId)).slice(0, VALUES);
  return ids.length === 0 ? [] : since({ messageIds: ids }, before, ({ messageId }) => ids.includes(messageId));
}

/** The newest pages until they meet what is known. */
async function since(
  query: { workflowRunId: string } | { messageIds: string[] },
  before: readonly LogEntry[],
  isWanted: (event: LogEntry) => boolean,
): Promise<LogEntry[]> {
  const seen = new Set(before.map(keyOf));
  const fresh: LogEntry[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await ask<{ logs?: LogEntry[]; cursor?: string }>("/v2/logs", {
      query: { ...query, count: PAGE, cursor },
    });
    const logs = answer.logs ?? [];
    fresh.push(...logs.filter((event) => isWanted(event) && !seen.has(keyOf(event))));
    cursor = answer.cursor || undefined;
    const isForeign = logs.length > 0 && !logs.some(isWanted);
    if (cursor === undefined || isForeign || logs.some((event) => seen.has(keyOf(event)))) break;
  }
  return [...fresh, ...before];
}
