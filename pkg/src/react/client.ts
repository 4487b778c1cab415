/** The API of `createWorkflowApi` as typed calls, with or without React. */
import type { InputOf, OutputOf } from "../engine/infer.js";
import type {
  EngineHealth,
  EngineMetrics,
  ExecutionFilter,
  ExecutionPage,
  StartedWorkflow,
  WorkflowExecution,
  WorkflowSchedule,
  WorkflowStepExecution,
} from "../engine/types.js";
import { WorkflowApiError } from "./error.js";
import { type ApiRequest, segment, Transport, type TransportOptions } from "./transport.js";

/** How the API is reached, and how patiently runs are followed. */
export interface WorkflowClientOptions extends TransportOptions {
  /** Milliseconds between two looks at a run that can't be followed live. Default: 2000. */
  pollIntervalMs?: number | undefined;
  /** Milliseconds until a lost stream of events is opened again; doubled with each failure, up to 30 000. Default: 1000. */
  reconnectMs?: number | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** The provider that is asked. Default: the workflow's, where one is named, or the engine's. */
  provider?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** What a run can be started with, besides its input. */
export interface StartOptions extends CallOptions {
  /** An id of your own: starting twice with it starts one run. */
  workflowRunId?: string | undefined;
  label?: string | string[] | undefined;
  /** How long the run waits before it begins: seconds, or a duration such as `10s` or `1d`. */
  delay?: number | string | undefined;
}

/** A workflow that the engine knows. */
export interface WorkflowInfo {
  workflowId: string;
  provider: string;
}

/** What a schedule is made from. */
export interface ScheduleRequest<TInput = unknown> {
  workflowId: string;
  /** Five fields, with `CRON_TZ=` before them if they are not UTC. */
  cron: string;
  /** What each run is started with. */
  input?: TInput | undefined;
  /** An id of your own: a schedule of this id is replaced. */
  scheduleId?: string | undefined;
}

/** What an event can be sent with. */
export interface NotifyOptions extends CallOptions {
  /** Only this run is told. */
  workflowRunId?: string | undefined;
}

/** A client of the API. Every call throws {@link WorkflowApiError} alone. */
export class WorkflowApiClient {
  /** Milliseconds; see {@link WorkflowClientOptions}. */
  readonly pollIntervalMs: number;
  /** Milliseconds; see {@link WorkflowClientOptions}. */
  readonly reconnectMs: number;
  readonly #transport: Transport;

  constructor({ pollIntervalMs = 2000, reconnectMs = 1000, ...options }: WorkflowClientOptions = {}) {
    this.pollIntervalMs = milliseconds("pollIntervalMs", pollIntervalMs);
    this.reconnectMs = milliseconds("reconnectMs", reconnectMs);
    this.#transport = new Transport(options);
  }

  /** Where the API is, without a slash at the end. */
  get baseUrl(): string {
    return this.#transport.baseUrl;
  }

