/** The errors that this package throws. `code` is stable, `message` is for people. */

export { adopting } from "./errors/adopt.js";
export {
  type ErrorContext,
  isOrchestrationError,
  OrchestrationError,
  type SerializedCause,
  type SerializedError,
} from "./errors/base.js";
export { isErrorCode, type OrchestrationErrorCode, OrchestrationErrorCodes, statusOf } from "./errors/codes.js";
export {
  type ChatRateLimit,
  QstashChatRatelimitError,
  QstashDailyRatelimitError,
  QstashEmptyArrayError,
  QstashError,
  QstashRatelimitError,
  type RateLimit,
} from "./errors/qstash.js";
export { isRetryableError } from "./errors/retryable.js";
export {
  CircuitOpenError,
  ConfigurationError,
  type ConfigurationProblem,
  ProviderError,
  RateLimitError,
  type RateLimitFacts,
  SignatureError,
  StepTimeoutError,
  TimeoutError,
  ValidationError,
  type ValidationIssue,
} from "./errors/typed.js";
export {
  WorkflowAbort,
  WorkflowCallError,
  WorkflowError,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
  WorkflowStepError,
} from "./errors/workflow.js";
