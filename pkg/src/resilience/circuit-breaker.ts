/** Circuit breakers: calls to something that keeps failing are refused at once for a while. */
import type { CallOptions } from "../config.js";
import { adopting, CircuitOpenError, OrchestrationError, TimeoutError } from "../errors.js";
import { type OptionNames, optionsOf } from "../options.js";
import { type Breaker, rules } from "../rules/rules.js";
import { type BreakerEvents, BreakerListeners, type CircuitState } from "./breaker-events.js";
import { startTimer } from "./timer.js";

/** When a breaker opens, and when it tries again. */
export interface CircuitBreakerOptions {
  /** Names it in errors and events. Default: the function's name, or `circuit`. */
  name?: string | undefined;
  /** It opens if at least this share of the calls in the window has failed; above 0, at most 1. Default: 0.5. */
  errorRate?: number | undefined;
  /** Fewer calls than this in the window say nothing. Default: 10. */
  volumeThreshold?: number | undefined;
  /** Milliseconds, from 10: how far back calls count. Default: 10,000. */
  windowMs?: number | undefined;
  /** Milliseconds that it stays open before it lets calls try. Default: 30,000. */
  resetTimeoutMs?: number | undefined;
  /**
   * So many calls try at once while it is half open, and so many have to succeed for it to close; one that has not ended
   * after `resetTimeoutMs` makes room for another. Default: 1.
   */
  halfOpenCalls?: number | undefined;
  /** Milliseconds after which a call counts as failed, and rejects with {@link TimeoutError}. Default: never. */
  timeoutMs?: number | undefined;
  /** Whether an error says that the other side is not well; the others count as successes. Default: all do. */
  isFailure?: ((error: unknown) => boolean) | undefined;
  /** Hears of every change of the state. */
  onStateChange?: ((change: BreakerEvents["stateChange"]) => void) | undefined;
  /** Tells Unix milliseconds. Default: `Date.now` */
  now?: (() => number) | undefined;
}

const NAMES: OptionNames<CircuitBreakerOptions> = {
  ...{ name: true, errorRate: true, volumeThreshold: true, windowMs: true, resetTimeoutMs: true, halfOpenCalls: true },
  ...{ timeoutMs: true, isFailure: true, onStateChange: true, now: true },
};

/** What a breaker has seen in its window. A change of its state begins anew. */
export interface CircuitCounts {
  calls: number;
  failures: number;
  /** Failures of all calls, from 0 to 1. */
  errorRate: number;
}

/** What a guarded function is told. */
export interface CircuitTools {
  /** Aborted when its time is up, or when its caller gives up. */
  readonly signal: AbortSignal;
}

/**
 * Guards calls to something that may fail. Closed, it lets all pass; once too many fail it opens and refuses all; after a
 * time it is half open and lets a few try: if these succeed it closes, if not it opens again. It holds no timer: that its
 * time is up is seen when the next call comes.
 *
 * ```ts
 * const breaker = new CircuitBreaker({ name: "payments", timeoutMs: 2000 });
 * const receipt = await breaker.execute(({ signal }) => fetch(url, { signal }));
 * ```
 */
export class CircuitBreaker {
  readonly name: string;
  readonly #breaker: Breaker;
  readonly #options: CircuitBreakerOptions;
  readonly #now: () => number;
  readonly #listeners = new BreakerListeners();
  /** As it was told to listeners. */
  #state: CircuitState = "closed";

