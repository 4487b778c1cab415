/** The dashboard of the demo: the built Next.js app in `www/`, on a port of its own. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

import { startServer } from "./processes.mjs";

const WWW = fileURLToPath(new URL("../../www/", import.meta.url));
/** Where Next.js apps are looked for; any other if it is taken. */
const USUAL_PORT = 3000;
const READY_LIMIT_MS = 30_000;

/** Whether it was built: `make demo` does that. */
export const isBuilt = () => existsSync(`${WWW}.next/BUILD_ID`);

/**
 * @param {{ brokerUrl: string, secrets: Record<string, string>, log: string }} options  `secrets` are the `QSTASH_*` of the
 *   broker, `log` is the file for what the app prints
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}  whoever opens the `url` is signed in
 */
export async function startDashboard({ brokerUrl, secrets, log }) {
  const port = (await freePort(USUAL_PORT)) ?? (await freePort(0));
  const origin = `http://127.0.0.1:${port}`;
  const args = ["node_modules/next/dist/bin/next", "start", "--port", String(port), "--hostname", "127.0.0.1"];
  const { stop } = await startServer(process.execPath, args, {
    cwd: WWW,
    // The broker reaches the samples at the origin.
    env: { ...process.env, ...secrets, NODE_ENV: "production", QSTASH_URL: brokerUrl, UPSTASH_WORKFLOW_URL: origin },
    log,
    ready: /Ready in/,
    limitMs: READY_LIMIT_MS,
  });
  return { url: `${origin}/runs#token=${encodeURIComponent(secrets.QSTASH_TOKEN)}`, stop };
}

/** The port, if nobody has it. */
async function freePort(port) {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  const outcome = await Promise.race([
    once(server, "listening").then(() => true),
    once(server, "error").catch(() => false),
  ]);
  if (outcome !== true) return undefined;
  const { port: actual } = server.address();
  server.close();
  await once(server, "close");
  return actual;
}
