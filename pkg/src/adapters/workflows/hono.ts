/** Workflows in Hono. Settings come from the bindings, or from the process's environment if those hold none. */

import { bindingsIn } from "../../environment.js";
import type { WorkflowBindings } from "../cloudflare.js";
import {
  createWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type Workflows,
} from "../workflow.js";

export type { WorkflowBindings } from "../cloudflare.js";
export { createWorkflow };

/** Hono's context, as a workflow finds it in `context.platform` unless it says more of it. */
export interface HonoContext<TBindings extends object = object, TVariables extends object = object> {
  env: TBindings;
  var: Readonly<TVariables>;
  req: { raw: Request; url: string };
}

/** What is looked at of a context. */
type AnyContext = { env: unknown; req: { raw: Request; url: string } };

/** A workflow as a handler: `app.post("/workflow", serve(…))`. The platform is Hono's context. */
export function serve<
  TInitialPayload = unknown,
  TBindings extends object = WorkflowBindings,
  TVariables extends object = object,
  TResult = unknown,
  TContext extends AnyContext = HonoContext<TBindings, TVariables>,
>(
  routeFunction: Route<TInitialPayload, TResult, TContext>,
  options?: Options<TInitialPayload, TResult>,
): (context: AnyContext) => Promise<Response> {
  const answer = serveBase(routeFunction, options);
  return (context) => answer(context.req.raw, context, bindingsIn(context.env));
}

/** Workflows as one handler: `app.post("/workflows/*", serveMany({ … }))`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  return serveManyResponses(workflows, options, {
    urlOf: (context: AnyContext) => context.req.url,
    serve: (...workflow) => serve(...workflow),
  });
}
