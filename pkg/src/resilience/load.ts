/** One load that several wait for. */

/** Fetches or computes the value of a key. */
export type Loader<K, V> = (key: K, tools: { readonly signal: AbortSignal }) => V | Promise<V>;

/** Is told how a load has ended, before those who wait are. */
export interface LoadEnd<V> {
  loaded(value: V): void;
  failed(): void;
  /** Nobody waits any more. */
  abandoned(): void;
}

/** A load under way. It is aborted when everybody has given up waiting. */
export class Load<V> {
  readonly #controller = new AbortController();
  readonly #end: LoadEnd<V>;
  readonly #result: Promise<V>;
  #waiting = 0;

  /** The loader begins in a microtask. */
  constructor(start: (signal: AbortSignal) => V | Promise<V>, end: LoadEnd<V>) {
    this.#end = end;
    this.#result = this.#run(start);
    // Those who wait are told; it is no unhandled rejection if nobody does any more.
    this.#result.catch(() => {});
  }

  /** The value; rejects with what the load failed with, or with the reason of `signal`. */
  wait(signal: AbortSignal | undefined): Promise<V> {
    this.#waiting += 1;
    if (!signal) return this.#result;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason);
        this.#waiting -= 1;
        if (this.#waiting === 0) this.#abandon(signal.reason);
      };
      const stay = () => signal.removeEventListener("abort", leave);
      signal.addEventListener("abort", leave, { once: true });
      this.#result.finally(stay).then(resolve, reject);
    });
  }

  async #run(start: (signal: AbortSignal) => V | Promise<V>): Promise<V> {
    await undefined;
    let value: V;
    try {
      value = await start(this.#controller.signal);
    } catch (error) {
      if (!this.#controller.signal.aborted) this.#end.failed();
      throw error;
    }
    this.#end.loaded(value);
    return value;
  }

  #abandon(reason: unknown): void {
    this.#end.abandoned();
    this.#controller.abort(reason);
  }
}
