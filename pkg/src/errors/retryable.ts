/** Whether trying again can help. */

/** What an error may tell of itself. */
interface Clues {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  status?: unknown;
  statusCode?: unknown;
  retryable?: unknown;
  cause?: unknown;
}

/** What the operating system, DNS and the HTTP clients of Node and Bun call a connection that did not work this time. */
const TRANSIENT = new Set([
  ...["ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "ETIMEDOUT", "ESOCKETTIMEDOUT", "EPIPE", "EADDRINUSE"],
  ...["ENETDOWN", "ENETUNREACH", "ENETRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENOTFOUND", "EAI_AGAIN"],
  ...["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_SOCKET"],
  ...["ConnectionRefused", "ConnectionClosed", "ConnectionReset", "FailedToOpenSocket", "Timeout"],
]);
/** Timeout, too early, too many. */
const TRANSIENT_STATUS = new Set([408, 425, 429]);
/** How `fetch` words its `TypeError` when there is no answer: undici, Chromium, Firefox, Safari, Deno, Workers. */
const UNREACHED =
  /^(fetch failed|failed to fetch|networkerror when attempting|load failed|the network connection was lost|error sending request|network connection lost|network request failed)/i;
/** Errors whose name says it. Who aborts does not want another try; a timeout is not an abort. */
const BY_NAME = new Map([
  ["TimeoutError", true],
  ["WorkflowRetryAfterError", true],
  ["AbortError", false],
  ["WorkflowAbort", false],
  ["WorkflowNonRetryableError", false],
]);

/**
 * Whether the same call may succeed later without a change.
 *
 * Errors of this package say so themselves (`retryable`). Of others: connections that failed, timeouts, and the statuses
 * 408, 425, 429 and 5xx in `status` or `statusCode` are worth another try; aborts and anything unknown are not. An error
 * that tells nothing is as its `cause` is.
 */
export function isRetryableError(error: unknown): boolean {
  const seen = new Set<unknown>();
  for (let at = error; typeof at === "object" && at !== null && !seen.has(at); at = (at as Clues).cause) {
    seen.add(at);
    const verdict = verdictOf(at);
    if (verdict !== undefined) return verdict;
  }
  return false;
}

/** `undefined`: it does not tell. */
function verdictOf({ name, code, message, status, statusCode, retryable, cause }: Clues): boolean | undefined {
  if (typeof retryable === "boolean") return retryable;
  if (typeof name === "string" && BY_NAME.has(name)) return BY_NAME.get(name);
  if (typeof code === "string" && TRANSIENT.has(code)) return true;
  const answered = [status, statusCode].find((value) => typeof value === "number" && value >= 400);
  if (answered !== undefined) return TRANSIENT_STATUS.has(answered as number) || (answered as number) >= 500;
  if (typeof message === "string" && UNREACHED.test(message)) return isTransient(cause);
  return undefined;
}

/** What is behind a `fetch` that failed: a certificate, say, does not get better. */
function isTransient(cause: unknown): boolean {
  const { code } = (cause ?? {}) as Clues;
  return typeof code === "string" ? TRANSIENT.has(code) : true;
}
