/** Durable workflows. */
export {
  OrchestrationError,
  QstashError,
  SignatureError,
  StepTimeoutError,
  WorkflowAbort,
  WorkflowCallError,
  WorkflowError,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
  WorkflowStepError,
} from "./errors.js";
export type * from "./workflows/api.js";
export type { WorkflowReceiver } from "./workflows/authenticity.js";
export { Client, type TriggerOptions, type TriggerResponse } from "./workflows/client.js";
export type { WorkflowContext } from "./workflows/context.js";
export type * from "./workflows/middleware.js";
export { WorkflowMiddleware } from "./workflows/middleware.js";
export type * from "./workflows/options.js";
export type * from "./workflows/schema.js";
export { serve } from "./workflows/serve.js";
export type * from "./workflows/steps.js";
