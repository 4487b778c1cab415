/** Workflows in TanStack Start. The platform is what a server route's handler is given. */
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

/** A workflow as a server route: `server: { handlers: serve(…) }`. */
export function serve<
  TInitialPayload = unknown,
  TResult = unknown,
  TContext extends { request: Request } = { request: Request },
>(
  routeFunction: Route<TInitialPayload, TResult, TContext>,
  options?: Options<TInitialPayload, TResult>,
): { POST: (context: TContext) => Promise<Response> } {
  const answer = serveBase(routeFunction, options);
  return { POST: (context) => answer(context.request, context) };
}

/** Workflows as one server route, such as `routes/workflows/$.ts`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const POST = serveManyResponses(workflows, options, {
    urlOf: (context: { request: Request }) => context.request.url,
    serve: (...workflow) => serve(...workflow).POST,
  });
  return { POST };
}
