/** Filters of lists and of bulk requests. Values of one field are alternatives; all fields must hold. */
import type { AtLeastOne } from "../messages.js";

/** A text, or several of which one must match. */
type Texts = string | string[];

interface CommonFilter {
  /** Not before this moment: a `Date`, or Unix milliseconds. */
  fromDate?: Date | number;
  /** Not after this moment: a `Date`, or Unix milliseconds. */
  toDate?: Date | number;
  /** The address of whoever published the message. */
  callerIp?: Texts;
  label?: Texts;
  flowControlKey?: Texts;
  /** The destination. */
  url?: Texts;
  urlGroup?: Texts;
  scheduleId?: Texts;
  queueName?: Texts;
}

interface PlaceFilter {
  /** The destination's host. */
  host?: Texts;
  /** The destination's path. */
  path?: Texts;
}

/** What selects waiting messages. */
export interface MessageFilter extends CommonFilter, PlaceFilter {}

/** What selects dead letters. */
export interface DLQFilter extends CommonFilter {
  messageId?: string;
  /** The status of the destination's last answer. */
  responseStatus?: number | number[];
}

/** What happened to a message. */
export type State =
  | "CREATED"
  | "ACTIVE"
  | "DELIVERED"
  | "ERROR"
  | "RETRY"
  | "FAILED"
  | "CANCELED"
  | "CANCEL_REQUESTED"
  | "CANCELLED"
  | "IN_PROGRESS";

/** What selects entries of the log. */
export interface LogsFilter extends CommonFilter, PlaceFilter {
  state?: State;
  /** @deprecated Use `messageIds` beside the filter. */
  messageId?: string;
  /** @deprecated Use `urlGroup`. */
  topicName?: string;
  /** @deprecated Use `count` beside the filter. */
  count?: number;
}

/** Ids, or a filter, or all. Nothing else: an empty filter would mean everything. */
export type Bulk<Ids, Filter, More> =
  | (Ids & { filter?: never; all?: never } & { [K in keyof More]?: never })
  | ({ filter: AtLeastOne<Filter>; all?: never } & { [K in keyof Ids]?: never } & More)
  | ({ all: true; filter?: never } & { [K in keyof Ids]?: never } & More);

/** Ids, or a page of what a filter selects. */
export type List<Ids, Filter, Cursor> =
  | (Ids & { filter?: never; cursor?: never; count?: number })
  | ({ filter?: Filter; cursor?: Cursor; count?: number } & { [K in keyof Ids]?: never });

/** A request with the dates of its filter as the core takes them. */
export function withDates(request: { filter?: object }): object {
  if (!request.filter) return request;
  const filter = Object.entries(request.filter).map(([name, value]) => [
    name,
    value instanceof Date ? value.getTime() : value,
  ]);
  return { ...request, filter: Object.fromEntries(filter) };
}
