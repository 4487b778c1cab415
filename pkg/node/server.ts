/** The HTTP side: requests become values for the broker, its answers go back. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { AnswerTuple } from "./core.js";
import { type Dashboard, NOT_MODIFIED } from "./dashboard.js";
import { messageOf } from "./errors.js";
import { linesOf, rawOf } from "./headers.js";

/** The longest header block of a request; the broker's own limits are below it. */
const HEADER_BYTES = 256 * 1024;
/** So much of a body that is too long is read and dropped, so that the client sees the answer. */
const DRAIN_BYTES = 16 * 1024 * 1024;
/** Clients keep connections for a minute, as a rule. */
const KEEP_ALIVE_MS = 65_000;
/** From its first byte on: the head of a request, and all of it, 8 MiB of a step's body among that. */
const HEAD_MS = 30_000;
const REQUEST_MS = 120_000;
/** How often it is looked for those that are late. */
const CHECK_MS = 5_000;
/** In absolute form, as proxies send it. */
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i;
const HOST = /^[\w.:[\]-]+$/;

/** Answers a request: method, absolute URL, headers, body, the peer's address. */
export type Answer = (method: string, url: string, headers: string, body: Uint8Array, caller: string) => AnswerTuple;

export interface ServerOptions {
  /** How many bytes of a body matter, by the request's head; one more is read. */
  bodyLimit: (method: string, url: string, headers: string) => number;
  answer: Answer;
  /** Takes a response that stays open after its beginning, or says what to answer instead. */
  listen: (response: ServerResponse) => AnswerTuple | undefined;
  dashboard: Dashboard | undefined;
  /** How many clients may be connected at once; what is more is closed. */
  clientConnections: number;
  onError: (error: Error) => void;
}

/** A server that doesn't listen yet. */
export function createBrokerServer(options: ServerOptions): Server {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
  });
  server.maxConnections = options.clientConnections;
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    respond(options, request, response).catch((error: unknown) => {
      // The client is gone, or the answer can't be written.
      if (!request.destroyed) options.onError(new Error(`a request failed: ${messageOf(error)}`, { cause: error }));
      response.destroy();
    });
  };
  server.on("request", handle);
  // A body that is announced as too long is not sent for; see `bodyOf`.
  server.on("checkContinue", handle);
  server.on("clientError", refuse);
  return server;
}

async function respond(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = urlOf(request);
  if (!url) return write(response, failure(400, "the request's header Host is missing or no host"));
  const { method = "", rawHeaders, socket } = request;
  const headers = linesOf(rawHeaders);
  const body = await bodyOf(request, response, options.bodyLimit(method, url, headers));
  let answer: AnswerTuple;
  try {
    answer = options.answer(method, url, headers, body, socket.remoteAddress ?? "");
  } catch (error) {
    // A defect of ours: the core answers, it doesn't throw.
    options.onError(new Error(`a request failed: ${messageOf(error)}`, { cause: error }));
    answer = failure(500, "the broker failed; its log says why");
  }
  const [, , , staysOpen, files] = answer;
  const page = files.length > 0 ? await options.dashboard?.page(files, request.headers["if-none-match"]) : undefined;
  if (page) return write(response, [page.status, page.headers, page.body, false]);
  const refusal = staysOpen ? options.listen(response) : undefined;
  write(response, refusal ?? answer);
}

/** The absolute URL, its path as it came in. */
function urlOf(request: IncomingMessage): string | undefined {
  const { url = "/", headers } = request;
  const [, authority = headers.host ?? "", path = url] = ABSOLUTE.exec(url) ?? [];
  if (!HOST.test(authority)) return undefined;
  return `http://${authority}${path.startsWith("/") ? "" : "/"}${path}`;
}

/** At most one byte more than `limit`: enough for the broker to refuse it. A rest that isn't read ends the connection. */
async function bodyOf(request: IncomingMessage, response: ServerResponse, limit: number): Promise<Uint8Array> {
  const end = (body: Uint8Array) => {
    response.setHeader("connection", "close");
    return body;
  };
  if (request.headers.expect) {
    if (Number(request.headers["content-length"] ?? 0) > limit) return end(new Uint8Array(limit + 1));
    response.writeContinue();
  }
  const chunks: Uint8Array[] = [];
  let room = limit + 1;
  let dropped = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    dropped += Math.max(chunk.length - room, 0);
    room = Math.max(room - chunk.length, 0);
    if (dropped > DRAIN_BYTES) return end(Buffer.concat(chunks));
  }
  return Buffer.concat(chunks);
}

/** What is sent of an answer. */
type Sent = readonly [status: number, headers: string, body: Uint8Array, staysOpen: boolean, ...rest: unknown[]];

function write(response: ServerResponse, [status, headers, body, staysOpen]: Sent): void {
  const raw = rawOf(headers);
  for (let index = 0; index + 1 < raw.length; index += 2)
    response.appendHeader(raw[index] as string, raw[index + 1] as string);
  // Of a 304 it would be the length of the file that the client has.
  if (!staysOpen && status !== NOT_MODIFIED) response.setHeader("content-length", body.length);
  response.writeHead(status);
  if (staysOpen) response.write(body);
  else response.end(body);
}

function failure(status: number, error: string): AnswerTuple {
  return [status, "content-type\napplication/json", Buffer.from(JSON.stringify({ error })), false, []];
}

/** Answers what is no HTTP, or has headers that are too long, or comes too slowly. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ""] ?? 400;
  const body = JSON.stringify({ error: `the request can't be read: ${STATUS_CODES[status]}` });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
