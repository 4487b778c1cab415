/** Workflows in React: hooks that speak the HTTP API of `createWorkflowApi`, and its client. Nothing of the server. */

export type { InputOf, OutputOf, TypedWorkflow } from "../engine/infer.js";
export type {
  EngineHealth,
  EngineMetrics,
  ExecutionFilter,
  ExecutionPage,
  HealthStatus,
  ProviderHealth,
  StartedWorkflow,
  StepMetrics,
  WorkflowExecution,
  WorkflowFailure,
  WorkflowMetrics,
  WorkflowSchedule,
  WorkflowStatus,
  WorkflowStepExecution,
  WorkflowStepStatus,
} from "../engine/types.js";
export {
  type CallOptions,
  createWorkflowClient,
  type NotifyOptions,
  type ScheduleRequest,
  type StartOptions,
  WorkflowApiClient,
  type WorkflowClientOptions,
  type WorkflowInfo,
} from "./client.js";
export { type ClientErrorCode, WorkflowApiError, type WorkflowApiErrorDetails } from "./error.js";
export { useWorkflowClient, WorkflowProvider, type WorkflowProviderProps } from "./provider.js";
export type { HeadersSource } from "./transport.js";
export type { ResourceOptions } from "./use-resource.js";
export { type StartArguments, type UseWorkflowOptions, type UseWorkflowResult, useWorkflow } from "./use-workflow.js";
export { type UseWorkflowListResult, useWorkflowList } from "./use-workflow-list.js";
export {
  type UseWorkflowMetricsOptions,
  type UseWorkflowMetricsResult,
  useWorkflowMetrics,
} from "./use-workflow-metrics.js";
export { type UseWorkflowRunOptions, type UseWorkflowRunResult, useWorkflowRun } from "./use-workflow-run.js";
export { type UseWorkflowScheduleResult, useWorkflowSchedule } from "./use-workflow-schedule.js";
export type { RunConnection } from "./watch.js";
