/** The engine, as those see it who use it. */
import type { CallOptions } from "../config.js";
import type { Environment } from "../environment.js";
import type { MetricsRegistry } from "../monitoring/metrics.js";
import type { Exposition } from "../monitoring/prometheus.js";
import type { Telemetry } from "../monitoring/telemetry.js";
import type { RateLimiterOptions } from "../resilience/rate-limiter.js";
import type { BrokerOptions } from "../server/options.js";
import type { WorkflowMiddleware } from "../workflows/middleware.js";
import type { AnyWorkflow, WorkflowDefinition } from "./definition.js";
import type { EventRequest, ScheduleOptions, StartOptions, WorkflowProvider } from "./provider.js";
import type { Trigger, TriggerSummary } from "./trigger.js";
import type {
  EngineHealth,
  EngineMetrics,
  ExecutionFilter,
  ExecutionPage,
  StartedWorkflow,
  WorkflowExecution,
  WorkflowSchedule,
} from "./types.js";

/** A provider of an engine: settings for one that this package has, or one of your own. */
export type ProviderConfig =
  | { name: string; type: "upstash-workflow"; config?: UpstashWorkflowConfig | undefined }
  | { name: string; type: "embedded"; config?: EmbeddedConfig | undefined }
  | { name: string; type: "rate-limit"; config: RateLimitProviderConfig }
  | { name: string; type: "custom"; provider: WorkflowProvider };

/** QStash, hosted or your own. What is absent is read from the environment. */
export interface UpstashWorkflowConfig {
  /** Default: `QSTASH_URL`, or `https://qstash.upstash.io`. */
  baseUrl?: string | undefined;
  /** Default: `QSTASH_TOKEN`. */
  qstashToken?: string | undefined;
  /** Default: `QSTASH_CURRENT_SIGNING_KEY`. */
  currentSigningKey?: string | undefined;
  /** Default: `QSTASH_NEXT_SIGNING_KEY`. */
  nextSigningKey?: string | undefined;
}

/**
 * A broker in this process, on Node. Without settings it is the one of development mode, which all processes of a project
 * share, and which is started if there is none.
 */
export type EmbeddedConfig = BrokerOptions;

/**
 * Limits how many runs are started, and hands them to another provider. State is shared in the Redis of
 * `UPSTASH_REDIS_REST_URL` and `_TOKEN`, if these are set.
 */
export interface RateLimitProviderConfig extends Omit<RateLimiterOptions, "env"> {
  /** The name of the provider that keeps the runs. */
  provider: string;
  /** What is counted together. Default: each workflow by itself. */
  identifier?: ((workflowId: string, input: unknown) => string) | undefined;
}

/** How an engine is made. */
export interface EngineOptions {
  /**
   * Who keeps runs. Default: `upstash-workflow` if there is a token in the environment, else `embedded` in development:
   * `NODE_ENV` is `development` or `test`, or `QSTASH_DEV` is on. Elsewhere a token has to be there.
   */
  providers?: readonly ProviderConfig[] | undefined;
  /** The name of the provider of workflows that name none. Default: the first. */
  defaultProvider?: string | undefined;
  /** What it serves and starts. */
  workflows?: readonly AnyWorkflow[] | undefined;
  triggers?: readonly Trigger[] | undefined;
  /**
   * Where the workflows are served: the address of the route of {@link WorkflowEngine.serve}, without a workflow's id. A path
   * alone stands behind the application's own address. Default: `/api/workflows`, behind `UPSTASH_WORKFLOW_URL`, the
   * deployment's address on Vercel, or `http://localhost:<PORT>` in development.
   */
  url?: string | undefined;
  /**
   * Which runs and schedules are listed, shown, cancelled, paused and removed: those of workflows and triggers below the engine's
   * address (`engine`), so that applications that share a broker don't see one another's; or all that the token may reach
   * (`account`). Default: `engine`.
   */
  scope?: "engine" | "account" | undefined;
  /** Are told what happens in every workflow. */
  middlewares?: readonly WorkflowMiddleware[] | undefined;
  /** Where runs and steps are counted, beside metrics of your own. Default: a registry of the engine's. */
  metrics?: MetricsRegistry | undefined;
  /** Where the spans of steps go. Default: `true`, to OpenTelemetry if the application has registered it. */
  telemetry?: Telemetry | undefined;
  /** Settings. Give a Worker's bindings here. Default: the process's environment. */
  env?: Environment | undefined;
}

/** What the engine is and has, without asking anybody. */
export interface EngineStatus {
  state: "created" | "ready" | "shut-down";
  defaultProvider: string;
  providers: { name: string; type: string; isReady: boolean }[];
  workflows: { workflowId: string; provider: string }[];
  triggers: TriggerSummary[];
  metrics: EngineMetrics;
}

/** Handlers of one route: everything that a provider delivers, and what pulls triggers. */
export interface ServedEngine {
  handler: (request: Request) => Promise<Response>;
  /** For a catch-all route of Next.js: `export const { GET, POST } = engine.serve()`. */
  POST: (request: Request) => Promise<Response>;
  GET: (request: Request) => Promise<Response>;
  /** For Workers: `export default engine.serve()`. */
  fetch: (request: Request, env?: object, context?: unknown) => Promise<Response>;
}

