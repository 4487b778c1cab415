/** Starts runs, tells them of events, shows and cancels them. */
import type { CallOptions, ClientConfig } from "../config.js";
import { jsonOf, pairsOf } from "../connection.js";
import { QstashError } from "../errors.js";
import type { FlowControl, HeadersInput, Redact } from "../messages.js";
import { Caller } from "../qstash/caller.js";
import { withDates } from "../qstash/filters.js";
import { everyItem } from "../qstash/pages.js";
import { DLQ } from "./client-dlq.js";
import type { NotifyRequest } from "./client-events.js";
import type { WorkflowLogsFilter, WorkflowRunCancelFilters } from "./client-filters.js";
import type { WorkflowRunLog, WorkflowRunLogs } from "./client-logs.js";
import type { NotifyResponse, Waiter } from "./steps.js";

/** What starts a run. The broker remembers it for all steps of the run. */
export interface TriggerOptions {
  /** The workflow's endpoint. */
  url: string;
  /** The payload; written as JSON unless it is text. */
  body?: unknown;
  /** Headers that reach the workflow. */
  headers?: HeadersInput;
  /** The run's id; `wfr_` is put before it. Default: a random one. */
  workflowRunId?: string;
  /** How many tries of a delivery may follow the first. Default: 3. */
  retries?: number;
  /** An expression that gives the delay before a retry in milliseconds, such as `1000 * (1 + retried)`. */
  retryDelay?: string;
  /** Limits for the run's deliveries. */
  flowControl?: FlowControl;
  /** Wait before the first delivery: seconds, or a duration. */
  delay?: number | string;
  /** Wait until this moment before the first delivery: Unix seconds. Wins over `delay`. */
  notBefore?: number;
  /** Labels for logs and filters. */
  label?: string | string[];
  /** Who is told when the run fails. Default: the workflow's endpoint, whose `failureFunction` then runs. */
  failureUrl?: string;
  /** What the broker's logs hide. */
  redact?: Redact;
  /** Accepted for callers of the official SDK: nothing is ever reported. */
  disableTelemetry?: boolean;
}

/** The run that was started. */
export interface TriggerResponse {
  workflowRunId: string;
}

/** Which runs to list. `count` is 10 by default. */
export interface WorkflowLogsRequest {
  cursor?: string;
  count?: number;
  filter?: WorkflowLogsFilter;
  /** @deprecated Use `filter.workflowRunId`. */
  workflowRunId?: string;
  /** @deprecated Use `filter.state`. */
  state?: string;
  /** @deprecated Use `filter.workflowUrl`. */
  workflowUrl?: string;
  /** @deprecated Use `filter.label`. */
  label?: string;
  /** @deprecated Use `filter.workflowCreatedAt`. */
  workflowCreatedAt?: number;
}

/** @deprecated Name the ids alone, or use `filter`. */
export interface LegacyCancelRequest {
  ids?: string | string[];
  urlStartingWith?: string;
  all?: true;
}

/**
 * Starts runs of workflows, and manages them. Every call takes `{ signal }` as its last argument.
 *
 * ```ts
 * const client = new Client({ token: "…" });
 * const { workflowRunId } = await client.trigger({ url: "https://app.test/api/order", body: { orderId: 7 } });
 * await client.notify({ eventId: "paid", eventData: { amount: 5 }, workflowRunId });
 * for await (const run of client.iterateLogs({ filter: { state: "RUN_FAILED" } })) console.log(run.workflowRunId);
 * ```
 */
export class Client {
  readonly #caller: Caller;

  constructor(config: ClientConfig = {}) {
    this.#caller = new Caller(config);
  }

