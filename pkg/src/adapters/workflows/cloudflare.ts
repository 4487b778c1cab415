/** Workflows in Cloudflare Workers and Pages functions. Settings come from the bindings. */

import { argumentsOf, type CloudflarePlatform, type PagesHandlerArgs, type WorkersHandlerArgs } from "../cloudflare.js";
import {
  createWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type Workflows,
} from "../workflow.js";

export type { CloudflarePlatform, PagesHandlerArgs, WorkersHandlerArgs, WorkflowBindings } from "../cloudflare.js";
export { createWorkflow };

/**
 * A workflow as a Worker, `export default serve(…)`, or as a Pages function, `export const onRequest = serve(…).fetch`.
 * The platform is `{ request, env, ctx }`.
 */
export function serve<TInitialPayload = unknown, TResult = unknown, TEnv extends object = Record<string, unknown>>(
  routeFunction: Route<TInitialPayload, TResult, CloudflarePlatform<TEnv>>,
  options?: Options<TInitialPayload, TResult>,
): { fetch: (...args: PagesHandlerArgs<TEnv> | WorkersHandlerArgs<TEnv>) => Promise<Response> } {
  const answer = serveBase(routeFunction, options);
  return {
    fetch: async (...args) => {
      const platform = argumentsOf(args);
      return answer(platform.request, platform, platform.env);
    },
  };
}

/** Workflows as one Worker or Pages function. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const fetch = serveManyResponses(workflows, options, {
    urlOf: (...args: PagesHandlerArgs | WorkersHandlerArgs) => argumentsOf(args).request.url,
    serve: (...workflow) => serve(...workflow).fetch,
  });
  return { fetch };
}
