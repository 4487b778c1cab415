/** Steps behind a circuit breaker. */
import { OrchestrationError } from "../errors.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "../resilience/circuit-breaker.js";
import { RetryLater } from "./runner.js";
import { decorated, type Step } from "./step.js";

/** What a step needs of a breaker: it calls the function, or refuses to. It may limit it by a signal of its own. */
export interface StepBreaker {
  execute<T>(
    work: (tools?: { readonly signal: AbortSignal }) => Promise<T>,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<T>;
}

/**
 * A step whose functions are called by a circuit breaker: while it is open, the step rejects with `CircuitOpen` without
 * calling them. Share a breaker among the steps that use the same service; options make one for this step alone. Inside of
 * `withStepRetry` each attempt counts.
 *
 * A breaker knows what this process has seen. In a run it can't be asked for calls that the broker makes, so those reject
 * with `Unsupported`.
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export function withStepCircuitBreaker<TInput, TOutput>(
  step: Step<TInput, TOutput>,
  breaker: StepBreaker | CircuitBreakerOptions = {},
): Step<TInput, TOutput> {
  const guard = "execute" in breaker ? breaker : new CircuitBreaker({ name: step.name, ...breaker });
  return decorated(step, (runner) => ({
    ...runner,
    run: (name, input, stepFunction, options) =>
      runner.run(
        name,
        input,
        (tools) => guarded(guard, tools.signal, async (signal) => stepFunction({ ...tools, signal })),
        options,
      ),
    call: async (name, settings) => {
      const { signal } = runner;
      if (signal) return guarded(guard, signal, () => runner.call(name, settings));
      throw new OrchestrationError(
        `the broker makes the call '${name}', which a circuit breaker in this process does not see: use its option ` +
          "flowControl, or fetch in a createStep",
        "Unsupported",
      );
    },
  }));
}

/** The breaker is shown what a try has failed with, also if another follows. */
async function guarded<T>(
  guard: StepBreaker,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let later: RetryLater | undefined;
  const shown = async ({ signal = outer }: { signal?: AbortSignal } = {}) => {
    try {
      return await work(signal);
    } catch (error) {
      if (!(error instanceof RetryLater)) throw error;
      later = error;
      throw error.cause;
    }
  };
  try {
    return await guard.execute(shown, { signal: outer });
  } catch (error) {
    throw later && error === later.cause ? later : error;
  }
}
