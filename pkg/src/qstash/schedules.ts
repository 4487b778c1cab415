/** Schedules: a message that is published again and again. */
import type { CallOptions } from "../config.js";
import type { MessageBody } from "../messages.js";
import type { Caller } from "./caller.js";
import type { MessageOptions } from "./publish.js";

/** What to publish, and when. */
export interface CreateScheduleRequest
  extends Omit<MessageOptions<MessageBody>, "notBefore" | "deduplicationId" | "contentBasedDeduplication"> {
  /** A URL, or the name of a URL group. */
  destination: string;
  /** Five fields, in UTC unless `timezone` or a prefix `CRON_TZ=…` says otherwise. */
  cron: string;
  /** The IANA name of the time zone of `cron`, such as `Europe/Berlin`. */
  timezone?: string;
  /** Replaces the schedule with this id. Default: a new one. */
  scheduleId?: string;
  /** Where every answer of the destination is sent. */
  callback?: string;
}

/** A schedule, as the broker shows it. Times are Unix milliseconds. */
export interface Schedule {
  scheduleId: string;
  /** With the time zone, if there is one. */
  cron: string;
  createdAt: number;
  destination: string;
  method: string;
  header?: Record<string, string[]>;
  body?: string;
  /** The body in base64, if it is not UTF-8. */
  bodyBase64?: string;
  retries: number;
  /** In seconds. */
  delay?: number;
  callback?: string;
  failureCallback?: string;
  callerIp?: string;
  isPaused: boolean;
  queueName?: string;
  flowControlKey?: string;
  parallelism?: number;
  rate?: number;
  /** @deprecated Use `rate`. */
  ratePerSecond?: number;
  /** In seconds. */
  period?: number;
  retryDelayExpression?: string;
  /** @deprecated Use `labels`: this is the first of them. */
  label?: string;
  labels?: string[];
  lastScheduleTime?: number;
  nextScheduleTime?: number;
  /** By message id. */
  lastScheduleStates?: Record<string, "IN_PROGRESS" | "SUCCESS" | "FAIL">;
  callerIP?: string;
}

/** All schedules. */
export class Schedules {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Makes a schedule, or replaces the one with its id. */
  async create(request: CreateScheduleRequest, options?: CallOptions): Promise<{ scheduleId: string }> {
    return (await this.#caller.send("schedules.create", request, options)) as { scheduleId: string };
  }

  /** Shows a schedule. */
  async get(scheduleId: string, options?: CallOptions): Promise<Schedule> {
    return withRate((await this.#caller.call("schedules.get", scheduleId, options)) as Schedule);
  }

  /** Shows all schedules. */
  async list(options?: CallOptions): Promise<Schedule[]> {
    return ((await this.#caller.call("schedules.list", null, options)) as Schedule[]).map(withRate);
  }

  /** Deletes a schedule. What it has published is delivered all the same. */
  async delete(scheduleId: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("schedules.delete", scheduleId, options);
  }

  /** Lets a schedule publish nothing until {@link resume}. */
  async pause({ schedule }: { schedule: string }, options?: CallOptions): Promise<void> {
    await this.#caller.call("schedules.pause", schedule, options);
  }

  /** Lets a paused schedule publish again. */
  async resume({ schedule }: { schedule: string }, options?: CallOptions): Promise<void> {
    await this.#caller.call("schedules.resume", schedule, options);
  }
}

const withRate = (schedule: Schedule): Schedule =>
  "rate" in schedule ? { ...schedule, ratePerSecond: schedule.rate } : schedule;
