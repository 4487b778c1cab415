/** A client of QStash, or of any broker that speaks its wire. */
import type { CallOptions, ClientConfig } from "./config.js";
import { type BrokerSettings, brokerSettings, connect, exchange, pairsOf, SETTINGS } from "./connection.js";
import type { Client as CoreClient, RequestTuple } from "./core/core.js";
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
  async publish(message: Message, options: CallOptions = {}): Promise<PublishResponse> {
    const { body, headers, ...rest } = message;
    const client = await this.#client();
    const request = adopting(QstashError, () =>
      client.request("publish", JSON.stringify({ ...rest, headers: pairsOf(headers) })),
    );
    return (await this.#send(request, options, (body ?? null) as BodyInit | null)) as PublishResponse;
  }

  /** Publishes a message whose body is written as JSON. */
  publishJSON(message: Omit<Message, "body"> & { body?: unknown }, options?: CallOptions): Promise<PublishResponse> {
    return this.publish({ ...message, ...json(message) } as Message, options);
  }

  /** Publishes several messages in one request; each is accepted or refused on its own. */
  async batch(messages: BatchMessage[], options: CallOptions = {}): Promise<PublishResponse[]> {
    const client = await this.#client();
    const items = messages.map(({ headers, ...rest }) => ({ ...rest, headers: pairsOf(headers) }));
    const request = adopting(QstashError, () => client.request("batch", JSON.stringify(items)));
    const answer = await this.#send(request, options);
    return (Array.isArray(answer) ? answer : [answer]) as PublishResponse[];
  }

  /** {@link batch}, with bodies that are written as JSON. */
  batchJSON(
    messages: (Omit<BatchMessage, "body"> & { body?: unknown })[],
    options?: CallOptions,
  ): Promise<PublishResponse[]> {
    return this.batch(
      messages.map((message) => ({ ...message, ...json(message) }) as BatchMessage),
      options,
    );
  }

  /** @internal */
  [SETTINGS](environment?: object, region?: string): BrokerSettings {
    return brokerSettings(this.#config, environment, region);
  }

  #client(): Promise<CoreClient> {
    this.#core ??= connect(this[SETTINGS]()).catch((error: unknown) => {
      this.#core = undefined;
      throw error;
    });
    return this.#core;
  }

  #send(request: RequestTuple, options: CallOptions, body?: BodyInit | null): Promise<unknown> {
    return exchange(request, { ...options, body, retry: this[SETTINGS]().retry });
  }
}

function json(message: { body?: unknown; headers?: HeadersInput }): { body?: string; headers: Headers } {
  const headers = new Headers(message.headers);
  headers.set("Content-Type", "application/json");
  const body = JSON.stringify(message.body);
  return body === undefined ? { headers } : { headers, body };
}
