/** Words that the options of messages, schedules and workflows share, named as the official SDK names them. */

/** Anything that `new Headers` takes. */
export type HeadersInput = Headers | Record<string, string> | [string, string][] | IterableIterator<[string, string]>;

/** What `fetch` can send, named without the types of a platform. */
export type MessageBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>;

/** A method of a delivery. */
export type HTTPMethods = "GET" | "POST" | "PUT" | "DELETE" | "PATCH";

/** Limits that all messages of one key share. At least one limit is needed. */
export type FlowControl = {
  key: string;
  /** Seconds, or a duration such as `1m`. Default: one second. */
  period?: number | string;
} & AtLeastOne<{
  /** How many deliveries may be open at once. */
  parallelism: number;
  /** How many deliveries may start in one period. */
  rate: number;
  /** @deprecated Use `rate`. */
  ratePerSecond: number;
}>;

/** What the broker's logs hide of a message. */
export interface Redact {
  /** The body. */
  body?: true;
  /** All headers, or those with these names. */
  header?: true | string[];
}

/** At least one field. */
export type AtLeastOne<T> = { [K in keyof T]: Required<Pick<T, K>> & Partial<Omit<T, K>> }[keyof T];
