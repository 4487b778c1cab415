/** What became of runs, as the broker shows it. Times are Unix milliseconds. */
import type { HTTPMethods } from "../messages.js";

/** Every type of step. */
export const StepTypes = [
  "Initial",
  "Run",
  "SleepFor",
  "SleepUntil",
  "Call",
  "Wait",
  "Notify",
  "Invoke",
  "CreateWebhook",
  "WaitForWebhook",
] as const;

/** A type of step. */
export type StepType = (typeof StepTypes)[number];

type HeaderLists = Record<string, string[]>;

/** Either all of these fields, or none. */
type AllOrNone<T> = T | { [K in keyof T]?: never };

interface BaseStepLog {
  /** The step's place in the run. */
  stepId?: number;
  stepName: string;
  stepType: StepType;
  callType: "step" | "toCallback" | "fromCallback";
  messageId: string;
  /** The step's result; `undefined` while a parallel step has none. */
  out: unknown;
  /** How many retries it took. */
  retries: number;
  retryDelay?: string;
  /** How many steps run at once with it, itself included. */
  concurrent: number;
  state: "STEP_PROGRESS" | "STEP_SUCCESS" | "STEP_RETRY" | "STEP_FAILED";
  createdAt: number;
  headers: HeaderLists;
}

interface CallLog {
  callUrl: string;
  callMethod: HTTPMethods;
  callHeaders: HeaderLists;
  callBody: unknown;
}

interface CallResponseLog extends CallLog {
  callResponseStatus: number;
  callResponseBody: unknown;
  callResponseHeaders: HeaderLists;
}

interface InvokeLog {
  invokedWorkflowRunId: string;
  invokedWorkflowUrl: string;
  invokedWorkflowCreatedAt: number;
  invokedWorkflowRunBody: unknown;
  invokedWorkflowRunHeaders: HeaderLists;
}

interface WaitLog {
  waitEventId: string;
  waitTimeoutDuration: string;
  waitTimeoutDeadline: number;
  /** Whether it ended because nobody notified. */
  waitTimeout: boolean;
}

/** A step with its result. */
export type StepLog = BaseStepLog &
  AllOrNone<CallLog> &
  AllOrNone<CallResponseLog> &
  AllOrNone<InvokeLog> &
  AllOrNone<{ sleepFor: number }> &
  AllOrNone<{ sleepUntil: number }> &
  AllOrNone<WaitLog>;

/** Why a try failed. */
export interface StepError {
  error: string;
  /** The body of the endpoint's answer. */
  body: string;
  headers: HeaderLists;
  status: number;
  time: number;
}

/** The step that comes next. */
export interface NextStepLog {
  messageId: string;
  /** Known if the step failed before. */
  stepName?: string;
  state: "STEP_PROGRESS" | "STEP_RETRY" | "STEP_FAILED" | "STEP_CANCELED";
  retries: number;
  retryDelay?: string;
  errors?: StepError[];
}

/** Steps that belong together. */
export type StepLogGroup =
  | { type: "sequential"; steps: [StepLog] }
  | { type: "parallel"; steps: StepLog[] }
  | { type: "next"; steps: NextStepLog[] };

/** Who was told that the run failed, and what became of that. */
export interface FailureFunctionLog {
  messageId: string;
  url: string;
  state: "CALLBACK_INPROGRESS" | "CALLBACK_SUCCESS" | "CALLBACK_FAIL" | "CALLBACK_CANCELED";
  /** The answer that made the run fail. */
  failHeaders: HeaderLists;
  failStatus: number;
  failResponse: string;
  /** @deprecated Use the run's `dlqId`. */
  dlqId: string;
  errors?: StepError[];
  responseBody?: string;
  responseHeaders?: HeaderLists;
  responseStatus?: number;
  nextDeliveryTime?: number;
}

/** A run with its steps. */
export interface WorkflowRunLog {
  workflowRunId: string;
  workflowUrl: string;
  workflowState: "RUN_STARTED" | "RUN_SUCCESS" | "RUN_FAILED" | "RUN_CANCELED";
  workflowRunCreatedAt: number;
  workflowRunCompletedAt?: number;
  failureFunction?: FailureFunctionLog;
  steps: StepLogGroup[];
  /** What its function returned, as JSON. */
  workflowRunResponse?: string;
  /** The run that invoked this one. */
  invoker?: { workflowRunId: string; workflowUrl: string; workflowRunCreatedAt: number };
  /** The failed run's id in the dead letter queue. */
  dlqId?: string;
  /** @deprecated Use `labels`: this is the first of them. */
  label?: string;
  labels?: string[];
}

/** A page of runs. */
export interface WorkflowRunLogs {
  cursor: string;
  runs: WorkflowRunLog[];
}
