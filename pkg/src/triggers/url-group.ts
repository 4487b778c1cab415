/** Runs that messages to a URL group start. */
import type { Trigger } from "../engine/trigger.js";
import { delivered } from "./delivered.js";
import { base, type RequestTriggerOptions } from "./trigger.js";

/** Which URL group, and how its messages start runs. */
export interface UrlGroupTriggerOptions<TInput = unknown, TPayload = TInput>
  extends RequestTriggerOptions<TInput, TPayload> {
  urlGroup: string;
}

/**
 * Starts a run for each message to a URL group: the trigger is one of the group's endpoints while it is registered, under its
 * name.
 *
 * ```ts
 * const shipped = urlGroupTrigger({ name: "thank", workflow: thank, urlGroup: "order-shipped" });
 * await client.publishJSON({ urlGroup: "order-shipped", body: { orderId: 7 } });
 * ```
 */
export function urlGroupTrigger<TInput = unknown, TPayload = TInput>(
  options: UrlGroupTriggerOptions<TInput, TPayload>,
): Trigger {
  const { name, urlGroup } = options;
  return {
    ...base("url-group", options),
    ...delivered(options),
    async attach(host, call) {
      await host.client().urlGroups.addEndpoints({ name: urlGroup, endpoints: [{ name, url: host.url }] }, call);
    },
    async detach(host, call) {
      try {
        await host.client().urlGroups.removeEndpoints({ name: urlGroup, endpoints: [{ name }] }, call);
      } catch (error) {
        // Somebody has deleted the group.
        if ((error as { status?: unknown }).status !== 404) throw error;
      }
    },
  };
}
