/** What a broker refuses, and what can't be asked of one: the classes of the official SDK. */
import { OrchestrationError } from "./base.js";
import type { OrchestrationErrorCode } from "./codes.js";

/** The broker refused a request or can't be reached, or an option is wrong. */
export class QstashError extends OrchestrationError {
  /** The status of the broker's answer, if there was one. */
  override readonly status: number | undefined;

  /** The second argument may be the status alone, as in the official SDK. */
  constructor(
    message: string,
    code: OrchestrationErrorCode | number = "BrokerRefused",
    retryable = false,
    status?: number,
  ) {
    super(message, typeof code === "number" ? "BrokerRefused" : code, retryable);
    this.name = "QstashError";
    this.status = typeof code === "number" ? code : status;
  }
}

/** What an answer with status 429 says of a limit, in the broker's own texts; `null` if it doesn't. */
export interface RateLimit {
  /** How much is allowed. */
  limit: string | null;
  /** How much of it is left. */
  remaining: string | null;
  /** When it is allowed again: Unix seconds. */
  reset: string | null;
}

/** Too many requests in a short time. */
export class QstashRatelimitError extends QstashError implements RateLimit {
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly reset: string | null;

  constructor(limit: RateLimit) {
    super(`Exceeded burst rate limit. ${JSON.stringify(limit)}`, "RateLimited", true, TOO_MANY_REQUESTS);
    this.name = "QstashRatelimitError";
    this.limit = limit.limit;
    this.remaining = limit.remaining;
    this.reset = limit.reset;
  }
}

/** The messages of the day are used up. */
export class QstashDailyRatelimitError extends QstashError implements RateLimit {
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly reset: string | null;

  constructor(limit: RateLimit) {
    super(`Exceeded daily rate limit. ${JSON.stringify(limit)}`, "DailyRateLimited", true, TOO_MANY_REQUESTS);
    this.name = "QstashDailyRatelimitError";
    this.limit = limit.limit;
    this.remaining = limit.remaining;
    this.reset = limit.reset;
  }
}

/** What an answer with status 429 says of the limits of a language model. Resets are durations such as `6m0s`. */
export interface ChatRateLimit {
  "limit-requests": string | null;
  "limit-tokens": string | null;
  "remaining-requests": string | null;
  "remaining-tokens": string | null;
  "reset-requests": string | null;
  "reset-tokens": string | null;
}

/** Too many requests to a language model, or too many tokens. */
export class QstashChatRatelimitError extends QstashError {
  readonly limitRequests: string | null;
  readonly limitTokens: string | null;
  readonly remainingRequests: string | null;
  readonly remainingTokens: string | null;
  readonly resetRequests: string | null;
  readonly resetTokens: string | null;

  constructor(limit: ChatRateLimit) {
    super(`Exceeded chat rate limit. ${JSON.stringify(limit)}`, "ChatRateLimited", true, TOO_MANY_REQUESTS);
    this.name = "QstashChatRatelimitError";
    this.limitRequests = limit["limit-requests"];
    this.limitTokens = limit["limit-tokens"];
    this.remainingRequests = limit["remaining-requests"];
    this.remainingTokens = limit["remaining-tokens"];
    this.resetRequests = limit["reset-requests"];
    this.resetTokens = limit["reset-tokens"];
  }
}

/** A list of ids, or of a filter's values, is empty: the request would concern everything. */
export class QstashEmptyArrayError extends QstashError {
  constructor(parameterName: string, message = emptyArray(parameterName)) {
    super(message, "EmptyArray");
    this.name = "QstashEmptyArrayError";
  }
}

const TOO_MANY_REQUESTS = 429;

const emptyArray = (parameterName: string) =>
  `Empty array provided for query parameter "${parameterName}". This would result in no filter being applied, which could affect all resources.`;
