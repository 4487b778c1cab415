/** What adapters for workflows are made of. */
export type { WorkflowContext } from "../workflows/context.js";
export {
  createWorkflow,
  type ServeManyOptions as ManyOptions,
  serveManyBase,
  serveManyResponses,
  type Workflows,
} from "../workflows/many.js";
export type { RouteFunction as Route, WorkflowServeOptions as Options } from "../workflows/options.js";
export { serveBase } from "../workflows/serve.js";
export type { InvokableWorkflow } from "../workflows/steps.js";
