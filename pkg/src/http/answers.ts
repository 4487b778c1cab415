/** Answers of the HTTP API. */
import { isOrchestrationError, OrchestrationError, statusOf } from "../errors.js";

/** A body as JSON, never kept by anybody on the way. */
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });

export const noContent = (): Response => new Response(null, { status: 204, headers: { "cache-control": "no-store" } });

/**
 * An error as an answer: its code and message, with the status that belongs to the code. Of an error that is not this package's
 * nothing is told.
 */
export function refusal(error: unknown): Response {
  if (!isOrchestrationError(error))
    return json({ error: "Internal", message: "the request could not be answered" }, 500);
  const { code, message, status } = error;
  const { retryAfterMs } = error as { retryAfterMs?: number };
  const headers = retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
  return json({ error: code, message }, code === "BrokerRefused" ? relayed(status) : statusOf(code), headers);
}

/** What a broker holds against a request is the caller's to mend; what it holds against its client, or itself, is not. */
const relayed = (status: number | undefined): number =>
  status !== undefined && status >= 400 && status < 500 && status !== 401 && status !== 403 ? status : 502;

/** The members of a JSON body; none of an empty one. @throws {OrchestrationError} `InvalidRequest` */
export async function membersOf(request: Request, known: readonly string[]): Promise<Record<string, unknown>> {
  const text = await request.text();
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
