/** Those who listen to changes, `GET /v2/changes`. What they hear, and when, is the core's. */
import type { ServerResponse } from "node:http";

import type { AnswerTuple, Broker } from "./core.js";

/** Whoever leaves so much unread is let go: it comes back and reads everything anew. */
const UNREAD_BYTES = 64 * 1024;

export class Listeners {
  readonly #broker: Broker;
  readonly #responses = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Takes a response whose beginning is about to be sent; if there are too many, what to answer instead. */
  add(response: ServerResponse): AnswerTuple | undefined {
    const refusal = this.#broker.listen(Date.now());
    if (refusal) return refusal;
    this.#responses.add(response);
    response.once("close", () => this.#remove(response));
    this.#wait(0);
    return undefined;
  }

  /** To be called when something may have changed. */
  look(): void {
    if (this.#responses.size === 0) return;
    let next = this.#broker.news(Date.now());
    for (; typeof next === "string"; next = this.#broker.news(Date.now())) {
      for (const response of this.#responses) {
        if (response.writableLength > UNREAD_BYTES) response.destroy();
        else response.write(next);
      }
    }
    this.#wait(next);
  }

  /** Ends all streams. */
  end(): void {
    for (const response of this.#responses) {
      response.end();
      this.#remove(response);
    }
  }

  /** Listeners don't keep the process from ending. */
  #wait(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), milliseconds).unref();
  }

  #remove(response: ServerResponse): void {
    if (!this.#responses.delete(response)) return;
    this.#broker.leave();
    if (this.#responses.size === 0) clearTimeout(this.#timer);
  }
}
