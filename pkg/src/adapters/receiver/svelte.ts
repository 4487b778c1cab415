/** Verification for SvelteKit. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";
import { type FetchRequest, refusalOf } from "../fetch.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/** What is looked at of an event. On Cloudflare, `platform.env` holds the bindings. */
interface Event {
  request: FetchRequest;
  platform?: unknown;
}

/**
 * Verifies before a request handler: `export const POST = verifySignatureSvelte(handler, { env })`, with `env` of
 * `$env/dynamic/private`.
 */
export function verifySignatureSvelte<TEvent extends Event>(
  handler: (event: TEvent) => Response | Promise<Response>,
  config?: VerifySignatureConfig,
): (event: TEvent) => Promise<Response> {
  const guard = new Guard(config);
  return async (event) => {
    const { env } = (event.platform ?? {}) as { env?: object };
    return (await refusalOf(guard, event.request, env)) ?? handler(event);
  };
}
