/** The one error of the client and its hooks. */

/** Codes that the client itself gives; those of the API's answers are the ones of `OrchestrationErrorCodes`. */
export type ClientErrorCode =
  /** The request was given up by its signal, or because nobody waits for it any more. */
  | "Aborted"
  /** No answer came: no network, no such host, or the browser refused the request. */
  | "ApiUnreachable"
  /** No answer came in time. */
  | "ApiTimeout"
  /** The answer is not what the API gives: another server, or a proxy's page. */
  | "ApiAnswer"
  /** The answer can't be followed as a stream of events here. */
  | "StreamUnsupported"
  | "InvalidConfiguration"
  | "InvalidRequest"
  | "NotSerializable";

/** What else is known of an error. */
export interface WorkflowApiErrorDetails {
  /** The HTTP status of the API's answer. */
  status?: number | undefined;
  /** Milliseconds after which the API wants to be asked again. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** A request to the API failed. */
export class WorkflowApiError extends Error {
  /** The stable code: the API's, such as `NotFound`, or the client's own. */
  readonly code: ClientErrorCode | (string & {});
  /** The HTTP status of the API's answer, if one came. */
  readonly status: number | undefined;
  /** Milliseconds after which the API wants to be asked again, if it said so. */
  readonly retryAfterMs: number | undefined;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;

  constructor(message: string, code: ClientErrorCode | (string & {}), details: WorkflowApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "WorkflowApiError";
    this.code = code;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.status === undefined ? UNANSWERED.has(code) : isPassing(details.status);
  }
}

/** The error that an answer outside 2xx stands for. `body` is `{ error, message }` if the API itself has answered. */
export function errorOfAnswer(answer: Response, body: unknown): WorkflowApiError {
  const { status } = answer;
  const details = { status, retryAfterMs: retryAfterOf(answer.headers) };
  const { error, message } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof error === "string" && CODE.test(error))
    return new WorkflowApiError(typeof message === "string" ? message : error, error, details);
  return new WorkflowApiError(
    `the API answered with status ${status} and without an error code; is the base URL right?`,
    CODE_OF_STATUS[status] ?? "ApiAnswer",
    details,
  );
}

const CODE = /^[A-Z][A-Za-z0-9]*$/;
const UNANSWERED = new Set<string>(["ApiUnreachable", "ApiTimeout"]);
const CODE_OF_STATUS: Record<number, string> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  413: "PayloadTooLarge",
  429: "RateLimited",
};

/** Timeout, Too Early, Too Many Requests, and what servers blame themselves for, but for what they don't have at all. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

/** `Retry-After` in milliseconds: RFC 9110 has seconds or a date. */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
