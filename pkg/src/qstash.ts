/** A client of QStash, or of any broker that speaks its wire. */
import type { CallOptions, ClientConfig } from "./config.js";
import { type BrokerSettings, pairsOf, SETTINGS } from "./connection.js";
import { QstashError } from "./errors.js";
import { Caller } from "./qstash/caller.js";
import { Chat } from "./qstash/chat.js";
import { DLQ } from "./qstash/dlq.js";
import { FlowControlApi } from "./qstash/flow-control.js";
import { Keys } from "./qstash/keys.js";
import { type GetLogsResponse, iterateLogs, type Log, type LogsRequest, listLogs } from "./qstash/logs.js";
import { Messages } from "./qstash/messages.js";
import { type PublishBatchRequest, type PublishRequest, type PublishResponse, withJson } from "./qstash/publish.js";
import { Queue, type QueueRequest } from "./qstash/queue.js";
import { Schedules } from "./qstash/schedules.js";
import { UrlGroups } from "./qstash/url-groups.js";
import { Workflow } from "./qstash/workflow.js";

/**
 * Publishes messages, and manages what the broker keeps. Every call takes `{ signal }` as its last argument.
 *
 * ```ts
 * const client = new Client({ token: "…" });
 * await client.publishJSON({ url: "https://app.test/hook", body: { hello: "world" }, delay: "10s" });
 * for await (const log of client.iterateLogs({ filter: { state: "FAILED" } })) console.log(log.messageId, log.error);
 * ```
 */
export class Client {
  readonly #caller: Caller;

  constructor(config: ClientConfig = {}) {
    this.#caller = new Caller(config);
  }

  /** URL groups: a name for several endpoints. */
  get urlGroups(): UrlGroups {
    return new UrlGroups(this.#caller);
  }

  /** @deprecated Use {@link urlGroups}. */
  get topics(): UrlGroups {
    return this.urlGroups;
  }

  /** Messages that failed for good. */
  get dlq(): DLQ {
    return new DLQ(this.#caller);
  }

  /** Messages that wait. */
  get messages(): Messages {
    return new Messages(this.#caller);
  }

  /** Messages that are published again and again. */
  get schedules(): Schedules {
    return new Schedules(this.#caller);
  }

  /** Limits that messages share. */
  get flowControl(): FlowControlApi {
    return new FlowControlApi(this.#caller);
  }

  /** The keys that sign deliveries. */
  get keys(): Keys {
    return new Keys(this.#caller);
  }

  /** @deprecated Use the client of `@repo/orchestration/workflows`. */
  get workflow(): Workflow {
    return new Workflow(this.#caller);
  }

  /** A queue, whose messages are delivered in order. */
  queue(request?: QueueRequest): Queue {
    return new Queue(this.#caller, request?.queueName);
  }

  /** @deprecated Every call of it is refused: QStash no longer runs language models. */
  chat(): Chat {
    return new Chat();
  }

  /** Publishes a message. The body travels untouched. */
  async publish<TRequest extends PublishRequest>(
    request: TRequest,
    options?: CallOptions,
  ): Promise<PublishResponse<TRequest>> {
    return (await this.#caller.send("publish", request, options)) as PublishResponse<TRequest>;
  }

  /** {@link publish}, with a body that is written as JSON. */
  async publishJSON<TBody = unknown, TRequest extends PublishRequest<TBody> = PublishRequest<TBody>>(
    request: TRequest,
    options?: CallOptions,
  ): Promise<PublishResponse<TRequest>> {
    return (await this.publish(withJson(request), options)) as PublishResponse<TRequest>;
  }

  /** Publishes several messages in one request; each is accepted or refused on its own. */
  async batch(request: PublishBatchRequest[], options?: CallOptions): Promise<PublishResponse[]> {
    const messages = request.map(({ body, headers, ...rest }) => {
      if (body === undefined || body === null || typeof body === "string")
        return { ...rest, body, headers: pairsOf(headers) };
      throw new QstashError("a batch carries text only; publish a binary body on its own", "InvalidRequest");
    });
    const answer = await this.#caller.call("batch", messages, options);
    return (Array.isArray(answer) ? answer : [answer]) as PublishResponse[];
  }

  /** {@link batch}, with bodies that are written as JSON. */
  async batchJSON<TBody = unknown, TRequest extends PublishBatchRequest<TBody> = PublishBatchRequest<TBody>>(
    request: TRequest[],
    options?: CallOptions,
  ): Promise<PublishResponse<TRequest>[]> {
    return (await this.batch(request.map(withJson), options)) as PublishResponse<TRequest>[];
  }

  /** A page of what became of messages. */
  logs(request: LogsRequest = {}, options?: CallOptions): Promise<GetLogsResponse> {
    return listLogs(this.#caller, request, options);
  }

  /** All that {@link logs} has, fetched a page at a time. `count` is the size of a page. */
  iterateLogs(request: LogsRequest = {}, options?: CallOptions): AsyncGenerator<Log, void> {
    return iterateLogs(this.#caller, request, options);
  }

  /** @deprecated Use {@link logs}. */
  events(request: LogsRequest = {}, options?: CallOptions): Promise<GetLogsResponse> {
    return this.logs(request, options);
  }

  /** @internal */
  [SETTINGS](environment?: object, region?: string): BrokerSettings {
    return this.#caller.settings(environment, region);
  }
}