  /** @throws {OrchestrationError} `InvalidConfiguration` that names the option */
  constructor(given: CircuitBreakerOptions = {}) {
    const options = optionsOf("CircuitBreaker", given, NAMES);
    const {
      name = "circuit",
      errorRate,
      volumeThreshold,
      windowMs,
      resetTimeoutMs,
      halfOpenCalls,
      timeoutMs,
    } = options;
    if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0))
      throw new OrchestrationError("timeoutMs has to be milliseconds above 0", "InvalidConfiguration");
    this.name = name;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#breaker = adopting(OrchestrationError, () => {
      const { Breaker } = rules();
      return new Breaker(errorRate, volumeThreshold, windowMs, resetTimeoutMs, halfOpenCalls);
    });
    if (options.onStateChange) this.#listeners.on("stateChange", options.onStateChange);
  }

  /** What it does with a call that comes now. */
  get state(): CircuitState {
    return STATES[this.#breaker.state(this.#now())] as CircuitState;
  }

  /** What it has seen. */
  get counts(): CircuitCounts {
    const now = this.#now();
    const [calls, failures] = [this.#breaker.calls(now), this.#breaker.failures(now)];
    return { calls, failures, errorRate: calls === 0 ? 0 : failures / calls };
  }

  /**
   * Makes a call, if it may be made.
   *
   * Rejects with {@link CircuitOpenError} if it may not, with {@link TimeoutError} if it takes too long, with what the call
   * throws, or with the reason of `signal`, which says nothing of the other side and is not counted.
   */
  async execute<TResult>(
    call: (tools: CircuitTools) => TResult | PromiseLike<TResult>,
    { signal }: CallOptions = {},
  ): Promise<TResult> {
    signal?.throwIfAborted();
    const { timeoutMs } = this.#options;
    const begun = this.#now();
    const ticket = this.#breaker.admit(begun);
    if (ticket < 0) throw this.#refusal(begun);
    if (this.#state === "open") this.#tell(begun, "half-open");
    let result: TResult;
    try {
      result = await (timeoutMs === undefined ? call(untimed(signal)) : this.#timed(call, timeoutMs, signal));
    } catch (error) {
      this.#failed(error, ticket, begun, signal);
      throw error;
    }
    this.#record(ticket, true, "success", begun);
    return result;
  }

  /** Refuses all calls for the reset timeout, whatever the counts say. */
  open(): void {
    const now = this.#now();
    this.#breaker.open(now);
    this.#tell(now, "open");
  }

  /** Lets all calls pass, and forgets what it has seen. */
  close(): void {
    this.#breaker.close();
    this.#tell(this.#now(), "closed");
  }

  /**
   * Has a listener told of an event. A listener that throws does not touch the call: its error is reported as uncaught.
   *
   * @returns ends it
   */
  on<TEvent extends keyof BreakerEvents>(event: TEvent, listener: (told: BreakerEvents[TEvent]) => void): () => void {
    return this.#listeners.on(event, listener);
  }

  /** Does not wait for a call longer than its time, or its caller. */
  #timed<TResult>(
    call: (tools: CircuitTools) => TResult | PromiseLike<TResult>,
    timeoutMs: number,
    outer: AbortSignal | undefined,
  ): Promise<TResult> {
    return new Promise((resolve, reject) => {
      const ending = new Ending();
      const stop = (reason: unknown) => {
        ending.abort(reason);
        reject(reason);
      };
      const abort = () => stop(outer?.reason);
      const clear = () => {
        stopTimer();
        outer?.removeEventListener("abort", abort);
      };
      const expire = () => stop(new TimeoutError(`'${this.name}' took longer than ${timeoutMs} ms`));
      const stopTimer = startTimer(timeoutMs, expire);
      outer?.addEventListener("abort", abort, { once: true });
      const done = (result: TResult) => {
        clear();
        resolve(result);
      };
      const failed = (error: unknown) => {
        clear();
        reject(error);
      };
      try {
        const made = call(ending);
        if (isThenable(made)) made.then(done, failed);
        else done(made);
      } catch (error) {
        failed(error);
      }
    });
  }

  #failed(error: unknown, ticket: number, begun: number, signal: AbortSignal | undefined): void {
    if (signal?.aborted) {
      this.#breaker.release(ticket);
      return;
    }
    const { isFailure } = this.#options;
    let success = false;
    try {
      success = isFailure !== undefined && !isFailure(error);
    } finally {
      // An `isFailure` that throws has not said that the other side is well.
      if (error instanceof TimeoutError && !success) this.#listeners.tell("timeout", this.#told(begun, error));
      this.#record(ticket, success, success ? "success" : "failure", begun, error);
    }
  }

  #record(ticket: number, success: boolean, event: "success" | "failure", begun: number, error?: unknown): void {
    const now = this.#now();
    const changed = this.#breaker.record(ticket, success, now);
    if (this.#listeners.has(event)) this.#listeners.tell(event, this.#told(begun, error, now));
    if (changed) this.#tell(now, STATES[this.#breaker.state(now)] as CircuitState);
  }

  #refusal(now: number): CircuitOpenError {
    const retryAfterMs = Math.max(0, this.#breaker.retryAt - now);
    const again = retryAfterMs > 0 ? `; it lets calls try in ${Math.ceil(retryAfterMs)} ms` : "; a call is trying";
    const error = new CircuitOpenError(`the circuit breaker '${this.name}' is open${again}`, { retryAfterMs });
    if (this.#listeners.has("reject")) this.#listeners.tell("reject", this.#told(now, error, now));
    return error;
  }

  #told(begun: number, error?: unknown, now = this.#now()) {
    return { name: this.name, at: now, durationMs: now - begun, ...(error === undefined ? {} : { error }) };
  }

  #tell(at: number, to: CircuitState): void {
    const from = this.#state;
    this.#state = to;
    if (from === to) return;
    const change = { name: this.name, at, from, to };
    this.#listeners.tell(to === "closed" ? "close" : to === "open" ? "open" : "halfOpen", change);
    this.#listeners.tell("stateChange", change);
  }
}

