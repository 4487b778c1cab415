/** What steps are asked for with, and what they give. The names are the official SDK's. */
import type { FlowControl } from "../messages.js";
import type { RouteFunction, WorkflowServeOptions } from "./options.js";

/** Seconds as a number, or a duration such as `10s` or `1d`. Longer forms such as `1d10h` are accepted where it says so. */
export type Duration = `${bigint}${"s" | "m" | "h" | "d"}`;

/** A step's function. Its result is remembered as JSON. */
export type StepFunction<TResult> = AsyncStepFunction<TResult> | SyncStepFunction<TResult>;
export type AsyncStepFunction<TResult> = () => Promise<TResult>;
export type SyncStepFunction<TResult> = () => TResult;

/** What the function of a step with options is given. */
export interface StepTools {
  /** Aborted when the option `timeout` has passed. */
  signal: AbortSignal;
  /**
   * Which try this is: how many failed before it, by the step's own `retries`. 0 in the first, and always without
   * `retries`. The same function in a later invocation is told one more.
   */
  attempt: number;
}

/** What can be asked for a step beyond its function. */
export interface RunOptions<TResult = unknown> {
  /**
   * How often the step itself is tried again. Each failed try is remembered and costs one message; the run's own retries
   * are not used up. When all are, the step rejects with a {@link WorkflowStepError}, which can be caught.
   */
  retries?: number;
  /**
   * The wait before a retry: a duration such as `10s`, or an expression in milliseconds such as `1000 * (1 + retried)`.
   * Default: 12 s, 2 min 28 s, 30 min, …
   */
  retryDelay?: string | number;
  /** How long one try may take: seconds, or a duration. It then fails with a `StepTimeoutError`. */
  timeout?: number | string;
  /**
   * Makes up for the step when the run fails or cancels itself later. Compensations run as steps, last first; they are
   * given the step's result. If the run is triggered with `retries`, give `serve` the same number: by that the endpoint
   * knows which failure outside of steps is the last.
   */
  compensate?: (result: TResult) => unknown;
}

/** What a call's answer has to be. Any other rejects with a {@link WorkflowCallError}. */
export type CallExpectation = "2xx" | number | number[] | ((response: CallResponse) => boolean);

/** A request that the broker makes while nothing of the workflow is running. */
export type CallSettings = {
  url: string;
  /** Default: GET. */
  method?: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  /** The body: text, or bytes, which travel untouched. */
  body?: string | Uint8Array | ArrayBuffer;
  headers?: Record<string, string>;
  /** How many tries may follow the first. Default: none. */
  retries?: number;
  /** An expression that gives the delay before a retry in milliseconds, such as `1000 * (1 + retried)`. */
  retryDelay?: string;
  /** How long one try may take: seconds, or a duration. */
  timeout?: number | string;
  flowControl?: FlowControl;
  /** Which answers count as success. Default: all. */
  expect?: CallExpectation;
};

/** What a call was answered. */
export type CallResponse<TResult = unknown> = {
  status: number;
  /** Parsed, if it is JSON; bytes that are no text as one character each. */
  body: TResult;
  header: Record<string, string[]>;
};

/** A workflow that `createWorkflow` made. `serveMany` gives it its id. */
export type InvokableWorkflow<TInitialPayload, TResult> = {
  // biome-ignore lint/suspicious/noExplicitAny: the platform is for the adapter that serves the workflow to know
  routeFunction: RouteFunction<TInitialPayload, TResult, any>;
  options: WorkflowServeOptions<TInitialPayload, TResult>;
  /** Its name in `serveMany`; not set before that is called. */
  workflowId?: string | undefined;
  /** Whether the payload is JSON whatever `Content-Type` says. */
  useJSONContent?: boolean;
};

/** A workflow that knows its id: `defineWorkflow` makes it, and an engine serves it. */
export interface IdentifiedWorkflow<TInitialPayload, TResult> {
  /** The last part of its endpoint's address. */
  readonly id: string;
  readonly handler: RouteFunction<TInitialPayload, TResult>;
}

/** The start of another workflow. */
export type LazyInvokeStepParams<TInitialPayload, TResult> = {
  /** It is served beside this one: their addresses differ in the last part. */
  workflow: InvokableWorkflow<TInitialPayload, TResult> | IdentifiedWorkflow<TInitialPayload, TResult>;
  /** The id of its run; `wfr_` is put before it. Default: a random one. */
  workflowRunId?: string;
  label?: string | string[];
} & Pick<CallSettings, "retries" | "headers" | "flowControl" | "retryDelay"> &
  (TInitialPayload extends undefined ? { body?: undefined } : { body: TInitialPayload });

/** A request to another workflow's endpoint, which starts a run of it. */
export type WorkflowCallSettings<TBody = unknown> = LazyInvokeStepParams<TBody, unknown> &
  Pick<CallSettings, "timeout" | "expect">;

/** A call of a third party whose address and headers are known. */
export type ProviderCallSettings = Omit<CallSettings, "url"> & {
  provider: {
    owner: "openai" | "anthropic" | "custom" | "resend";
    token: string;
    organization?: string | undefined;
    baseUrl?: string | undefined;
    batch?: boolean | undefined;
  };
};

/** How an invoked run has ended. */
export type InvokeStepResponse<TBody> = {
  body: TBody;
  isCanceled?: boolean;
  isFailed?: boolean;
};

export interface WaitEventOptions {
  /** How long to wait: seconds, or a duration. Default: 7 days. */
  timeout?: number | string;
}

export type WaitStepResponse<TEventData = unknown> = {
  /** Whether nobody notified in time. */
  timeout: boolean;
  eventData: TEventData;
};

/** A run that waits for an event. */
export type Waiter = {
  url: string;
  /** Unix seconds. */
  deadline: number;
  headers: Record<string, string[]>;
  timeoutUrl?: string;
  timeoutBody?: unknown;
  timeoutHeaders?: Record<string, string[]>;
};

/** A run that was notified. */
export type NotifyResponse = {
  waiter: Waiter;
  messageId: string;
  error: string;
};

export type NotifyStepResponse = {
  eventId: string;
  eventData: unknown;
  notifyResponse: NotifyResponse[];
};

/** A URL whose next caller is an event of this run. */
export type Webhook = {
  webhookUrl: string;
  eventId: string;
};

/** The request that called a webhook. */
export type WaitForWebhookResponse = { timeout: false; request: Request } | { timeout: true; request: undefined };
