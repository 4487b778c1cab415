/** The errors that this package throws. `code` is stable, `message` is for people. */

/** Any error of this package. */
export class OrchestrationError extends Error {
  /** The stable code, such as `SignatureExpired`. */
  readonly code: string;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;

  constructor(message: string, code = "Internal", retryable = false) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
  }
}

/** The broker refused a request or can't be reached, or an option is wrong. */
export class QstashError extends OrchestrationError {
  /** The status of the broker's answer, if there was one. */
  readonly status: number | undefined;

  /** The second argument may be the status alone, as in the official SDK. */
  constructor(message: string, code: string | number = "BrokerRefused", retryable = false, status?: number) {
    super(message, typeof code === "number" ? "BrokerRefused" : code, retryable);
    this.name = "QstashError";
    this.status = typeof code === "number" ? code : status;
  }
}

/** What an answer with status 429 says of a limit, in the broker's own texts; `null` if it doesn't. */
export interface RateLimit {
  /** How much is allowed. */
  limit: string | null;
  /** How much of it is left. */
  remaining: string | null;
  /** When it is allowed again: Unix seconds. */
  reset: string | null;
}

/** Too many requests in a short time. */
export class QstashRatelimitError extends QstashError implements RateLimit {
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly reset: string | null;

  constructor(limit: RateLimit) {
    super(`Exceeded burst rate limit. ${JSON.stringify(limit)}`, "RateLimited", true, TOO_MANY_REQUESTS);
    this.name = "QstashRatelimitError";
    this.limit = limit.limit;
    this.remaining = limit.remaining;
    this.reset = limit.reset;
  }
}

/** The messages of the day are used up. */
export class QstashDailyRatelimitError extends QstashError implements RateLimit {
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly reset: string | null;

  constructor(limit: RateLimit) {
    super(`Exceeded daily rate limit. ${JSON.stringify(limit)}`, "DailyRateLimited", true, TOO_MANY_REQUESTS);
    this.name = "QstashDailyRatelimitError";
    this.limit = limit.limit;
    this.remaining = limit.remaining;
    this.reset = limit.reset;
  }
}

/** What an answer with status 429 says of the limits of a language model. Resets are durations such as `6m0s`. */
export interface ChatRateLimit {
  "limit-requests": string | null;
  "limit-tokens": string | null;
  "remaining-requests": string | null;
  "remaining-tokens": string | null;
  "reset-requests": string | null;
  "reset-tokens": string | null;
}

/** Too many requests to a language model, or too many tokens. */
export class QstashChatRatelimitError extends QstashError {
  readonly limitRequests: string | null;
  readonly limitTokens: string | null;
  readonly remainingRequests: string | null;
  readonly remainingTokens: string | null;
  readonly resetRequests: string | null;
  readonly resetTokens: string | null;

  constructor(limit: ChatRateLimit) {
    super(`Exceeded chat rate limit. ${JSON.stringify(limit)}`, "ChatRateLimited", true, TOO_MANY_REQUESTS);
    this.name = "QstashChatRatelimitError";
    this.limitRequests = limit["limit-requests"];
    this.limitTokens = limit["limit-tokens"];
    this.remainingRequests = limit["remaining-requests"];
    this.remainingTokens = limit["remaining-tokens"];
    this.resetRequests = limit["reset-requests"];
    this.resetTokens = limit["reset-tokens"];
  }
}

/** A list of ids, or of a filter's values, is empty: the request would concern everything. */
export class QstashEmptyArrayError extends QstashError {
  constructor(parameterName: string, message = emptyArray(parameterName)) {
    super(message, "EmptyArray");
    this.name = "QstashEmptyArrayError";
  }
}

/** A signature that can't be believed. */
export class SignatureError extends OrchestrationError {
  constructor(message: string, code = "SignatureInvalid", retryable = false) {
    super(message, code, retryable);
    this.name = "SignatureError";
  }
}

/** A workflow uses its context in a way that can't work. */
export class WorkflowError extends QstashError {
  constructor(message: string, code = "WorkflowFailed", retryable = true, status?: number) {
    super(message, code, retryable, status);
    this.name = "WorkflowError";
  }
}

/** A step has failed for good, by its own retries. The same error comes in every invocation: catch it, or the run fails. */
export class WorkflowStepError extends WorkflowError {
  /** The step. */
  readonly stepName: string;
  /** What its function threw last. */
  override readonly cause: { name: string; message: string; stack: string | undefined };