/** How a function is guarded, and what it gives instead. */
export type WithCircuitBreakerOptions<TArguments extends unknown[], TResult> = (
  | CircuitBreakerOptions
  | { breaker: CircuitBreaker }
) & {
  /** Gives the result when the call failed or was not made; gets the error, then the arguments. */
  fallback?:
    | ((error: unknown, ...args: TArguments) => TResult | Awaited<TResult> | Promise<Awaited<TResult>>)
    | undefined;
};

/** A function of the same arguments, and what guards it. */
export type CircuitBroken<TArguments extends unknown[], TResult> = ((
  ...args: TArguments
) => Promise<Awaited<TResult>>) & { readonly breaker: CircuitBreaker };

/**
 * Guards a function by a circuit breaker: one of its own, or `breaker`, which others share.
 *
 * ```ts
 * const charge = withCircuitBreaker(chargeCard, { name: "payments", errorRate: 0.5, resetTimeoutMs: 30_000 });
 * charge.breaker.on("open", () => alert("payments are down"));
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export function withCircuitBreaker<TArguments extends unknown[], TResult>(
  guarded: (...args: TArguments) => TResult,
  options: WithCircuitBreakerOptions<TArguments, TResult> = {},
): CircuitBroken<TArguments, TResult> {
  if (typeof guarded !== "function")
    throw new OrchestrationError("withCircuitBreaker expects a function, and then options", "InvalidConfiguration");
  const { fallback, ...own } = options;
  const breaker = "breaker" in own ? own.breaker : new CircuitBreaker({ name: guarded.name || undefined, ...own });
  const call = async (...args: TArguments): Promise<Awaited<TResult>> => {
    if (!fallback) return (await breaker.execute(() => guarded(...args))) as Awaited<TResult>;
    try {
      return (await breaker.execute(() => guarded(...args))) as Awaited<TResult>;
    } catch (error) {
      return (await fallback(error, ...args)) as Awaited<TResult>;
    }
  };
  return Object.assign(call, { breaker });
}

/** A signal that is made when somebody asks for it: few do. */
class Ending implements CircuitTools {
  #controller: AbortController | undefined;
  #ended: { reason: unknown } | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort(this.#ended.reason);
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#ended ??= { reason };
    this.#controller?.abort(reason);
  }
}

const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === "function";

/** Signals belong to a request in some runtimes, so there is none for all; few ask for it. */
const untimed = (signal: AbortSignal | undefined): CircuitTools => (signal ? { signal } : NOBODY);

const NOBODY: CircuitTools = {
  get signal() {
    return new AbortController().signal;
  },
};

const STATES = ["closed", "open", "half-open"] as const;
