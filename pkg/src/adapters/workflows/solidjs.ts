/** Workflows in SolidStart. The platform is the event. */

import { onlyPost } from "../fetch.js";
import {
  createWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type Workflows,
} from "../workflow.js";

export { createWorkflow };

/** A workflow as an API route: `export const { POST } = serve(…)`. */
export function serve<
  TInitialPayload = unknown,
  TResult = unknown,
  TEvent extends { request: Request } = { request: Request },
>(
  routeFunction: Route<TInitialPayload, TResult, TEvent>,
  options?: Options<TInitialPayload, TResult>,
): { POST: (event: TEvent) => Promise<Response> } {
  const answer = serveBase(routeFunction, options);
  return { POST: async (event) => onlyPost(event.request.method) ?? answer(event.request, event) };
}

/** Workflows as one API route, such as `routes/workflows/[...any].ts`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const POST = serveManyResponses(workflows, options, {
    urlOf: (event: { request: Request }) => event.request.url,
    serve: (...workflow) => serve(...workflow).POST,
  });
  return { POST };
}
