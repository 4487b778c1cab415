// The built app of `www/`, served by `next start` against a broker.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

const WWW = resolve(import.meta.dirname, "../../../www");
const NEXT = join(WWW, "node_modules/next/dist/bin/next");
const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;

/**
 * Starts the app and resolves when it answers. It needs no login unless `env` says otherwise (`DASHBOARD_LOGIN: "on"`).
 *
 * @param options.broker what `startBroker` gives
 * @param options.port default: one that is free
 * @param options.env more variables; `undefined` removes one
 * @param options.isConfigured `false` if the app can't work with these variables
 * @returns `{ url, output(), stop() }`; `output()` is what it has printed
 */
export async function startApp({ broker, port, env = {}, isConfigured = true }) {
  if (!existsSync(join(WWW, ".next/BUILD_ID")))
    throw new Error("the app is not built: run `npm ci` and `npx next build` in www");
  const at = port ?? (await freePort());
  const child = spawn(process.execPath, [NEXT, "start", "--hostname", "localhost", "--port", String(at)], {
    cwd: WWW,
    env: { ...clean(process.env), ...broker.environment, DASHBOARD_LOGIN: "off", ...DEFAULTS, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
  const exited = once(child, "exit");
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const url = `http://localhost:${at}`;
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await exited;
    clearTimeout(late);
    process.off("exit", end);
  };
  try {
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    await ready(url, { status: isConfigured ? 200 : 503, hasEnded, isListening: () => /✓ Ready in/.test(printed) });
  } catch (error) {
    await stop();
    throw new Error(`the app does not start: ${error.message}\n${printed}`);
  }
  return { url, output: () => printed, stop };
}

const DEFAULTS = { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };

/** Without what the shell of a developer says about brokers. */
function clean(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/QSTASH|^(UPSTASH_|DASHBOARD_|NODE_|PORT$)/.test(name)),
  );
}

/** It says itself that it listens: another program on the port would answer too. */
async function ready(url, { status, hasEnded, isListening }) {
  const end = Date.now() + READY_LIMIT_MS;
  for (;;) {
    if (hasEnded()) throw new Error("its process has ended");
    const answer = isListening()
      ? await fetch(`${url}/api/session`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
      : undefined;
    if (answer?.status === status) return answer.body?.cancel();
    if (Date.now() > end) throw new Error("it does not answer");
    await new Promise((next) => setTimeout(next, 50));
  }
}

async function freePort() {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
