/** Verification for handlers from `Request` to `Response`: Deno, Bun, Node's `fetch` servers. */
import { type FetchRequest, refusalOf } from "../adapters/fetch.js";
import { Guard, type VerifySignatureConfig } from "./guard.js";

/** Verifies before a handler; what comes after the request is passed on. The request can be read as ever. */
export function verifySignatureRequest<TRequest extends FetchRequest, TMore extends unknown[]>(
  handler: (request: TRequest, ...more: TMore) => Response | Promise<Response>,
  config?: VerifySignatureConfig,
): (request: TRequest, ...more: TMore) => Promise<Response> {
  const guard = new Guard(config);
  return async (request, ...more) => (await refusalOf(guard, request)) ?? handler(request, ...more);
}
