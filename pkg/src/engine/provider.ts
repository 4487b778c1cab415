/** What an engine keeps its runs with. */
import type { CallOptions } from "../config.js";
import type { FlowControl } from "../messages.js";
import type { Client } from "../qstash.js";
import type { WorkflowServeOptions } from "../workflows/options.js";
import type { ExecutionFilter, ExecutionPage, WorkflowExecution, WorkflowSchedule } from "./types.js";

/** A call, and whose runs and schedules it is about. */
export interface ScopedOptions extends CallOptions {
  /** Those of endpoints below this address; what others have is as if it was not there. Absent: all. */
  base?: string | undefined;
}

/** How a run is started. */
export interface StartOptions {
  /** The run's id; `wfr_` is put before it. A run whose id is known already is not started again. Default: a random one. */
  workflowRunId?: string | undefined;
  /** Labels for lists and filters. */
  label?: string | string[] | undefined;
  /** Wait before the first step: seconds, or a duration such as `10m`. */
  delay?: number | string | undefined;
  /** How many tries of a delivery may follow the first. */
  retries?: number | undefined;
  /** An expression for the delay before a retry, in milliseconds. */
  retryDelay?: string | undefined;
  /** Limits for the run's deliveries. */
  flowControl?: FlowControl | undefined;
  /** Headers that reach the workflow. */
  headers?: Record<string, string> | undefined;
}

/** A run that is to be started. */
export interface StartRequest extends StartOptions {
  workflowId: string;
  /** The endpoint of the workflow. */
  url: string;
  /** Written as JSON. */
  input: unknown;
}

/** When runs are started again and again. */
export interface ScheduleOptions {
  /** Five fields, in UTC unless `CRON_TZ=…` stands before them. */
  cron: string;
  /** The id; scheduling again with it replaces the schedule. Default: a random one. */
  scheduleId?: string | undefined;
  label?: string | string[] | undefined;
  retries?: number | undefined;
  /** An expression for the delay before a retry, in milliseconds. */
  retryDelay?: string | undefined;
  flowControl?: FlowControl | undefined;
}

/** A schedule that is to be made. */
export interface ScheduleRequest extends ScheduleOptions {
  workflowId: string;
  url: string;
  input: unknown;
}

/** Which runs to list. */
export interface ListRequest extends ExecutionFilter {
  /** The endpoint of the workflow that the filter names. */
  url?: string | undefined;
  /** Runs of endpoints below this address. Absent: all. */
  base?: string | undefined;
}

/** How a provider's deliveries are served: who gets the steps, and whose signatures count. */
export type ProviderEndpoint = Pick<WorkflowServeOptions, "qstashClient" | "receiver" | "env">;

/** An event that runs wait for. */
export interface EventRequest {
  eventId: string;
  data?: unknown;
  /** Notifies this run alone, also if it waits only later. */
  workflowRunId?: string | undefined;
}

/**
 * Keeps runs. What a provider has no method for, its engine refuses with `Unsupported`. Methods reject with errors of this
 * package, which hold no secret.
 */
export interface WorkflowProvider {
  /** What the engine knows it by. */
  readonly name: string;
  /** `upstash-workflow`, `embedded`, `rate-limit`, or another word for one of your own. */
  readonly type: string;
  /** For messages, queues, URL groups and schedules, if the provider is a broker. */
  readonly client?: Client | undefined;
  /** Makes it ready: called before anything else, once, and again after a failure. */
  initialize?(): Promise<void>;
  /** How the endpoints of its workflows are served; asked once it is ready. */
  endpoint?(): ProviderEndpoint;
  start(request: StartRequest, options?: CallOptions): Promise<{ workflowRunId: string }>;
  /** `undefined` for a run that it does not know. */
  get?(workflowRunId: string, options?: ScopedOptions): Promise<WorkflowExecution | undefined>;
  /** A page of runs, the newest first. */
  list?(request: ListRequest, options?: CallOptions): Promise<ExecutionPage>;
  /** Resolves with whether the run was still going on. */
  cancel?(workflowRunId: string, options?: ScopedOptions): Promise<boolean>;
  /** Resolves with how many runs were notified. */
  notify?(event: EventRequest, options?: CallOptions): Promise<number>;
  /** Rejects with `Forbidden` for an id that a schedule has which is not below `base`. */
  schedule?(request: ScheduleRequest, options?: ScopedOptions): Promise<{ scheduleId: string }>;
  /** The schedules of endpoints below `base`; without it all. */
  listSchedules?(request: { base?: string | undefined }, options?: CallOptions): Promise<WorkflowSchedule[]>;
  unschedule?(scheduleId: string, options?: ScopedOptions): Promise<void>;
  pauseSchedule?(scheduleId: string, options?: ScopedOptions): Promise<void>;
  resumeSchedule?(scheduleId: string, options?: ScopedOptions): Promise<void>;
  /** Resolves if it answers. */
  ping?(options?: CallOptions): Promise<void>;
  /** Gives up what it holds. */
  shutdown?(): Promise<void>;
}
