/** Workflows in Next.js. The platform is the request. */
import {
  createWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type Workflows,
} from "../workflow.js";

export { createWorkflowPagesRouter, serveManyPagesRouter, servePagesRouter } from "../pages.js";
export { createWorkflow };

/** A workflow as a route of the App Router: `export const { POST } = serve(…)`. */
export function serve<TInitialPayload = unknown, TResult = unknown, TRequest extends Request = Request>(
  routeFunction: Route<TInitialPayload, TResult, TRequest>,
  options?: Options<TInitialPayload, TResult>,
): { POST: (request: TRequest) => Promise<Response> } {
  const answer = serveBase(routeFunction, options);
  return { POST: (request) => answer(request, request) };
}

/** Workflows as one route, such as `app/api/workflows/[...any]/route.ts`: `export const { POST } = serveMany({ … })`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const POST = serveManyResponses(workflows, options, {
    urlOf: (request: Request) => request.url,
    serve: (...workflow) => serve(...workflow).POST,
  });
  return { POST };
}
