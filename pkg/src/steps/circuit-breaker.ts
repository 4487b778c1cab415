/** Steps behind a circuit breaker. */
import { OrchestrationError } from "../errors.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "../resilience/circuit-breaker.js";
import { decorated, type Step } from "./step.js";

/** What a step needs of a breaker: it calls the function, or refuses to. */
export interface StepBreaker {
  execute<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * A step whose functions are called by a circuit breaker: while it is open, the step rejects with `CircuitOpen` without
 * calling them. Inside of `withStepRetry` each attempt counts.
 *
 * A breaker knows what this process has seen. In a run it can't be asked for calls that the broker makes, so those reject
 * with `Unsupported`.
 *
 * @param breakerOrOptions a `CircuitBreaker` that the steps share which use the same service, or the options of one
 */
export function withStepCircuitBreaker<TInput, TOutput>(
  step: Step<TInput, TOutput>,
  breakerOrOptions: StepBreaker | CircuitBreakerOptions,
): Step<TInput, TOutput> {
  const breaker =
    "execute" in breakerOrOptions ? breakerOrOptions : new CircuitBreaker({ name: step.name, ...breakerOrOptions });
  return decorated(step, (runner) => ({
    ...runner,
    run: (name, input, stepFunction, options) =>
      runner.run(name, input, (tools) => breaker.execute(async () => stepFunction(tools)), options),
    call: async (name, settings) => {
      if (runner.workflowRunId === undefined) return breaker.execute(() => runner.call(name, settings));
      throw new OrchestrationError(
        `the broker makes the call '${name}', which a circuit breaker in this process does not see: use its option ` +
          "flowControl, or fetch in a createStep",
        "Unsupported",
      );
    },
  }));
}
