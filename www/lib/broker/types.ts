/** What the broker answers with, as far as the dashboard shows it; the sources of the shapes are the SDK's own types. */
import type { FlowControlInfo, GlobalParallelismInfo, QueueResponse, Schedule } from "@repo/orchestration/client";
import type {
  FailureFunctionLog,
  StepError,
  StepLog,
  StepLogGroup,
  WorkflowRunLog,
} from "@repo/orchestration/workflows";

export type { FailureFunctionLog, FlowControlInfo, GlobalParallelismInfo, Schedule, StepError, StepLog };
export type Queue = QueueResponse;
export type NextStepLog = Extract<StepLogGroup, { type: "next" }>["steps"][number];
export type RunState = WorkflowRunLog["workflowState"];
export type HeaderLists = Record<string, string[]>;

/** What a live run waits for; hosted QStash does not tell it. */
export interface Wait {
  for: "event" | "run" | "answer" | "endpoint" | "sleep" | "retry" | "delivery" | "submission";
  stepName?: string;
  messageId?: string;
  /** Milliseconds since 1970. */
  since?: number;
  until?: number;
  waitEventId?: string;
  waitTimeoutDeadline?: number;
  invokedWorkflowRunId?: string;
  callUrl?: string;
}

export type Run = WorkflowRunLog & {
  error?: string;
  flowControlKey?: string;
  workflowRunCallerIp?: string;
  waitsFor?: Wait[];
};

export interface RunPage {
  cursor?: string;
  runs: Run[];
}

/** An entry of the log: one thing that happened to one message. */
export interface LogEntry {
  time: number;
  messageId: string;
  state: MessageState;
  url: string;
  method?: string;
  retried?: number;
  maxRetries?: number;
  responseStatus?: number;
  responseBody?: string;
  responseBodyBase64?: string;
  responseHeaders?: HeaderLists;
  nextDeliveryTime?: number;
  error?: string;
  workflowRunId?: string;
  topicName?: string;
  endpointName?: string;
  scheduleId?: string;
  queueName?: string;
  flowControlKey?: string;
  parallelism?: number;
  rate?: number;
  /** Seconds. */
  period?: number;
  callback?: string;
  failureCallback?: string;
  header?: HeaderLists;
  /** Base64, unless it is redacted. */
  body?: string;
  createdAt?: number;
  notBefore?: number;
  /** Milliseconds. */
  timeout?: number;
  callerIp?: string;
  label?: string;
  labels?: string[];
}

export const MESSAGE_STATES = [
  "CREATED",
  "ACTIVE",
  "RETRY",
  "ERROR",
  "IN_PROGRESS",
  "DELIVERED",
  "FAILED",
  "CANCEL_REQUESTED",
  "CANCELED",
] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export interface LogPage {
  cursor?: string;
  events: LogEntry[];
}

/** A message that waits for delivery. */
export interface Message {
  messageId: string;
  url: string;
  method?: string;
  header?: HeaderLists;
  body?: string;
  bodyBase64?: string;
  maxRetries?: number;
  retried?: number;
  createdAt: number;
  nextDeliveryTime?: number;
  notBefore?: number;
  /** Seconds. */
  timeout?: number;
  callback?: string;
  failureCallback?: string;
  scheduleId?: string;
  topicName?: string;
  queueName?: string;
  flowControlKey?: string;
  workflowRunId?: string;
  callerIp?: string;
  label?: string;
  labels?: string[];
}

/** A message that was given up; one of a run if it has `workflowRunId`. */
export interface DeadLetter extends Message {
  dlqId: string;
  failedAt?: number;
  responseStatus?: number;
  responseHeader?: HeaderLists;
  responseBody?: string;
  responseBodyBase64?: string;
  error?: string;
  workflowUrl?: string;
  workflowCreatedAt?: number;
  isFailureCallback?: boolean;
  /** Of a failed run with a failure function. */
  failureFunctionState?: string;
}

export interface DeadLetterPage {
  cursor?: string;
  messages: DeadLetter[];
}

export interface UrlGroup {
  name: string;
  createdAt: number;
  updatedAt: number;
  endpoints: { name?: string; url: string }[];
}

export interface SigningKeys {
  current: string;
  next: string;
}

/** `GET /v2/metrics` of our broker. */
export interface Metrics {
  from: number;
  to: number;
  bucketMs: number;
  /** From here on every event is counted; before it some were forgotten for their number. */
  countedFrom: number;
  /** `held`: due, but held back by a queue or a flow-control key. */
  backlog: { waiting: number; due: number; held: number; active: number; oldestDueAt?: number; oldestAt?: number };
  runs: { active: number; oldestActiveAt?: number };
  deadLetters: number;
  health: {
    status: "ok" | "degraded";
    reasons: { code: "overdue" | "deadLetters" | "shardUnreachable"; count: number; since?: number; message: string }[];
  };
  series: MetricsBucket[];
  /** Upper bounds in milliseconds; the last count of `latency` is what was longer. */
  latencyBounds: number[];
}

export interface MetricsBucket {
  at: number;
  accepted: number;
  delivered: number;
  errors: number;
  failed: number;
  /** Messages that were cancelled, or dropped with their run. */
  canceled: number;
  /** When the oldest of those that were delivered, given up or cancelled was accepted. */
  oldestEndedAt?: number;
  runsStarted: number;
  runsSucceeded: number;
  runsFailed: number;
  runsCanceled: number;
  latency: number[];
}
