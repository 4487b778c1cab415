/** Errors that programs react to by class. Each has one code, a rate limit's has three. */
import { type ErrorContext, OrchestrationError } from "./base.js";
import type { OrchestrationErrorCode } from "./codes.js";

/** What a rate limiter knows when it refuses. */
export interface RateLimitFacts {
  /** How many calls are allowed. */
  limit?: number | undefined;
  /** How many are left. */
  remaining?: number | undefined;
  /** When the limit holds anew. Unix milliseconds. */
  resetAt?: number | undefined;
  /** Milliseconds after which the call could be made. */
  retryAfterMs?: number | undefined;
}

/** Too many calls in a time. `ChatRateLimited` and `DailyRateLimited` are the broker's. */
export class RateLimitError extends OrchestrationError implements RateLimitFacts {
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly resetAt: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    context: ErrorContext &
      RateLimitFacts & { code?: "RateLimited" | "ChatRateLimited" | "DailyRateLimited" | undefined } = {},
  ) {
    super(message, context.code ?? "RateLimited", context.retryable, context.status, context.cause);
    this.name = "RateLimitError";
    this.limit = context.limit;
    this.remaining = context.remaining;
    this.resetAt = context.resetAt;
    this.retryAfterMs = context.retryAfterMs;
  }
}

/** A circuit breaker is open: the call was not made. */
export class CircuitOpenError extends OrchestrationError {
  /** Milliseconds after which the breaker lets a call through to see. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, context: ErrorContext & { retryAfterMs?: number | undefined } = {}) {
    super(message, "CircuitOpen", context.retryable, context.status, context.cause);
    this.name = "CircuitOpenError";
    this.retryAfterMs = context.retryAfterMs;
  }
}

/** Something took longer than its timeout allows. */
export class TimeoutError extends OrchestrationError {
  constructor(message: string, context: ErrorContext = {}) {
    super(message, "StepTimeout", context.retryable, context.status, context.cause);
    this.name = "TimeoutError";
  }
}

/** A step's function took longer than the step's option `timeout` allows. */
export class StepTimeoutError extends TimeoutError {
  constructor(stepName: string, timeout: number | string) {
    const limit = typeof timeout === "number" ? `${timeout} s` : timeout;
    super(`step '${stepName}' took longer than ${limit}`);
    this.name = "StepTimeoutError";
  }
}

/** What a schema finds wrong in a value; the form of Standard Schema. */
export interface ValidationIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** A value does not fit its schema. */
export class ValidationError extends OrchestrationError {
  /** In the schema's own words, which may quote the value: not part of the JSON. */
  readonly issues: readonly ValidationIssue[];

  constructor(message: string, context: ErrorContext & { issues?: readonly ValidationIssue[] | undefined } = {}) {
    super(message, "ValidationFailed", context.retryable, context.status, context.cause);
    this.name = "ValidationError";
    this.issues = context.issues ?? [];
  }
}

/** A provider of an engine can't take or answer a request. */
export class ProviderError extends OrchestrationError {
  /** The provider's name. */
  readonly provider: string | undefined;

  constructor(message: string, context: ErrorContext & { provider?: string | undefined } = {}) {
    super(message, "ProviderUnavailable", context.retryable, context.status, context.cause);
    this.name = "ProviderError";
    this.provider = context.provider;
  }
}

/** A setting that is missing, or not of the form that it has to be. */
export interface ConfigurationProblem {
  /** The setting's name. */
  readonly name: string;
  readonly kind: "missing" | "malformed";
  /** What was expected and how to set it. Never the value. */
  readonly message: string;
}

/** Settings are missing, malformed, or contradict each other. */
export class ConfigurationError extends OrchestrationError {
  /** All of them. */
  readonly problems: readonly ConfigurationProblem[];

  constructor(
    message: string,
    context: ErrorContext & { problems?: readonly ConfigurationProblem[] | undefined } = {},
  ) {
    super(message, "InvalidConfiguration", context.retryable, context.status, context.cause);
    this.name = "ConfigurationError";
    this.problems = context.problems ?? [];
  }
}

/** A signature that can't be believed. */
export class SignatureError extends OrchestrationError {
  constructor(
    message: string,
    code: OrchestrationErrorCode = "SignatureInvalid",
    retryable = false,
    status?: number,
    cause?: unknown,
  ) {
    super(message, code, retryable, status, cause);
    this.name = "SignatureError";
  }
}
