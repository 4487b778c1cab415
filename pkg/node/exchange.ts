/** Sends one delivery and reads its answer. */
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { urlToHttpOptions } from "node:url";

import type { DeliveryTuple } from "./core.js";
import { type AddressRule, checkedLookup, checkHost, RefusedAddress } from "./destination.js";
import { messageOf } from "./errors.js";
import { linesOf, valuesOf } from "./headers.js";

/** How a delivery went. */
export type Outcome =
  | { kind: "answered"; status: number; headers: string; body: Uint8Array }
  | { kind: "unreachable"; error: string }
  | { kind: "refused"; error: string }
  | { kind: "timedOut" };

/** A connection that nothing used for so long is closed; servers that run on Node close theirs after 5 s. */
const IDLE_MS = 4_000;
/** The longest header block of an answer. */
const HEADER_BYTES = 128 * 1024;
/** A kept connection that the other side has closed meanwhile fails in one of these ways. */
const STALE = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);
/** Requests whose length is told even if it is zero. */
const WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** Sends requests over connections that are kept for the next. */
export class Exchange {
  readonly #rule: AddressRule | undefined;
  readonly #limit: number;
  readonly #agents = {
    "http:": new PlainAgent({ keepAlive: true, timeout: IDLE_MS, scheduling: "lifo" }),
    "https:": new SecureAgent({ keepAlive: true, timeout: IDLE_MS, scheduling: "lifo" }),
  };

  /** Reads at most `limit` bytes of an answer. */
  constructor(limit: number, rule?: AddressRule) {
    this.#limit = limit;
    this.#rule = rule;
  }

  /** Resolves with the outcome, or with `undefined` once `signal` ends the delivery. */
  async send(delivery: DeliveryTuple, signal: AbortSignal): Promise<Outcome | undefined> {
    const [, , method, url, headers, body, timeout] = delivery;
    const limit = new AbortController();
    const abort = () => limit.abort();
    const timer = setLongTimeout(abort, timeout);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const target = new URL(url);
      checkHost(target.hostname, this.#rule);
      const exchange = (fresh: boolean) => this.#once(method, target, headers, body, limit.signal, fresh);
      return await exchange(false).catch((error: unknown) => {
        if (error instanceof StaleConnection) return exchange(true);
        throw error;
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (limit.signal.aborted) return { kind: "timedOut" };
      const kind = error instanceof RefusedAddress ? "refused" : "unreachable";
      return { kind, error: messageOf(error) };
    } finally {
      timer.clear();
      signal.removeEventListener("abort", abort);
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #once(
    method: string,
    target: URL,
    headers: string,
    body: Uint8Array,
    signal: AbortSignal,
    fresh: boolean,
  ): Promise<Outcome> {
    const secure = target.protocol === "https:";
    return new Promise((resolve, reject) => {
      const request = (secure ? secureRequest : plainRequest)({
        ...urlToHttpOptions(target),
        method,
        signal,
        lookup: checkedLookup(this.#rule),
        maxHeaderSize: HEADER_BYTES,
        agent: fresh ? false : this.#agents[secure ? "https:" : "http:"],
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        const stale = !fresh && request.reusedSocket && STALE.has(error.code ?? "");
        reject(stale ? new StaleConnection() : error);
      });
      request.on("response", (response) => this.#read(request, response).then(resolve, reject));
      try {
        for (const [name, values] of valuesOf(headers)) request.setHeader(name, values);
        if (body.length > 0 || WITH_BODY.has(method)) request.setHeader("Content-Length", body.length);
      } catch (error) {
        request.destroy();
        return reject(error);
      }
      request.end(body);
    });
  }

  /** What comes beyond the limit is not waited for. */
  async #read(request: ClientRequest, response: IncomingMessage): Promise<Outcome> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      chunks.push(chunk.subarray(0, this.#limit - length));
      length += chunk.length;
      if (length > this.#limit) break;
    }
    if (length > this.#limit) request.destroy();
    const body = Buffer.concat(chunks);
    return { kind: "answered", status: response.statusCode ?? 0, headers: linesOf(response.rawHeaders), body };
  }
}

/** Nothing was lost: the request can go over another connection. */
class StaleConnection extends Error {}

/** A timer can't be longer than 24.8 days; Node fires one that is at once. */
const LONGEST_MS = 2 ** 31 - 1;

function setLongTimeout(call: () => void, milliseconds: number): { clear(): void } {
  let timer: NodeJS.Timeout;
  const set = (left: number) => {
    timer = setTimeout(() => (left > LONGEST_MS ? set(left - LONGEST_MS) : call()), Math.min(left, LONGEST_MS));
  };
  set(milliseconds);
  return { clear: () => clearTimeout(timer) };
}
