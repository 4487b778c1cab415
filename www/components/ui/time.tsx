"use client";

import { useSyncExternalStore } from "react";
import { clock, dateTime, duration, relative } from "@/lib/format";

/** One clock for all: a second's tick, while anything on the page shows it. */
const watchers = new Set<() => void>();
let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, 1_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function snapshot(): number {
  // Between ticks the value must not change, also when it is asked for twice before the first; without ticks it would grow old.
  if (timer === undefined && Date.now() - now >= 1_000) now = Date.now();
  return now;
}

/** The time, once a second; 0 on the server. */
export const useNow = (): number => useSyncExternalStore(subscribe, snapshot, () => 0);

/** How long ago, with the date as its hint. */
export function Ago({ at }: { at: number }) {
  const time = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {time === 0 ? clock(at) : relative(at, time)}
    </time>
  );
}

export function Clock({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {clock(at)}
    </time>
  );
}

/** Date and time to the second. */
export function Moment({ at }: { at: number }) {
  return <time dateTime={new Date(at).toISOString()}>{dateTime(at)}</time>;
}

/** From one time to another, or until now while there is no other. */
export function Elapsed({ from, to }: { from: number; to: number | undefined }) {
  return to === undefined ? <Running from={from} /> : <span>{duration(to - from)}</span>;
}

function Running({ from }: { from: number }) {
  const time = useNow();
  return <span>{time === 0 ? "" : duration(Math.floor((time - from) / 1_000) * 1_000)}</span>;
}
