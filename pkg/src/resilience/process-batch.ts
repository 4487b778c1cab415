/** Working on a list, several items at once. */
import type { CallOptions } from "../config.js";
import { OrchestrationError } from "../errors.js";
import { unharmed } from "./listeners.js";
import { startTimer } from "./timer.js";

/** What the function is told. */
export interface ProcessBatchTools {
  /** Where the item stands in the list; for several at once, the first of them. */
  readonly index: number;
  /** Aborted when the caller gives up, or with `stopOnError` at the first failure. */
  readonly signal: AbortSignal;
}

/** What has been done of a list. */
export interface ProcessBatchProgress {
  total: number;
  /** Items that are done, well or not. */
  completed: number;
  succeeded: number;
  failed: number;
}

/** How a list is worked on. */
export interface ProcessBatchOptions extends CallOptions {
  /** So many calls of the function run at once. Default: 10. */
  concurrency?: number | undefined;
  /** Hears after each call of the function. */
  onProgress?: ((progress: ProcessBatchProgress) => void) | undefined;
  /** Begins nothing more after the first failure. Default: `false` */
  stopOnError?: boolean | undefined;
}

/** What became of a list. */
export interface ProcessBatchResult<TResult> {
  /**
   * One for each item, in their order. Those that were not begun are rejected: with the signal's reason, or `Aborted`; and
   * so are those whose work goes on although the caller's signal is aborted.
   */
  results: PromiseSettledResult<TResult>[];
  succeeded: number;
  /** Those that were not begun among them. */
  failed: number;
}

/**
 * Works on all items of a list, some at once, and resolves when all are done: a failure is told in the result, and does not
 * end the others.
 *
 * ```ts
 * const { results, failed } = await processBatch(urls, (url, { signal }) => fetch(url, { signal }), { concurrency: 5 });
 * ```
 *
 * With `size` the function gets up to so many items at once, and gives a result for each in their order; an `Error` among
 * them stands for an item that failed, and if it throws, all of them have.
 *
 * ```ts
 * await processBatch(rows, (some) => db.insert(some), { size: 500, concurrency: 2 });
 * ```
 *
 * Rejects with `InvalidConfiguration` for an option that makes no sense, and in no other case.
 */
export function processBatch<TItem, TResult>(
  items: Iterable<TItem>,
  work: (items: TItem[], tools: ProcessBatchTools) => readonly TResult[] | PromiseLike<readonly TResult[]>,
  options: ProcessBatchOptions & { size: number },
): Promise<ProcessBatchResult<Exclude<TResult, Error>>>;
export function processBatch<TItem, TResult>(
  items: Iterable<TItem>,
  work: (item: TItem, tools: ProcessBatchTools) => TResult,
  options?: ProcessBatchOptions & { size?: undefined },
): Promise<ProcessBatchResult<Awaited<TResult>>>;
export async function processBatch(
  items: Iterable<unknown>,
  work: (given: never, tools: ProcessBatchTools) => unknown,
  options: ProcessBatchOptions & { size?: number | undefined } = {},
): Promise<ProcessBatchResult<unknown>> {
  const { size, concurrency = CONCURRENCY } = options;
  for (const [name, number] of Object.entries({ size, concurrency })) {
    if (number !== undefined && number !== Number.POSITIVE_INFINITY && !(Number.isInteger(number) && number >= 1))
      throw new OrchestrationError(`${name} has to be a whole number from 1`, "InvalidConfiguration");
  }
  const list = Array.from(items);
  const job = new Job(list.length, options);
  // `Infinity` is all of them.
  const step = Math.min(size ?? 1, Math.max(list.length, 1));
  let next = 0;
  const worker = async () => {
    while (next < list.length && job.goesOn) {
      const index = next;
      next += step;
      const tools: ProcessBatchTools = { index, signal: job.signal };
      try {
        if (size === undefined) job.fulfil(index, await work(list[index] as never, tools));
        else
          job.fulfilAll(
            index,
            Math.min(step, list.length - index),
            await work(list.slice(index, index + step) as never, tools),
          );
      } catch (error) {
        job.fail(index, Math.min(step, list.length - index), error);
      }
      job.tell();
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, Math.ceil(list.length / step)) }, worker);
  await Promise.race([Promise.all(workers), job.abandoned]);
  return job.end();
}

/** The results as they come. */
class Job {
  readonly #total: number;
  readonly #options: ProcessBatchOptions;
  readonly #results: PromiseSettledResult<unknown>[];
  readonly #ending = new AbortController();
  readonly #abort = () => {
    this.#ending.abort(this.#options.signal?.reason);
    // Work that heeds the signal may still tell what has become of it.
    this.#stopTimer = startTimer(0, this.#abandon);
  };
  #abandon = () => {};
  #stopTimer = () => {};
  #over = false;
  #succeeded = 0;
  #failed = 0;

  /** Resolves when the caller has given up. */
  readonly abandoned = new Promise<void>((resolve) => {
    this.#abandon = resolve;
  });

  constructor(total: number, options: ProcessBatchOptions) {
    this.#total = total;
    this.#options = options;
    this.#results = new Array(total);
    const { signal } = options;
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get goesOn(): boolean {
    return !this.#ending.signal.aborted;
  }

  fulfil(index: number, value: unknown): void {
    if (this.#over) return;
    this.#results[index] = { status: "fulfilled", value };
    this.#succeeded += 1;
  }

  fulfilAll(index: number, count: number, values: unknown): void {
    if (!Array.isArray(values) || values.length !== count)
      throw new OrchestrationError(
        `with \`size\`, the function gets several items and has to give a list with a result for each: expected ${count}, got ${Array.isArray(values) ? values.length : typeof values}`,
        "ValidationFailed",
      );
    for (const [offset, value] of values.entries()) {
      if (value instanceof Error) this.fail(index + offset, 1, value);
      else this.fulfil(index + offset, value);
    }
  }

  fail(index: number, count: number, reason: unknown): void {
    if (this.#over) return;
    for (let each = index; each < index + count; each += 1) this.#results[each] = { status: "rejected", reason };
    this.#failed += count;
    if (this.#options.stopOnError && this.goesOn)
      this.#ending.abort(new OrchestrationError("another item failed before, and `stopOnError` is set", "Aborted"));
  }

  tell(): void {
    const { onProgress } = this.#options;
    if (!onProgress || this.#over) return;
    const [total, succeeded, failed] = [this.#total, this.#succeeded, this.#failed];
    unharmed(() => onProgress({ total, completed: succeeded + failed, succeeded, failed }));
  }

  end(): ProcessBatchResult<unknown> {
    this.#over = true;
    this.#stopTimer();
    this.#options.signal?.removeEventListener("abort", this.#abort);
    for (let index = 0; index < this.#total; index += 1) {
      this.#results[index] ??= { status: "rejected", reason: this.#ending.signal.reason };
    }
    const succeeded = this.#succeeded;
    return { results: this.#results, succeeded, failed: this.#total - succeeded };
  }
}

const CONCURRENCY = 10;
