/// <reference lib="esnext.disposable" preserve="true" />
/** Batches: items that come one by one are worked on together. */
import type { CallOptions } from "../config.js";
import { adopting, OrchestrationError } from "../errors.js";
import { type OptionNames, optionsOf } from "../options.js";
import { type Batcher, rules } from "../rules/rules.js";
import { unharmed } from "./listeners.js";
import { startTimer } from "./timer.js";

/** What a batch's function is told. */
export interface BatchTools {
  /** Aborted when the manager's `signal` is. */
  readonly signal: AbortSignal;
}

/**
 * Works on a batch. Gives a result for each item, in their order: a value, an `Error` for an item that failed, or a
 * promise of either. What it throws itself fails all of them.
 */
export type BatchProcess<TItem, TResult> = (
  items: TItem[],
  tools: BatchTools,
) => readonly TResult[] | PromiseLike<readonly TResult[]>;

/** What an item's promise resolves with. */
export type BatchResult<TResult> = Exclude<Awaited<TResult>, Error>;

/** What has been done since a manager was made. */
export interface BatchProgress {
  /** Items that are done, well or not. */
  completed: number;
  succeeded: number;
  failed: number;
  /** Items that wait for their batch. */
  pending: number;
  /** Batches that are worked on. */
  running: number;
}

/** How items are gathered. */
export interface BatchOptions {
  /** A batch never has more items. Default: 100. */
  maxSize?: number | undefined;
  /** Milliseconds that the first item of a batch waits for others; 0: those of the same tick. Default: 100. */
  maxWaitMs?: number | undefined;
  /** So many batches are worked on at once. Default: 1. */
  concurrency?: number | undefined;
  /** So many items wait at most. Default: 10,000. */
  maxPending?: number | undefined;
  /**
   * What becomes of an item that finds no room: it `wait`s in front, or its promise `reject`s with `BatchFull`.
   * Default: `wait`. Producers that can pause ask {@link BatchManager.ready}.
   */
  whenFull?: "wait" | "reject" | undefined;
  /** Hears after each batch. */
  onProgress?: ((progress: BatchProgress) => void) | undefined;
  /** Ends everything: what waits rejects with its reason, and no item is taken any more. */
  signal?: AbortSignal | undefined;
}

/** How items are gathered, and what is done with them. */
export interface BatchManagerOptions<TItem, TResult> extends BatchOptions {
  process: BatchProcess<TItem, TResult>;
}

/** An item with its promise. */
interface Entry<TItem, TResult> {
  item: TItem;
  resolve(value: BatchResult<TResult>): void;
  reject(reason: unknown): void;
  /** Whether it has been told its result. */
  done: boolean;
}

/**
 * Gathers items into batches: one goes when it is full, or when its first item has waited. Items are worked on in the order
 * in which they came. A timer is held only while items wait.
 *
 * ```ts
 * const inserts = new BatchManager({ maxSize: 500, process: (rows: Row[]) => db.insert(rows) });
 * const id = await inserts.add(row);
 * await inserts.close(); // on shutdown: works off what waits
 * ```
 */
export class BatchManager<TItem, TResult> {
  readonly #options: BatchManagerOptions<TItem, TResult>;
  readonly #batcher: Batcher;
  readonly #ending = new AbortController();
  readonly #abort = () => this.#giveUp(this.#options.signal?.reason);
  /** The items that the batcher counts, in their order. */
  #queue: Entry<TItem, TResult>[] = [];
  /** Those behind them that found no room. */
  #outside: Entry<TItem, TResult>[] = [];
  /** How many items have left the queue: the number of the first in it. */
  #taken = 0;
  /** The batches that are worked on, by the number of their first item. */
  readonly #running = new Map<number, Entry<TItem, TResult>[]>();
  /** Items with lower numbers don't wait for others. */
  #flushed = 0;
  #succeeded = 0;
  #failed = 0;
  /** Why no item is taken any more. */
  #closed: { reason: unknown } | undefined;
  #timer: { stop: () => void; at: number } | undefined;
  /** Whether this tick ends with a look for batches. */
  #due = false;
  #watchers: { seen(): boolean; resolve(): void }[] = [];

