/** The request that called a webhook, made of what the broker recorded of it. */
import type { WaitForWebhookResponse } from "./steps.js";

/** What the broker records. */
interface Recorded {
  method: string;
  header?: Record<string, string[]>;
  /** Base64. */
  body?: string;
  proto: string;
  host: string;
  /** Path and query. */
  url: string;
}

/** Reads the result of the step, `{"timeout", "webhook"}`. */
export function requestOf(text: string): WaitForWebhookResponse {
  const { timeout, webhook } = JSON.parse(text) as { timeout: boolean; webhook?: Recorded };
  if (timeout || !webhook) return { timeout: true, request: undefined };
  const { method, header = {}, body, proto, host, url } = webhook;
  const headers = Object.entries(header).map(([name, values]): [string, string] => [name, [values].flat().join(",")]);
  const hasBody = typeof body === "string" && !/^(get|head)$/i.test(method);
  const request = new Request(`${proto}://${host}${url}`, { method, headers, body: hasBody ? bytesOf(body) : null });
  return { timeout: false, request };
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
