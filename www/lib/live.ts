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
const GATHER_MS = 400;
/** What has not been read by then does not keep the rest from being read again. */
const READ_LIMIT_MS = 10_000;
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
    let stream: AbortController | undefined;
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let isReading = false;
    let isStale = false;
    // One after the other: SWR drops an answer once a newer request has begun, so those that overlap never end.
    const refresh = async () => {
      isStale = true;
      if (isReading) return;
      isReading = true;
      while (isStale) {
        isStale = false;
        // Keys that begin with "/v2/" are the broker's; only those that are mounted are read.
        await Promise.race([mutate(isBrokerKey).catch(() => {}), wait(READ_LIMIT_MS)]);
      }
      isReading = false;
    };
    const change = () => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        void refresh();
      }, GATHER_MS);
    };
    // Browsers open six connections to a host over HTTP/1.1: tabs in the background leave theirs to others.
    const attend = () => {
      if (document.hidden) {
        stream?.abort();
        stream = undefined;
      } else if (!stream) {
        stream = new AbortController();
        void listen(stream.signal, change, () => void refresh());
      }
    };
    attend();
    document.addEventListener("visibilitychange", attend);
    return () => {
      document.removeEventListener("visibilitychange", attend);
      stream?.abort();
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
      tell("live");
      // What happened while nobody listened.
      refresh();
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

const wait = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
