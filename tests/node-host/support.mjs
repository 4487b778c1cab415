// What the tests of the broker on Node share: the program in a process of its own, and the broker in this one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { startBroker } from "@repo/orchestration/server";
import { Client as Qstash, Receiver } from "@upstash/qstash";
import { Client as Workflow } from "@upstash/workflow";
import { folder, until } from "../worker/support.mjs";

export { folder, SDKS, server, serving, until } from "../worker/support.mjs";

export const CLI = resolve(import.meta.dirname, "../../pkg/dist/node/cli.cjs");
const READY_LIMIT_MS = 20_000;

/** The program in its own process. */
export function program(t, args, { cwd = folder(), env = {}, node = process.execPath, script = CLI } = {}) {
  const child = spawn(node, [script, ...args], { cwd, env: { ...clean(process.env), ...env }, stdio: "pipe" });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) child[stream].on("data", (text) => (output[stream] += text));
  const exited = once(child, "close").then(([code, signal]) => ({ code, signal, ...output }));
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return {
    cwd,
    child,
    output,
    exited,
    /** The first line of its output that fits. */
    async line(pattern, limit = READY_LIMIT_MS) {
      const look = () => output.stdout.split("\n").find((line) => pattern.test(line));
      const ended = exited.then(
        ({ code, stderr }) => look() ?? Promise.reject(new Error(`ended with ${code}: ${stderr}`)),
      );
      ended.catch(() => {});
      const found = until(look, limit);
      found.catch(() => {});
      return Promise.race([found, ended]);
    },
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      return exited;
    },
  };
}

/** Without what would change a broker's settings. */
function clean(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/QSTASH|^NODE_ENV$|^NODE_OPTIONS$/.test(name)));
}

/** `dev` on a port and a file of its own, with the official clients for it; `restart` goes on with both. */
export async function dev(t, args = []) {
  const cwd = folder();
  let running;
  let port = 0;
  const on = {
    cwd,
    db: join(cwd, "broker.db"),
    async restart() {
      running = program(t, ["dev", "--port", String(port), "--db", on.db, ...args], { cwd });
      const url = (await running.line(/^ *URL /)).trim().split(/\s+/)[1];
      port = Number(new URL(url).port);
      Object.assign(on, connections(url, /QSTASH_TOKEN="(.+)"/.exec(running.output.stdout)[1]));
      return on;
    },
    kill: (signal) => running.kill(signal),
    output: () => running.output,
    pid: () => running.child.pid,
  };
  return on.restart();
}

/** A broker in this process, with the official clients for it. */
export async function embedded(t, options = {}) {
  const broker = await startBroker({ port: 0, db: ":memory:", ...options });
  t.after(() => broker.stop(0));
  return { broker, ...connections(broker.url, broker.token) };
}

function connections(url, token) {
  const settings = { baseUrl: url, token, retry: false, enableTelemetry: false };
  const api = (path, init = {}) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  return {
    url,
    token,
    qstash: new Qstash(settings),
    workflow: new Workflow(settings),
    api,
    /** The JSON of an answer. */
    json: async (path, init) => (await api(path, init)).json(),
    /** The events of a message, newest first. */
    events: async (messageId) => (await (await api(`/v2/events?messageId=${messageId}`)).json()).events,
    /** The run's log, once it has ended. */
    ended: (runId, limit = 30_000) =>
      until(async () => {
        const { runs } = await (await api(`/v2/workflows/logs?workflowRunId=${runId}`)).json();
        return runs.find((run) => run.workflowState !== "RUN_STARTED");
      }, limit),
  };
}

/** A receiver with the broker's keys. */
export const receiverOf = ({ currentSigningKey, nextSigningKey }) =>
  new Receiver({ currentSigningKey, nextSigningKey });
