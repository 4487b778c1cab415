/** What became of messages. */
import type { CallOptions } from "../config.js";
import type { Caller } from "./caller.js";
import { type List, type LogsFilter, type State, withDates } from "./filters.js";
import { everyItem } from "./pages.js";

/** Something that happened to a message, as the broker shows it. Times are Unix milliseconds. */
export interface Log {
  time: number;
  state: State;
  messageId: string;
  nextDeliveryTime?: number;
  error?: string;
  url: string;
  urlGroup?: string;
  /** @deprecated Use `urlGroup`. */
  topicName?: string;
  endpointName?: string;
  header?: Record<string, string>;
  body?: string;
  /** @deprecated Use `labels`: this is the first of them. */
  label?: string;
  labels?: string[];
}

/** An entry as it comes over the wire. */
export type LogPayload = Omit<Log, "urlGroup"> & { topicName: string };

/** A page as it comes over the wire. */
export interface GetLogsPayload {
  cursor?: string;
  events: LogPayload[];
}

/** Which entries to list. `count` is 100 by default. */
export type LogsRequest = List<{ messageIds: string[] }, LogsFilter, string | number>;

/** A page of the log. */
export interface GetLogsResponse {
  cursor?: string;
  logs: Log[];
  /** @deprecated Use `logs`. */
  events: Log[];
}

/** @deprecated Use `Log`. */
export type Event = Log;
/** @deprecated Use `LogPayload`. */
export type EventPayload = LogPayload;
/** @deprecated Use `GetLogsPayload`. */
export type GetEventsPayload = GetLogsPayload;
/** @deprecated Use `LogsRequest`. */
export type EventsRequest = LogsRequest;
/** @deprecated Use `GetLogsResponse`. */
export type GetEventsResponse = GetLogsResponse;
/** Something with the cursor of the next page. */
export type WithCursor<T> = T & { cursor?: number };

/** @internal A page of the log. */
export async function listLogs(caller: Caller, request: LogsRequest, options?: CallOptions): Promise<GetLogsResponse> {
  const { events, cursor } = (await caller.call("logs", withDates(request), options)) as {
    events: LogPayload[] | null;
    cursor: string;
  };
  const logs = (events ?? []).map((event) => ({ ...event, urlGroup: event.topicName }));
  return { cursor, logs, events: logs };
}

/** @internal All entries, fetched a page at a time. */
export function iterateLogs(caller: Caller, request: LogsRequest, options?: CallOptions): AsyncGenerator<Log, void> {
  return everyItem(async (cursor) => {
    const from = cursor === undefined ? request : { ...request, cursor };
    const page = await listLogs(caller, from as LogsRequest, options);
    return { items: page.logs, cursor: request.messageIds === undefined ? page.cursor : undefined };
  });
}
