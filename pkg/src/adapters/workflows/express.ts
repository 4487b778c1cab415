/** Workflows in Express. The platform is `{ req, res }`. */

import { type NodePlatform, type NodeRequest, type NodeResponse, sendResponse, serveNode, urlOf } from "../node.js";
import {
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyBase,
  type Workflows,
  createWorkflow as withName,
} from "../workflow.js";

const JSON_CONTENT = { useJSONContent: true };

/** A workflow as a handler: `app.use("/workflow", serve(…))` or `app.post("/workflow", serve(…))`, before or after parsers. */
export function serve<TInitialPayload = unknown, TResult = unknown, TPlatform extends NodePlatform = NodePlatform>(
  routeFunction: Route<TInitialPayload, TResult, TPlatform>,
  options?: Options<TInitialPayload, TResult>,
): (req: TPlatform["req"], res: TPlatform["res"]) => Promise<void> {
  const answer = serveBase(routeFunction, options, JSON_CONTENT);
  return (req, res) => serveNode(answer, req, res, "Only POST requests are allowed in workflows");
}

/** Makes a workflow for {@link serveMany} and `context.invoke`. */
export const createWorkflow: typeof withName = (...workflow) => ({ ...withName(...workflow), ...JSON_CONTENT });

/** Workflows as one handler: `app.use("/workflows", serveMany({ … }))`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  return serveManyBase(workflows, options, {
    urlOf: (req: NodeRequest, _res: NodeResponse) => urlOf(req),
    serve: (...workflow) => serve(...workflow),
    answer: (response, [, res]) => sendResponse(response, res),
  });
}
