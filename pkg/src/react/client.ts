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
import { query, segment, Transport, type TransportOptions } from "./transport.js";

/** How the API is reached, and how patiently runs are followed. */
export interface WorkflowClientOptions extends TransportOptions {
  /** Milliseconds between two looks at a run that can't be followed live. Default: 2000. */
  pollIntervalMs?: number | undefined;
  /** Milliseconds until a lost stream of events is opened again; doubled with each failure, up to 30 000. Default: 1000. */
  reconnectMs?: number | undefined;
}

/** What every call takes. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** What a run can be started with, besides its input. */
export interface StartOptions extends CallOptions {
  /** An id of your own: starting twice with it starts one run. */
  workflowRunId?: string | undefined;
  label?: string | undefined;
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
  async listWorkflows(options: CallOptions = {}): Promise<WorkflowInfo[]> {
    const { workflows } = await this.#get<{ workflows: WorkflowInfo[] }>("/workflows", options);
    return workflows;
  }

  /** Starts a run. `client.startWorkflow<typeof order>("order", input)` checks the input. */
  startWorkflow<W = unknown>(
    workflowId: string,
    input?: InputOf<W>,
    { signal, ...options }: StartOptions = {},
  ): Promise<StartedWorkflow> {
    return this.#post(`/workflows/${segment(workflowId)}/runs`, { input, ...options }, signal);
  }

  /** A page of runs, the newest first. */
  listRuns(filter: ExecutionFilter = {}, options: CallOptions = {}): Promise<ExecutionPage> {
    return this.#get(`/runs${query(filter)}`, options);
  }

  /** A run. `client.getRun<typeof order>(id)` knows its output. */
  getRun<W = unknown>(workflowRunId: string, options: CallOptions = {}): Promise<WorkflowExecution<OutputOf<W>>> {
    return this.#get(`/runs/${segment(workflowRunId)}`, options);
  }

  /** The steps of a run, in the order in which they began. */
  async getHistory(workflowRunId: string, options: CallOptions = {}): Promise<WorkflowStepExecution[]> {
    const { steps } = await this.#get<{ steps: WorkflowStepExecution[] }>(
      `/runs/${segment(workflowRunId)}/history`,
      options,
    );
    return steps;
  }

  /**
   * A run now and at every change, by server-sent events on one connection. Ends with the run, or before it when the
   * server closes the stream: ask again then. The hooks do.
   */
  async *streamRun<W = unknown>(
    workflowRunId: string,
    { signal }: CallOptions = {},
  ): AsyncGenerator<WorkflowExecution<OutputOf<W>>, void, undefined> {
    for await (const { event, data } of this.#transport.events(`/runs/${segment(workflowRunId)}/events`, signal)) {
      if (event === "end") return;
      if (event === "run") yield parsed(data);
    }
  }

  /** Ends a run. `false` if it had ended. */
  async cancelRun(workflowRunId: string, options: CallOptions & { keepalive?: boolean } = {}): Promise<boolean> {
    const path = `/runs/${segment(workflowRunId)}/cancel`;
    const answer = await this.#transport.json(path, { method: "POST", body: {}, ...options });
    return answered<{ cancelled: boolean }>(answer).cancelled;
  }

  /** Sends an event to the runs that wait for it. How many did. */
  async notify(eventId: string, data?: unknown, { signal, ...options }: NotifyOptions = {}): Promise<number> {
    const path = `/events/${segment(eventId)}`;
    const { notified } = await this.#post<{ notified: number }>(path, { data, ...options }, signal);
    return notified;
  }

  /** All schedules. */
  async listSchedules(options: CallOptions = {}): Promise<WorkflowSchedule[]> {
    const { schedules } = await this.#get<{ schedules: WorkflowSchedule[] }>("/schedules", options);
    return schedules;
  }

  /** Makes a schedule. Its id. */
  async createSchedule<W = unknown>(
    schedule: ScheduleRequest<InputOf<W>>,
    { signal }: CallOptions = {},
  ): Promise<string> {
    const { scheduleId } = await this.#post<{ scheduleId: string }>("/schedules", schedule, signal);
    return scheduleId;
  }

  /** Removes a schedule; runs that it has started go on. */
  async deleteSchedule(scheduleId: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.json(`/schedules/${segment(scheduleId)}`, { method: "DELETE", ...options });
  }

  /** No run is started until {@link resumeSchedule}. */
  async pauseSchedule(scheduleId: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.json(`/schedules/${segment(scheduleId)}/pause`, { method: "POST", body: {}, ...options });
  }

  /** Goes on with a paused schedule. */
  async resumeSchedule(scheduleId: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.json(`/schedules/${segment(scheduleId)}/resume`, { method: "POST", body: {}, ...options });
  }

  /** Counts and durations of the process that answers. */
  getMetrics(options: CallOptions = {}): Promise<EngineMetrics> {
    return this.#get("/metrics", options);
  }

  /** How the engine and its providers are; told also when they are unhealthy. */
  async getHealth({ signal }: CallOptions = {}): Promise<EngineHealth> {
    const accepts = (body: unknown) => typeof (body as Partial<EngineHealth> | undefined)?.status === "string";
    return answered(await this.#transport.json("/health", { signal, accepts }));
  }

  async #get<T>(path: string, { signal }: CallOptions): Promise<T> {
    return answered(await this.#transport.json(path, { signal }));
  }

  async #post<T>(path: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    return answered(await this.#transport.json(path, { method: "POST", body, signal }));
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
