/** Schedules as forms hold them. */
import { headerLines, isHidden, redactionOf } from "@/lib/broker/hidden";
import type { Publication } from "@/lib/broker/publication";
import { ask } from "@/lib/broker/transport";
import type { Schedule } from "@/lib/broker/types";
import { numberOf, parseHeaders } from "@/lib/checks";
import { splitZone } from "@/lib/zone";

export type ShownSchedule = Schedule & {
  /** Seconds. */
  timeout?: number;
  /** Why nothing came of the last time; hosted QStash does not tell it. */
  lastScheduleError?: string;
};

/** Stops a schedule, or lets it go on. As the SDKs do it: the specification says POST, they send PATCH. @throws {BrokerError} */
export const setPaused = (id: string, isPaused: boolean): Promise<void> =>
  ask(`/v2/schedules/${encodeURIComponent(id)}/${isPaused ? "pause" : "resume"}`, { method: "PATCH" });

/** @throws {BrokerError} */
export const deleteSchedule = (id: string): Promise<void> =>
  ask(`/v2/schedules/${encodeURIComponent(id)}`, { method: "DELETE" });

/** Texts, as they are typed. */
export interface ScheduleDraft extends Record<string, string> {
  id: string;
  cron: string;
  /** IANA name; UTC if empty. */
  timeZone: string;
  destination: string;
  method: string;
  contentType: string;
  body: string;
  /** Lines of `Name: value`. */
  headers: string;
  retries: string;
  retryDelay: string;
  delay: string;
  timeout: string;
  callback: string;
  failureCallback: string;
  queue: string;
  labels: string;
  flowKey: string;
  flowParallelism: string;
  flowRate: string;
  flowPeriod: string;
  redact: string;
}

export const NEW_SCHEDULE: ScheduleDraft = {
  id: "",
  cron: "",
  timeZone: "",
  destination: "",
  method: "POST",
  contentType: "application/json",
  body: "",
  headers: "",
  retries: "",
  retryDelay: "",
  delay: "",
  timeout: "",
  callback: "",
  failureCallback: "",
  queue: "",
  labels: "",
  flowKey: "",
  flowParallelism: "",
  flowRate: "",
  flowPeriod: "",
  redact: "",
};

/** What the broker takes. */
export const cronOf = ({ cron, timeZone }: Pick<ScheduleDraft, "cron" | "timeZone">): string =>
  timeZone.trim() === "" || splitZone(cron).timeZone !== undefined
    ? cron.trim()
    : `CRON_TZ=${timeZone.trim()} ${cron.trim()}`;

/** What the broker doesn't show of a schedule. Whoever saves or publishes it would lose that. */
export function hiddenIn({ body, bodyBase64, header = {} }: Schedule): {
  body: "redacted" | "binary" | undefined;
  headers: string[];
} {
  const headers = Object.entries(header).filter(([, values]) => values.some(isHidden));
  return {
    body: bodyBase64 !== undefined ? "binary" : isHidden(body) ? "redacted" : undefined,
    headers: headers.map(([name]) => name),
  };
}

/** A schedule as it is, to be changed. What the broker hides is empty. */
export function draftOf(schedule: ShownSchedule): ScheduleDraft {
  const hidden = hiddenIn(schedule);
  const zoned = splitZone(schedule.cron);
  const headers = Object.entries(schedule.header ?? {});
  const text = (value: number | undefined) => (value === undefined ? "" : String(value));
  return {
    ...NEW_SCHEDULE,
    id: schedule.scheduleId,
    cron: zoned.fields,
    timeZone: zoned.timeZone ?? "",
    destination: schedule.destination,
    method: schedule.method || "POST",
    contentType: contentTypeOf(schedule) ?? "",
    body: hidden.body ? "" : (schedule.body ?? ""),
    headers: headerLines(headers.filter(([name]) => !isContentType(name))),
    retries: text(schedule.retries),
    retryDelay: schedule.retryDelayExpression ?? "",
    delay: text(schedule.delay),
    timeout: text(schedule.timeout),
    callback: schedule.callback ?? "",
    failureCallback: schedule.failureCallback ?? "",
    queue: schedule.queueName ?? "",
    labels: labelsOf(schedule).join(", "),
    flowKey: schedule.flowControlKey ?? "",
    flowParallelism: text(schedule.parallelism),
    flowRate: text(schedule.rate),
    flowPeriod: text(schedule.rate === undefined ? undefined : schedule.period),
    redact: redactionOf(schedule.body, headers),
  };
}

/** What each message of it is; of a draft without errors. */
export function publicationOf(draft: ScheduleDraft): Publication {
  const { flowKey, ...rest } = draft;
  const optional = (text: string) => text.trim() || undefined;
  return {
    destination: rest.destination.trim(),
    method: rest.method,
    contentType: optional(rest.contentType),
    body: rest.body,
    headers: parseHeaders(rest.headers),
    retries: numberOf(rest.retries),
    retryDelay: optional(rest.retryDelay),
    delay: numberOf(rest.delay),
    timeout: numberOf(rest.timeout),
    callback: optional(rest.callback),
    failureCallback: optional(rest.failureCallback),
    queue: optional(rest.queue),
    labels: splitLabels(rest.labels),
    redact: optional(rest.redact),
    flowControl: flowKey.trim()
      ? {
          key: flowKey.trim(),
          parallelism: numberOf(rest.flowParallelism),
          rate: numberOf(rest.flowRate),
          period: numberOf(rest.flowPeriod),
        }
      : undefined,
  };
}

/** The message that it publishes, as it is now; its body may be bytes. */
export function messageOf(schedule: ShownSchedule): Publication {
  const publication = publicationOf(draftOf(schedule));
  const { bodyBase64 } = schedule;
  return bodyBase64 === undefined ? publication : { ...publication, body: new Blob([bytesOf(bodyBase64)]) };
}

export const splitLabels = (text: string): string[] =>
  text
    .split(",")
    .map((label) => label.trim())
    .filter(Boolean);

export const labelsOf = ({ labels, label }: Schedule): string[] => labels ?? (label ? [label] : []);

/** How many messages of its last time are in which state. */
export function lastOutcome({ lastScheduleStates = {} }: Schedule): Record<"SUCCESS" | "FAIL" | "IN_PROGRESS", number> {
  const counts = { SUCCESS: 0, FAIL: 0, IN_PROGRESS: 0 };
  for (const state of Object.values(lastScheduleStates)) counts[state] += 1;
  return counts;
}

const isContentType = (name: string): boolean => name.toLowerCase() === "content-type";

const contentTypeOf = ({ header = {} }: Schedule): string | undefined =>
  Object.entries(header).find(([name]) => isContentType(name))?.[1][0];

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
