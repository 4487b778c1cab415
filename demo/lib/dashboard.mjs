/** The dashboard of the demo: the built Next.js app in `www/`, on a port of its own. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { startServer } from "./processes.mjs";

const WWW = fileURLToPath(new URL("../../www", import.meta.url));
/** Where Next.js apps are looked for; any other if it is taken. */
const USUAL_PORT = 3000;
const READY_LIMIT_MS = 30_000;

/** @throws {Error} unless `make demo`, or whoever else runs this, has built it */
export function requireBuild(app = WWW) {
  if (!existsSync(join(app, ".next/BUILD_ID")))
    throw new Error("the dashboard is not built (www/.next is missing); run: scripts/build-www");
}

/**
 * @param {{ brokerUrl: string, secrets: Record<string, string>, log: string, app?: string }} options  `secrets` are the
 *   `QSTASH_*` of the broker, `log` is the file for what the app prints, `app` is the folder of the app
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}  whoever opens the `url` is signed in
 * @throws {Error} if it is not built, or does not start
 */
export async function startDashboard({ brokerUrl, secrets, log, app = WWW }) {
  requireBuild(app);
  const port = (await freePort(USUAL_PORT)) ?? (await freePort(0));
  const origin = `http://127.0.0.1:${port}`;
  const args = ["node_modules/next/dist/bin/next", "start", "--port", String(port), "--hostname", "127.0.0.1"];
  const { stop } = await startServer(process.execPath, args, {
    cwd: app,
    env: environment({ ...secrets, QSTASH_URL: brokerUrl, UPSTASH_WORKFLOW_URL: origin }),
    log,
    ready: /Ready in/,
    limitMs: READY_LIMIT_MS,
  });
  return { url: `${origin}/runs#token=${encodeURIComponent(secrets.QSTASH_TOKEN)}`, stop };
}

/**
 * What the app is told. Nothing that a developer has set for another broker, or another login, reaches it: not by the shell,
 * and not by a `.env` file of the app, in which what is set here counts, even if it is empty.
 */
const environment = (settings) => ({
  PATH: process.env.PATH,
  NODE_ENV: "production",
  NEXT_TELEMETRY_DISABLED: "1",
  ...{ QSTASH_DEV: "", QSTASH_REGION: "", DASHBOARD_TOKEN: "", DASHBOARD_LOGIN: "on" },
  ...settings,
});

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