  /** @throws {OrchestrationError} `InvalidConfiguration` that names the option */
  constructor(given: BatchManagerOptions<TItem, TResult>) {
    const options = optionsOf("BatchManager", given, NAMES);
    const { process, maxSize, maxWaitMs, concurrency, maxPending, whenFull = "wait", signal } = options;
    if (typeof process !== "function") throw misconfigured("a batch manager needs a function `process`");
    if (whenFull !== "wait" && whenFull !== "reject") throw misconfigured("whenFull has to be 'wait' or 'reject'");
    this.#options = options;
    this.#batcher = adopting(OrchestrationError, () => {
      const { Batcher } = rules();
      return new Batcher(maxSize, maxWaitMs, concurrency, maxPending);
    });
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** Items that wait for their batch. */
  get pending(): number {
    return this.#queue.length + this.#outside.length;
  }

  /** Batches that are worked on. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Adds an item behind the others, and resolves with its result. Rejects with what failed it, with `BatchFull` (see
   * `whenFull`), with `Closed` after {@link close}, or with the reason of the manager's `signal`.
   */
  add(item: TItem): Promise<BatchResult<TResult>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed.reason);
      const entry: Entry<TItem, TResult> = { item, resolve, reject, done: false };
      if (this.#outside.length === 0 && (this.#offer(entry) || (this.#due && this.#retry(entry)))) return;
      if (this.#options.whenFull !== "reject") this.#outside.push(entry);
      else reject(new OrchestrationError("the batch has no room: add items later, or fewer at once", "BatchFull"));
    });
  }

  /** Adds several items, and resolves when all are done. */
  addAll(items: Iterable<TItem>): Promise<PromiseSettledResult<BatchResult<TResult>>[]> {
    return Promise.allSettled(Array.from(items, (item) => this.add(item)));
  }

  /** Resolves when there is room for an item. Rejects as {@link add} does, and with the reason of `signal`. */
  async ready({ signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await this.#when(() => this.#closed !== undefined || (this.#outside.length === 0 && this.#batcher.hasRoom), signal);
    if (this.#closed) throw this.#closed.reason;
  }

  /** Lets what waits go without waiting for others, and resolves when all of it is done. */
  async flush(): Promise<void> {
    const end = this.#taken + this.pending;
    this.#flushed = end;
    this.#pump();
    await this.#when(() => this.#firstOpen() >= end);
  }

  /** Takes no more items, works off what waits, and resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closed ??= {
      reason: new OrchestrationError("the batch manager is closed, and takes no more items", "Closed"),
    };
    await this.flush();
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #offer(entry: Entry<TItem, TResult>): boolean {
    if (!this.#batcher.offer(Date.now())) return false;
    this.#queue.push(entry);
    if (!this.#due) {
      this.#due = true;
      // Those that are added in one go are looked at once.
      queueMicrotask(() => {
        this.#due = false;
        this.#pump();
      });
    }
    return true;
  }

  /** There may be room once the batches that are due have gone. */
  #retry(entry: Entry<TItem, TResult>): boolean {
    this.#pump();
    return this.#offer(entry);
  }

  /** Begins the batches that are due. */
  #pump(): void {
    const now = Date.now();
    while (!this.#ending.signal.aborted) {
      if (this.#taken < this.#flushed) this.#batcher.flush();
      const size = this.#batcher.take(now);
      if (size === 0) break;
      const entries = this.#queue.splice(0, size);
      const first = this.#taken;
      this.#taken += size;
      this.#running.set(first, entries);
      while (this.#outside.length > 0 && this.#offer(this.#outside[0] as Entry<TItem, TResult>)) this.#outside.shift();
      void this.#work(entries, first);
    }
    if (!this.#ending.signal.aborted) this.#setTimer(now);
    this.#notify();
  }

  async #work(entries: Entry<TItem, TResult>[], first: number): Promise<void> {
    try {
      const items = entries.map(({ item }) => item);
      const results = await this.#options.process(items, { signal: this.#ending.signal });
      if (!Array.isArray(results) || results.length !== entries.length) throw mismatch(entries.length, results);
      const late = entries.flatMap((entry, index) => this.#settle(entry, results[index]) ?? []);
      if (late.length > 0) await Promise.all(late);
    } catch (error) {
      for (const entry of entries) this.#fail(entry, error);
    }
    // Nobody waits for it any more.
    if (!this.#running.delete(first)) return;
    this.#batcher.finish();
    this.#pump();
    this.#progress();
  }

  /** Tells an item its result; a promise of that if it is one. */
  #settle(entry: Entry<TItem, TResult>, result: unknown): PromiseLike<void> | undefined {
    if (isThenable(result))
      return result.then(
        (value) => void this.#settle(entry, value),
        (error: unknown) => this.#fail(entry, error),
      );
    if (result instanceof Error) return void this.#fail(entry, result);
    if (entry.done) return undefined;
    entry.done = true;
    this.#succeeded += 1;
    entry.resolve(result as BatchResult<TResult>);
    return undefined;
  }

  #fail(entry: Entry<TItem, TResult>, error: unknown): void {
    if (entry.done) return;
    entry.done = true;
    this.#failed += 1;
    entry.reject(error);
  }

  #giveUp(reason: unknown): void {
    this.#closed = { reason };
    this.#taken += this.pending;
    for (const entry of [...this.#queue.splice(0), ...this.#outside.splice(0)]) this.#fail(entry, reason);
    this.#stopTimer();
    this.#ending.abort(reason);
    this.#notify();
    if (this.#running.size > 0) startTimer(0, () => this.#abandon(reason));
  }

  /** Waits no longer for what has not heeded the signal. */
  #abandon(reason: unknown): void {
    if (this.#running.size === 0) return;
    for (const entry of [...this.#running.values()].flat()) this.#fail(entry, reason);
    this.#running.clear();
    this.#notify();
    this.#progress();
  }

  #progress(): void {
    const { onProgress } = this.#options;
    if (!onProgress) return;
    const { pending, running } = this;
    const [succeeded, failed] = [this.#succeeded, this.#failed];
    unharmed(() => onProgress({ completed: succeeded + failed, succeeded, failed, pending, running }));
  }

  #setTimer(now: number): void {
    const at = this.#batcher.nextWake();
    if (at === this.#timer?.at) return;
    this.#stopTimer();
    if (at === undefined) return;
    const wake = () => {
      this.#timer = undefined;
      this.#pump();
    };
    this.#timer = { stop: startTimer(Math.max(at - now, 0), wake), at };
  }

  #stopTimer(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  /** The number of the first item that is not done. */
  #firstOpen(): number {
    return Math.min(...this.#running.keys(), this.pending > 0 ? this.#taken : Number.POSITIVE_INFINITY);
  }

  #when(seen: () => boolean, signal?: AbortSignal): Promise<void> {
    if (seen()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#watchers = this.#watchers.filter((other) => other !== watcher);
        reject(signal?.reason);
      };
      const watcher = {
        seen,
        resolve: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#watchers.push(watcher);
    });
  }

  #notify(): void {
    if (this.#watchers.length === 0) return;
    const seen = this.#watchers.filter((watcher) => watcher.seen());
    if (seen.length === 0) return;
    this.#watchers = this.#watchers.filter((watcher) => !seen.includes(watcher));
    for (const watcher of seen) watcher.resolve();
  }
}

/** A function of one item whose calls are worked on together. */
export interface Batched<TItem, TResult> {
  (item: TItem): Promise<BatchResult<TResult>>;
  /** What gathers the items; close it on shutdown. */
  readonly batch: BatchManager<TItem, TResult>;
}

/**
 * Makes a function of one item of a function of many.
 *
 * ```ts
 * const loadUser = withBatch((ids: string[]) => db.usersById(ids), { maxSize: 50, maxWaitMs: 0 });
 * const [ada, alan] = await Promise.all([loadUser("ada"), loadUser("alan")]); // one query
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export function withBatch<TItem, TResult>(
  process: BatchProcess<TItem, TResult>,
  options: BatchOptions = {},
): Batched<TItem, TResult> {
  const batch = new BatchManager<TItem, TResult>({ ...options, process });
  return Object.assign((item: TItem) => batch.add(item), { batch });
}

const NAMES: OptionNames<BatchManagerOptions<unknown, unknown>> = {
  ...{ process: true, maxSize: true, maxWaitMs: true, concurrency: true, maxPending: true, whenFull: true },
  ...{ onProgress: true, signal: true },
};

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === "function";

const misconfigured = (message: string) => new OrchestrationError(message, "InvalidConfiguration");

function mismatch(expected: number, results: unknown): OrchestrationError {
  const got = Array.isArray(results) ? `${results.length} results` : typeof results;
  const message = `the function of a batch has to give a list with a result for each of its ${expected} items, got ${got}`;
  return new OrchestrationError(message, "ValidationFailed");
}
