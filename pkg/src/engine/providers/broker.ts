/** Runs that a QStash-compatible broker keeps, by way of this package's clients. */
import type { CallOptions } from "../../config.js";
import { jsonOf } from "../../connection.js";
import { OrchestrationError } from "../../errors.js";
import type { CreateScheduleRequest, Schedule } from "../../qstash/schedules.js";
import type { Client } from "../../qstash.js";
import type { Client as Runs, TriggerOptions, WorkflowLogsRequest } from "../../workflows/client.js";
import type { WorkflowRunLogs } from "../../workflows/client-logs.js";
import { isBelow, workflowIdIn } from "../address.js";
import { executionOf, STATES } from "../executions.js";
import { Latest } from "../latest.js";
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
import type { ExecutionPage, WorkflowExecution, WorkflowSchedule } from "../types.js";

/** What a broker is reached with. */
export interface Connection {
  runs: Runs;
  client: Client;
  /** Asks once, for those who want to know how it is now. */
  probe: Runs;
}

/** A provider that is a broker. Which one, its kind says. */
export abstract class BrokerProvider implements WorkflowProvider {
  readonly name: string;
  abstract readonly type: string;
  /** Runs that were started here, with ids that nobody else can have: a broker's log may not show them yet. */
  readonly #own = new Latest();

  constructor(name: string) {
    this.name = name;
  }

  get client(): Client {
    return this.connection().client;
  }

  /** @throws {OrchestrationError} if it is not ready */
  protected abstract connection(): Connection;
  abstract initialize(): Promise<void>;
  abstract endpoint(): ProviderEndpoint;

  async start(request: StartRequest, options?: CallOptions): Promise<{ workflowRunId: string }> {
    const { workflowId: _, input, ...rest } = request;
    // A text as JSON too: `"5"` must not arrive as a number.
    const run = present({ ...rest, body: jsonOf(input) }) as TriggerOptions;
    const { workflowRunId } = await this.connection().runs.trigger(run, options);
    if (request.workflowRunId === undefined) this.#own.add(workflowRunId);
    return { workflowRunId };
  }

