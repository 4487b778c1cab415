/** Sends the core's requests to the broker. */
import type { CallOptions, Retry } from "./config.js";
import { core, type FailedAttempt, type RequestTuple } from "./core/core.js";
import { pause } from "./resilience/pause.js";

/** What came back. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Uint8Array;
}

/** How a request is sent. */
export interface SendOptions extends CallOptions {
  retry: Retry;
  /** Replaces the request's own body. A stream can be sent once only: such a request is never sent again. */
  body?: BodyInit | null | undefined;
}

export const DEFAULT_RETRY: Retry = { retries: 5, budget: 30_000 };

/**
 * Sends a request, again where the core says so, and resolves with the last answer, whatever its status. Rejects with
 * the last error of `fetch`, or with the signal's reason. The answer's body is always read to its end.
 */
export async function send(request: RequestTuple, options: SendOptions): Promise<Answer> {
  const begun = Date.now();
  const { retry, signal } = options;
  for (let retried = 0; ; retried += 1) {
    let answer: Answer | undefined;
    let failure: unknown;
    try {
      answer = await sendOnce(request, options);
      if (answer.status >= 200 && answer.status < 300) return answer;
    } catch (error) {
      signal?.throwIfAborted();
      failure = error;
    }
    const wait = retried < retry.retries ? await waitBeforeRetry(request, options, answer, retried, begun) : undefined;
    if (wait === undefined) {
      if (answer) return answer;
      throw failure;
    }
    await pause(wait, signal);
  }
}

async function sendOnce([method, url, headers, bytes]: RequestTuple, { body, signal }: SendOptions): Promise<Answer> {
  const init: RequestInit = { method, headers: headerPairs(headers) };
  const content = body === undefined && bytes.length > 0 ? (bytes as Uint8Array<ArrayBuffer>) : body;
  if (content !== undefined) init.body = content;
  if (content instanceof ReadableStream) Object.assign(init, { duplex: "half" });
  if (signal) init.signal = signal;
  const response = await fetch(url, init);
  return {
    status: response.status,
    headers: response.headers,
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** Milliseconds, as the core decides; `undefined`: not again. */
async function waitBeforeRetry(
  [method, url, headers, bytes]: RequestTuple,
  { retry, body }: SendOptions,
  answer: Answer | undefined,
  retried: number,
  begun: number,
): Promise<number | undefined> {
  if (body instanceof ReadableStream) return undefined;
  const now = Date.now();
  const attempt: FailedAttempt = {
    method,
    url,
    headers,
    status: answer?.status ?? 0,
    answerHeaders: answer ? headerText(answer.headers) : "",
    retried,
    elapsed: now - begun,
    now,
    retries: retry.retries,
    budget: retry.budget,
    backoff: retry.backoff?.(retried),
  };
  return (await core()).waitBeforeRetry(JSON.stringify(attempt), bytes);
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
