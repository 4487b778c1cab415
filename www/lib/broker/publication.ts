/** Publishing a message, or saying what each message of a schedule is. */
import { ask } from "@/lib/broker/transport";

export interface Publication {
  /** A URL or the name of a URL group. */
  destination: string;
  method?: string;
  body?: string | Blob;
  contentType?: string | undefined;
  /** Those that the destination gets. */
  headers?: Record<string, string>;
  retries?: number | undefined;
  retryDelay?: string | undefined;
  /** Seconds. */
  delay?: number | undefined;
  /** Seconds. */
  timeout?: number | undefined;
  callback?: string | undefined;
  failureCallback?: string | undefined;
  queue?: string | undefined;
  flowControl?: FlowControl | undefined;
  labels?: readonly string[] | undefined;
  /** `body`, `header`, `header[Name]`, joined by commas: what views hide. */
  redact?: string | undefined;
}

export interface FlowControl {
  key: string;
  parallelism?: number | undefined;
  rate?: number | undefined;
  /** Seconds. */
  period?: number | undefined;
}

export interface Accepted {
  messageId: string;
  /** Of the endpoint, if it went to a group. */
  url?: string;
  deduplicated?: boolean;
}

/** Publishes a message: one id, or one for each endpoint of a group. @throws {BrokerError} */
export async function publish(publication: Publication): Promise<Accepted[]> {
  const { queue, ...rest } = publication;
  const place = queue === undefined ? "/v2/publish" : `/v2/enqueue/${encodeURIComponent(queue)}`;
  const answer = await ask<Accepted | Accepted[]>(`${place}/${encodeURIComponent(publication.destination)}`, {
    method: "POST",
    headers: publishHeaders(rest),
    body: bytes(publication.body),
  });
  return [answer].flat();
}

/** Makes a schedule, or replaces the one with this id. @throws {BrokerError} */
export async function putSchedule(
  id: string | undefined,
  cron: string,
  publication: Publication,
): Promise<{ scheduleId: string }> {
  return ask(`/v2/schedules/${encodeURIComponent(publication.destination)}`, {
    method: "POST",
    headers: { ...publishHeaders(publication), "upstash-cron": cron, ...(id ? { "upstash-schedule-id": id } : {}) },
    body: bytes(publication.body),
  });
}

function publishHeaders(publication: Publication): Record<string, string> {
  const { flowControl } = publication;
  const limits = flowControl && [
    flowControl.parallelism !== undefined && `parallelism=${flowControl.parallelism}`,
    flowControl.rate !== undefined && `rate=${flowControl.rate}`,
    flowControl.period !== undefined && `period=${flowControl.period}s`,
  ];
  const all: Record<string, string | undefined> = {
    "content-type": publication.contentType || undefined,
    "upstash-method": publication.method,
    "upstash-retries": publication.retries?.toString(),
    "upstash-retry-delay": publication.retryDelay,
    "upstash-delay": publication.delay === undefined ? undefined : `${publication.delay}s`,
    "upstash-timeout": publication.timeout === undefined ? undefined : `${publication.timeout}s`,
    "upstash-callback": publication.callback,
    "upstash-failure-callback": publication.failureCallback,
    "upstash-queue-name": publication.queue,
    "upstash-flow-control-key": flowControl?.key,
    "upstash-flow-control-value": limits?.filter(Boolean).join(", ") || undefined,
    "upstash-label": publication.labels?.join(",") || undefined,
    "upstash-redact-fields": publication.redact || undefined,
  };
  for (const [name, value] of Object.entries(publication.headers ?? {})) all[`upstash-forward-${name}`] = value;
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** As a blob, for `fetch` makes every text `text/plain` that has no type. */
const bytes = (body: string | Blob | undefined): Blob | undefined =>
  body === undefined || body === "" ? undefined : typeof body === "string" ? new Blob([body]) : body;
