/** Runs that events start. */
import type { Trigger } from "../engine/trigger.js";
import { OrchestrationError } from "../errors.js";
import { base, type TriggerBase } from "./trigger.js";

/** Which events start runs. */
export interface EventTriggerOptions<TInput = unknown, TData = TInput> extends TriggerBase<TInput> {
  /** Ids of events, as `engine.emit` is given them. */
  event: string | readonly string[];
  /** Makes the run's input of the event's data. Default: the data. */
  map?: ((data: TData) => TInput) | undefined;
}

/**
 * Starts a run for each event that `engine.emit` brings, besides the runs that wait for it.
 *
 * ```ts
 * const paid = eventTrigger({ name: "paid", workflow: ship, event: "order.paid" });
 * await engine.emit("order.paid", { orderId: 7 });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` without an event
 */
export function eventTrigger<TInput = unknown, TData = TInput>(options: EventTriggerOptions<TInput, TData>): Trigger {
  const { name, event, map } = options;
  const events = [event].flat().filter((id) => typeof id === "string" && id !== "");
  if (events.length === 0)
    throw new OrchestrationError(`the trigger '${name}' needs the id of an event`, "InvalidConfiguration");
  return { ...base("event", options), events, ...(map ? { inputOf: (data) => map(data as TData) } : {}) };
}
