/** How a client is configured. */
import type { HeadersInput } from "./messages.js";

/**
 * How a request that failed is sent again: one without an answer, one answered 429 (not when the day's limit is used up),
 * and one answered 5xx if the broker does the same for two such requests as for one.
 */
export interface Retry {
  /** Tries after the first. Default: 5. */
  retries: number;
  /**
   * Milliseconds to wait before the retry with this number, counted from 0, when the broker's answer doesn't tell.
   * Default: `Math.exp(retryCount) * 50`.
   */
  backoff?: ((retryCount: number) => number) | undefined;
  /** Milliseconds after which no try begins, counted from the first. Default: 30,000. */
  budget: number;
}

/** Which broker to talk to. What is absent comes from the settings in `env`. */
export interface ClientConfig {
  /** The broker's address. Default: `QSTASH_URL`, or `https://qstash.upstash.io`. */
  baseUrl?: string;
  /** The bearer token. Default: `QSTASH_TOKEN`. */
  token?: string;
  /** How failed requests are sent again; `false` for not at all. */
  retry?: false | Partial<Retry>;
  /** Headers that every message carries to its destination. */
  headers?: HeadersInput;
  /**
   * The broker on this machine, with the development token that everybody knows. Default: whether `QSTASH_DEV` is `true`
   * or `1`. Refused when `NODE_ENV` is `production`.
   */
  devMode?: boolean;
  /**
   * Where settings are read from: `QSTASH_URL`, `QSTASH_TOKEN`, `QSTASH_REGION` with `US_EAST_1_QSTASH_URL` and its like,
   * `QSTASH_DEV`. Give a Worker's bindings here. Default: the process's environment.
   */
  env?: object;
  /** Accepted for callers of the official SDK: nothing is ever reported. */
  enableTelemetry?: boolean;
}

/** What can be asked for a single call. */
export interface CallOptions {
  /** Ends the call: the request under way, and the wait before the next try. The call then rejects with its reason. */
  signal?: AbortSignal | undefined;
}
