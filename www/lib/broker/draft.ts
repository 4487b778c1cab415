/** A message to publish, as a form holds it: texts, as they are typed. */
import type { HeaderLists } from "@/lib/broker/types";

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

/** A message like one that was, without its body. */
export function draftOf(former: Former): Draft {
  const headers = Object.entries(former.header ?? {});
  const text = (value: number | undefined) => (value === undefined ? "" : String(value));
  return {
    ...BLANK,
    target: former.queueName ? "queue" : "url",
    destination: former.url,
    queue: former.queueName ?? "",
    method: former.method ?? BLANK.method,
    contentType: headers.find(([name]) => name.toLowerCase() === "content-type")?.[1][0] ?? BLANK.contentType,
    headers: headers
      .filter(([name]) => !OWN.test(name))
      .flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
      .join("\n"),
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
