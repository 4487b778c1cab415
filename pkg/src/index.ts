/** What all entries share. */
export {
  createOrchestrationError,
  type OrchestrationErrorOf,
  type OrchestrationErrorOptions,
} from "./errors/create.js";
export {
  CircuitOpenError,
  ConfigurationError,
  type ConfigurationProblem,
  type ErrorContext,
  isOrchestrationError,
  isRetryableError,
  OrchestrationError,
  type OrchestrationErrorCode,
  OrchestrationErrorCodes,
  ProviderError,
  QstashError,
  RateLimitError,
  type RateLimitFacts,
  type SerializedCause,
  type SerializedError,
  SignatureError,
  statusOf,
  TimeoutError,
  ValidationError,
  type ValidationIssue,
  WorkflowAbort,
  WorkflowError,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
} from "./errors.js";
export { createWorkflowRunId, nanoid, uuidV4, uuidV7 } from "./privacy/ids.js";
export {
  BoundedCache,
  type BoundedCacheOptions,
  type CacheAnalytics,
  type CacheEntryOptions,
  type CacheLoadOptions,
  type EvictionReason,
} from "./resilience/cache.js";
export type { Loader as CacheLoader } from "./resilience/load.js";
export { type RedisArgument, RedisError, RedisRest, type RedisRestConfig } from "./resilience/redis.js";
export type { ExecuteOptions, Stubs } from "./steps/local.js";
export type { StepTools } from "./steps/runner.js";
export {
  type AnyStep,
  compose,
  createStep,
  type Step,
  type StepHandler,
  type StepInput,
  type StepOptions,
  type StepOutput,
} from "./steps/step.js";
