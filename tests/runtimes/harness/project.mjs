/** A project in a folder of its own: installed from the packed package, built and started by its own scripts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { run } from "../../../demo/lib/processes.mjs";
import { BIN, pack } from "../../package/consumer.mjs";
import { installedAt, ownManifest, PROJECTS } from "../dependencies.mjs";
import { until } from "./wait.mjs";

const START_LIMIT_MS = 60_000;
const OUTPUT_CHARACTERS = 20_000;
const OFFLINE = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];

/**
 * Copies a project, gives it the packages of its lockfile, and installs the packed package with npm, without network.
 *
 * @param {string} name  a folder in `projects/`
 * @param {{ programs?: string[] }} [options]  folders below the project whose programs come first on the path
 */
export async function createProject(name, { programs = [] } = {}) {
  const cached = installedAt(name);
  if (!existsSync(cached)) throw new Error(`the packages of '${name}' are missing; run: scripts/setup test`);
  const folder = mkdtempSync(join(tmpdir(), `orchestration-${name}-`));
  const at = (...path) => join(folder, ...path);
  const env = userEnvironment([...programs.map((program) => at(program)), at("node_modules/.bin")]);
  const clock = stopwatch(name);

  cpSync(join(PROJECTS, name), folder, { recursive: true });
  const manifest = ownManifest(name);
  writeFileSync(at("package.json"), JSON.stringify(manifest));
  linkTree(join(cached, "node_modules"), at("node_modules"));
  await run("npm", ["install", ...OFFLINE, await packed()], { cwd: folder, env });
  clock("installed");

  return {
    folder,
    at,
    /** Runs a script of the manifest to its end, as `npm run` does. */
    async build(script = "build") {
      console.log(`${name}: ${manifest.scripts[script]} ...`);
      await run("sh", ["-c", manifest.scripts[script]], { cwd: folder, env });
      clock(script);
    },
    /** Starts a script of the manifest on a free port. */
    start: (own = {}, script = "start") =>
      startServer(manifest.scripts[script], { cwd: folder, env: { ...env, ...own } }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Starts a server that listens at `PORT` and is told its own address, and waits for its first answer.
 *
 * @param {string} command  for `sh`; the process is the server's own
 * @param {{ cwd: string, env: Record<string, string> }} options
 * @returns {Promise<{ url: string, output: () => string, stop: () => Promise<void> }>}
 */
export async function startServer(command, { cwd, env }) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const own = { PORT: String(port), UPSTASH_WORKFLOW_URL: url };
  const child = spawn("sh", ["-c", `exec ${command}`], { cwd, env: { ...env, ...own }, stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS);
    });
  const ended = once(child, "close");
  // No server outlives the program that started it.
  const onExit = () => child.kill("SIGKILL");
  process.once("exit", onExit);
  const stop = async () => {
    process.off("exit", onExit);
    child.kill("SIGKILL");
    await ended;
  };
  try {
    await until(`an answer of ${command}`, () => child.exitCode !== null || isAnswering(url), START_LIMIT_MS);
    if (child.exitCode !== null) throw new Error(`${command}: ended with ${child.exitCode} before it answered`);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${output}`);
  }
  return { url, output: () => output, stop };
}

const isAnswering = (url) =>
  fetch(url).then(
    () => true,
    () => false,
  );

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The packed package: one file for all projects of a process. */
function packed() {
  packing ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "orchestration-packed-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    return (await pack(folder)).tarball;
  })();
  return packing;
}

let packing;

/** That of a user: no setting of the tests, this Node, the project's programs before this repository's tools. */
export function userEnvironment(programs = []) {
  const own = Object.entries(process.env).filter(([name]) => !/QSTASH|UPSTASH|^NODE_|^npm_|^VERCEL/.test(name));
  return {
    ...Object.fromEntries(own),
    PATH: [...programs, dirname(process.execPath), BIN, process.env.PATH].join(delimiter),
    ...{ NEXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", DENO_NO_UPDATE_CHECK: "1", CI: "1" },
  };
}

/** Copies a folder by hard links. A file in it must be replaced, never written to. */
function linkTree(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    // npm writes its own note of what is installed.
    else if (entry.name === ".package-lock.json") copyFileSync(source, target);
    else link(source, target);
  }
}

function link(source, target) {
  try {
    linkSync(source, target);
  } catch (error) {
    if (error.code !== "EXDEV" && error.code !== "EPERM") throw error;
    copyFileSync(source, target);
  }
}

/** Tells how long each part took. */
function stopwatch(name) {
  let since = performance.now();
  return (part) => {
    const now = performance.now();
    console.log(`${name}: ${part} in ${((now - since) / 1000).toFixed(1)} s`);
    since = now;
  };
}
