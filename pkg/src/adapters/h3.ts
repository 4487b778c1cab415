/** Events of H3, version 1 and 2. */
import type { Arrival } from "../receiver/guard.js";
import { arrivalOf } from "./fetch.js";
import { bodyOf, fetchRequest, headerOf, type NodeBody, type NodeRequest, originOf } from "./node.js";

/** What is looked at of an event. Version 2 has `req`, a request of the Fetch API; version 1 has `node`. */
export interface H3Event {
  readonly path?: string;
  readonly req?: unknown;
  readonly node?: unknown;
}

/** Reads the body, and leaves it to be read again. */
export async function arrivalOfEvent(event: H3Event): Promise<Arrival> {
  const request = requestIn(event);
  if (request) return arrivalOf(request);
  const { bytes, parsed } = await readBody(event);
  const header = (name: string) => headerOf(nodeRequestIn(event), name);
  return { url: urlOfEvent(event), header, body: bytes, parsed };
}

/** The same request for the Fetch API. */
export async function requestOfEvent(event: H3Event): Promise<Request> {
  const { bytes } = requestIn(event) ? {} : await readBody(event);
  return requestIn(event) ?? fetchRequest(nodeRequestIn(event), urlOfEvent(event), bytes);
}

/** The method of an event. */
export const methodOfEvent = (event: H3Event): string =>
  requestIn(event)?.method ?? nodeRequestIn(event).method ?? "GET";

/** Marks a handler as h3's `defineEventHandler` does. */
export const isEventHandler = <THandler extends object>(handler: THandler): THandler =>
  Object.assign(handler, { __is_handler__: true });

/** The URL of an event. */
export function urlOfEvent(event: H3Event): string {
  const request = nodeRequestIn(event);
  return requestIn(event)?.url ?? originOf(request) + (request.originalUrl ?? event.path ?? request.url ?? "/");
}

/** The request of the Fetch API that an event is about; of version 1 on the web only while nothing has read it. */
function requestIn(event: H3Event): Request | undefined {
  const { req, web } = event as { req?: Request; web?: { request?: Request } };
  if (typeof req?.clone === "function") return req;
  return web?.request?.bodyUsed ? undefined : web?.request;
}

const nodeRequestIn = (event: H3Event) =>
  ((event.node as { req: NodeRequest } | undefined)?.req ?? { headers: {} }) as NodeRequest & { [RAW_BODY]?: unknown };

/** As version 1 reads: first what it has kept, then the request. */
async function readBody(event: H3Event): Promise<NodeBody> {
  const request = nodeRequestIn(event);
  const kept = await ((event as { _requestBody?: unknown })._requestBody ?? request[RAW_BODY]);
  if (kept?.constructor === Object) return { bytes: new TextEncoder().encode(JSON.stringify(kept)), parsed: true };
  const body = kept
    ? { bytes: new Uint8Array(await new Response(kept as BodyInit).arrayBuffer()), parsed: false }
    : await bodyOf(request);
  request[RAW_BODY] = Promise.resolve(body.bytes);
  return body;
}

/** Where version 1 keeps what it has read. */
const RAW_BODY = Symbol.for("h3RawBody");
