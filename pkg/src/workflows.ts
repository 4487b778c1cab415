/** Durable workflows. */
export {
  OrchestrationError,
  QstashError,
  SignatureError,
  WorkflowAbort,
  WorkflowError,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
  WorkflowStepError,
} from "./errors.js";
export { Client, type TriggerOptions, type TriggerResponse } from "./workflows/client.js";
export type { StepFunction, WorkflowContext } from "./workflows/context.js";
export type { FailureFunctionInput, RouteFunction, ServedWorkflow, WorkflowServeOptions } from "./workflows/options.js";
export { serve } from "./workflows/serve.js";
