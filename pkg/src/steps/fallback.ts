/** Steps with a substitute. */
import type { StepRunner, StepTools } from "./runner.js";
import { type Step, stepOf } from "./step.js";

/** What does the work instead: it is told what the step has failed with. */
export type FallbackHandler<TInput, TOutput> = (
  input: TInput,
  error: unknown,
  tools: StepTools,
) => TOutput | Promise<TOutput>;

/**
 * A step that does something else when it fails for good. In a run the failure is recorded at once, or after the retries
 * inside of it; a function then is a durable step too, named `${step.name}:fallback`, and is told a `WorkflowStepError`
 * whose `cause` says what was thrown.
 *
 * ```ts
 * const rate = withFallback(withStepRetry(fetchRate), (currency) => lastKnownRate(currency));
 * ```
 */
export function withFallback<TInput, TOutput, TSubstitute = TOutput>(
  step: Step<TInput, TOutput>,
  fallback: Step<NoInfer<TInput>, TSubstitute> | FallbackHandler<NoInfer<TInput>, TSubstitute>,
): Step<TInput, TOutput | TSubstitute> {
  return stepOf(step.name, async (input: TInput, runner: StepRunner): Promise<TOutput | TSubstitute> => {
    try {
      return await step.perform(input, rejecting(runner));
    } catch (error) {
      runner.signal?.throwIfAborted();
      if (typeof fallback !== "function") return await fallback.perform(input, runner);
      return await runner.run(`${step.name}:fallback`, input, (tools) => fallback(input, error, tools));
    }
  });
}

/** In a run, a step without retries of its own would fail its delivery instead of rejecting. */
const rejecting = (runner: StepRunner): StepRunner => ({
  ...runner,
  run: (name, input, stepFunction, options) => runner.run(name, input, stepFunction, { retries: 0, ...options }),
});
