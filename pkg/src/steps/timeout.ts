/** Limits of time. */
import { OrchestrationError, StepTimeoutError } from "../errors.js";
import { type Limit, within } from "../resilience/within.js";
import type { CallSettings } from "../workflows/steps.js";
import { durationMs } from "./duration.js";
import { decorated, type Step } from "./step.js";

/**
 * A step whose functions may take so long: then `signal` is aborted and the step rejects with a `StepTimeoutError` (code
 * `StepTimeout`), also if the function takes no notice. The limit is for each try of a step with retries inside; put
 * `withStepRetry` outside to have each attempt limited. It holds for calls too, in a run in whole seconds; not for sleep.
 *
 * @throws {OrchestrationError} `InvalidConfiguration` for what is no number of milliseconds above 0
 */
export function withStepTimeout<TInput, TOutput>(step: Step<TInput, TOutput>, ms: number): Step<TInput, TOutput> {
  if (typeof ms !== "number" || !(ms > 0))
    throw new OrchestrationError(
      `a timeout must be a number of milliseconds above 0, not ${ms}`,
      "InvalidConfiguration",
    );
  return decorated(step, (runner) => ({
    ...runner,
    run: (name, input, stepFunction, options) =>
      runner.run(
        name,
        input,
        (tools) => within(limit(name, ms, tools.signal), (signal) => stepFunction({ ...tools, signal })),
        options,
      ),
    call: (name, settings) => {
      const seconds = Math.min(ms, limitOf(settings) ?? ms) / MILLISECONDS;
      const timeout = runner.workflowRunId === undefined ? seconds : Math.ceil(seconds);
      return runner.call(name, { ...settings, timeout });
    },
  }));
}

/** @internal The milliseconds of a call's option `timeout`; `undefined` if it has none. */
export const limitOf = ({ timeout }: CallSettings): number | undefined =>
  typeof timeout === "number" ? timeout * MILLISECONDS : durationMs(timeout);

/** @internal The limit of a step's try. */
export const limit = (name: string, ms: number | undefined, outer: AbortSignal | undefined): Limit => ({
  ms,
  outer,
  expired: () => new StepTimeoutError(name, `${ms} ms`),
});

const MILLISECONDS = 1_000;
