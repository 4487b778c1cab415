/** Runs that failed for good, and what becomes of them. */
import type { CallOptions } from "../config.js";
import type { FlowControl } from "../messages.js";
import type { Caller } from "../qstash/caller.js";
import { withDates } from "../qstash/filters.js";
import { everyItem } from "../qstash/pages.js";
import type { DLQListFilter, WorkflowDLQActionFilters } from "./client-filters.js";

/** What became of telling that a run failed. */
export interface FailureCallbackInfo {
  state?: "CALLBACK_FAIL" | "CALLBACK_SUCCESS" | "CALLBACK_INPROGRESS" | "CALLBACK_CANCELED";
  responseStatus?: number;
  responseBody?: string;
  responseHeaders?: Record<string, string[]>;
}

/** A run that failed, with the delivery that made it fail. Times are Unix milliseconds. */
export interface DLQMessage {
  dlqId: string;
  workflowRunId: string;
  workflowCreatedAt: number;
  workflowUrl: string;
  header: Record<string, string[]>;
  body: string;
  maxRetries: number;
  notBefore: number;
  createdAt: number;
  callerIP: string;
  responseStatus: number;
  responseHeader: Record<string, string[]>;
  responseBody: string;
  failureCallback?: string;
  failureCallbackInfo?: FailureCallbackInfo;
  /** @deprecated Use `labels`: this is the first of them. */
  label?: string;
  labels?: string[];
}

/** Which failed runs to list. */
export interface DLQListRequest {
  cursor?: string;
  count?: number;
  filter?: DLQListFilter;
}

/** What a run goes on with instead of what it had. */
export interface ResumeRestartOptions extends CallOptions {
  flowControl?: FlowControl;
  retries?: number;
}

/** @deprecated Name the ids alone. */
export type DLQResumeRestartOptions<TDLQId extends string | string[] = string | string[]> = {
  dlqId: TDLQId;
} & Omit<ResumeRestartOptions, "signal">;

/** A run that goes on, or began anew. */
export interface DLQResumeRestartResponse {
  workflowRunId: string;
  workflowCreatedAt: string;
}

interface Revived {
  cursor?: string;
  workflowRuns: DLQResumeRestartResponse[];
}

type Selection = string | string[] | WorkflowDLQActionFilters;

/** The dead letter queue of runs. */
export class DLQ {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** A page of the list. */
  async list(
    request: DLQListRequest = {},
    options?: CallOptions,
  ): Promise<{ messages: DLQMessage[]; cursor?: string }> {
    return paged(await this.#caller.call("runs.dlq.list", withDates(request), options));
  }

  /** All that {@link list} has, fetched a page at a time. `count` is the size of a page. */
  iterate(request: DLQListRequest = {}, options?: CallOptions): AsyncGenerator<DLQMessage, void> {
    return everyItem(async (cursor) => {
      const page = await this.list(cursor === undefined ? request : { ...request, cursor }, options);
      return { items: page.messages, cursor: page.cursor };
    });
  }

  /**
   * Lets failed runs go on after their last step that succeeded: one by its id, several by their ids, those that a filter
   * selects, or all. One call takes `count` at most; go on while there is a cursor:
   *
   * ```ts
   * let cursor: string | undefined;
   * do {
   *   ({ cursor } = await client.dlq.resume(cursor ? { all: true, cursor } : { all: true }));
   * } while (cursor);
   * ```
   */
  resume(request: Selection, options?: ResumeRestartOptions): Promise<Revived>;
  /** @deprecated Use `resume(dlqId)`. */
  resume(request: DLQResumeRestartOptions<string>, options?: CallOptions): Promise<DLQResumeRestartResponse>;
  /** @deprecated Use `resume([dlqId1, dlqId2])`. */
  resume(request: DLQResumeRestartOptions<string[]>, options?: CallOptions): Promise<DLQResumeRestartResponse[]>;
  resume(request: Selection | DLQResumeRestartOptions, options?: ResumeRestartOptions): Promise<unknown> {
    return this.#revive("runs.dlq.resume", request, options);
  }

  /** Begins failed runs anew, with the payload they had; named as for {@link resume}. */
  restart(request: Selection, options?: ResumeRestartOptions): Promise<Revived>;
  /** @deprecated Use `restart(dlqId)`. */
  restart(request: DLQResumeRestartOptions<string>, options?: CallOptions): Promise<DLQResumeRestartResponse>;
  /** @deprecated Use `restart([dlqId1, dlqId2])`. */
  restart(request: DLQResumeRestartOptions<string[]>, options?: CallOptions): Promise<DLQResumeRestartResponse[]>;
  restart(request: Selection | DLQResumeRestartOptions, options?: ResumeRestartOptions): Promise<unknown> {
    return this.#revive("runs.dlq.restart", request, options);
  }

  /** Tells anew that a run failed, if telling it failed too. */
  async retryFailureFunction(
    { dlqId }: { dlqId: string },
    options?: CallOptions,
  ): Promise<DLQResumeRestartResponse & { error?: string }> {
    return (await this.#caller.call("runs.dlq.retryFailureFunction", dlqId, options)) as DLQResumeRestartResponse;
  }

  /** Deletes failed runs; named as for {@link resume}. */
  async delete(
    request: Selection,
    options?: CallOptions,
  ): Promise<{ cursor?: string; deleted: number; error?: string }> {
    if (Array.isArray(request) && request.length === 0) return { deleted: 0 };
    return paged(await this.#caller.call("runs.dlq.delete", selected(request), options));
  }

  async #revive(
    operation: string,
    request: Selection | DLQResumeRestartOptions,
    { signal, ...settings }: ResumeRestartOptions = {},
  ): Promise<unknown> {
    if (typeof request === "object" && "dlqId" in request) {
      const { dlqId, ...own } = request;
      const { workflowRuns } = (await this.#caller.call(operation, { dlqIds: dlqId, ...own }, { signal })) as Revived;
      return Array.isArray(dlqId) ? workflowRuns : workflowRuns[0];
    }
    if (Array.isArray(request) && request.length === 0) return { workflowRuns: [] };
    return paged(await this.#caller.call(operation, { ...selected(request), ...settings }, { signal }));
  }
}

const selected = (request: Selection): object =>
  typeof request === "string" || Array.isArray(request) ? { dlqIds: [request].flat() } : withDates(request);

/** An answer whose cursor is `undefined` on the last page. */
function paged<T>(answer: unknown): T {
  return { ...(answer as object), cursor: (answer as { cursor?: string }).cursor || undefined } as T;
}
