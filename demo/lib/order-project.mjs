/** The Node project of the demo, installed as a user installs it: from the packed npm package. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { DEPENDENCIES, OFFLINE } from "../../tests/package/consumer.mjs";
import { run, startServer } from "./processes.mjs";

const ROOT = join(import.meta.dirname, "../..");
const START_LIMIT_MS = 15_000;

/**
 * Packs `pkg/` and installs the tarball into a copy of `demo/order-node`, without a registry.
 *
 * @param {string} folder  where the tarball and the copy go
 * @returns {Promise<string>} the folder of the installed project
 */
export async function installOrderProject(folder) {
  const packed = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: join(ROOT, "pkg"),
  });
  const [{ filename }] = JSON.parse(packed);
  const project = join(folder, "order-node");
  cpSync(join(ROOT, "demo/order-node"), project, { recursive: true });
  await run("npm", ["install", ...OFFLINE, join(folder, filename), ...DEPENDENCIES], { cwd: project });
  return project;
}

/**
 * Starts the project's server on a free port.
 *
 * @param {string} project
 * @param {{ log: string, settings: Record<string, string> }} options  the settings are the `QSTASH_*` variables
 * @returns {Promise<{ url: string, pid: number, stop: () => Promise<void> }>}
 */
export async function startOrderServer(project, { log, settings }) {
  const { match, pid, stop } = await startServer(process.execPath, ["src/server.ts"], {
    cwd: project,
    env: { PATH: process.env.PATH, PORT: "0", ...settings },
    log,
    ready: /listening at (\S+)\n/,
    limitMs: START_LIMIT_MS,
  });
  return { url: match[1], pid, stop };
}

/**
 * The project's own function that starts a run, with the client of the installed package.
 *
 * @param {string} project
 * @returns {Promise<typeof import("../order-node/src/trigger.ts").triggerOrder>}
 */
export async function loadTrigger(project) {
  const { triggerOrder } = await import(pathToFileURL(join(project, "src/trigger.ts")).href);
  return triggerOrder;
}
