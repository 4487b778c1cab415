/** Events as steps. */
import type { Step } from "../steps/step.js";
import type { NotifyStepResponse } from "../workflows/steps.js";
import { action, type Dynamic, type DynamicBody, resolved } from "./action.js";

/** An event. All of it may be a function of the step's input. */
export interface NotifyActionConfig<TInput = unknown> {
  eventId: Dynamic<TInput, string>;
  /** Default: the step's input. */
  eventData?: DynamicBody<TInput> | undefined;
  /** This run is notified alone, also if it waits only later. */
  workflowRunId?: Dynamic<TInput, string | undefined>;
}

/**
 * Notifies the runs that wait for an event. Outside of a run it needs a stub.
 *
 * ```ts
 * const paid = notifyAction("paid", { eventId: ({ orderId }: Order) => `paid-${orderId}` });
 * ```
 */
export const notifyAction = <TInput = unknown>(
  name: string,
  config: NotifyActionConfig<TInput>,
): Step<TInput, NotifyStepResponse> =>
  action(name, (input, runner) => {
    const event = resolved<{ eventId: string; eventData?: unknown; workflowRunId?: string }>(config as never, input);
    const { eventId, eventData = input, workflowRunId } = event;
    return runner.notify(name, eventId, eventData, workflowRunId);
  });
