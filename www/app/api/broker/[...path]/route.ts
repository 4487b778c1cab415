/** The broker's API for the pages of this app: the token stays on the server. */
import { brokerAddress } from "@/lib/server/broker";
import { pollingChanges } from "@/lib/server/changes";
import { misconfigured, refusal, refusedPage } from "@/lib/server/session";

export const dynamic = "force-dynamic";

const CHANGES = "/v2/changes";
/** Of the page's request; cookies and the like stay here. */
const FORWARDED = /^(content-type|accept|upstash-.*)$/;
const RETURNED = ["content-type", "cache-control", "retry-after"];

async function proxy(request: Request): Promise<Response> {
  const refused = await refusedPage(request);
  if (refused) return refused;
  let broker: ReturnType<typeof brokerAddress>;
  try {
    broker = brokerAddress();
  } catch (error) {
    return misconfigured(error);
  }
  const path = request.url.slice(request.url.indexOf("/api/broker") + "/api/broker".length);
  if (!path.startsWith("/v2/")) return refusal(404, "NotFound", "the broker's API begins with /v2/");
  const target = targetOf(broker.url, path);
  if (!target) return refusal(400, "InvalidRequest", "the path leads elsewhere: expected a destination without /../");
  const headers = new Headers({ authorization: `Bearer ${broker.token}` });
  for (const [name, value] of request.headers) if (FORWARDED.test(name)) headers.set(name, value);
  let answer: Response;
  try {
    answer = await fetch(target, {
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
  if (path.split("?")[0] === CHANGES && (answer.status === 404 || answer.status === 405)) {
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

/**
 * Pages encode the URL of a destination, for Next.js takes two slashes as one; the broker gets it as SDKs send it.
 * `undefined` if segments of dots lead out of the place that the path names.
 */
function targetOf(broker: string, path: string): URL | undefined {
  const [, place = "/v2/", encoded = ""] = ENCODED_DESTINATION.exec(path) ?? [];
  const destination = decoded(encoded);
  if (destination === undefined) return undefined;
  const url = new URL(broker + (encoded ? place + destination : path));
  // Read as a URL, too: what is no ASCII is written otherwise there.
  const [origin = ""] = ORIGIN.exec(destination) ?? [];
  const { pathname: meant } = new URL(broker + place + origin);
  const [scheme = ""] = origin.split("//");
  const isKept = meant.startsWith(`${new URL(broker).pathname.replace(/\/$/, "")}${place}${scheme && `${scheme}//`}`);
  const isWithin = url.pathname === meant || url.pathname.startsWith(origin ? `${meant}/` : meant);
  return isKept && isWithin ? url : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const ORIGIN = /^https?:\/\/[^/\\?#]*/i;
const ENCODED_DESTINATION = /^(\/v2\/(?:publish|schedules|trigger|enqueue\/[^/?]+)\/)(https?%3A%2F%2F[^/?]*)$/i;

export { proxy as DELETE, proxy as GET, proxy as PATCH, proxy as POST, proxy as PUT };
