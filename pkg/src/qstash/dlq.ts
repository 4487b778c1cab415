/** Messages that failed for good, and what becomes of them. */
import type { CallOptions } from "../config.js";
import type { Caller } from "./caller.js";
import { type Bulk, type DLQFilter, type List, withDates } from "./filters.js";
import { type Message, renamed } from "./messages.js";
import { everyItem } from "./pages.js";

/** A message that failed, as the broker shows it. */
export interface DlqMessage extends Message {
  /** The id in this list. */
  dlqId: string;
  /** The status of the destination's last answer. */
  responseStatus?: number;
  responseHeader?: Record<string, string[]>;
  responseBody?: string;
  /** The answer's body in base64, if it is not UTF-8. */
  responseBodyBase64?: string;
}

/** Which dead letters to list. */
export type DLQListRequest = List<{ dlqIds: string | string[] }, DLQFilter, string>;

/** Which dead letters to delete or to publish anew. `count` is the most that one call takes, 100 by default. */
export type DLQBulkRequest = Bulk<
  { dlqIds: string | string[] },
  Required<DLQFilter>,
  { count?: number; cursor?: string }
>;

/** The dead letter queue. */
export class DLQ {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** A page of the list. */
  async listMessages(
    request: DLQListRequest = {},
    options?: CallOptions,
  ): Promise<{ messages: DlqMessage[]; cursor?: string }> {
    const { messages, cursor } = (await this.#caller.call("dlq.list", withDates(request), options)) as {
      messages: DlqMessage[] | null;
      cursor: string;
    };
    return { messages: (messages ?? []).map(renamed), cursor };
  }

  /** All that {@link listMessages} has, fetched a page at a time. `count` is the size of a page. */
  iterateMessages(request: DLQListRequest = {}, options?: CallOptions): AsyncGenerator<DlqMessage, void> {
    return everyItem(async (cursor) => {
      const from = cursor === undefined ? request : { ...request, cursor };
      const page = await this.listMessages(from as DLQListRequest, options);
      return { items: page.messages, cursor: request.dlqIds === undefined ? page.cursor : undefined };
    });
  }

  /** Shows one dead letter. */
  async get(dlqId: string, options?: CallOptions): Promise<DlqMessage> {
    return renamed((await this.#caller.call("dlq.get", dlqId, options)) as DlqMessage);
  }

  /**
   * Deletes one dead letter by its id, several by their ids, those that a filter selects, or all. One call takes `count`
   * at most; go on while there is a cursor:
   *
   * ```ts
   * let cursor: string | undefined;
   * do {
   *   ({ cursor } = await client.dlq.delete(cursor ? { all: true, cursor } : { all: true }));
   * } while (cursor);
   * ```
   */
  async delete(
    request: string | string[] | DLQBulkRequest,
    options?: CallOptions,
  ): Promise<{ deleted: number; cursor?: string }> {
    if (typeof request === "string") {
      await this.#caller.call("dlq.delete", request, options);
      return { deleted: 1 };
    }
    if (Array.isArray(request) && request.length === 0) return { deleted: 0 };
    return (await this.#caller.call("dlq.deleteMany", selection(request), options)) as { deleted: number };
  }

  /** @deprecated Use {@link delete}. */
  deleteMany(request: { dlqIds: string[] }, options?: CallOptions): Promise<{ deleted: number; cursor?: string }> {
    return this.delete(request, options);
  }

  /** Publishes dead letters anew, and removes them from the list; named as for {@link delete}. */
  async retry(
    request: string | string[] | DLQBulkRequest,
    options?: CallOptions,
  ): Promise<{ cursor?: string; responses: { messageId: string }[] }> {
    if (Array.isArray(request) && request.length === 0) return { responses: [] };
    const ids = typeof request === "string" ? [request] : request;
    const answer = (await this.#caller.call("dlq.retry", selection(ids), options)) as {
      cursor: string;
      responses: { messageId: string }[];
    };
    return { ...answer, cursor: answer.cursor || (undefined as unknown as string) };
  }
}

const selection = (request: string[] | DLQBulkRequest): object =>
  Array.isArray(request) ? { dlqIds: request } : withDates(request);
