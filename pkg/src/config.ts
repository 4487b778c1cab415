/** How a client is configured. */
import type { HeadersInput } from "./messages.js";

/** How a request that could not be sent is tried again. */
export interface Retry {
  /** Tries after the first. */
  retries: number;
  /** Milliseconds to wait before the try after the given one, counted from 0. */
  backoff: (retryCount: number) => number;
}

/** Where the broker is. What is absent comes from `QSTASH_URL` and `QSTASH_TOKEN`. */
export interface ClientConfig {
  /** The broker's address. Default: `https://qstash.upstash.io`. */
  baseUrl?: string;
  /** The bearer token. */
  token?: string;
  /** How requests that could not be sent are tried again; `false` for not at all. Default: 5 times with backoff. */
  retry?: false | Partial<Retry>;
  /** Headers that every message carries to its destination. */
  headers?: HeadersInput;
  /** Accepted for callers of the official SDK: nothing is ever reported. */
  enableTelemetry?: boolean;
}
