/** What travels between a workflow and its broker, under the names of the official SDK. Nothing here is needed to use it. */
import type { ClientConfig } from "../config.js";
import type { WorkflowNonRetryableError, WorkflowRetryAfterError } from "../errors.js";
import type { FlowControl } from "../messages.js";
import type { StepType } from "./client-logs.js";

/** An entry of a run's history. Entry 0 is the payload. */
export type RawStep = {
  messageId: string;
  /** Base64 of a {@link Step} as JSON. */
  body: string;
  callType: "step" | "toCallback" | "fromCallback";
};

/** A remembered step: a plan (`stepId` 0 and `targetStep`) or a result. */
export type Step<TResult = unknown> = {
  stepId: number;
  stepName: string;
  stepType: StepType;
  /** The result: a text that holds JSON. */
  out?: TResult;
  /** Seconds, or a duration. */
  sleepFor?: number | string;
  /** Unix seconds. */
  sleepUntil?: number;
  waitEventId?: string;
  timeout?: string;
  waitTimeout?: boolean;
  /** How many steps the group has. */
  concurrent: number;
  targetStep?: number;
};

/** How an invocation ended well. */
export type FinishCondition =
  | "success"
  | "duplicate-step"
  | "fromCallback"
  | "auth-fail"
  | "failure-callback-executed"
  | "failure-callback-undefined"
  | "workflow-already-ended"
  | WorkflowNonRetryableError;

export type DetailedFinishCondition =
  | { condition: Exclude<FinishCondition, WorkflowNonRetryableError | "failure-callback-executed">; result?: never }
  | { condition: "non-retryable-error"; result: WorkflowNonRetryableError }
  | { condition: "retry-after-error"; result: WorkflowRetryAfterError }
  | { condition: "failure-callback-executed"; result: unknown };

/** The body of an answer that tells of an error. */
export type FailureFunctionPayload = {
  error: string;
  message: string;
  stack?: string;
};

/** The body of the message that starts an invoked run. */
export type InvokeWorkflowRequest = {
  workflowUrl: string;
  workflowRunId: string;
  workflowRunCreatedAt: number;
  headers: Record<string, string[]>;
  step: Step;
  body?: string;
};

/** The body of the request that registers a wait. */
export type WaitRequest = {
  url: string;
  step: Step;
  timeout: string;
  timeoutUrl?: string;
  timeoutBody?: string;
  timeoutHeaders?: Record<string, string[]>;
};

/** How far a parallel group is. */
export type ParallelCallState = "first" | "partial" | "discard" | "last";

/** Accepted for callers of the official SDK: nothing is ever reported. */
export type Telemetry = {
  sdk: string;
  framework?: string;
  runtime?: string;
};

/** The settings that `serve` takes for its client. */
export type QStashClientExtraConfig = Omit<ClientConfig, "baseUrl" | "token">;

/** What a message's headers are made of. */
export type HeaderParams = {
  initHeaderValue: "true" | "false";
  workflowRunId: string;
  workflowUrl: string;
  userHeaders?: Headers;
  telemetry?: Telemetry;
  invokeCount?: number;
  step?: Step;
  callRetries?: number;
  callRetryDelay?: string;
  callTimeout?: number | string;
  callFlowControl?: FlowControl;
};

/** All members are required but some. */
export type RequiredExceptFields<T, K extends keyof T> = Omit<Required<T>, K> & Partial<Pick<T, K>>;
