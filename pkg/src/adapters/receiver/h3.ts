/** Verification for H3: Nitro, Nuxt, and h3 alone. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";
import { arrivalOfEvent, type H3Event, isEventHandler } from "../h3.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/** Verifies before an event handler: `export default verifySignatureH3(async (event) => …)`. The event can be read as ever. */
export function verifySignatureH3<TEvent extends H3Event>(
  handler: (event: TEvent) => unknown,
  config?: VerifySignatureConfig,
): (event: TEvent) => Promise<unknown> {
  const guard = new Guard(config);
  return isEventHandler(async (event: TEvent) => {
    const refusal = await guard.refusal(await arrivalOfEvent(event));
    return refusal ? new Response(refusal.text, { status: 403 }) : handler(event);
  });
}
