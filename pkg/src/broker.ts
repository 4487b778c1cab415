/** Sends the core's requests to the broker. */
import type { Retry } from "./config.js";
import type { RequestTuple } from "./core/core.js";

/** What came back. */
export interface Answer {
  status: number;
  body: Uint8Array;
}

export const DEFAULT_RETRY: Retry = { retries: 5, backoff: (retryCount) => Math.exp(retryCount) * 50 };

/** Sends a request; `body` replaces the request's own. The answer's body is always read to its end. */
export async function send(
  [method, url, headers, bytes]: RequestTuple,
  retry: Retry,
  body?: BodyInit | null,
): Promise<Answer> {
  const init: RequestInit = { method, headers: headerPairs(headers) };
  const content = body === undefined && bytes.length > 0 ? (bytes as Uint8Array<ArrayBuffer>) : body;
  if (content !== undefined) init.body = content;
  for (let tried = 0; ; tried += 1) {
    try {
      const response = await fetch(url, init);
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      if (tried >= retry.retries || content instanceof ReadableStream) throw error;
      await new Promise((resolve) => setTimeout(resolve, retry.backoff(tried)));
    }
  }
}

/** Why `fetch` threw, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  return cause ? `${error.message} (${cause})` : error.message;
}

/** Headers as the core takes them: a line for each name and each value. */
export function headerText(headers: Headers): string {
  const lines: string[] = [];
  for (const [name, value] of headers) lines.push(name, value);
  return lines.join("\n");
}

/** Headers as the core gives them. */
export function headerPairs(text: string): [string, string][] {
  const lines = text.split("\n");
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < lines.length; index += 2)
    pairs.push([lines[index] as string, lines[index + 1] as string]);
  return pairs;
}
