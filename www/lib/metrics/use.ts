"use client";

/** The metrics of the broker, or, if it tells none, what its logs amount to. */
import { useState } from "react";
import useSWR from "swr";
import { ask, type BrokerError } from "@/lib/broker/transport";
import type { LogEntry, Metrics, Run, RunPage } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { type Logged, metricsOf } from "@/lib/metrics/logs";
import type { Range } from "@/lib/metrics/ranges";

export interface Measured {
  data: Metrics | undefined;
  /** Whether these are of the range before, and those of this one are still read. */
  isFormer: boolean;
  /** If the broker tells no metrics: what was counted instead. */
  counted?: Counted | undefined;
  error: BrokerError | undefined;
  reload: () => Promise<unknown>;
}

/** What the logs were asked for is bounded. */
export interface Counted {
  /** How many entries were read. */
  entries: number;
  /** Whether they go back far enough. */
  isComplete: boolean;
  /** Whether there are more runs under way, or dead letters, than were counted. */
  hasMoreRuns: boolean;
  hasMoreDeadLetters: boolean;
}

/** Time goes on where nothing happens, too. */
const refreshOf = ({ windowMs, buckets }: Range): number => Math.min(15_000, windowMs / buckets);

/** What was learnt of the broker is kept while the page is. */
let isKnownToBeWithout = false;

export function useMetrics(range: Range): Measured {
  const [isWithout, setWithout] = useState(isKnownToBeWithout);
  const { windowMs, buckets } = range;
  const own = useBroker<Metrics>(
    isWithout ? null : "/v2/metrics",
    { window: windowMs, buckets },
    {
      keepPreviousData: true,
      refreshInterval: refreshOf(range),
      onError: (error: BrokerError) => {
        if (error.status !== 404 && error.status !== 405) return;
        isKnownToBeWithout = true;
        setWithout(true);
      },
    },
  );
  const logged = useSWR<FromLogs, BrokerError>(
    isWithout ? ["/v2/logs", "metrics", range.id] : null,
    () => fromLogs(range),
    { keepPreviousData: true, refreshInterval: REREAD_MS },
  );
  if (!isWithout) return { ...shown(own.data, own.error, range), error: own.error, reload: own.reload };
  return {
    ...shown(logged.data?.metrics, logged.error, range),
    counted: logged.data?.counted,
    error: logged.error,
    reload: logged.mutate,
  };
}

/** What was known of another range stays until this one is known, or can't be. */
function shown(data: Metrics | undefined, error: BrokerError | undefined, { windowMs, buckets }: Range) {
  const isFormer = data !== undefined && data.bucketMs !== Math.ceil(windowMs / buckets);
  return isFormer && error ? { data: undefined, isFormer: false } : { data, isFormer };
}

interface FromLogs {
  metrics: Metrics;
  counted: Counted;
}

const PAGES = 10;
const PAGE = 100;
/** Several pages are not read again at every change. */
const REREAD_MS = 15_000;

const kept = new Map<string, { at: number; value: Promise<FromLogs> }>();

function fromLogs(range: Range): Promise<FromLogs> {
  const known = kept.get(range.id);
  if (known && Date.now() - known.at < REREAD_MS / 2) return known.value;
  const value = readLogs(range);
  kept.set(range.id, { at: Date.now(), value });
  value.catch(() => kept.delete(range.id));
  return value;
}

async function readLogs({ windowMs, buckets }: Range): Promise<FromLogs> {
  const now = Date.now();
  const query = { fromDate: now - windowMs };
  const runsOf = ({ runs = [] }: RunPage): Run[] => runs;
  const [events, runs, activeRuns, letters] = await Promise.all([
    pages<LogEntry, { logs?: LogEntry[]; events?: LogEntry[]; cursor?: string }>(
      "/v2/logs",
      query,
      (it) => it.logs ?? it.events ?? [],
    ),
    pages<Run, RunPage>("/v2/workflows/logs", query, runsOf),
    // What goes on now may have begun at any time.
    pages<Run, RunPage>("/v2/workflows/logs", { state: "RUN_STARTED" }, runsOf),
    pages<unknown, { messages?: unknown[]; cursor?: string }>("/v2/dlq", {}, (it) => it.messages ?? [], 1),
  ]);
  const isComplete = events.isWhole && runs.isWhole;
  const logged: Logged = {
    events: events.items,
    runs: runs.items,
    activeRuns: activeRuns.items,
    isComplete,
    deadLetters: letters.items.length,
  };
  return {
    metrics: metricsOf(logged, windowMs, buckets, now),
    counted: {
      entries: events.items.length + runs.items.length,
      isComplete,
      hasMoreRuns: !activeRuns.isWhole,
      hasMoreDeadLetters: !letters.isWhole,
    },
  };
}

async function pages<Item, Answer extends { cursor?: string }>(
  path: string,
  query: Record<string, number | string>,
  itemsOf: (answer: Answer) => Item[],
  most = PAGES,
): Promise<{ items: Item[]; isWhole: boolean }> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < most; page += 1) {
    const answer = await ask<Answer>(path, { query: { ...query, count: PAGE, cursor } });
    items.push(...itemsOf(answer));
    cursor = answer.cursor || undefined;
    if (cursor === undefined) return { items, isWhole: true };
  }
  return { items, isWhole: false };
}
