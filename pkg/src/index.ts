/** What all entries share. */
export {
  OrchestrationError,
  QstashError,
  SignatureError,
  WorkflowAbort,
  WorkflowError,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
} from "./errors.js";