  constructor(stepName: string, cause: { name: string; message: string; stack: string | undefined }) {
    super(cause.message, "StepFailed", false);
    this.name = "WorkflowStepError";
    this.stepName = stepName;
    this.cause = cause;
  }
}

/** A step's function took longer than the step's option `timeout` allows. */
export class StepTimeoutError extends WorkflowError {
  constructor(stepName: string, timeout: number | string) {
    const limit = typeof timeout === "number" ? `${timeout} s` : timeout;
    super(`step '${stepName}' took longer than ${limit}`);
    this.name = "StepTimeoutError";
  }
}

/** A call was answered with what its option `expect` does not allow. Every invocation is told the same: catch it, or the run fails. */
export class WorkflowCallError extends WorkflowError {
  /** The step. */
  readonly stepName: string;
  /** The answer's headers. */
  readonly header: Record<string, string[]>;
  /** The answer's body; parsed, if it is JSON. */
  readonly body: unknown;
  declare readonly status: number;

  constructor(stepName: string, answer: { status: number; header: Record<string, string[]>; body: unknown }) {
    super(
      `the call '${stepName}' was answered with status ${answer.status}, which it does not expect`,
      "CallFailed",
      false,
      answer.status,
    );
    this.name = "WorkflowCallError";
    this.stepName = stepName;
    this.header = answer.header;
    this.body = answer.body;
  }
}

/** An error by which a workflow says what shall become of its run. */
export class WorkflowAbort extends Error {
  /** What aborted. */
  readonly stepName: string;

  constructor(stepName: string, message: string) {
    super(message);
    this.name = "WorkflowAbort";
    this.stepName = stepName;
  }
}

/** Throw it to fail the run without another try. */
export class WorkflowNonRetryableError extends WorkflowAbort {
  constructor(message = "Workflow failed with non-retryable error.") {
    super("non-retryable-error", message);
    this.name = "WorkflowNonRetryableError";
  }
}

/** Throw it to have the step tried again after a time of your choice. */
export class WorkflowRetryAfterError extends WorkflowAbort {
  /** Seconds, or a duration such as `2m`. */
  readonly retryAfter: number | string;

  constructor(message: string, retryAfter: number | string) {
    super("retry-after-error", message);
    this.name = "WorkflowRetryAfterError";
    this.retryAfter = retryAfter;
  }
}

/** What the core throws: an `Error` with the entry of its table, and what a broker's answer said. */
interface CoreError extends Error {
  code: string;
  retryable: boolean;
  status?: number;
  /** Limit, remaining and reset, in turn for each limit. */
  rateLimit?: (string | null)[];
}

/** An error class whose instances stand for the core's errors. */
type ErrorClass = new (message: string, code: string, retryable: boolean, status?: number) => OrchestrationError;

/**
 * Calls into the core and gives its errors the class that callers of this package know: `errorClass`, or a class of its
 * own for what the official SDK has one for.
 */
export function adopting<T>(errorClass: ErrorClass, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (typeof (error as CoreError).code !== "string") throw error;
    throw adopted(errorClass, error as CoreError);
  }
}

const TOO_MANY_REQUESTS = 429;

function adopted(errorClass: ErrorClass, { message, code, retryable, status, rateLimit }: CoreError): Error {
  const [limit = null, remaining = null, reset = null, ...tokens] = rateLimit ?? [];
  switch (code) {
    case "RateLimited":
      return new QstashRatelimitError({ limit, remaining, reset });
    case "DailyRateLimited":
      return new QstashDailyRatelimitError({ limit, remaining, reset });
    case "ChatRateLimited":
      return new QstashChatRatelimitError({
        "limit-requests": limit,
        "limit-tokens": tokens[0] ?? null,
        "remaining-requests": remaining,
        "remaining-tokens": tokens[1] ?? null,
        "reset-requests": reset,
        "reset-tokens": tokens[2] ?? null,
      });
    case "EmptyArray":
      return new QstashEmptyArrayError("", message);
    default:
      return new errorClass(message, code, retryable, status);
  }
}

const emptyArray = (parameterName: string) =>
  `Empty array provided for query parameter "${parameterName}". This would result in no filter being applied, which could affect all resources.`;
