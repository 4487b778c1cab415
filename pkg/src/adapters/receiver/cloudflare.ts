/** Verification for Cloudflare Workers and Pages functions. Keys come from the bindings. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";
import { type FetchRequest, refusalOf } from "../fetch.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";
export {
  durableObjectReplayStore,
  ReplayGuard,
  type ReplayNamespace,
} from "../../receiver/replay.js";

/** What a Pages function is given. */
interface PagesContext {
  request: FetchRequest;
  env: object;
}

/**
 * Verifies before a handler of a Worker, `export default { fetch: verifySignatureCloudflare(handler) }`, or of a Pages
 * function, `export const onRequestPost = verifySignatureCloudflare(handler)`.
 */
export function verifySignatureCloudflare<TArgs extends [PagesContext] | [FetchRequest, object, ...unknown[]]>(
  handler: (...args: TArgs) => Response | Promise<Response>,
  config?: VerifySignatureConfig,
): (...args: TArgs) => Promise<Response> {
  const guard = new Guard(config);
  return async (...args) => {
    const [first, env] = args;
    const refusal = "request" in first ? refusalOf(guard, first.request, first.env) : refusalOf(guard, first, env);
    return (await refusal) ?? handler(...args);
  };
}
