/**
 * Errors by their code. What callers put into them is masked here, when they are made: so an error is safe wherever it goes,
 * and those who only need the classes don't bundle the rules that mask.
 */
import { maskText } from "../privacy/mask.js";
import type { ErrorClass } from "./adopt.js";
import { type ErrorContext, OrchestrationError } from "./base.js";
import { isErrorCode, isRetryableCode, type OrchestrationErrorCode } from "./codes.js";
import { type Details, safeDetails } from "./details.js";
import { QstashError } from "./qstash.js";
import {
  CircuitOpenError,
  ConfigurationError,
  ProviderError,
  RateLimitError,
  SignatureError,
  TimeoutError,
  ValidationError,
} from "./typed.js";
import { WorkflowError } from "./workflow.js";

/** The code, and what else is known. */
export interface OrchestrationErrorOptions<Code extends OrchestrationErrorCode = OrchestrationErrorCode>
  extends ErrorContext {
  code: Code;
  /** What it is about, for logs. The error has a copy that is masked and can be written as JSON. */
  details?: Details | undefined;
}

/** The classes of the codes that have one of their own. */
interface Typed {
  RateLimited: RateLimitError;
  ChatRateLimited: RateLimitError;
  DailyRateLimited: RateLimitError;
  CircuitOpen: CircuitOpenError;
  StepTimeout: TimeoutError;
  ValidationFailed: ValidationError;
  ProviderUnavailable: ProviderError;
  InvalidConfiguration: ConfigurationError;
  WorkflowFailed: WorkflowError;
  StepFailed: WorkflowError;
}

/** The class of the error that a code gives. */
export type OrchestrationErrorOf<Code extends OrchestrationErrorCode> = Code extends keyof Typed
  ? Typed[Code]
  : Code extends `Signature${string}`
    ? SignatureError
    : Code extends `Broker${string}`
      ? QstashError
      : OrchestrationError;

/**
 * An error with a code, of the class that fits: `RateLimitError` for `RateLimited`, and so on; `OrchestrationError` for
 * codes without a class of their own. Secrets in `message` and `details`
 * are masked.
 *
 * ```ts
 * throw createOrchestrationError("the invoice service is down", {
 *   code: OrchestrationErrorCodes.ProviderUnavailable,
 *   cause: error,
 *   details: { invoice: 7 },
 * });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` if there is no such code.
 */
export function createOrchestrationError<const Code extends OrchestrationErrorCode>(
  message: string,
  options: OrchestrationErrorOptions<Code>,
): OrchestrationErrorOf<Code> {
  const { code, details } = (options as Partial<typeof options> | undefined) ?? {};
  if (code === undefined || !isErrorCode(code))
    throw new ConfigurationError("createOrchestrationError expects a code out of OrchestrationErrorCodes", options);
  const error = made(maskText(message), code, options);
  if (details !== undefined) Object.defineProperty(error, "details", { value: safeDetails(details), enumerable: true });
  return error as OrchestrationErrorOf<Code>;
}

function made(message: string, code: OrchestrationErrorCode, context: ErrorContext): OrchestrationError {
  switch (code) {
    case "RateLimited":
    case "ChatRateLimited":
    case "DailyRateLimited":
      return new RateLimitError(message, { ...context, code });
    case "CircuitOpen":
      return new CircuitOpenError(message, context);
    case "StepTimeout":
      return new TimeoutError(message, context);
    case "ValidationFailed":
      return new ValidationError(message, context);
    case "ProviderUnavailable":
      return new ProviderError(message, context);
    case "InvalidConfiguration":
      return new ConfigurationError(message, context);
    case "WorkflowFailed":
    case "StepFailed":
      return positional(WorkflowError, message, code, context);
  }
  if (code.startsWith("Signature")) return positional(SignatureError, message, code, context);
  if (code.startsWith("Broker")) return positional(QstashError, message, code, context);
  return positional(OrchestrationError, message, code, context);
}

function positional(
  Class: ErrorClass,
  message: string,
  code: OrchestrationErrorCode,
  { retryable = isRetryableCode(code), status, cause }: ErrorContext,
): OrchestrationError {
  const error = new Class(message, code, retryable, status);
  if (cause !== undefined) error.cause = cause;
  return error;
}
