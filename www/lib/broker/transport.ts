/** Requests to the broker: straight to it if it serves these pages, else through this app's server. */

/** Whether a broker serves these pages as files. */
export const IS_STATIC = process.env.NEXT_PUBLIC_HOST === "broker";

/** What stands before `/v2/…`. */
export const BASE = IS_STATIC ? "" : "/api/broker";

/** An answer that is no success, or none at all (status 0). */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly status: number;
  readonly code: string | undefined;

  constructor(message: string, status: number, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether the broker could not be reached: the request may be repeated as it is. */
  get isUnreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}

export interface BrokerRequest {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Parameters that are `undefined` or empty are left out; an array is repeated. */
  query?: Query;
  headers?: Record<string, string>;
  /** Text and blobs as they are, anything else as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Asks the broker, and resolves with its JSON, or `undefined` if the answer has no body. @throws {BrokerError} */
export async function ask<T = void>(path: string, request: BrokerRequest = {}): Promise<T> {
  const answer = await send(path, request);
  const text = await answer.text().catch(() => "");
  const value = parsed(text);
  if (answer.ok) return (text === "" ? undefined : value) as T;
  if (answer.status === 401) signedOut();
  const { error, message, code } = (value ?? {}) as { error?: unknown; message?: unknown; code?: string };
  const reason = [error, message].find((it): it is string => typeof it === "string");
  throw new BrokerError(reason ?? (text || `the broker answered with ${answer.status}`), answer.status, code);
}

/** The answer itself, whatever its status. @throws {BrokerError} if there is none */
export async function send(
  path: string,
  { method = "GET", query, headers, body, signal }: BrokerRequest = {},
): Promise<Response> {
  const isRaw = body === undefined || typeof body === "string" || body instanceof Blob;
  try {
    return await fetch(`${BASE}${path}${search(query)}`, {
      method,
      headers: { ...authorization(), ...(isRaw ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: isRaw ? (body as string | Blob) : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
      cache: "no-store",
    });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new BrokerError("the broker does not answer", 0, "BrokerUnreachable");
  }
}

/** `?a=1&b=2`, or nothing. */
export function search(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    for (const item of Array.isArray(value) ? value : [value]) parameters.append(name, String(item));
  }
  return parameters.size > 0 ? `?${parameters}` : "";
}

const TOKEN = "orchestration.token";

/** The token of a static page: it ends with the tab. */
export const storedToken = (): string | null => (IS_STATIC ? sessionStorage.getItem(TOKEN) : null);

export function storeToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

export function authorization(): Record<string, string> {
  const token = storedToken();
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

type Listener = () => void;
const listeners = new Set<Listener>();

/** Calls back when the broker, or this app, no longer knows who we are. Returns the way to stop that. */
export function onSignedOut(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function signedOut(): void {
  for (const listener of listeners) listener();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
