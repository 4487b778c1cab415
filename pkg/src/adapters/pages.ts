/** Workflows in the Pages Router of Next.js. The platform is `{ req, res }`. */
import { type NodePlatform, type NodeRequest, type NodeResponse, sendResponse, serveNode, urlOf } from "./node.js";
import {
  createWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyBase,
  type Workflows,
} from "./workflow.js";

/** A workflow as an API route of the Pages Router: `export default serve(…).handler`. */
export function servePagesRouter<
  TInitialPayload = unknown,
  TResult = unknown,
  TPlatform extends NodePlatform = NodePlatform,
>(
  routeFunction: Route<TInitialPayload, TResult, TPlatform>,
  options?: Options<TInitialPayload, TResult>,
): { handler: (req: TPlatform["req"], res: TPlatform["res"]) => Promise<void> } {
  const answer = serveBase(routeFunction, options);
  return { handler: (req, res) => serveNode(answer, req, res, "Only POST requests are allowed in worklfows") };
}

/** {@link createWorkflow}, under the name that the official package has for the Pages Router. */
export const createWorkflowPagesRouter: typeof createWorkflow = createWorkflow;

/** Workflows as one API route of the Pages Router. */
export function serveManyPagesRouter(workflows: Workflows, options?: ManyOptions) {
  const handler = serveManyBase(workflows, options, {
    urlOf: (req: NodeRequest, _res: NodeResponse) => urlOf(req),
    serve: (...workflow) => servePagesRouter(...workflow).handler,
    answer: (response, [, res]) => sendResponse(response, res),
  });
  return { handler };
}
