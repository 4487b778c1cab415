/** What goes wrong in a workflow, and what a workflow throws to say what becomes of its run. */
import type { SerializedError } from "./base.js";
import type { OrchestrationErrorCode } from "./codes.js";
import { QstashError } from "./qstash.js";

/** A workflow uses its context in a way that can't work. */
export class WorkflowError extends QstashError {
  constructor(message: string, code: OrchestrationErrorCode = "WorkflowFailed", retryable = true, status?: number) {
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

  /** The message is what a user's function threw: as JSON, the step is named instead. */
  override toJSON(): SerializedError {
    return { ...super.toJSON(), message: `step '${this.stepName}' failed` };
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
