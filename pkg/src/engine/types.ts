/** Workflows, runs and schedules as the engine, its HTTP API and the hooks know them. All of it can travel as JSON. */

/** How far a run is. `pending`: nothing of it has been heard of but its start. */
export type WorkflowStatus = "pending" | "running" | "completed" | "failed" | "cancelled";

/** How far a step is. `retrying`: a try has failed, another follows. */
export type WorkflowStepStatus = "pending" | "running" | "retrying" | "completed" | "failed" | "cancelled";

/** What went wrong in a run or a step. */
export interface WorkflowFailure {
  /** The error's name or code, if it has one. */
  name?: string | undefined;
  message: string;
  /** The HTTP status of the answer that told of it. */
  status?: number | undefined;
}

/** A step of a run. Moments are Unix milliseconds. */
export interface WorkflowStepExecution {
  name: string;
  /** `Run`, `SleepFor`, `Call`, `Wait`, … as the broker's logs have it. */
  type: string;
  status: WorkflowStepStatus;
  /** Tries so far, the first included. */
  attempts: number;
  startedAt?: number | undefined;
  completedAt?: number | undefined;
  durationMs?: number | undefined;
  /** What it gave, parsed if it is JSON. */
  output?: unknown;
  error?: WorkflowFailure | undefined;
}

/** A run. Moments are Unix milliseconds. */
export interface WorkflowExecution<TOutput = unknown> {
  /** `wfr_…` */
  workflowRunId: string;
  workflowId: string;
  /** The name of the provider that keeps the run. */
  provider: string;
  status: WorkflowStatus;
  startedAt: number;
  completedAt?: number | undefined;
  durationMs?: number | undefined;
  labels: string[];
  /** What the workflow returned, if it has completed. */
  output?: TOutput | undefined;
  error?: WorkflowFailure | undefined;
  /** In the order in which they began. */
  steps: WorkflowStepExecution[];
}

/** A run that was just started. */
export interface StartedWorkflow {
  workflowRunId: string;
  workflowId: string;
  provider: string;
}

/** Which runs to list. */
export interface ExecutionFilter {
  workflowId?: string | undefined;
  status?: WorkflowStatus | undefined;
  label?: string | undefined;
  /** Where the page before has ended. */
  cursor?: string | undefined;
  /** How many at most. Default: 20. */
  count?: number | undefined;
}

/** A page of runs, the newest first. It may hold fewer than were asked for, or none, although others follow. */
export interface ExecutionPage {
  runs: WorkflowExecution[];
  /** Where the next page begins; absent at the end. */
  cursor?: string | undefined;
}

/** Starts runs of a workflow again and again. */
export interface WorkflowSchedule {
  scheduleId: string;
  workflowId: string;
  provider: string;
  cron: string;
  isPaused: boolean;
  /** Unix milliseconds. */
  createdAt: number;
  nextRunAt?: number | undefined;
  lastRunAt?: number | undefined;
}

/** `degraded`: some of it works. */
export type HealthStatus = "healthy" | "degraded" | "unhealthy";

/** How a provider is. */
export interface ProviderHealth {
  name: string;
  type: string;
  status: HealthStatus;
  /** Milliseconds that it took to answer. */
  latencyMs: number;
  /** Why it is not healthy. Holds no secret. */
  error?: string | undefined;
  /** Unix milliseconds. */
  checkedAt: number;
}

/** How an engine is. */
export interface EngineHealth {
  status: HealthStatus;
  providers: ProviderHealth[];
}

/** Counts and durations since the engine was made, in this process. */
export interface EngineMetrics {
  /** Unix milliseconds. */
  since: number;
  workflows: WorkflowMetrics[];
}

/** What was seen of a workflow. */
export interface WorkflowMetrics {
  workflowId: string;
  /** Runs that this process started. */
  started: number;
  /** Runs that this process has served or started, and whose end it saw. */
  completed: number;
  failed: number;
  steps: StepMetrics[];
}

/** What was seen of a step. Durations are milliseconds; quantiles are estimated from a histogram. */
export interface StepMetrics {
  name: string;
  succeeded: number;
  failed: number;
  averageMs: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}
