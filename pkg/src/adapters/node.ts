/** Requests and responses of Node's `http`, as Express and the Pages Router extend them. */
import type { Guard } from "../receiver/guard.js";
import type { Answer } from "../workflows/serve.js";

/** A request. Parsers put what they read into `body`, some hosts keep the bytes in `rawBody`. */
export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
  method?: string | undefined;
  url?: string | undefined;
  /** The URL before a router took its part away. */
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
  readableEnded?: boolean;
  body?: unknown;
  rawBody?: unknown;
  socket?: unknown;
  /** The scheme, as Express tells it. */
  protocol?: string;
}

/** A response. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string | Uint8Array): unknown;
}

/** The bytes of a body, and whether they are what came or what a parser's result is written as. */
export interface NodeBody {
  bytes: Uint8Array;
  parsed: boolean;
}

/**
 * Whether the broker signed the request; if not, it is answered with `status`. The handler then finds the bytes in `rawBody`
 * and, unless a parser was there before, JSON or text in `body`.
 */
export async function verifiedNode(
  guard: Guard,
  request: NodeRequest,
  response: NodeResponse,
  status: number,
): Promise<boolean> {
  const { bytes, parsed } = await bodyOf(request);
  const header = (name: string) => headerOf(request, name);
  const refusal = await guard.refusal({ url: urlOf(request), header, body: bytes, parsed });
  if (refusal) {
    response.statusCode = status;
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.end(refusal.text);
    return false;
  }
  if (!parsed) {
    request.rawBody = bytes;
    request.body = contentOf(bytes, header("content-type"));
  }
  return true;
}

/** The raw body where it can still be had; else the parsed one, written as the official SDK writes it. */
export async function bodyOf(request: NodeRequest): Promise<NodeBody> {
  const raw = bytesOf(request.rawBody) ?? (request.readableEnded ? bytesOf(request.body) : undefined);
  if (raw) return { bytes: raw, parsed: false };
  if (!request.readableEnded) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(bytesOf(chunk) as Uint8Array);
    // Express 4 leaves an empty object where nothing was parsed; a host that has read the request itself leaves no chunk.
    if (chunks.length > 0 || isEmpty(request.body)) return { bytes: joined(chunks), parsed: false };
  }
  // Parsers make an object of a JSON body that is empty.
  if (request.body === undefined || headerOf(request, "content-length") === "0")
    return { bytes: joined([]), parsed: false };
  return { bytes: new TextEncoder().encode(JSON.stringify(request.body)), parsed: true };
}

/** The first value of a header. */
export function headerOf({ headers }: NodeRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The URL that a request came to. */
export const urlOf = (request: NodeRequest): string => originOf(request) + (request.originalUrl ?? request.url ?? "/");

/**
 * Scheme and authority that a request came to. Express knows the scheme and whom to trust about it; elsewhere a proxy, and
 * Next.js itself, tell it in `X-Forwarded-Proto`.
 */
export function originOf(request: NodeRequest): string {
  const forwarded = request.protocol ?? headerOf(request, "x-forwarded-proto")?.split(",")[0]?.trim();
  const { encrypted } = (request.socket ?? {}) as { encrypted?: boolean };
  return `${forwarded || (encrypted ? "https" : "http")}://${headerOf(request, "host") ?? "localhost"}`;
}

/** What a workflow finds in `context.platform`. */
export interface NodePlatform {
  req: NodeRequest;
  res: NodeResponse;
}

/** Answers with `answer`; other methods than POST with 405 and the text as JSON. */
export async function serveNode(answer: Answer, req: NodeRequest, res: NodeResponse, onlyPost: string): Promise<void> {
  const response =
    req.method?.toUpperCase() === "POST"
      ? await answer(await fetchRequest(req), { req, res })
      : new Response(JSON.stringify(onlyPost), { status: 405, headers: { "content-type": "application/json" } });
  await sendResponse(response, res);
}

/** The same request for the Fetch API. */
export async function fetchRequest(request: NodeRequest, url = urlOf(request), body?: Uint8Array): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one);
  }
  const bytes = body ?? (await bodyOf(request)).bytes;
  return new Request(url, { method: request.method ?? "POST", headers, body: bytes as Uint8Array<ArrayBuffer> });
}

/** Sends a response of the Fetch API. */
export async function sendResponse(response: Response, target: NodeResponse): Promise<void> {
  target.statusCode = response.status;
  response.headers.forEach((value, name) => {
    target.setHeader(name, value);
  });
  target.end(new Uint8Array(await response.arrayBuffer()));
}

/** JSON as its value, everything else as text. */
function contentOf(bytes: Uint8Array, type: string | undefined): unknown {
  const text = new TextDecoder().decode(bytes);
  if (!type?.startsWith("application/json")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (typeof body === "string") return new TextEncoder().encode(body);
  return body instanceof Uint8Array ? body : undefined;
}

const isEmpty = (body: unknown): boolean =>
  body === undefined || body === null || (typeof body === "object" && Object.keys(body).length === 0);

function joined(chunks: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
