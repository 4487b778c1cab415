/** Changes of a broker that doesn't tell them: one loop looks for all pages, and stops with the last of them. */
import "server-only";
import type { BrokerAddress } from "@/lib/server/broker";

const PAUSE_MS = 3_000;
const KEEP_ALIVE_MS = 15_000;
/** The newest entry of each tells whether anything happened. */
const WATCHED = ["/v2/logs?count=1", "/v2/workflows/logs?count=1"];

type Listener = (event: string) => void;

const listeners = new Set<Listener>();
let isLooking = false;
let seen: string | undefined;

/** Server-Sent Events as the broker's own `/v2/changes` has them. */
export function pollingChanges(broker: BrokerAddress, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  let leave = () => {};
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const listener: Listener = (event) => controller.enqueue(encoder.encode(event));
      const keepAlive = setInterval(() => listener(":\n\n"), KEEP_ALIVE_MS);
      leave = () => {
        clearInterval(keepAlive);
        listeners.delete(listener);
      };
      signal.addEventListener("abort", () => leave(), { once: true });
      listener("retry: 2000\nevent: ready\ndata: {}\n\n");
      listeners.add(listener);
      lookSoon(broker);
    },
    cancel: () => leave(),
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}

function lookSoon(broker: BrokerAddress): void {
  if (isLooking) return;
  isLooking = true;
  setTimeout(() => look(broker), PAUSE_MS);
}

async function look(broker: BrokerAddress): Promise<void> {
  isLooking = false;
  const headers = { authorization: `Bearer ${broker.token}` };
  const signal = AbortSignal.timeout(PAUSE_MS * 3);
  const now = await Promise.all(
    WATCHED.map((path) => fetch(broker.url + path, { headers, signal, cache: "no-store" }).then((it) => it.text())),
  ).then(
    (answers) => answers.join("\n"),
    () => undefined,
  );
  if (now !== undefined) {
    if (seen !== undefined && now !== seen)
      for (const listener of [...listeners]) listener("event: change\ndata: {}\n\n");
    seen = now;
  }
  if (listeners.size > 0) lookSoon(broker);
}
