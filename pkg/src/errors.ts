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

  constructor(message: string, code = "BrokerRefused", retryable = false, status?: number) {
    super(message, code, retryable);
    this.name = "QstashError";
    this.status = status;
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
  constructor(message: string, code = "WorkflowFailed", retryable = true) {
    super(message, code, retryable);
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

/** What the core throws: an `Error` with the entry of its table. */
type CoreError = Error & { code: string; retryable: boolean };

/** Calls into the core and gives its errors the class that callers of this package know. */
export function adopting<T>(
  errorClass: new (message: string, code: string, retryable: boolean) => OrchestrationError,
  call: () => T,
): T {
  try {
    return call();
  } catch (error) {
    const { message, code, retryable } = error as CoreError;
    if (typeof code !== "string") throw error;
    throw new errorClass(message, code, retryable);
  }
}
