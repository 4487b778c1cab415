// The dashboard of a test: a broker in memory, endpoints, the built app, and a browser.

import { startBroker } from "@repo/orchestration/server";
import { startApp } from "./app.mjs";
import { startBrowser } from "./browser.mjs";
import { startEndpoints } from "./endpoints.mjs";

export async function openStage({ env } = {}) {
  const closers = [];
  const close = async () => {
    for (const each of closers.reverse()) await each();
  };
  try {
    const broker = await startBroker({ port: 0, db: ":memory:" });
    closers.push(() => broker.stop(0));
    const endpoints = await startEndpoints({ broker });
    closers.push(() => endpoints.stop());
    const app = await startApp({ broker, env });
    closers.push(() => app.stop());
    const browser = await startBrowser();
    closers.push(() => browser.close());
    return { broker, endpoints, app, browser, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resolves with what `look` finds once that is anything; it is looked again and again, for so long. */
export async function eventually(look, what, limitMs = 20_000) {
  for (const end = Date.now() + limitMs; ; await new Promise((next) => setTimeout(next, 50))) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it did not happen in ${limitMs / 1000} s: ${what}`);
  }
}