  /** Runs that failed for good. */
  get dlq(): DLQ {
    return new DLQ(this.#caller);
  }

  /** Starts one run, or several in one request. A run whose id goes on already is not started again. */
  trigger(options: TriggerOptions, call?: CallOptions): Promise<TriggerResponse>;
  trigger(options: TriggerOptions[], call?: CallOptions): Promise<TriggerResponse[]>;
  async trigger(
    options: TriggerOptions | TriggerOptions[],
    call?: CallOptions,
  ): Promise<TriggerResponse | TriggerResponse[]> {
    const runs = [options].flat().map(({ body, headers, ...rest }) => ({
      ...rest,
      headers: pairsOf(headers),
      body: text(body),
    }));
    const [runIds, answer] = await this.#caller.trigger(runs, call);
    refuseLost(runIds, answer);
    const started = runIds.map((workflowRunId) => ({ workflowRunId }));
    return Array.isArray(options) ? started : (started[0] as TriggerResponse);
  }

  /**
   * Cancels runs: one by its id, several by their ids, those that a filter selects, or all. Resolves with how many were
   * still going on; one call cancels `count` at most.
   *
   * ```ts
   * await client.cancel("wfr_1");
   * await client.cancel({ filter: { workflowUrlStartingWith: "https://app.test/" }, count: 50 });
   * ```
   */
  cancel(request: string | string[] | WorkflowRunCancelFilters, options?: CallOptions): Promise<{ cancelled: number }>;
  /** @deprecated Use `cancel(ids)` and `cancel({ filter: { workflowUrlStartingWith } })`. */
  cancel(request: LegacyCancelRequest, options?: CallOptions): Promise<{ cancelled: number }>;
  async cancel(
    request: string | string[] | WorkflowRunCancelFilters | LegacyCancelRequest,
    options?: CallOptions,
  ): Promise<{ cancelled: number }> {
    const asked = renewed(request);
    if (Array.isArray(asked) && asked.length === 0) return { cancelled: 0 };
    const parameters =
      typeof asked === "string" || Array.isArray(asked) ? { workflowRunIds: [asked].flat() } : withDates(asked);
    return (await this.#caller.call("runs.cancel", parameters, options)) as { cancelled: number };
  }

  /** Brings an event to the runs that wait for it, or to one run, which may begin to wait later. */
  async notify({ eventId, eventData, workflowRunId }: NotifyRequest, options?: CallOptions): Promise<NotifyResponse[]> {
    const event = { eventId, workflowRunId, eventData: text(eventData) };
    return (await this.#caller.call("runs.notify", event, options)) as NotifyResponse[];
  }

  /** Who waits for an event. */
  async getWaiters({ eventId }: { eventId: string }, options?: CallOptions): Promise<Required<Waiter>[]> {
    return (await this.#caller.call("runs.waiters", eventId, options)) as Required<Waiter>[];
  }

  /** A page of the runs, with their steps; the newest first. */
  async logs(request: WorkflowLogsRequest = {}, options?: CallOptions): Promise<WorkflowRunLogs> {
    const { cursor, count, filter, ...legacyFilter } = request;
    const asked = withDates({ cursor, count, filter: { ...legacyFilter, ...filter } } as { filter: object });
    return (await this.#caller.call("runs.logs", asked, options)) as WorkflowRunLogs;
  }

  /** All that {@link logs} has, fetched a page at a time. `count` is the size of a page. */
  iterateLogs(request: WorkflowLogsRequest = {}, options?: CallOptions): AsyncGenerator<WorkflowRunLog, void> {
    return everyItem(async (cursor) => {
      const page = await this.logs(cursor === undefined ? request : { ...request, cursor }, options);
      return { items: page.runs, cursor: page.cursor };
    });
  }
}

/** A cancel request in today's words. */
function renewed(
  request: string | string[] | WorkflowRunCancelFilters | LegacyCancelRequest,
): string | string[] | WorkflowRunCancelFilters {
  if (typeof request === "string" || Array.isArray(request)) return request;
  const { ids, urlStartingWith } = request as LegacyCancelRequest;
  if (ids) return ids;
  if (urlStartingWith) return { filter: { workflowUrlStartingWith: urlStartingWith } };
  return request as WorkflowRunCancelFilters;
}

/** A value as the wire carries it: a text as it is, everything else as JSON, `undefined` not at all. */
function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : jsonOf(value);
}

/** The broker accepts a batch item by item: a run that was not started must not pass for one that was. */
function refuseLost(runIds: string[], answer: unknown): void {
  const items = Array.isArray(answer) ? (answer as { error?: string }[]) : [];
  const lost = items.flatMap(({ error }, index) => (error ? [`${runIds[index]}: ${error}`] : []));
  if (lost.length > 0) throw new QstashError(`the broker did not start ${lost.join("; ")}`, "BrokerRefused", true);
}
