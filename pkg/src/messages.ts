/** The options of messages, named as the official SDK names them. */

/** Anything that `new Headers` takes. */
export type HeadersInput = Headers | Record<string, string> | [string, string][];

/** Where a message goes: a URL, or the name of a URL group. */
export type Destination = { url: string; urlGroup?: never } | { url?: never; urlGroup: string };

/** Limits that all messages of one key share. At least one of `parallelism` and `rate` is needed. */
export interface FlowControl {
  key: string;
  /** How many deliveries may be open at once. */
  parallelism?: number;
  /** How many deliveries may start in one period. */
  rate?: number;
  /** Seconds, or a duration such as `1m`. Default: one second. */
  period?: number | string;
}

/** What can be asked for a message besides its destination and body. */
export interface MessageOptions {
  /** Headers for the destination. */
  headers?: HeadersInput;
  /** The method of the delivery. Default: POST. */
  method?: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  /** Wait before the first try: seconds, or a duration such as `1d10h`. */
  delay?: number | string;
  /** Wait until this moment before the first try: Unix seconds. Wins over `delay`. */
  notBefore?: number;
  /** How many tries may follow the first. */
  retries?: number;
  /** An expression that gives the delay before a retry in milliseconds, such as `1000 * (1 + retried)`. */
  retryDelay?: string;
  /** How long the destination may take: seconds, or a duration. */
  timeout?: number | string;
  /** Where every answer of the destination is sent. */
  callback?: string;
  /** Where the last answer is sent once the retries are used up. */
  failureCallback?: string;
  /** A second message with this id is not delivered. */
  deduplicationId?: string;
  /** Derive that id from destination, body and headers. */
  contentBasedDeduplication?: boolean;
  /** Labels for logs and filters. */
  label?: string | string[];
  flowControl?: FlowControl;
}

/** What `fetch` can send, named without the types of a platform. */
export type MessageBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>;

/** A message to publish. */
export type Message = Destination & MessageOptions & { body?: MessageBody | null };

/** A message of a batch: its body is text, because a batch is JSON. */
export type BatchMessage = Destination & MessageOptions & { body?: string; queueName?: string };

/** What the broker says of an accepted message; an array for a URL group. */
export interface PublishResponse {
  messageId: string;
  url?: string;
  /** Whether it was accepted before under the same deduplication id. */
  deduplicated?: boolean;
}
