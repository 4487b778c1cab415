/** The core's errors as those of this package. */
import type { OrchestrationError } from "./base.js";
import type { OrchestrationErrorCode } from "./codes.js";
import {
  QstashChatRatelimitError,
  QstashDailyRatelimitError,
  QstashEmptyArrayError,
  QstashRatelimitError,
} from "./qstash.js";

/** What the core throws: an `Error` with the entry of its table, and what a broker's answer said. */
interface CoreError extends Error {
  code: OrchestrationErrorCode;
  retryable: boolean;
  status?: number;
  /** Limit, remaining and reset, in turn for each limit. */
  rateLimit?: (string | null)[];
}

/** An error class whose instances stand for the core's errors. */
export type ErrorClass = new (
  message: string,
  code: OrchestrationErrorCode,
  retryable: boolean,
  status?: number,
) => OrchestrationError;

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
