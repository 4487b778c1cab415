/** A message to publish, as a form holds it: texts, as they are typed. */

import type { HeaderLists } from "@/lib/broker/types";
import { headerLines, isHidden, redactionOf } from "./hidden.ts";

/** A URL, a URL group, or a queue in front of either. */
export type Target = "url" | "group" | "queue";

/** A type, not an interface, so that forms may take it as a record. */
export type Draft = {
  target: Target;
  destination: string;
  group: string;
  queue: string;
  method: string;
  contentType: string;
  /** `Name: value`, one a line: what the destination gets. */
  headers: string;
  body: string;
  /** `10m`. */
  delay: string;
  retries: string;
  /** `body`, `header[Name]`, parted by commas: what views hide. */
  redact: string;
  /** Parted by commas. */
  labels: string;
  flowKey: string;
  parallelism: string;
  rate: string;
  /** `1m`. */
  period: string;
  callback: string;
  failureCallback: string;
};

export const BLANK: Draft = {
  target: "url",
  destination: "",
  group: "",
  queue: "",
  method: "POST",
  contentType: "application/json",
  headers: "",
  body: "",
  delay: "",
  retries: "",
  redact: "",
  labels: "",
  flowKey: "",
  parallelism: "",
  rate: "",
  period: "",
  callback: "",
  failureCallback: "",
};

/** What is known of a message that was. */
export interface Former {
  url: string;
  method?: string;
  header?: HeaderLists;
  queueName?: string;
  maxRetries?: number;
  label?: string;
  labels?: string[];
  callback?: string;
  failureCallback?: string;
  flowControlKey?: string;
  parallelism?: number;
  rate?: number;
  /** Seconds. */
  period?: number;
}

/** Headers that belong to the one request: another gets its own. */
const OWN = /^(content-type|content-length|upstash-.*|host)$/i;

/** A message like one that was. What the broker hides is empty. */
export function draftOf(former: Former, body = ""): Draft {
  const headers = Object.entries(former.header ?? {});
  const text = (value: number | undefined) => (value === undefined ? "" : String(value));
  return {
    ...BLANK,
    target: former.queueName ? "queue" : "url",
    destination: former.url,
    queue: former.queueName ?? "",
    method: former.method ?? BLANK.method,
    contentType: headers.find(([name]) => name.toLowerCase() === "content-type")?.[1][0] ?? BLANK.contentType,
    headers: headerLines(headers.filter(([name]) => !OWN.test(name))),
    body: isHidden(body) ? "" : body,
    redact: redactionOf(body, headers),
    retries: text(former.maxRetries),
    labels: (former.labels ?? (former.label ? [former.label] : [])).join(", "),
    flowKey: former.flowControlKey ?? "",
    parallelism: text(former.parallelism),
    rate: text(former.rate),
    period: former.period === undefined ? "" : `${former.period}s`,
    callback: former.callback ?? "",
    failureCallback: former.failureCallback ?? "",
  };
}

/** The parts of a list that is parted by commas. */
export const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
