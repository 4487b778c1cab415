/** Answers of the HTTP API. */
import { isOrchestrationError, OrchestrationError, statusOf } from "../errors.js";
import { maskText } from "../privacy/mask.js";
import { bytesOf } from "./body.js";

/** A body as JSON, never kept by anybody on the way. */
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });

export const noContent = (): Response => new Response(null, { status: 204, headers: { "cache-control": "no-store" } });

/**
 * An error as an answer: its code and message, with the status that belongs to the code. Of an error that is not this package's
 * nothing is told, and of settings only that they are wrong: with `request`, the log tells what it is.
 */
export function refusal(error: unknown, request?: Request): Response {
  if (!isOrchestrationError(error)) {
    logged(error, request);
    return json({ error: "Internal", message: "the request could not be answered" }, 500);
  }
  const { code, status } = error;
  const isSetting = request !== undefined && SETTINGS.has(code);
  if (isSetting) logged(error, request);
  const message = isSetting
    ? "the settings of the server are not right; its log tells what it is"
    : maskText(error.message);
  const { retryAfterMs } = error as { retryAfterMs?: number };
  const headers = retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
  return json({ error: code, message }, code === "BrokerRefused" ? relayed(status) : statusOf(code), headers);
}

/** What strangers need not know more of. */
const SETTINGS = new Set(["InvalidConfiguration", "EmptyKeySet"]);

function logged(error: unknown, request: Request | undefined): void {
  if (request) console.error(`[orchestration] ${new URL(request.url).pathname}: ${maskText(String(error))}`);
}

/** What a broker holds against a request is the caller's to mend; what it holds against its client, or itself, is not. */
const relayed = (status: number | undefined): number =>
  status !== undefined && status >= 400 && status < 500 && status !== 401 && status !== 403 ? status : 502;

/** Whether this is a response, also one of another library or realm. */
export const isResponse = (value: unknown): value is Response =>
  value instanceof Response ||
  (typeof Object(value).status === "number" && typeof Object(value).headers?.get === "function");

/** More than a broker takes. */
const MAX_BYTES = 4 << 20;

/** The members of a JSON body; none of an empty one. @throws {OrchestrationError} `InvalidRequest` */
export async function membersOf(request: Request, known: readonly string[]): Promise<Record<string, unknown>> {
  const text = new TextDecoder().decode(await bytesOf(request, MAX_BYTES));
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw invalid("the body has to be JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("the body has to be an object");
  const foreign = Object.keys(body).find((name) => !known.includes(name));
  if (foreign !== undefined) throw invalid(`the body has no member '${foreign}'; there are: ${known.join(", ")}`);
  return body as Record<string, unknown>;
}

/** The text of a member; `undefined` if it is not there. @throws {OrchestrationError} `InvalidRequest` */
export function textIn(members: Record<string, unknown>, name: string): string | undefined {
  const value = members[name];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`'${name}' has to be a text`);
}

export const invalid = (message: string): OrchestrationError => new OrchestrationError(message, "InvalidRequest");
