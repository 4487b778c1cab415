/** Every call of the client: the core makes the request, `fetch` sends it. */
import type { CallOptions, ClientConfig } from "../config.js";
import { type BrokerSettings, brokerSettings, connect, exchange, pairsOf } from "../connection.js";
import type { Client as Core } from "../core/core.js";
import { adopting, QstashError } from "../errors.js";
import type { HeadersInput, MessageBody } from "../messages.js";

/** Options that may hold headers and a body. */
interface Message {
  headers?: HeadersInput;
  body?: MessageBody | null;
}

/** What all resources of one client share. */
export class Caller {
  readonly #config: ClientConfig;
  #core: Promise<Core> | undefined;

  constructor(config: ClientConfig) {
    this.#config = config;
  }

  /** Which broker to talk to. `environment` is a request's own, if it has one. */
  settings(environment?: object, region?: string): BrokerSettings {
    return brokerSettings(this.#config, environment, region);
  }

  /**
   * Makes a call by its name in `src/client/operation.rs`, and resolves with what the broker answers.
   * `parameters` are an id or options.
   */
  async call(operation: string, parameters: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#send(operation, parameters, options, undefined);
  }

  /** {@link call} with a message: its body travels untouched. */
  async send(operation: string, message: object, options: CallOptions = {}): Promise<unknown> {
    const { body, headers, ...rest } = message as Message;
    return this.#send(operation, { ...rest, headers: pairsOf(headers) }, options, body ?? null);
  }

  /** Starts runs, described as JSON. Resolves with their ids and with what the broker answers. */
  async trigger(runs: object[], { signal }: CallOptions = {}): Promise<[runIds: string[], answer: unknown]> {
    signal?.throwIfAborted();
    const core = await this.#connected();
    const [request, ...runIds] = adopting(QstashError, () => core.trigger(optionsText(runs)));
    return [runIds, await exchange(request, { retry: this.settings().retry, signal })];
  }

  async #send(
    operation: string,
    parameters: unknown,
    { signal }: CallOptions,
    body: MessageBody | null | undefined,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    const core = await this.#connected();
    const request = adopting(QstashError, () => core.request(operation, optionsText(parameters)));
    return exchange(request, { retry: this.settings().retry, signal, body: body as BodyInit | null | undefined });
  }

  #connected(): Promise<Core> {
    this.#core ??= connect(this.settings()).catch((error: unknown) => {
      this.#core = undefined;
      throw error;
    });
    return this.#core;
  }
}

/** Options as JSON. What JSON would change silently is refused. */
function optionsText(options: unknown): string {
  try {
    return JSON.stringify(options ?? null, (name, value: unknown) => {
      if (typeof value !== "number" || Number.isFinite(value)) return value;
      throw new QstashError(`the option ${name} must be a number, got ${value}`, "InvalidRequest");
    });
  } catch (error) {
    if (error instanceof QstashError) throw error;
    throw new QstashError(`the options can't be written as JSON: ${(error as Error).message}`, "InvalidRequest");
  }
}
