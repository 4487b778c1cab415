/** Messages that the broker has accepted and not finished. */
import type { CallOptions } from "../config.js";
import type { HTTPMethods } from "../messages.js";
import type { Caller } from "./caller.js";
import { type Bulk, type MessageFilter, withDates } from "./filters.js";

/** A message, as the broker shows it. Times are Unix milliseconds. */
export interface Message {
  messageId: string;
  urlGroup?: string;
  /** @deprecated Use `urlGroup`. */
  topicName?: string;
  url: string;
  /** The endpoint's name within its URL group. */
  endpointName?: string;
  api?: string;
  method?: HTTPMethods;
  header?: Record<string, string[]>;
  body?: string;
  /** The body in base64, if it is not UTF-8. */
  bodyBase64?: string;
  maxRetries?: number;
  retryDelayExpression?: string;
  notBefore?: number;
  createdAt: number;
  callback?: string;
  failureCallback?: string;
  queueName?: string;
  scheduleId?: string;
  callerIp?: string;
  flowControlKey: string;
  parallelism?: number;
  /** @deprecated Use `rate`. */
  ratePerSecond?: number;
  rate?: number;
  /** In seconds. */
  period?: number;
  /** @deprecated Use `labels`: this is the first of them. */
  label?: string;
  labels?: string[];
}

/** A message, as it comes over the wire. */
export type MessagePayload = Omit<Message, "urlGroup"> & { topicName: string };

/** Messages to cancel. */
export type MessageCancelFilters = Bulk<{ messageIds: string[] }, Required<MessageFilter>, { count?: number }>;

/** All waiting messages. */
export class Messages {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Shows a message; a finished one is not found. */
  async get(messageId: string, options?: CallOptions): Promise<Message> {
    return renamed((await this.#caller.call("messages.get", messageId, options)) as MessagePayload);
  }

  /**
   * Cancels one message by its id, several by their ids, those that a filter selects, or all.
   *
   * ```ts
   * await client.messages.cancel({ filter: { label: ["nightly", "eu"], host: "app.test" } });
   * await client.messages.cancel({ all: true });
   * ```
   *
   * Resolves with how many of the ids were still waiting, or how many messages the filter selected.
   */
  async cancel(
    request: string | string[] | MessageCancelFilters,
    options?: CallOptions,
  ): Promise<{ cancelled: number }> {
    const ask = (operation: string, parameters: unknown) =>
      this.#caller.call(operation, parameters, options) as Promise<{ cancelled: number }>;
    if (typeof request === "string") return ask("messages.cancel", request);
    if (!Array.isArray(request)) return ask("messages.cancelMany", withDates(request));
    return request.length === 0 ? { cancelled: 0 } : ask("messages.cancelMany", { messageIds: request });
  }

  /** @deprecated Use {@link cancel}. */
  async delete(messageId: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("messages.cancel", messageId, options);
  }

  /** @deprecated Use {@link cancel}. */
  async deleteMany(messageIds: string[], options?: CallOptions): Promise<number> {
    return (await this.cancel(messageIds, options)).cancelled;
  }

  /** @deprecated Use {@link cancel} with `{ all: true }`. */
  async deleteAll(options?: CallOptions): Promise<number> {
    return (await this.cancel({ all: true }, options)).cancelled;
  }
}

/** With the names of the SDK beside those of the wire. */
export function renamed<T extends { topicName?: string; rate?: number }>(payload: T) {
  return { ...payload, urlGroup: payload.topicName as string, ratePerSecond: payload.rate as number };
}
