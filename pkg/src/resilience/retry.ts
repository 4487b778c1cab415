/** Functions that are tried again when they fail. */
import { type RetryOptions, RetryPolicy } from "../steps/backoff.js";

/** How often a function is tried, and when. */
export interface FunctionRetryOptions extends RetryOptions {
  /** Ends waiting and further attempts. */
  signal?: AbortSignal | undefined;
}

/**
 * A function that is tried again when it fails: `maxAttempts` times in total, and then it rejects with the last failure.
 * All waits are in this process; steps of a run use `withStepRetry`.
 *
 * ```ts
 * const download = withRetry((url: string) => fetch(url), { maxAttempts: 5 });
 * await download("https://example.com");
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export function withRetry<TArguments extends unknown[], TResult>(
  work: (...given: TArguments) => TResult | Promise<TResult>,
  options: FunctionRetryOptions = {},
): (...given: TArguments) => Promise<TResult> {
  const policy = new RetryPolicy(options, Number.POSITIVE_INFINITY);
  return (...given) => policy.attempts(() => work(...given), options);
}
