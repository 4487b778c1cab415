/** Where things are shown: the addresses of other pages, with their filters. */
import { search } from "@/lib/broker/transport";

/** What messages and the log can be filtered by. */
export interface MessageFilter {
  queueName?: string;
  topicName?: string;
  scheduleId?: string;
  flowControlKey?: string;
}

export const messagesOf = (filter: MessageFilter): string => `/messages${search({ ...filter })}`;
export const logOf = (filter: MessageFilter): string => `/logs${search({ ...filter })}`;
export const messageAt = (id: string): string => `/message${search({ id })}`;
export const runAt = (id: string): string => `/run${search({ id })}`;
export const scheduleAt = (id: string): string => `/schedules${search({ id })}`;
export const groupAt = (name: string): string => `/url-groups${search({ name })}`;
export const letterAt = (id: string): string => `/dlq${search({ letter: id })}`;
/** By label, or one by its id. */
export const runsLike = (q: string): string => `/runs${search({ q })}`;
