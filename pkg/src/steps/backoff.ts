/** When a failed attempt is made again. The schedule is the core's; waiting and telling happen here. */
import type { Backoff } from "../../wasm/rules_bg.js";
import { adopting, OrchestrationError } from "../errors.js";
import { type OptionNames, optionsOf } from "../options.js";
import { pause } from "../resilience/pause.js";
import { rules } from "../rules/rules.js";
import { durationMs } from "./duration.js";
import { RetryLater } from "./runner.js";

/** How the delay grows: always the same; times the number of failures; twice the one before. */
export type BackoffStrategy = "fixed" | "linear" | "exponential";

/** How much of a delay is left to chance, so that those who failed together don't come back together. */
export type BackoffJitter = "none" | "equal" | "full";

/** What is told of a failed attempt that is followed by another. */
export interface RetryNotice {
  error: unknown;
  /** Attempts that have failed, this one included. */
  attempt: number;
  /** The wait before the next one. */
  delayMs: number;
}

/** How often something is tried, and when. Times are milliseconds. */
export interface RetryOptions {
  /** Tries, the first included. Default: 3. */
  maxAttempts?: number | undefined;
  /** The delay after the first failure. Default: 1000. */
  backoffMs?: number | undefined;
  /** Default: `exponential`. */
  strategy?: BackoffStrategy | undefined;
  /** Default: `equal`, which leaves one half to chance. */
  jitter?: BackoffJitter | undefined;
  /** No delay is longer. Default: 5 minutes. */
  maxBackoffMs?: number | undefined;
  /**
   * Whether an attempt that failed is worth another; `attempt` counts those that have failed, from 1. Default: unless the
   * error says `retryable: false`, is a `WorkflowNonRetryableError`, or somebody aborted.
   */
  retryIf?: ((error: unknown, attempt: number) => boolean | Promise<boolean>) | undefined;
  /** Is told of every failure that is followed by another attempt. */
  onRetry?: ((retry: RetryNotice) => void | Promise<void>) | undefined;
}

/** `inPlaceMs` is a step's, `signal` a function's. */
const NAMES: OptionNames<RetryOptions & { inPlaceMs?: unknown; signal?: unknown }> = {
  ...{ maxAttempts: true, backoffMs: true, strategy: true, jitter: true, maxBackoffMs: true, retryIf: true },
  ...{ onRetry: true, inPlaceMs: true, signal: true },
};

/** @internal When to try again: options that were checked. */
export class RetryPolicy {
  readonly #backoff: Backoff;
  readonly #options: RetryOptions;
  readonly #inPlaceMs: number;
  #durableRetries: number | undefined;

  /** @throws {OrchestrationError} `InvalidConfiguration` that names the option */
  constructor(given: RetryOptions & { inPlaceMs?: unknown; signal?: unknown }, inPlaceMs: number = IN_PLACE_MS) {
    const options = optionsOf("a retry", given, NAMES);
    const { maxAttempts, backoffMs, strategy, jitter, maxBackoffMs } = options;
    for (const name of ["retryIf", "onRetry"] as const) {
      const given: unknown = options[name];
      if (given !== undefined && typeof given !== "function")
        throw new OrchestrationError(`${name} must be a function, not ${typeof given}`, "InvalidConfiguration");
    }
    this.#options = options;
    this.#inPlaceMs = inPlaceMs;
    this.#backoff = adopting(OrchestrationError, () => {
      const { Backoff } = rules();
      const texts = [strategy, jitter].map((text) => (text === undefined ? undefined : String(text)));
      return new Backoff(maxAttempts, backoffMs, texts[0], texts[1], maxBackoffMs, inPlaceMs);
    });
  }

  get maxAttempts(): number {
    return this.#backoff.maxAttempts;
  }

  /** How many durable tries may follow the first. */
  get durableRetries(): number {
    this.#durableRetries ??= this.#backoff.durableRetries();
    return this.#durableRetries;
  }

  /** The delays as an expression of the broker. */
  get expression(): string {
    return this.#backoff.expression();
  }

  /** Whether somebody else than the schedule decides. */
  get isConditional(): boolean {
    return this.#options.retryIf !== undefined;
  }

  /**
   * Makes attempts until one succeeds. Rejects with the last failure, or with {@link RetryLater} if the wait is too long
   * for this process.
   *
   * @param ending its signal ends waits and further attempts
   * @param durableTry durable tries before this one: they have made attempts too
   * @param isWorth what is tried again by default beside what {@link isWorthRetrying}
   */
  async attempts<T>(
    work: (failures: number) => T | Promise<T>,
    ending: Ending,
    durableTry = 0,
    isWorth: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    for (let failures = durableTry === 0 ? 0 : this.#backoff.failuresBefore(durableTry); ; ) {
      try {
        return await work(failures);
      } catch (error) {
        failures += 1;
        const delayMs = await this.#delay(error, failures, ending, isWorth);
        if (delayMs > 0) await pause(delayMs, ending.signal);
      }
    }
  }

  /** The wait in place after a failure; throws what ends the attempts. */
  async #delay(
    error: unknown,
    failures: number,
    ending: Ending,
    isWorth: (error: unknown) => boolean,
  ): Promise<number> {
    if (error instanceof RetryLater || ending.signal?.aborted) throw error;
    const { retryIf, onRetry } = this.#options;
    const planned = this.#backoff.after(failures, Math.random());
    if (planned === undefined) throw error;
    const goesOn = retryIf ? await retryIf(error, failures) : isWorth(error) || isWorthRetrying(error);
    if (!goesOn) throw error;
    // The schedule says who waits, so that every invocation counts alike.
    const isDeferred = this.#backoff.isDeferred(failures);
    const asked = askedDelay(error);
    const delayMs = asked === undefined ? planned : isDeferred ? asked : Math.min(asked, this.#inPlaceMs);
    if (onRetry) await onRetry({ error, attempt: failures, delayMs });
    if (isDeferred) throw new RetryLater(error, delayMs);
    return delayMs;
  }
}

/** What may end the attempts. It is looked at after failures only: a signal may be made when it is asked for. */
interface Ending {
  readonly signal?: AbortSignal | undefined;
}

const IN_PLACE_MS = 10_000;
const MILLISECONDS = 1_000;

/** The default of `retryIf`. */
function isWorthRetrying(error: unknown): boolean {
  const { name, retryable } = (error ?? {}) as { name?: unknown; retryable?: unknown };
  return retryable !== false && name !== "WorkflowNonRetryableError" && name !== "AbortError";
}

/** What a `WorkflowRetryAfterError` asks for, in milliseconds. */
function askedDelay(error: unknown): number | undefined {
  const { name, retryAfter } = (error ?? {}) as { name?: unknown; retryAfter?: unknown };
  if (name !== "WorkflowRetryAfterError") return undefined;
  return typeof retryAfter === "number" ? retryAfter * MILLISECONDS : durationMs(retryAfter);
}
