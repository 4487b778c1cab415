/** Workflows in Astro. The platform is the API context, which the function also gets as its second argument. */
import {
  type InvokableWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type WorkflowContext,
  type Workflows,
  createWorkflow as withName,
} from "../workflow.js";

/** What is looked at of an API context. */
type ApiContext = { request: Request };

/** A workflow that is also given the API context. */
export type AstroRouteFunction<TInitialPayload, TResult, TContext> = (
  workflowContext: WorkflowContext<TInitialPayload, TContext>,
  apiContext: TContext,
) => Promise<TResult>;

/** A workflow as an endpoint: `export const { POST } = serve(…)`. */
export function serve<TInitialPayload = unknown, TResult = unknown, TContext extends ApiContext = ApiContext>(
  routeFunction: AstroRouteFunction<TInitialPayload, TResult, TContext>,
  options?: Options<TInitialPayload, TResult>,
): { POST: (apiContext: TContext) => Promise<Response> } {
  const route: Route<TInitialPayload, TResult, TContext> = (context) => routeFunction(context, context.platform);
  const answer = serveBase(route, options);
  return { POST: (apiContext) => answer(apiContext.request, apiContext) };
}

/** Makes a workflow for {@link serveMany} and `context.invoke`. */
export const createWorkflow = withName as <
  TInitialPayload = unknown,
  TResult = unknown,
  TContext extends ApiContext = ApiContext,
>(
  routeFunction: AstroRouteFunction<TInitialPayload, TResult, TContext>,
  options?: Options<TInitialPayload, TResult>,
) => InvokableWorkflow<TInitialPayload, TResult>;

/** Workflows as one endpoint, such as `pages/workflows/[...any].ts`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const POST = serveManyResponses(workflows, options, {
    urlOf: (apiContext: ApiContext) => apiContext.request.url,
    serve: (...workflow) => serve(...workflow).POST,
  });
  return { POST };
}
