/** The provider `rate-limit`: bounds how many runs another provider is asked to start. */
import type { CallOptions } from "../../config.js";
import { RateLimitError } from "../../errors.js";
import type { Client } from "../../qstash.js";
import { createRateLimiter, type RateLimiter } from "../../resilience/rate-limiter.js";
import type { RateLimitProviderConfig } from "../api.js";
import { lacking } from "../lacking.js";
import { present } from "../present.js";
import type {
  EventRequest,
  ListRequest,
  ProviderEndpoint,
  ScheduleRequest,
  ScopedOptions,
  StartRequest,
  WorkflowProvider,
} from "../provider.js";
import type { EngineSettings } from "../settings.js";
import type { ExecutionPage, WorkflowExecution, WorkflowSchedule } from "../types.js";

/** The provider behind it, and how that is made ready. */
export interface Limited {
  provider: () => WorkflowProvider;
  ready: () => Promise<void>;
}

type Method = Exclude<keyof WorkflowProvider, "name" | "type" | "client">;

export class RateLimitProvider implements WorkflowProvider {
  readonly name: string;
  readonly type = "rate-limit";
  readonly #config: RateLimitProviderConfig;
  readonly #limited: Limited;
  readonly #settings: EngineSettings;
  #limiter: RateLimiter | undefined;

  constructor(name: string, config: RateLimitProviderConfig, limited: Limited, settings: EngineSettings) {
    this.name = name;
    this.#config = config;
    this.#limited = limited;
    this.#settings = settings;
  }

  get client(): Client | undefined {
    return this.#limited.provider().client;
  }

  async initialize(): Promise<void> {
    await this.#limited.ready();
  }

  /** @throws {RateLimitError} if it is one too many; nothing was started then */
  async start(request: StartRequest, options?: CallOptions): Promise<{ workflowRunId: string }> {
    const { workflowId, input } = request;
    const { identifier } = this.#config;
    const counted = identifier ? identifier(workflowId, input) : workflowId;
    const { success, limit, remaining, reset, retryAfter } = await this.#counter().limit(counted, options);
    if (!success) {
      const facts = { limit, remaining, resetAt: reset, retryAfterMs: retryAfter * SECOND };
      throw new RateLimitError(
        `the provider '${this.name}' starts no more runs of '${workflowId}' now; again in ${retryAfter} s`,
        facts,
      );
    }
    return this.#method("start")(request, options);
  }

  endpoint(): ProviderEndpoint {
    return this.#method("endpoint")();
  }

  async get(workflowRunId: string, options?: ScopedOptions): Promise<WorkflowExecution | undefined> {
    return this.#method("get")(workflowRunId, options);
  }

  async list(request: ListRequest, options?: CallOptions): Promise<ExecutionPage> {
    return this.#method("list")(request, options);
  }

  async cancel(workflowRunId: string, options?: ScopedOptions): Promise<boolean> {
    return this.#method("cancel")(workflowRunId, options);
  }

  async notify(event: EventRequest, options?: CallOptions): Promise<number> {
    return this.#method("notify")(event, options);
  }

  /** The runs of a schedule are started by who keeps them: they are not counted. */
  async schedule(request: ScheduleRequest, options?: ScopedOptions): Promise<{ scheduleId: string }> {
    return this.#method("schedule")(request, options);
  }

  async listSchedules(request: { base?: string | undefined }, options?: CallOptions): Promise<WorkflowSchedule[]> {
    return this.#method("listSchedules")(request, options);
  }

  async unschedule(scheduleId: string, options?: ScopedOptions): Promise<void> {
    return this.#method("unschedule")(scheduleId, options);
  }

  async pauseSchedule(scheduleId: string, options?: ScopedOptions): Promise<void> {
    return this.#method("pauseSchedule")(scheduleId, options);
  }

  async resumeSchedule(scheduleId: string, options?: ScopedOptions): Promise<void> {
    return this.#method("resumeSchedule")(scheduleId, options);
  }

  async ping(options?: CallOptions): Promise<void> {
    await this.#limited.provider().ping?.(options);
  }

  #counter(): RateLimiter {
    const { provider: _, identifier: __, ...rule } = this.#config;
    this.#limiter ??= createRateLimiter({ ...rule, ...present({ env: this.#settings.own }) });
    return this.#limiter;
  }

  #method<const Name extends Method>(name: Name): NonNullable<WorkflowProvider[Name]> {
    const provider = this.#limited.provider();
    const method = provider[name] as ((...args: never[]) => unknown) | undefined;
    if (!method) throw lacking(provider.name, name);
    return method.bind(provider) as NonNullable<WorkflowProvider[Name]>;
  }
}

const SECOND = 1_000;
