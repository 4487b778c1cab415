/** The engine, for the entries that offer it. */
export type {
  EmbeddedConfig,
  EngineOptions,
  EngineStatus,
  ProviderChoice,
  ProviderConfig,
  RateLimitProviderConfig,
  ServedEngine,
  UpstashWorkflowConfig,
  WorkflowEngine,
} from "./api.js";
export {
  type AnyWorkflow,
  type Chain,
  defineWorkflow,
  type WorkflowDefinition,
  type WorkflowHandler,
  type WorkflowOptions,
} from "./definition.js";
export { createWorkflowEngine } from "./engine.js";
export type {
  EventRequest,
  ListRequest,
  ProviderEndpoint,
  ScheduleOptions,
  ScheduleRequest,
  ScopedOptions,
  StartOptions,
  StartRequest,
  WorkflowProvider,
} from "./provider.js";
export type { Trigger, TriggerHost, TriggerSummary, TriggerType } from "./trigger.js";
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
} from "./types.js";
