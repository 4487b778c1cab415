/** Runs that a QStash-compatible broker keeps, by way of this package's clients. */
import type { CallOptions } from "../../config.js";
import { jsonOf } from "../../connection.js";
import type { CreateScheduleRequest, Schedule } from "../../qstash/schedules.js";
import type { Client } from "../../qstash.js";
import type { Client as Runs, TriggerOptions, WorkflowLogsRequest } from "../../workflows/client.js";
import type { WorkflowRunLogs } from "../../workflows/client-logs.js";
import { workflowIdIn } from "../address.js";
import { executionOf, STATES } from "../executions.js";
import { present } from "../present.js";
import type {
  EventRequest,
  ListRequest,
  ProviderEndpoint,
  ScheduleRequest,
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
    return this.connection().runs.trigger(run, options);
  }

  async get(workflowRunId: string, options?: CallOptions): Promise<WorkflowExecution | undefined> {
    const { runs } = await this.#logs({ filter: { workflowRunId: runIdOf(workflowRunId) }, count: 1 }, options);
    return runs[0] && executionOf(runs[0], this.name);
  }

  async list(request: ListRequest, options?: CallOptions): Promise<ExecutionPage> {
    const { status, label, url, count = PAGE } = request;
    const filter: object = present({ state: status && STATES[status], label, workflowUrl: url });
    let { cursor } = request;
    for (let pages = 1; ; pages += 1) {
      const page = await this.#logs(present({ count, cursor, filter }), options);
      const runs = page.runs.map((run) => executionOf(run, this.name));
      const fitting = status ? runs.filter((run) => run.status === status) : runs;
      cursor = page.cursor || undefined;
      // Runs that have not begun are not told apart by the broker: a page may hold few of them.
      if (fitting.length > 0 || cursor === undefined || pages === PAGES) return present({ runs: fitting, cursor });
    }
  }

  async cancel(workflowRunId: string, options?: CallOptions): Promise<boolean> {
    const { cancelled } = await this.connection().runs.cancel([runIdOf(workflowRunId)], options);
    return cancelled > 0;
  }

  async notify({ eventId, data, workflowRunId }: EventRequest, options?: CallOptions): Promise<number> {
    const run = workflowRunId === undefined ? {} : { workflowRunId: runIdOf(workflowRunId) };
    return (await this.connection().runs.notify({ eventId, eventData: data, ...run }, options)).length;
  }

  async schedule(request: ScheduleRequest, options?: CallOptions): Promise<{ scheduleId: string }> {
    const { workflowId: _, url, input, ...rest } = request;
    const schedule = present({ ...rest, destination: url, body: jsonOf(input) });
    const headers = { "content-type": "application/json" };
    return this.client.schedules.create({ ...schedule, headers } as CreateScheduleRequest, options);
  }

  async listSchedules({ base }: { base: string }, options?: CallOptions): Promise<WorkflowSchedule[]> {
    const schedules = await this.client.schedules.list(options);
    const ours = schedules.filter(({ destination }) => destination.startsWith(`${base}/`));
    return ours.map((schedule) => this.#shown(schedule));
  }

  async unschedule(scheduleId: string, options?: CallOptions): Promise<void> {
    await this.client.schedules.delete(scheduleId, options);
  }

  async pauseSchedule(schedule: string, options?: CallOptions): Promise<void> {
    await this.client.schedules.pause({ schedule }, options);
  }

  async resumeSchedule(schedule: string, options?: CallOptions): Promise<void> {
    await this.client.schedules.resume({ schedule }, options);
  }

  async ping(options?: CallOptions): Promise<void> {
    await this.connection().probe.logs({ count: 1 }, options);
  }

  async #logs(request: WorkflowLogsRequest, options?: CallOptions): Promise<WorkflowRunLogs> {
    return this.connection().runs.logs(request, options);
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

/** The id as the broker has it; those who chose it may know it without the prefix. */
const runIdOf = (id: string): string => (id.startsWith(PREFIX) ? id : PREFIX + id);
