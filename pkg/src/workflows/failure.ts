/** From what a user's function threw to what the engine is told. */
import type { Core, Failure } from "../core/core.js";
import {
  ValidationError,
  WorkflowCallError,
  WorkflowError,
  type WorkflowRetryAfterError,
  WorkflowStepError,
} from "../errors.js";

export function failureOf({ Failure: Make }: Core, thrown: unknown): Failure {
  if (!isError(thrown)) {
    return new Make(
      "Error",
      `An error occured while executing workflow: '${typeof thrown === "string" ? thrown : shown(thrown)}'`,
    );
  }
  const [message, stack] = [String(thrown.message), typeof thrown.stack === "string" ? thrown.stack : undefined];
  // The failure of a step is the same in every invocation: another try can't help.
  if (thrown instanceof WorkflowStepError)
    return new Make(thrown.cause.name, thrown.cause.message, thrown.cause.stack).never();
  // So is a value that does not fit its schema.
  if (thrown instanceof ValidationError) return new Make(thrown.name, message, stack).never();
  if (thrown instanceof WorkflowCallError) return new Make(thrown.name, message, stack).never();
  if (thrown instanceof WorkflowError && thrown.code !== "WorkflowFailed")
    return Make.ofCode(thrown.code, message, stack);
  const failure = new Make(String(thrown.name), message, stack);
  // By name, so that the classes of another copy of this package count too.
  if (thrown.name === "WorkflowNonRetryableError") return failure.never();
  if (thrown.name === "WorkflowRetryAfterError")
    return failure.after(String((thrown as WorkflowRetryAfterError).retryAfter));
  return failure;
}

/** Also for errors of another realm. */
const isError = (value: unknown): value is Error =>
  value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";

function shown(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}
