/** Queues: messages of one queue are delivered in order. */
import type { CallOptions } from "../config.js";
import { QstashError } from "../errors.js";
import type { Caller } from "./caller.js";
import { type PublishRequest, type PublishResponse, withJson } from "./publish.js";

/** Which queue. */
export interface QueueRequest {
  /** Needed for everything but `list`. */
  queueName?: string;
}

/** A queue, as the broker shows it. Times are Unix milliseconds. */
export interface QueueResponse {
  name: string;
  /** How many of its messages may be under way at once. */
  parallelism: number;
  /** How many messages wait. */
  lag: number;
  paused: boolean;
  createdAt: number;
  updatedAt: number;
}

/** What to make of a queue. */
export interface UpsertQueueRequest {
  /** How many of its messages may be under way at once. Default: 1. */
  parallelism?: number;
  /** Whether to deliver nothing for now. Default: false. */
  paused?: boolean;
}

/** One queue. */
export class Queue {
  readonly #caller: Caller;
  readonly #name: string | undefined;

  /** @internal */
  constructor(caller: Caller, queueName?: string) {
    this.#caller = caller;
    this.#name = queueName;
  }

  /** Makes or changes the queue. */
  async upsert(request: UpsertQueueRequest, options?: CallOptions): Promise<void> {
    await this.#caller.call("queues.upsert", { ...request, queueName: this.#named() }, options);
  }

  /** Shows the queue. */
  async get(options?: CallOptions): Promise<QueueResponse> {
    return (await this.#caller.call("queues.get", this.#named(), options)) as QueueResponse;
  }

  /** Shows all queues. */
  async list(options?: CallOptions): Promise<QueueResponse[]> {
    return (await this.#caller.call("queues.list", null, options)) as QueueResponse[];
  }

  /** Deletes the queue. */
  async delete(options?: CallOptions): Promise<void> {
    await this.#caller.call("queues.delete", this.#named(), options);
  }

  /** Holds the queue's messages back until {@link resume}. */
  async pause(options?: CallOptions): Promise<void> {
    await this.#caller.call("queues.pause", this.#named(), options);
  }

  /** Delivers the paused queue's messages again. */
  async resume(options?: CallOptions): Promise<void> {
    await this.#caller.call("queues.resume", this.#named(), options);
  }

  /** Publishes a message through the queue. The body travels untouched. */
  async enqueue<TRequest extends PublishRequest>(
    request: TRequest,
    options?: CallOptions,
  ): Promise<PublishResponse<TRequest>> {
    const message = { ...request, queueName: this.#named() };
    return (await this.#caller.send("publish", message, options)) as PublishResponse<TRequest>;
  }

  /** {@link enqueue}, with a body that is written as JSON. */
  async enqueueJSON<TBody = unknown, TRequest extends PublishRequest<TBody> = PublishRequest<TBody>>(
    request: TRequest,
    options?: CallOptions,
  ): Promise<PublishResponse<TRequest>> {
    return (await this.enqueue(withJson(request), options)) as PublishResponse<TRequest>;
  }

  #named(): string {
    if (this.#name) return this.#name;
    throw new QstashError("expected a queueName: client.queue({ queueName })", "InvalidRequest");
  }
}