  /** The workflows that the engine knows. */
  async listWorkflows(options?: CallOptions): Promise<WorkflowInfo[]> {
    return (await this.#ask<{ workflows: WorkflowInfo[] }>("/workflows", options)).workflows;
  }

  /** Starts a run. `client.startWorkflow<typeof order>("order", input)` checks the input. */
  startWorkflow<W = unknown>(
    workflowId: string,
    input?: InputOf<W>,
    { provider, signal, ...rest }: StartOptions = {},
  ): Promise<StartedWorkflow> {
    const body = { input, ...rest };
    return this.#ask(`/workflows/${segment(workflowId)}/runs`, { provider, signal }, { method: "POST", body });
  }

  /** A page of runs, the newest first. */
  listRuns(filter: ExecutionFilter = {}, options?: CallOptions): Promise<ExecutionPage> {
    return this.#ask("/runs", options, { query: filter });
  }

  /** A run. `client.getRun<typeof order>(id)` knows its output. */
  getRun<W = unknown>(workflowRunId: string, options?: CallOptions): Promise<WorkflowExecution<OutputOf<W>>> {
    return this.#ask(`/runs/${segment(workflowRunId)}`, options);
  }

  /** The steps of a run, in the order in which they began. */
  async getHistory(workflowRunId: string, options?: CallOptions): Promise<WorkflowStepExecution[]> {
    const path = `/runs/${segment(workflowRunId)}/history`;
    return (await this.#ask<{ steps: WorkflowStepExecution[] }>(path, options)).steps;
  }

  /**
   * A run now and at every change, by server-sent events on one connection. Ends with the run, or before it when the
   * server closes the stream: ask again then. The hooks do.
   */
  async *streamRun<W = unknown>(
    workflowRunId: string,
    { provider, signal }: CallOptions = {},
  ): AsyncGenerator<WorkflowExecution<OutputOf<W>>, void, undefined> {
    const path = `/runs/${segment(workflowRunId)}/events`;
    for await (const { event, data } of this.#transport.events(path, { query: { provider }, signal })) {
      if (event === "end") return;
      if (event === "run") yield parsed(data);
    }
  }

  /** Ends a run. `false` if it had ended. With `keepalive` the browser finishes the request if the page goes away. */
  async cancelRun(
    workflowRunId: string,
    { keepalive = false, ...options }: CallOptions & { keepalive?: boolean } = {},
  ): Promise<boolean> {
    const path = `/runs/${segment(workflowRunId)}/cancel`;
    return (await this.#ask<{ cancelled: boolean }>(path, options, { method: "POST", keepalive })).cancelled;
  }

  /** Sends an event to the runs that wait for it. How many did. */
  async notify(eventId: string, data?: unknown, { workflowRunId, ...options }: NotifyOptions = {}): Promise<number> {
    const request = { method: "POST", body: { data, workflowRunId } };
    return (await this.#ask<{ notified: number }>(`/events/${segment(eventId)}`, options, request)).notified;
  }

  /** All schedules. */
  async listSchedules(options?: CallOptions): Promise<WorkflowSchedule[]> {
    return (await this.#ask<{ schedules: WorkflowSchedule[] }>("/schedules", options)).schedules;
  }

  /** Makes a schedule. Its id. */
  async createSchedule<W = unknown>(body: ScheduleRequest<InputOf<W>>, options?: CallOptions): Promise<string> {
    return (await this.#ask<{ scheduleId: string }>("/schedules", options, { method: "POST", body })).scheduleId;
  }

  /** Removes a schedule; runs that it has started go on. */
  async deleteSchedule(scheduleId: string, options?: CallOptions): Promise<void> {
    await this.#send(`/schedules/${segment(scheduleId)}`, options, { method: "DELETE" });
  }

  /** No run is started until {@link resumeSchedule}. */
  async pauseSchedule(scheduleId: string, options?: CallOptions): Promise<void> {
    await this.#send(`/schedules/${segment(scheduleId)}/pause`, options, { method: "POST" });
  }

  /** Goes on with a paused schedule. */
  async resumeSchedule(scheduleId: string, options?: CallOptions): Promise<void> {
    await this.#send(`/schedules/${segment(scheduleId)}/resume`, options, { method: "POST" });
  }

  /** Counts and durations of the process that answers. */
  getMetrics(options?: CallOptions): Promise<EngineMetrics> {
    return this.#ask("/metrics", options);
  }

  /** How the engine and its providers are; told also when they are unhealthy. */
  getHealth(options?: CallOptions): Promise<EngineHealth> {
    const accepts = (body: unknown) => typeof (body as Partial<EngineHealth> | undefined)?.status === "string";
    return this.#ask("/health", options, { accepts });
  }

  /** Where the answer must be an object. */
  async #ask<T>(path: string, options: CallOptions | undefined, request?: ApiRequest): Promise<T> {
    return answered(await this.#send(path, options, request));
  }

  #send(path: string, { provider, signal }: CallOptions = {}, request: ApiRequest = {}): Promise<unknown> {
    return this.#transport.json(path, { ...request, query: { ...request.query, provider }, signal });
  }
}

/** A client of the API: `createWorkflowClient({ baseUrl: "/api/orchestration" })`. */
export function createWorkflowClient(options?: WorkflowClientOptions): WorkflowApiClient {
  return new WorkflowApiClient(options);
}

/** Where there must be an object, there is one. */
function answered<T>(answer: unknown): T {
  if (typeof answer === "object" && answer !== null) return answer as T;
  throw new WorkflowApiError("the API's answer is empty; is the base URL right?", "ApiAnswer");
}

function parsed<T>(data: string): T {
  try {
    return answered(JSON.parse(data));
  } catch (cause) {
    throw new WorkflowApiError("an event of the API is not JSON", "ApiAnswer", { cause });
  }
}

function milliseconds(name: string, value: number): number {
  if (value > 0) return value;
  throw new WorkflowApiError(
    `'${name}' must be a positive number of milliseconds, not ${value}`,
    "InvalidConfiguration",
  );
}
