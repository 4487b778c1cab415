/** Workflows in React Router 7. The platform is what an action is given: `request`, `params`, `context`. */
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

/** A workflow as an action: `export const action = serve(…)`. */
export function serve<
  TInitialPayload = unknown,
  TResult = unknown,
  TArgs extends { request: Request } = { request: Request },
>(
  routeFunction: Route<TInitialPayload, TResult, TArgs>,
  options?: Options<TInitialPayload, TResult>,
): (args: TArgs) => Promise<Response> {
  const answer = serveBase(routeFunction, options);
  return (args) => answer(args.request, args);
}

/** Workflows as one action, such as that of the route `workflows/*`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  return serveManyResponses(workflows, options, {
    urlOf: (args: { request: Request }) => args.request.url,
    serve: (...workflow) => serve(...workflow),
  });
}
