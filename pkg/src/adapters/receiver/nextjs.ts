/** Verification for Next.js. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";
import { type FetchRequest, refusalOf } from "../fetch.js";
import { type NodeRequest, type NodeResponse, verifiedNode } from "../node.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/** Verifies before a route handler of the App Router: `export const POST = verifySignatureAppRouter(handler)`. */
export function verifySignatureAppRouter<TRequest extends FetchRequest = Request, TParams = unknown>(
  handler: (request: TRequest, params: TParams) => Response | Promise<Response>,
  config?: VerifySignatureConfig,
): (request: TRequest, params?: TParams) => Promise<Response> {
  const guard = new Guard(config);
  return async (request, params) => (await refusalOf(guard, request)) ?? handler(request, params as TParams);
}

/** Verifies before a handler of the Edge runtime, such as one of the Pages Router with `runtime: "edge"`. */
export const verifySignatureEdge: typeof verifySignatureAppRouter = verifySignatureAppRouter;

/**
 * Verifies before an API route of the Pages Router. Switch the parser off, so that the raw body can be read, with
 * `export const config = { api: { bodyParser: false } }`. The handler finds `body` parsed if it is JSON.
 */
export function verifySignature<TRequest extends NodeRequest, TResponse extends NodeResponse>(
  handler: (request: TRequest, response: TResponse) => unknown,
  config?: VerifySignatureConfig,
): (request: TRequest, response: TResponse) => Promise<void> {
  const guard = new Guard(config);
  return async (request, response) => {
    if (await verifiedNode(guard, request, response, 400)) await handler(request, response);
  };
}