  async get(workflowRunId: string, { base, ...call }: ScopedOptions = {}): Promise<WorkflowExecution | undefined> {
    const filter = { workflowRunId: runIdOf(workflowRunId) };
    const [run] = (await this.#logs({ filter, count: 1 }, call)).runs;
    return run && isWithin(base, run.workflowUrl) ? executionOf(run, this.name) : undefined;
  }

  async list(request: ListRequest, options?: CallOptions): Promise<ExecutionPage> {
    const { status, label, url, base, count = PAGE } = request;
    const filter: object = present({ state: status && STATES[status], label, workflowUrl: url });
    let { cursor } = request;
    for (let pages = 1; ; pages += 1) {
      const page = await this.#logs(present({ count, cursor, filter }), options);
      const ours = page.runs.filter(({ workflowUrl }) => isWithin(base, workflowUrl));
      const runs = ours.map((run) => executionOf(run, this.name));
      const fitting = status ? runs.filter((run) => run.status === status) : runs;
      cursor = page.cursor || undefined;
      // Neither runs that have not begun nor those of one application are told apart by the broker: a page may hold few of them.
      if (fitting.length > 0 || cursor === undefined || pages === PAGES) return present({ runs: fitting, cursor });
    }
  }

  async cancel(workflowRunId: string, { base, ...call }: ScopedOptions = {}): Promise<boolean> {
    const id = runIdOf(workflowRunId);
    const isOwn = base === undefined || this.#own.has(id) || (await this.get(id, { base, ...call })) !== undefined;
    if (!isOwn) return false;
    const { cancelled } = await this.connection().runs.cancel([id], call);
    return cancelled > 0;
  }

  async notify({ eventId, data, workflowRunId }: EventRequest, options?: CallOptions): Promise<number> {
    const run = workflowRunId === undefined ? {} : { workflowRunId: runIdOf(workflowRunId) };
    return (await this.connection().runs.notify({ eventId, eventData: data, ...run }, options)).length;
  }

  async schedule(request: ScheduleRequest, { base, ...call }: ScopedOptions = {}): Promise<{ scheduleId: string }> {
    const { workflowId: _, url, input, ...rest } = request;
    if (rest.scheduleId !== undefined && base !== undefined) await this.#checkFree(rest.scheduleId, base, call);
    const schedule = present({ ...rest, destination: url, body: jsonOf(input) });
    const headers = { "content-type": "application/json" };
    return this.client.schedules.create({ ...schedule, headers } as CreateScheduleRequest, call);
  }

  async listSchedules({ base }: { base?: string | undefined }, options?: CallOptions): Promise<WorkflowSchedule[]> {
    const schedules = await this.client.schedules.list(options);
    const ours = schedules.filter(({ destination }) => isWithin(base, destination));
    return ours.map((schedule) => this.#shown(schedule));
  }

  async unschedule(scheduleId: string, { base, ...call }: ScopedOptions = {}): Promise<void> {
    await this.#checkOwn(scheduleId, base, call);
    await this.client.schedules.delete(scheduleId, call);
  }

  async pauseSchedule(schedule: string, { base, ...call }: ScopedOptions = {}): Promise<void> {
    await this.#checkOwn(schedule, base, call);
    await this.client.schedules.pause({ schedule }, call);
  }

  async resumeSchedule(schedule: string, { base, ...call }: ScopedOptions = {}): Promise<void> {
    await this.#checkOwn(schedule, base, call);
    await this.client.schedules.resume({ schedule }, call);
  }

  async ping(options?: CallOptions): Promise<void> {
    await this.connection().probe.logs({ count: 1 }, options);
  }

  async #logs(request: WorkflowLogsRequest, options?: CallOptions): Promise<WorkflowRunLogs> {
    return this.connection().runs.logs(request, options);
  }

  /** @throws {OrchestrationError} `NotFound` for a schedule of others */
  async #checkOwn(scheduleId: string, base: string | undefined, call: CallOptions): Promise<void> {
    if (base === undefined) return;
    const { destination } = await this.client.schedules.get(scheduleId, call);
    if (!isBelow(base, destination))
      throw new OrchestrationError(`there is no schedule '${scheduleId}' of an endpoint below ${base}`, "NotFound");
  }

  /** @throws {OrchestrationError} `Forbidden` if others have a schedule with this id */
  async #checkFree(scheduleId: string, base: string, call: CallOptions): Promise<void> {
    try {
      await this.#checkOwn(scheduleId, base, call);
    } catch (error) {
      if ((error as { status?: unknown }).status === NOT_FOUND) return;
      if ((error as { code?: unknown }).code !== "NotFound") throw error;
      throw new OrchestrationError(
        `the schedule '${scheduleId}' belongs to another application, its endpoint is not below ${base}: take another id, ` +
          "delete it there, or make the engine with scope 'account'",
        "Forbidden",
      );
    }
  }

  #shown({ scheduleId, cron, createdAt, destination, isPaused, ...schedule }: Schedule): WorkflowSchedule {
    return present({
      scheduleId,
      workflowId: workflowIdIn(destination),
      provider: this.name,
      cron,
      isPaused: Boolean(isPaused),
      createdAt,
      nextRunAt: schedule.nextScheduleTime || undefined,
      lastRunAt: schedule.lastScheduleTime || undefined,
    });
  }
}

const PAGE = 20;
/** So many are asked for, if there is nothing on them. */
const PAGES = 10;
const PREFIX = "wfr_";

const NOT_FOUND = 404;

const isWithin = (base: string | undefined, url: string): boolean => base === undefined || isBelow(base, url);

/** The id as the broker has it; those who chose it may know it without the prefix. */
const runIdOf = (id: string): string => (id.startsWith(PREFIX) ? id : PREFIX + id);
