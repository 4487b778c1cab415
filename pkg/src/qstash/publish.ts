/** The options of messages, and what the broker says of an accepted one. */
import { jsonOf, pairsOf } from "../connection.js";
import type { FlowControl, HeadersInput, HTTPMethods, MessageBody, Redact } from "../messages.js";
import type { PublishEmailApi, PublishLLMApi } from "./providers.js";

/** What can be asked for a message besides its destination and callback. */
export interface MessageOptions<TBody = MessageBody> {
  /** Its bytes reach the destination untouched. */
  body?: TBody | null;
  /** Headers for the destination. `Upstash-…` are settings and go to the broker as they are. */
  headers?: HeadersInput;
  /** The method of the delivery. Default: POST. */
  method?: HTTPMethods;
  /** Wait before the first try: seconds, or a duration such as `1d10h`. */
  delay?: number | string;
  /** Wait until this moment before the first try: Unix seconds. Wins over `delay`. */
  notBefore?: number;
  /** How many tries may follow the first. Default: 3. */
  retries?: number;
  /** An expression that gives the delay before a retry in milliseconds, such as `1000 * (1 + retried)`. */
  retryDelay?: string;
  /** How long the destination may take: seconds, or a duration. */
  timeout?: number | string;
  /** Where the last answer is sent once the retries are used up. */
  failureCallback?: string;
  /** A second message with this id is not delivered within ten minutes. No `:` in it. */
  deduplicationId?: string;
  /** Derive that id from destination, body and headers. */
  contentBasedDeduplication?: boolean;
  /** Labels for logs and filters. */
  label?: string | string[];
  /** Limits shared with other messages. */
  flowControl?: FlowControl;
  /** What the broker's logs hide. */
  redact?: Redact;
  /** The queue that the message goes through. */
  queueName?: string;
}

/** Where a message goes, and where the answers go. */
export type Destination =
  | { url: string; urlGroup?: never; api?: never; topic?: never; callback?: string }
  | { url?: never; urlGroup: string; api?: never; topic?: never; callback?: string }
  | { url?: string; urlGroup?: never; api: PublishLLMApi; topic?: never; callback: string }
  | { url?: never; urlGroup?: never; api: PublishEmailApi; topic?: never; callback?: string }
  /** @deprecated Use `urlGroup`. */
  | { url?: never; urlGroup?: never; api?: never; topic: string; callback?: string };

/** A message to publish. */
export type PublishRequest<TBody = MessageBody> = MessageOptions<TBody> & Destination;

/** A message of a batch: its body is text, because a batch is JSON. */
export type PublishBatchRequest<TBody = string> = PublishRequest<TBody>;

/** A message whose body is written as JSON. */
export type PublishJsonRequest = Omit<PublishRequest, "body"> & { body: unknown };

/** What the broker says of an accepted message. */
export interface PublishToApiResponse {
  messageId: string;
}

/** What the broker says of an accepted message to a URL. */
export interface PublishToUrlResponse extends PublishToApiResponse {
  url: string;
  /** Whether it was accepted before under the same deduplication id. */
  deduplicated?: boolean;
}

/** One for each endpoint of the URL group. */
export type PublishToUrlGroupsResponse = PublishToUrlResponse[];

/** What the broker says, by the kind of destination. */
export type PublishResponse<TRequest = PublishRequest> = TRequest extends { url: string }
  ? PublishToUrlResponse
  : TRequest extends { urlGroup: string }
    ? PublishToUrlGroupsResponse
    : PublishToApiResponse;

/** The message with its body written as JSON, and with the header that says so. */
export function withJson<T extends { body?: unknown; headers?: HeadersInput }>(message: T): PublishRequest<string> {
  const headers = new Headers(pairsOf(message.headers));
  headers.set("Content-Type", "application/json");
  const { body, ...rest } = message;
  const text = jsonOf(body);
  return { ...rest, headers, ...(text === undefined ? {} : { body: text }) } as unknown as PublishRequest<string>;
}
