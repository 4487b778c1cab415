/** Verification for Express, and for every server whose handlers are `(request, response, next)`. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";
import { type NodeRequest, type NodeResponse, verifiedNode } from "../node.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/**
 * Verifies before a handler or a middleware: `app.post("/hook", verifySignatureExpress(handler))`. Mount it before
 * `express.json()`, so that the raw body can be read; a body that was parsed is verified as its JSON. The handler finds
 * `body` parsed if it is JSON.
 */
export function verifySignatureExpress<TRequest extends NodeRequest, TResponse extends NodeResponse, TNext = unknown>(
  handler: (request: TRequest, response: TResponse, next: TNext) => unknown,
  config?: VerifySignatureConfig,
): (request: TRequest, response: TResponse, next: TNext) => Promise<void> {
  const guard = new Guard(config);
  return async (request, response, next) => {
    if (await verifiedNode(guard, request, response, 403)) await handler(request, response, next);
  };
}
