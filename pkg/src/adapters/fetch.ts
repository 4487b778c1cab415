/** Requests of the Fetch API. */
import { SignatureError } from "../errors.js";
import type { Arrival, Guard } from "../receiver/guard.js";

/** What is looked at of a request; every framework's own class has it. */
export interface FetchRequest {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly bodyUsed: boolean;
  clone(): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * Reads a copy of the request, and leaves the request itself to be read.
 *
 * @throws {SignatureError} if it was read before
 */
export async function arrivalOf(request: FetchRequest, env?: object): Promise<Arrival> {
  if (request.bodyUsed) {
    throw new SignatureError(
      "the body was parsed before it was verified: something has read the request, so its raw bytes are gone; verify first",
      "SignatureBody",
    );
  }
  const body = new Uint8Array(await request.clone().arrayBuffer());
  return { url: request.url, header: (name) => request.headers.get(name), body, env };
}

/** The answer to another method than POST, in the official SDK's spelling. */
export function onlyPost(method: string): Response | undefined {
  if (method.toUpperCase() === "POST") return undefined;
  return new Response("Only POST requests are allowed in worklfows", { status: 405 });
}

/** The answer to a request that was not signed, as the official wrappers give it; `undefined` if it was. */
export async function refusalOf(guard: Guard, request: FetchRequest, env?: object): Promise<Response | undefined> {
  const refusal = await guard.refusal(await arrivalOf(request, env));
  return refusal && new Response(refusal.text, { status: 403 });
}
