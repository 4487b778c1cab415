/** Changes of a broker that doesn't tell them: one loop looks for all pages, and stops with the last of them. */
import "server-only";
import type { BrokerAddress } from "@/lib/server/broker";

const PAUSE_MS = 5_000;
const LIMIT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
/** What leaves no entry there, a schedule that was made elsewhere, is seen with every so many looks. */
const LOOKS = 6;
/** The newest entry of each tells whether anything happened. */
const WATCHED = ["/v2/logs?count=1", "/v2/workflows/logs?count=1"];

interface Page {
  send: (event: string) => void;
  /** The broker is gone: the page is to say so, and to come back. */
  end: () => void;
}

const pages = new Set<Page>();
let isLooking = false;
let seen: string | undefined;
/** Looks since the pages were last told to read again. */
let quiet = 0;

/** Server-Sent Events as the broker's own `/v2/changes` has them. */
export function pollingChanges(broker: BrokerAddress, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  let leave = () => {};
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const page: Page = {
        send: (event) => controller.enqueue(encoder.encode(event)),
        end: () => {
          leave();
          controller.close();
        },
      };
      const keepAlive = setInterval(() => page.send(":\n\n"), KEEP_ALIVE_MS);
      leave = () => {
        clearInterval(keepAlive);
        pages.delete(page);
      };
      signal.addEventListener("abort", () => leave(), { once: true });
      page.send("retry: 2000\nevent: ready\ndata: {}\n\n");
      pages.add(page);
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
  try {
    const now = await newest(broker);
    quiet += 1;
    // The first look, too, tells: pages have read before it.
    if (now !== undefined && (now !== seen || quiet >= LOOKS)) {
      quiet = 0;
      for (const page of [...pages]) page.send("event: change\ndata: {}\n\n");
    }
    seen = now ?? seen;
  } catch {
    for (const page of [...pages]) page.end();
  }
  if (pages.size > 0) lookSoon(broker);
}

/** What there is now, or `undefined` if the broker asks for patience. @throws if it does not answer */
async function newest({ url, token }: BrokerAddress): Promise<string | undefined> {
  const init = { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(LIMIT_MS) };
  const answers = await Promise.all(WATCHED.map((path) => fetch(url + path, { ...init, cache: "no-store" })));
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  return answers.every(({ ok }) => ok) ? texts.join("\n") : undefined;
}
