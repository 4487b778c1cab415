/** What SWR has no word for: requests that end when nobody waits for their answer any more. */
import { useMemo, useRef } from "react";

import type { WorkflowApiClient } from "./client.js";
import { useIsomorphicLayoutEffect } from "./effects.js";

/** A name for what is asked of a client, unlike that of every other client: they may act for different people. */
export type RequestKey = readonly [prefix: "@repo/orchestration", client: number, name: string];

/** How a hook takes part in the requests of its key. */
export interface Requests {
  key: RequestKey;
  /** For SWR: nothing is begun, and no failure is told, once the component has gone. */
  isPaused: () => boolean;
  /** Aborted when the last component that has asked for the same has gone. */
  signal: () => AbortSignal;
}

/** Requests of the same name are shared by the components that make them, by SWR; so is their end. */
export function useRequests(client: WorkflowApiClient, name: string): Requests {
  const isGone = useRef(false);
  const key = useMemo((): RequestKey => ["@repo/orchestration", numberOf(client), name], [client, name]);
  const text = key.join(" ");
  useIsomorphicLayoutEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
    };
  }, []);
  useIsomorphicLayoutEffect(() => {
    const holders = holdersOf(text);
    holders.count += 1;
    return () => {
      holders.count -= 1;
      queueMicrotask(() => {
        if (holders.count > 0) return;
        if (shared.get(text) === holders) shared.delete(text);
        // Another key is asked for instead: the answer is still good for SWR's cache.
        if (isGone.current) holders.controller.abort();
      });
    };
  }, [text]);
  return { key, isPaused: () => isGone.current, signal: () => holdersOf(text).controller.signal };
}

interface Holders {
  count: number;
  controller: AbortController;
}

const shared = new Map<string, Holders>();

function holdersOf(text: string): Holders {
  const holders = shared.get(text) ?? { count: 0, controller: new AbortController() };
  shared.set(text, holders);
  return holders;
}

const numbers = new WeakMap<WorkflowApiClient, number>();
let clients = 0;

function numberOf(client: WorkflowApiClient): number {
  const number = numbers.get(client) ?? ++clients;
  numbers.set(client, number);
  return number;
}
