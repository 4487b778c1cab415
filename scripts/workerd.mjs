// Runs the built Worker in workerd itself, without a proxy in between, so that a signal reaches the real process.
// Used by `make dev`, the tests and the demo.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import workerdPackage from "workerd";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const BUILD = join(ROOT, "build");
const DASHBOARD = join(ROOT, "www/out");
// The package is CommonJS with a default export: the path of the binary.
const workerd = workerdPackage.default;
const READY_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;
const LOG_LINES = 200;

/**
 * The token and signing keys of development: those that QStash's own dev server documents for its first user, so
 * existing `.env` files keep working. `.dev.vars` holds them, which `wrangler dev` reads and no deployment does.
 *
 * @returns {Record<string, string>}
 */
export function developmentBindings() {
  const lines = readFileSync(join(ROOT, ".dev.vars"), "utf8").split("\n");
  return Object.fromEntries(
    lines
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replace(/^"|"$/g, "")]),
  );
}

/**
 * Starts the built Worker and resolves when it answers. Whatever the object had stored goes on by itself.
 *
 * @param {object} options
 * @param {number} [options.port] the port on 127.0.0.1; 0 takes a free one
 * @param {string} options.persistDir where the Durable Object's storage is kept; made if absent
 * @param {Record<string, string>} [options.bindings] variables and secrets; by default those of development
 * @param {string | false} [options.dashboard] the folder of the dashboard's files; by default www/out, if it was built
 * @param {(line: string) => void} [options.onLog] gets every line that workerd or the Worker prints
 * @returns {Promise<{url: string, port: number, pid: number, dashboard: string | undefined, exited: Promise<void>, logs: () => string,
 *   kill: () => Promise<void>, stop: () => Promise<void>}>} `kill` is SIGKILL, `stop` is SIGTERM; both resolve when
 *   the process is gone
 */
export async function startWorker({
  port = 0,
  persistDir,
  bindings = developmentBindings(),
  dashboard = DASHBOARD,
  onLog,
}) {
  const storage = resolve(persistDir);
  mkdirSync(join(storage, "objects"), { recursive: true });
  const config = join(storage, "workerd.capnp");
  const pages = dashboard && existsSync(join(dashboard, "index.html")) ? resolve(dashboard) : undefined;
  writeFileSync(config, configuration(storage, port, bindings, pages), { mode: 0o600 });

  const child = spawn(workerd, ["serve", "--control-fd=3", config], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const logs = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      logs.push(line);
      if (logs.length > LOG_LINES) logs.shift();
      onLog?.(line);
    });
  }
  const exited = new Promise((done) => child.once("close", () => done()));
  // No server outlives the program that started it.
  const onExit = () => child.kill("SIGKILL");
  process.once("exit", onExit);
  exited.then(() => process.off("exit", onExit));

  const end = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await exited;
    clearTimeout(limit);
  };

  const actual = await listening(child, exited, port, logs).catch(async (error) => {
    await end("SIGKILL");
    throw error;
  });
  const worker = {
    url: `http://127.0.0.1:${actual}`,
    port: actual,
    pid: child.pid,
    dashboard: pages && `http://127.0.0.1:${actual}/`,
    exited,
    logs: () => logs.join("\n"),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
  // The first request also wakes the object, for its alarm may have been lost with a killed process.
  const health = await fetch(`${worker.url}/health`);
  const answer = await health.text();
  if (!health.ok) {
    await end("SIGTERM");
    throw new Error(`the Worker is not healthy: ${answer}`);
  }
  return worker;
}

/** Resolves with the port once workerd says that it listens. */
async function listening(child, exited, port, logs) {
  const control = createInterface({ input: child.stdio[3] });
  const limit = AbortSignal.timeout(READY_LIMIT_MS);
  const event = await Promise.race([
    once(control, "line", { signal: limit }).then(([line]) => JSON.parse(line)),
    exited.then(() => ({ event: "exit" })),
  ]);
  if (event.event === "listen") return event.port;
  const text = logs.join("\n");
  if (/address already in use/i.test(text)) {
    throw Object.assign(new Error(`port ${port} is taken by another program`), { code: "EADDRINUSE" });
  }
  throw new Error(`workerd ended before it listened:\n${text}`);
}

/** The Worker of wrangler.toml as a configuration of workerd. A folder on disk has the dashboard's files by their names. */
function configuration(storage, port, bindings, pages) {
  const file = (name) => {
    const path = join(BUILD, name);
    if (!existsSync(path)) throw new Error(`${relative(ROOT, path)} is missing; run: make build`);
    return JSON.stringify(relative(storage, path));
  };
  const wrangler = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const date = wrangler.match(/^compatibility_date = "([0-9-]+)"$/m)?.[1];
  if (!date) throw new Error("wrangler.toml states no compatibility_date");
  const flags = wrangler.match(/^compatibility_flags = (\[.*\])$/m)?.[1] ?? "[]";
  const variables = Object.entries(bindings).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "objects", disk = (path = ${JSON.stringify(join(storage, "objects"))}, writable = true)),
    ${pages ? `(name = "dashboard", disk = (path = ${JSON.stringify(pages)})),` : ""}
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed ${file("index.js")}),
    (name = "index_bg.wasm", wasm = embed ${file("index_bg.wasm")}),
  ],
  compatibilityDate = "${date}",
  compatibilityFlags = ${flags},
  bindings = [
    (name = "BROKER", durableObjectNamespace = "BrokerObject"),
    (name = "SELF", service = "worker"),
    ${pages ? '(name = "ASSETS", service = "dashboard"),' : ""}
    ${variables.join(",\n    ")}
  ],
  durableObjectNamespaces = [(className = "BrokerObject", uniqueKey = "orchestration-broker", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);
`;
}
