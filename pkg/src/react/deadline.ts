/** A time limit for a request, beside the signal that its caller gave. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #ms: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** Of `ms` milliseconds from now, and from each {@link extend}. Call {@link end} in any case. */
  constructor(ms: number, outer?: AbortSignal) {
    this.#ms = ms;
    this.#outer = outer;
    if (outer?.aborted) this.#abort();
    outer?.addEventListener("abort", this.#abort);
    this.extend();
  }

  /** Aborted at the limit, or with the caller's signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the limit was reached. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins the time anew: something has come. */
  extend(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#controller.abort();
    }, this.#ms);
  }

  /** The request has ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = () => this.#controller.abort(this.#outer?.reason);
}
