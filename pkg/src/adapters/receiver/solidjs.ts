/** Verification for SolidStart. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";
import { type FetchRequest, refusalOf } from "../fetch.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/** Verifies before an API route: `export const POST = verifySignatureSolidjs(handler)`. */
export function verifySignatureSolidjs<TEvent extends { request: FetchRequest }, TResult = unknown>(
  handler: (event: TEvent) => TResult | Promise<TResult>,
  config?: VerifySignatureConfig,
): (event: TEvent) => Promise<TResult | Response> {
  const guard = new Guard(config);
  return async (event) => (await refusalOf(guard, event.request)) ?? handler(event);
}
