/** Waiting as a step. */
import { WorkflowError } from "../errors.js";
import { durationMs } from "../steps/duration.js";
import type { Step } from "../steps/step.js";
import { action, type Dynamic } from "./action.js";

const MILLISECONDS = 1_000;

/** How long to wait. */
export interface DelayActionConfig<TInput = unknown> {
  /** Seconds, or a duration such as `1d10h`. */
  duration: Dynamic<TInput, number | string>;
}

/**
 * Waits, and gives its input. In a run nothing is held meanwhile.
 *
 * ```ts
 * const coolOff = delayAction("cool off", { duration: "3d" });
 * ```
 */
export const delayAction = <TInput = unknown>(
  name: string,
  { duration }: DelayActionConfig<TInput>,
): Step<TInput, TInput> =>
  action(name, async (input, runner) => {
    const given = typeof duration === "function" ? duration(input) : duration;
    await runner.sleep(name, millisecondsOf(name, given));
    return input;
  });

function millisecondsOf(name: string, duration: unknown): number {
  const milliseconds = typeof duration === "number" ? duration * MILLISECONDS : durationMs(duration);
  if (milliseconds !== undefined && Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds;
  throw new WorkflowError(
    `the duration of '${name}' must be seconds, or a text such as '10m' or '1d10h', got '${duration}'`,
    "InvalidConfiguration",
    false,
  );
}
