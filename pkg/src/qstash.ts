/** A client of QStash, or of any broker that speaks its wire. */
import type { ClientConfig } from "./config.js";
import { type BrokerSettings, brokerSettings, connect, exchange, pairsOf, SETTINGS } from "./connection.js";
import type { Client as CoreClient, RequestTuple } from "./core/core.js";
import { type Environment, processEnvironment } from "./environment.js";
import { adopting, QstashError } from "./errors.js";
import type { BatchMessage, HeadersInput, Message, PublishResponse } from "./messages.js";

/** Publishes messages. Requests are made by the core and sent with `fetch`. */
export class Client {
  readonly #config: ClientConfig;
  #core: Promise<CoreClient> | undefined;

  constructor(config: ClientConfig = {}) {
    this.#config = config;
  }

  /** Publishes a message. The body travels untouched. */
  async publish(message: Message): Promise<PublishResponse> {
    const { body, headers, ...options } = message;
    const client = await this.#client();
    const request = adopting(QstashError, () =>
      client.request("publish", JSON.stringify({ ...options, headers: pairsOf(headers) })),
    );
    return (await this.#send(request, (body ?? null) as BodyInit | null)) as PublishResponse;
  }

  /** Publishes a message whose body is written as JSON. */
  publishJSON(message: Omit<Message, "body"> & { body?: unknown }): Promise<PublishResponse> {
    return this.publish({ ...message, ...json(message) } as Message);
  }

  /** Publishes several messages in one request; each is accepted or refused on its own. */
  async batch(messages: BatchMessage[]): Promise<PublishResponse[]> {
    const client = await this.#client();
    const items = messages.map(({ headers, ...options }) => ({ ...options, headers: pairsOf(headers) }));
    const answer = await this.#send(adopting(QstashError, () => client.request("batch", JSON.stringify(items))));
    return (Array.isArray(answer) ? answer : [answer]) as PublishResponse[];
  }

  /** {@link batch}, with bodies that are written as JSON. */
  batchJSON(messages: (Omit<BatchMessage, "body"> & { body?: unknown })[]): Promise<PublishResponse[]> {
    return this.batch(messages.map((message) => ({ ...message, ...json(message) }) as BatchMessage));
  }

  /** @internal */
  [SETTINGS](environment: Environment = processEnvironment()): BrokerSettings {
    return brokerSettings(this.#config, environment);
  }

  #client(): Promise<CoreClient> {
    this.#core ??= connect(this[SETTINGS]()).catch((error: unknown) => {
      this.#core = undefined;
      throw error;
    });
    return this.#core;
  }

  #send(request: RequestTuple, body?: BodyInit | null): Promise<unknown> {
    return exchange(request, this[SETTINGS]().retry, body);
  }
}

function json(message: { body?: unknown; headers?: HeadersInput }): { body?: string; headers: Headers } {
  const headers = new Headers(message.headers);
  headers.set("Content-Type", "application/json");
  const body = JSON.stringify(message.body);
  return body === undefined ? { headers } : { headers, body };
}
