/** How requests reach the API and what their answers mean. */
import type { HeadersInput } from "../messages.js";
import { Deadline } from "./deadline.js";
import { errorOfAnswer, WorkflowApiError } from "./error.js";
import { eventsOf, type ServerEvent } from "./events.js";

/** Headers for every request, or what gives them for each one, such as a fresh token. */
export type HeadersSource = HeadersInput | (() => HeadersInput | Promise<HeadersInput>);

/** How the API is reached. */
export interface TransportOptions {
  /** Where `createWorkflowApi` is served: an absolute URL or a path of this origin. Default: `/api/orchestration`. */
  baseUrl?: string | undefined;
  headers?: HeadersSource | undefined;
  /** Whether cookies travel. Default: the one of `fetch`, `same-origin`. */
  credentials?: "include" | "omit" | "same-origin" | undefined;
  /** Default: the global one, as it is at the time of a request. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that an answer may take. Default: 30 000. */
  timeoutMs?: number | undefined;
}

/** A request. */
export interface ApiRequest {
  method?: string;
  /** Fields of the query; those that are `undefined` are left out. */
  query?: object;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Whether the browser shall finish the request even if the page goes away. */
  keepalive?: boolean;
  /** Whether the body of an answer outside 2xx is what was asked for all the same. */
  accepts?: (body: unknown) => boolean;
}

const TIMEOUT_MS = 30_000;
/** The API sends a comment every 15 seconds at least: a stream that is silent for this long is dead. */
const SILENCE_MS = 60_000;

/** Sends requests below the base URL. */
export class Transport {
  readonly baseUrl: string;
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.baseUrl = (options.baseUrl ?? "/api/orchestration").replace(/\/+$/, "");
    if (!/^(https?:\/\/|\/(?!\/)|$)/.test(this.baseUrl))
      throw new WorkflowApiError(
        `the base URL must be an http(s) URL or a path that begins with '/', not '${this.baseUrl}'`,
        "InvalidConfiguration",
      );
    this.#options = options;
  }

  /** The JSON of a 2xx; `undefined` if it has no body. */
  async json(path: string, request: ApiRequest = {}): Promise<unknown> {
    const deadline = new Deadline(this.#options.timeoutMs ?? TIMEOUT_MS, request.signal);
    try {
      const answer = await this.#send(path, "application/json", request, deadline.signal);
      const text = await answer.text();
      const body = jsonOf(text);
      if (!answer.ok && !request.accepts?.(body)) throw errorOfAnswer(answer, body);
      if (body === undefined && text !== "")
        throw new WorkflowApiError("the API's answer is not JSON; is the base URL right?", "ApiAnswer");
      return body;
    } catch (error) {
      throw failureOf(error, deadline);
    } finally {
      deadline.end();
    }
  }

  /** The events that the API sends until it closes the stream. */
  async *events(path: string, request: ApiRequest): AsyncGenerator<ServerEvent, void, undefined> {
    const deadline = new Deadline(SILENCE_MS, request.signal);
    try {
      const answer = await this.#send(path, "text/event-stream", request, deadline.signal);
      if (!answer.ok) throw errorOfAnswer(answer, jsonOf(await answer.text()));
      const type = answer.headers.get("content-type") ?? "";
      // React Native's fetch has no streams.
      if (!answer.body || !type.startsWith("text/event-stream")) {
        await answer.body?.cancel();
        throw new WorkflowApiError("the API's events can't be followed here", "StreamUnsupported");
      }
      yield* eventsOf(answer.body, () => deadline.extend());
    } catch (error) {
      throw failureOf(error, deadline);
    } finally {
      deadline.end();
    }
  }

  async #send(path: string, accept: string, request: ApiRequest, signal: AbortSignal): Promise<Response> {
    const { headers: source, credentials, fetch = globalThis.fetch } = this.#options;
    const headers = new Headers((typeof source === "function" ? await source() : source) as HeadersInit);
    headers.set("accept", accept);
    const init: RequestInit = { method: request.method ?? "GET", headers, signal, cache: "no-store" };
    if (credentials) init.credentials = credentials;
    if (request.keepalive) init.keepalive = true;
    if (request.body !== undefined) {
      headers.set("content-type", "application/json");
      init.body = textOf(request.body);
    }
    return fetch(this.baseUrl + path + query(request.query ?? {}), init);
  }
}

/** An id as a segment of a path. Those that a URL would swallow are refused. */
export function segment(id: string): string {
  if (typeof id === "string" && !/^\.{0,2}$/.test(id)) return encodeURIComponent(id);
  throw new WorkflowApiError(`an id was expected, not '${String(id)}'`, "InvalidRequest");
}

/** The query of a path; what is `undefined` is left out. */
export function query(fields: object): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}

/** What `fetch` or a reader has thrown, as this package tells it. */
function failureOf(error: unknown, deadline: Deadline): WorkflowApiError {
  if (error instanceof WorkflowApiError) return error;
  if (deadline.isOver) return new WorkflowApiError("the API has not answered in time", "ApiTimeout", { cause: error });
  if (deadline.signal.aborted) return new WorkflowApiError("the request was aborted", "Aborted", { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new WorkflowApiError(`the API can't be reached: ${reason}`, "ApiUnreachable", { cause: error });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new WorkflowApiError("the input can't be written as JSON", "NotSerializable", { cause });
  }
}
