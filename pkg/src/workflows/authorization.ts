/** The option `authorize`: who may start and resume runs. */
import type { WorkflowServeOptions } from "./options.js";

/** The answer to a request that is not authorized; `undefined` if it is. The request's body can be read again. */
export async function refusal(
  { authorize }: WorkflowServeOptions<unknown>,
  { url, method, headers }: Request,
  body: Uint8Array,
): Promise<Response | undefined> {
  if (!authorize) return undefined;
  const content = body.length > 0 ? (body as Uint8Array<ArrayBuffer>) : null;
  const answer = await authorize(new Request(url, { method, headers, body: content }));
  if (answer === true) return undefined;
  // Not `instanceof`: the response may be of another realm.
  if (answer) return answer;
  return new Response(JSON.stringify({ error: "Refused", message: "the option authorize refused the request" }), {
    status: 403,
    headers: { "content-type": "application/json", "upstash-workflow-sdk-version": "1" },
  });
}
