/** One action on many things: a few calls at a time, every outcome counted, nothing lost when a part fails. */

export interface BulkFailure<Item> {
  item: Item;
  /** What the broker said. */
  reason: string;
}

export interface BulkProgress<Item> {
  total: number;
  done: number;
  /** Nothing was left to do for these: they had ended, or were gone. */
  skipped: number;
  failures: BulkFailure<Item>[];
  /** What was not begun: after a stop, or after the broker could not be reached. */
  rest: Item[];
  /** `waiting`: the broker asked to slow down. `halted`: it could not be reached. */
  state: "running" | "waiting" | "done" | "stopped" | "halted";
}

export interface BulkOptions<Item> {
  items: readonly Item[];
  /** Does one part, and resolves with how many of it were done, if not all. Rejects if none of it was. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most calls resolve with nothing
  act: (part: Item[]) => Promise<number | undefined | void>;
  /** So many items make one call; 1 if absent. A part of several that is refused (4xx) is done again one by one. */
  size?: number;
  /** So many calls are under way at most; 4 if absent. */
  parallel?: number;
  /** Ends it early: what is under way is awaited and counted, nothing else begins. */
  signal?: AbortSignal;
  onProgress?: (progress: BulkProgress<Item>) => void;
  /** Waits so many milliseconds, or until the signal. */
  wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Pauses after an answer of 429, in milliseconds; after the last the part has failed. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];
const TOO_MANY_REQUESTS = 429;
const PARALLEL = 4;

/** Acts on all items, and resolves with what became of them; it does not reject. */
export async function runBulk<Item>(options: BulkOptions<Item>): Promise<BulkProgress<Item>> {
  const { items, act, size = 1, parallel = PARALLEL, signal, onProgress, wait = pause } = options;
  const parts = chunks(items, size);
  const counts = { done: 0, skipped: 0 };
  const failures: BulkFailure<Item>[] = [];
  let state: BulkProgress<Item>["state"] = "running";
  let waiting = 0;

  const progress = (): BulkProgress<Item> => ({
    total: items.length,
    ...counts,
    failures: [...failures],
    rest: parts.flat(),
    state: state === "running" && waiting > 0 ? "waiting" : state,
  });
  const isOver = () => state !== "running" || signal?.aborted === true;

  const attempt = async (part: Item[]): Promise<void> => {
    for (let pauses = 0; ; pauses++) {
      try {
        const done = (await act(part)) ?? part.length;
        counts.done += done;
        counts.skipped += part.length - done;
        return;
      } catch (error) {
        const ms = PAUSES_MS[pauses];
        if (statusOf(error) !== TOO_MANY_REQUESTS || ms === undefined) throw error;
        waiting++;
        onProgress?.(progress());
        await wait(ms, signal);
        waiting--;
        // It was refused, so nothing of it was done.
        if (isOver()) return void parts.unshift(part);
      }
    }
  };

  const work = async (): Promise<void> => {
    while (!isOver()) {
      const part = parts.shift();
      if (part === undefined) return;
      try {
        await attempt(part);
      } catch (error) {
        const isLost = isUnreachable(error);
        if (part.length > 1 && isRefusal(error)) {
          // One of them may be the reason.
          parts.unshift(...chunks(part, 1));
        } else {
          const reason = error instanceof Error ? error.message : String(error);
          failures.push(...part.map((item) => ({ item, reason })));
        }
        if (isLost) state = "halted";
      }
      onProgress?.(progress());
    }
  };

  onProgress?.(progress());
  await Promise.all(Array.from({ length: Math.max(1, Math.min(parallel, parts.length)) }, work));
  if (state === "running") state = parts.length > 0 ? "stopped" : "done";
  const end = progress();
  onProgress?.(end);
  return end;
}

/** The parts of a list, in order. */
export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const parts: Item[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}

/** Failures with one reason together, the most frequent first. */
export function byReason<Item>(failures: readonly BulkFailure<Item>[]): { reason: string; items: Item[] }[] {
  const groups = new Map<string, Item[]>();
  for (const { item, reason } of failures) groups.set(reason, [...(groups.get(reason) ?? []), item]);
  return [...groups].map(([reason, items]) => ({ reason, items })).sort((a, b) => b.items.length - a.items.length);
}

const statusOf = (error: unknown): number | undefined => (error as { status?: number } | undefined)?.status;

/** An answer that nothing was done for what was asked; after 5xx some of it may have been. */
const isRefusal = (error: unknown): boolean => {
  const status = statusOf(error) ?? 0;
  return status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS;
};

const isUnreachable = (error: unknown): boolean =>
  (error as { isUnreachable?: boolean } | undefined)?.isUnreachable === true;

const pause = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
