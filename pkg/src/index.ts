/** What all entries share. */
export type { EngineMetrics, StepMetrics, WorkflowMetrics } from "./engine/types.js";
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
export {
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type Labels,
  type MetricOptions,
  MetricsRegistry,
} from "./monitoring/metrics.js";
export { createMonitoringMiddleware, type MonitoringOptions } from "./monitoring/middleware.js";
export { contentTypes, type Exposition, expositionFor } from "./monitoring/prometheus.js";
export type {
  SpanAttributes,
  Telemetry,
  TelemetryApi,
  TelemetrySpan,
  TelemetryTracer,
} from "./monitoring/telemetry.js";
export { engineMetrics } from "./monitoring/workflow-metrics.js";
export { createWorkflowRunId, nanoid, uuidV4, uuidV7 } from "./privacy/ids.js";
export { isSecretName, type MaskOptions, maskSensitiveData, maskText } from "./privacy/mask.js";
export {
  type Batched,
  BatchManager,
  type BatchManagerOptions,
  type BatchOptions,
  type BatchProcess,
  type BatchProgress,
  type BatchResult,
  type BatchTools,
  withBatch,
} from "./resilience/batch.js";
export type { BreakerEvents, CircuitCall, CircuitChange, CircuitState } from "./resilience/breaker-events.js";
export {
  BoundedCache,
  type BoundedCacheOptions,
  type CacheAnalytics,
  type CacheEntryOptions,
  type CacheLoadOptions,
  type EvictionReason,
} from "./resilience/cache.js";
export {
  CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitBroken,
  type CircuitCounts,
  type CircuitTools,
  type WithCircuitBreakerOptions,
  withCircuitBreaker,
} from "./resilience/circuit-breaker.js";
export { clientAddress } from "./resilience/client-address.js";
export type { Loader as CacheLoader } from "./resilience/load.js";
export {
  type ProcessBatchOptions,
  type ProcessBatchProgress,
  type ProcessBatchResult,
  type ProcessBatchTools,
  processBatch,
} from "./resilience/process-batch.js";
export {
  createRateLimiter,
  type LimitOptions,
  type RateLimitAlgorithm,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimitResult,
  type RateLimitWindow,
} from "./resilience/rate-limiter.js";
export { type RedisArgument, RedisError, RedisRest, type RedisRestConfig } from "./resilience/redis.js";
export { type FunctionRetryOptions, withRetry } from "./resilience/retry.js";
export { createTimeoutSignal, type TimeoutSignal } from "./resilience/timeout-signal.js";
export {
  type RateLimited,
  type RateLimitedBy,
  type RateLimitSubject,
  withRateLimit,
} from "./resilience/with-rate-limit.js";
export type { BackoffJitter, BackoffStrategy, RetryNotice, RetryOptions } from "./steps/backoff.js";
export { type StepBreaker, withStepCircuitBreaker } from "./steps/circuit-breaker.js";
export { type FallbackHandler, withFallback } from "./steps/fallback.js";
export type { ExecuteOptions, Stubs } from "./steps/local.js";
export { type StepMonitoringOptions, type StepTry, withStepMonitoring } from "./steps/monitoring.js";
export { type StepEntries, type StepFactory, StepRegistry } from "./steps/registry.js";
export { type StepRetryOptions, withStepRetry } from "./steps/retry.js";
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
export * from "./steps/templates/index.js";
export { withStepTimeout } from "./steps/timeout.js";
