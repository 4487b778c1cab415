/** The engine in Next.js. */
export * from "../engine/index.js";
export {
  createWorkflowApi,
  type WorkflowApi,
  type WorkflowApiOptions,
  type WorkflowApiRequest,
} from "../http/api.js";
export type { FollowOptions } from "../http/events.js";
export type { WorkflowApiAction } from "../http/routes.js";
export {
  createWorkflowWebhookHandler,
  type WorkflowWebhookAnswer,
  type WorkflowWebhookEvent,
  type WorkflowWebhookHandler,
  type WorkflowWebhookOptions,
} from "../http/webhook.js";
export { compose, createStep } from "../steps/step.js";
