/** Waiting as a step. */
import { OrchestrationError } from "../../errors.js";
import type { Duration } from "../../workflows/steps.js";
import { durationMs } from "../duration.js";
import { type Step, stepOf } from "../step.js";
import type { FromInput } from "./http.js";

/**
 * A step that waits, and hands its input on. In a run nothing is held meanwhile; seconds are rounded up.
 *
 * @param duration milliseconds, or a text such as `10s` or `1d`; or what makes it of the input
 */
export function createDelayStep<TInput = unknown>(
  name: string,
  duration: FromInput<TInput, number | Duration>,
): Step<TInput, TInput> {
  if (typeof duration !== "function") milliseconds(name, duration);
  return stepOf(name, async (input: TInput, runner) => {
    await runner.sleep(name, milliseconds(name, typeof duration === "function" ? duration(input) : duration));
    return input;
  });
}

function milliseconds(step: string, duration: unknown): number {
  const value = typeof duration === "number" ? duration : durationMs(duration);
  if (value !== undefined && value >= 0 && Number.isFinite(value)) return value;
  throw new OrchestrationError(
    `the step '${step}' needs a number of milliseconds from 0, or a duration such as '10s', not ${String(duration)}`,
    "InvalidConfiguration",
  );
}
