"use client";

/** Live data: what is on screen is read again when the broker says that something changed. */
import { useEffect, useSyncExternalStore } from "react";
import { useSWRConfig } from "swr";
import { authorization, BASE } from "@/lib/broker/transport";

/** `live`: told by events. `polling`: the broker tells none. `lost`: it does not answer. */
export type Connection = "connecting" | "live" | "polling" | "lost";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
const POLL_MS = 5_000;
/** Changes that come at once are read once. */
const GATHER_MS = 250;
/** Without a sign of life the stream is dead: the broker sends one each 15 s. */
const SILENCE_MS = 40_000;

let connection: Connection = "connecting";
const watchers = new Set<() => void>();

function tell(next: Connection): void {
  if (next === connection) return;
  connection = next;
  for (const watcher of watchers) watcher();
}

/** How the page hears of changes. */
export function useConnection(): Connection {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => connection,
    () => "connecting",
  );
}

/** Reads what is on screen again at every change; used once, by the shell. */
export function useLiveData(): void {
  const { mutate } = useSWRConfig();
  useEffect(() => {
    const stop = new AbortController();
    let gathering: ReturnType<typeof setTimeout> | undefined;
    // Keys that begin with "/v2/" are the broker's; only those that are mounted are read.
    const refresh = () => void mutate((key) => isBrokerKey(key));
    const change = () => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        refresh();
      }, GATHER_MS);
    };
    void listen(stop.signal, change, refresh);
    return () => {
      stop.abort();
      clearTimeout(gathering);
    };
  }, [mutate]);
}

/** SWR's keys: a path, or a path with what else tells the request apart. */
const isBrokerKey = (key: unknown): boolean => {
  const path = Array.isArray(key) ? key[0] : key;
  return typeof path === "string" && (path.startsWith("/v2/") || path.startsWith("$inf$/v2/"));
};

async function listen(signal: AbortSignal, change: () => void, refresh: () => void): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const outcome = await follow(signal, change, () => {
      pause = FIRST_PAUSE_MS;
      // What happened while nobody listened.
      if (connection === "lost" || connection === "polling") refresh();
      tell("live");
    });
    if (signal.aborted) return;
    tell(outcome);
    if (outcome === "polling") refresh();
    await wait(outcome === "polling" ? POLL_MS : pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** One stream from its beginning to its end. `fetch`, for `EventSource` sends no token. */
async function follow(signal: AbortSignal, change: () => void, ready: () => void): Promise<"polling" | "lost"> {
  const silence = new AbortController();
  let alarm = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const headers = { ...authorization(), accept: "text/event-stream" };
    const both = AbortSignal.any([signal, silence.signal]);
    const answer = await fetch(`${BASE}/v2/changes`, { headers, signal: both, cache: "no-store" });
    if (!answer.ok || !answer.body) return answer.status >= 500 && answer.status !== 503 ? "lost" : "polling";
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "lost";
      clearTimeout(alarm);
      alarm = setTimeout(() => silence.abort(), SILENCE_MS);
      const events = (text + value).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        if (/^event: ready$/m.test(event)) ready();
        else if (/^event: change$/m.test(event)) change();
      }
    }
  } catch {
    return "lost";
  } finally {
    clearTimeout(alarm);
  }
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
