/** Durable workflows. */

export { createWorkflow, serve, serveMany } from "./adapters/workflows/request.js";
export type { CallOptions, ClientConfig } from "./config.js";
export {
  OrchestrationError,
  QstashChatRatelimitError,
  QstashDailyRatelimitError,
  QstashEmptyArrayError,
  QstashError,
  QstashRatelimitError,
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
export {
  Client,
  type TriggerOptions,
  type TriggerResponse,
  type WorkflowLogsRequest,
} from "./workflows/client.js";
export type {
  DLQ,
  DLQListRequest,
  DLQMessage,
  DLQResumeRestartOptions,
  DLQResumeRestartResponse,
  ResumeRestartOptions,
} from "./workflows/client-dlq.js";
export type { NotifyRequest } from "./workflows/client-events.js";
export type {
  CancelFilter,
  WorkflowDLQActionFilters,
  WorkflowLogsFilter,
  WorkflowRunCancelFilters,
} from "./workflows/client-filters.js";
export {
  type FailureFunctionLog,
  type StepError,
  type StepLog,
  type StepLogGroup,
  type StepType,
  StepTypes,
  type WorkflowRunLog,
  type WorkflowRunLogs,
} from "./workflows/client-logs.js";
export { WorkflowContext } from "./workflows/context.js";
export type { ServeManyOptions, Workflows } from "./workflows/many.js";
export type * from "./workflows/middleware.js";
export { WorkflowMiddleware } from "./workflows/middleware.js";
export { loggingMiddleware } from "./workflows/observer.js";
export type * from "./workflows/options.js";
export type * from "./workflows/schema.js";
export type * from "./workflows/steps.js";
export type * from "./workflows/wire.js";