/** Where a call goes. */
export interface ProviderChoice extends CallOptions {
  /** Default: the workflow's, or the engine's. */
  provider?: string | undefined;
}

/** What a run is started with. The input may be left out if it can be anything, or nothing. */
export type GivenInput<TInput> = unknown extends TInput
  ? [input?: TInput, options?: StartOptions & ProviderChoice]
  : undefined extends TInput
    ? [input?: TInput, options?: StartOptions & ProviderChoice]
    : [input: TInput, options?: StartOptions & ProviderChoice];

/** The input of the runs of a schedule. */
export type ScheduledInput<TInput> = unknown extends TInput
  ? { input?: TInput | undefined }
  : undefined extends TInput
    ? { input?: TInput | undefined }
    : { input: TInput };

/** Serves, starts and follows workflows. Calls reject with errors of this package. */
export interface WorkflowEngine {
  /**
   * Makes the providers ready and attaches triggers; while Next.js builds, nothing. Every call makes its own provider ready, so
   * only triggers need this: schedules, queues, URL groups. What failed is tried again by the next call of it.
   */
  initialize(): Promise<void>;
  /** A provider by its name; the default one without. @throws {OrchestrationError} `NotFound` */
  provider(name?: string): WorkflowProvider;
  /** Adds workflows and triggers. Triggers that need something at their provider are attached by {@link initialize}, or now if that is done. */
  register(...items: readonly (AnyWorkflow | Trigger)[]): Promise<void>;
  /** Removes a workflow or a trigger by its name; a trigger is taken away at its provider too. */
  unregister(name: string): Promise<boolean>;
  workflows(): readonly AnyWorkflow[];
  triggers(): readonly TriggerSummary[];
  /** The endpoint of all workflows and triggers, or of one workflow at an address of its own. */
  serve(workflow?: AnyWorkflow): ServedEngine;
  /** Starts a run. An id stands for a registered workflow. */
  executeWorkflow<TInput, TOutput>(
    workflow: WorkflowDefinition<TInput, TOutput>,
    ...given: GivenInput<TInput>
  ): Promise<StartedWorkflow>;
  executeWorkflow(workflow: string, input?: unknown, options?: StartOptions & ProviderChoice): Promise<StartedWorkflow>;
  /** Starts runs by a cron expression. */
  scheduleWorkflow<TInput, TOutput>(
    workflow: WorkflowDefinition<TInput, TOutput>,
    schedule: ScheduleOptions & ScheduledInput<TInput>,
    options?: ProviderChoice,
  ): Promise<{ scheduleId: string }>;
  scheduleWorkflow(
    workflow: string,
    schedule: ScheduleOptions & { input?: unknown },
    options?: ProviderChoice,
  ): Promise<{ scheduleId: string }>;
  listSchedules(options?: ProviderChoice): Promise<WorkflowSchedule[]>;
  unscheduleWorkflow(scheduleId: string, options?: ProviderChoice): Promise<void>;
  pauseSchedule(scheduleId: string, options?: ProviderChoice): Promise<void>;
  resumeSchedule(scheduleId: string, options?: ProviderChoice): Promise<void>;
  /** `undefined` for a run that nobody knows. Without a provider's name all are asked, the default one first. */
  getExecution<TOutput = unknown>(
    workflowRunId: string,
    options?: ProviderChoice,
  ): Promise<WorkflowExecution<TOutput> | undefined>;
  /**
   * A page of runs, the newest first. Brokers don't tell applications apart: a page may hold few runs, or none, although others
   * follow. As long as there is a `cursor`, ask on.
   */
  listExecutions(filter?: ExecutionFilter, options?: ProviderChoice): Promise<ExecutionPage>;
  /** Resolves with whether the run was still going on. Without a provider's name all are asked, the default one first. */
  cancelExecution(workflowRunId: string, options?: ProviderChoice): Promise<boolean>;
  /**
   * Resolves when the run has ended, however that was. Asks every 500 ms, and less often as time goes by. Rejects with the
   * signal's reason, and with `NotFound` for a run that nobody knows of after 10 s.
   */
  waitForExecution<TOutput = unknown>(
    workflowRunId: string,
    options?: ProviderChoice & { intervalMs?: number | undefined },
  ): Promise<WorkflowExecution<TOutput>>;
  /** Brings an event to the runs that wait for it; resolves with how many. */
  notify(event: EventRequest, options?: ProviderChoice): Promise<number>;
  /** Brings an event to the runs that wait for it and to the triggers that it pulls. */
  emit(
    event: string,
    data?: unknown,
    options?: ProviderChoice,
  ): Promise<{ notified: number; started: StartedWorkflow[] }>;
  /** What it is and has, without asking anybody. */
  getStatus(): EngineStatus;
  /** Counts and durations since it was made, in this process. */
  getMetrics(): EngineMetrics;
  /** The same as Prometheus reads it: text format 0.0.4, or OpenMetrics 1.0. */
  prometheus(format?: Exposition): string;
  /** Asks every provider. */
  healthCheck(options?: CallOptions): Promise<EngineHealth>;
  /** Gives up what it holds: an embedded broker is stopped. Runs go on when an engine is there again. */
  shutdown(): Promise<void>;
}
