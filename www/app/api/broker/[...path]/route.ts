/** The broker's API for the pages of this app: the token stays on the server. */
import { brokerAddress } from "@/lib/server/broker";
import { pollingChanges } from "@/lib/server/changes";
import { isForeign, isSignedIn } from "@/lib/server/session";

export const dynamic = "force-dynamic";

const CHANGES = "/v2/changes";
/** Of the page's request; cookies and the like stay here. */
const FORWARDED = /^(content-type|accept|upstash-.*)$/;
const RETURNED = ["content-type", "cache-control", "retry-after"];

async function proxy(request: Request): Promise<Response> {
  if (isForeign(request)) return refusal(403, "Forbidden", "a page of another site can't act here");
  if (!(await isSignedIn())) return refusal(401, "Unauthorized", "sign in first");
  let broker: ReturnType<typeof brokerAddress>;
  try {
    broker = brokerAddress();
  } catch (error) {
    return refusal(503, "InvalidConfiguration", (error as Error).message);
  }
  const target = withPlainDestination(request.url.slice(request.url.indexOf("/api/broker") + "/api/broker".length));
  if (!target.startsWith("/v2/")) return refusal(404, "NotFound", "the broker's API begins with /v2/");
  const headers = new Headers({ authorization: `Bearer ${broker.token}` });
  for (const [name, value] of request.headers) if (FORWARDED.test(name)) headers.set(name, value);
  let answer: Response;
  try {
    answer = await fetch(broker.url + target, {
      method: request.method,
      headers,
      ...(request.method === "GET" ? {} : { body: await request.arrayBuffer() }),
      signal: request.signal,
      redirect: "manual",
      cache: "no-store",
    });
  } catch {
    return refusal(502, "BrokerUnreachable", "the broker does not answer");
  }
  // Hosted QStash tells no changes: this server looks for its pages.
  if (target.split("?")[0] === CHANGES && (answer.status === 404 || answer.status === 405)) {
    await answer.body?.cancel();
    return pollingChanges(broker, request.signal);
  }
  // The broker's refusal of this server's token is no reason to sign in again.
  if (answer.status === 401) return refusal(502, "BrokerRefused", "the broker refuses the token that this app has");
  const returned = new Headers();
  for (const name of RETURNED) {
    const value = answer.headers.get(name);
    if (value !== null) returned.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers: returned });
}

/** Pages encode the URL of a destination, for Next.js takes two slashes as one; the broker gets it as SDKs send it. */
function withPlainDestination(target: string): string {
  const [, place, destination = ""] = ENCODED_DESTINATION.exec(target) ?? [];
  try {
    return place === undefined ? target : place + decodeURIComponent(destination);
  } catch {
    return target;
  }
}

const ENCODED_DESTINATION = /^(\/v2\/(?:publish|schedules|trigger|enqueue\/[^/?]+)\/)(https?%3A%2F%2F[^/?]*)$/i;

const refusal = (status: number, code: string, error: string): Response => Response.json({ error, code }, { status });

export { proxy as DELETE, proxy as GET, proxy as PATCH, proxy as POST, proxy as PUT };
