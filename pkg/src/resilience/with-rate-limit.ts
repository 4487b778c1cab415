/** Functions and route handlers behind a rate limit. */
import { OrchestrationError, RateLimitError, statusOf } from "../errors.js";
import { clientAddress } from "./client-address.js";
import {
  createRateLimiter,
  IDENTIFIER_LENGTH,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimitResult,
} from "./rate-limiter.js";

/** Whose call it is. */
export interface RateLimitSubject<TArguments extends unknown[]> {
  /**
   * Tells from the arguments whose limit the call counts for. Default: for a route handler the client's address, see
   * {@link clientAddress} (callers without one share a limit); for any other function all callers together.
   *
   * It may be as long as a client likes: what is too long for a limiter is known to it by its SHA-256. Requests for which it
   * is empty or absent share a limit, as a client can leave out any header; a call of any other function is rejected then.
   */
  identifier?: ((...args: TArguments) => Identifier | Promise<Identifier>) | undefined;
  /** Tells as how many calls a call counts. Default: 1. */
  cost?: ((...args: TArguments) => number) | undefined;
}

/** Whose call it is, if that is known. */
type Identifier = string | null | undefined;

/** A rule of its own, or a limiter that others use too. */
export type RateLimitedBy<TArguments extends unknown[]> = (RateLimiterOptions | { limiter: RateLimiter }) &
  RateLimitSubject<TArguments>;

/** A function of the same arguments. One whose first argument is a `Request` may answer with a refusal of its own. */
export type RateLimited<TArguments extends unknown[], TResult> = (
  ...args: TArguments
) => Promise<TArguments extends [Request, ...unknown[]] ? Awaited<TResult> | Response : Awaited<TResult>>;

/**
 * Puts a function behind a rate limit.
 *
 * A route handler, whose first argument is a `Request`, answers 429 with a problem in JSON (RFC 9457) when it is called too
 * often, 503 when the calls can't be counted, and tells the limit in the `RateLimit-*` headers of all its answers. Any
 * other function rejects: with {@link RateLimitError}, or with `ProviderUnavailable`.
 *
 * ```ts
 * export const POST = withRateLimit(handle, { limit: 10, window: "10s" });
 * const send = withRateLimit(sendMail, { limit: 100, window: "1 m", identifier: (mail) => mail.to });
 * ```
 *
 * @param limiter a limiter, or the options of one; with `identifier` and `cost`, if the default does not do
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export function withRateLimit<TArguments extends unknown[], TResult>(
  limited: (...args: TArguments) => TResult,
  limiter: RateLimiter | RateLimitedBy<TArguments>,
): RateLimited<TArguments, TResult> {
  if (typeof limited !== "function")
    throw new OrchestrationError(
      "withRateLimit expects a function, and then a limiter or its options",
      "InvalidConfiguration",
    );
  const { identifier, cost, ...rest }: RateLimitSubject<TArguments> & object = isLimiter(limiter)
    ? { limiter }
    : limiter;
  const counter = "limiter" in rest ? (rest.limiter as RateLimiter) : createRateLimiter(rest as RateLimiterOptions);

  const ask = async (args: TArguments, request: Request | undefined) => {
    const named = identifier ? await identifier(...args) : ((request && clientAddress(request)) ?? EVERYBODY);
    const subject = request ? (named ?? "") || EVERYBODY : named;
    return counter.limit(await digested(subject as string), { cost: cost?.(...args), signal: request?.signal });
  };
  const call = async (...args: TArguments): Promise<unknown> => {
    const [request] = args;
    if (!isRequest(request)) {
      const result = await ask(args, undefined);
      if (!result.success) throw refusal(result);
      return limited(...args);
    }
    let result: RateLimitResult;
    try {
      result = await ask(args, request);
    } catch (error) {
      if (!(error instanceof OrchestrationError && error.code === "ProviderUnavailable")) throw error;
      // Why it can't be counted is not the client's business.
      return problem(
        "ProviderUnavailable",
        "Service Unavailable",
        "calls can't be counted at the moment; try again later",
      );
    }
    if (!result.success) {
      const { message } = refusal(result);
      return problem("RateLimited", "Too Many Requests", message, result);
    }
    return withHeaders(await limited(...args), result.headers);
  };
  return call as RateLimited<TArguments, TResult>;
}

/** The identifier of those who have none. */
const EVERYBODY = "*";

/** A text that is short enough for a limiter, for any text. */
async function digested(text: string): Promise<string> {
  if (typeof text !== "string" || text.length <= IDENTIFIER_LENGTH) return text;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const isLimiter = (value: unknown): value is RateLimiter =>
  typeof (value as Partial<RateLimiter>)?.limit === "function";

/** Requests of other realms and of frameworks, too. */
const isRequest = (value: unknown): value is Request => {
  const { headers, method, url } = (value ?? {}) as Partial<Request>;
  return typeof headers?.get === "function" && typeof method === "string" && typeof url === "string";
};

function refusal({ limit, remaining, reset, retryAfter }: RateLimitResult): RateLimitError {
  const facts = { limit, remaining, resetAt: reset, retryAfterMs: retryAfter * 1000 };
  return new RateLimitError(`the limit of ${limit} calls is used up; try again in ${retryAfter} s`, facts);
}

function problem(
  code: "RateLimited" | "ProviderUnavailable",
  title: string,
  detail: string,
  { headers, retryAfter }: Partial<RateLimitResult> = {},
): Response {
  const status = statusOf(code);
  const body = { type: "about:blank", title, status, detail, error: code, message: detail, retryAfter };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

/** Headers of some answers, such as those of `fetch`, can't be changed. */
function withHeaders(answer: unknown, headers: Record<string, string>): unknown {
  if (!(answer instanceof Response)) return answer;
  try {
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return answer;
  } catch {
    const { status, statusText, body } = answer;
    const copy = new Headers(answer.headers);
    for (const [name, value] of Object.entries(headers)) copy.set(name, value);
    return new Response(body, { status, statusText, headers: copy });
  }
}
