/** What the samples have to know of this app: where a broker reaches it, and the key of its services. */
import "server-only";
import { createHmac } from "node:crypto";
import { brokerAddress } from "@/lib/server/broker";

/** Before any route is loaded. What somebody has set stays. */
export function prepareSamples(): void {
  const { env } = process;
  try {
    const { url, token } = brokerAddress();
    env.SAMPLES_KEY ||= createHmac("sha256", token).update("samples").digest("base64url");
    // A broker of this machine reaches the app where it listens; for any other somebody has to say where it is.
    if (isLocal(url)) env.UPSTASH_WORKFLOW_URL ||= `http://localhost:${env.PORT || 3000}`;
  } catch {
    // Without a broker there is nothing to start; the dashboard tells why.
  }
}

/** Where the broker delivers: the address that was set, or the one that this request came to. */
export const appOrigin = (request: Request): string =>
  process.env.UPSTASH_WORKFLOW_URL?.replace(/\/+$/, "") || new URL(request.url).origin;

/** What keeps samples from running to their end, in sentences. */
export function problems(request: Request): string[] {
  const { QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY, QSTASH_DEV } = process.env;
  const found: string[] = [];
  let broker: string;
  try {
    broker = brokerAddress().url;
  } catch (error) {
    return [`No sample can be started: ${(error as Error).message}.`];
  }
  if (!QSTASH_DEV && !(QSTASH_CURRENT_SIGNING_KEY && QSTASH_NEXT_SIGNING_KEY))
    found.push(
      "Deliveries are refused: set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY to the keys of the broker.",
    );
  const origin = appOrigin(request);
  if (!isLocal(broker) && isLocal(origin))
    found.push(
      `The broker is at ${new URL(broker).host} and can’t reach this app at ${origin}: ` +
        "set UPSTASH_WORKFLOW_URL to an address that is public, such as that of a tunnel.",
    );
  return found;
}

function isLocal(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(localhost|127(\.\d+){3}|\[::1\]|.+\.localhost)$/.test(hostname);
}
