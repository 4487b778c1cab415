// What the tests of the Worker share: the Worker in workerd, endpoints on the loopback, and a ledger.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { serve as ourServe } from "@repo/orchestration/workflows";
import { Client as Qstash, Receiver } from "@upstash/qstash";
import { serve as officialServe, Client as Workflow } from "@upstash/workflow";
import { serveMany as officialMany } from "@upstash/workflow/cloudflare";
import { developmentBindings, startWorker } from "../../scripts/workerd.mjs";

export const TOKEN = developmentBindings().QSTASH_TOKEN;
const KEYS = developmentBindings();

/** The official receiver with the broker's keys. */
export const receiver = new Receiver({
  currentSigningKey: KEYS.QSTASH_CURRENT_SIGNING_KEY,
  nextSigningKey: KEYS.QSTASH_NEXT_SIGNING_KEY,
});

const folders = [];
process.once("exit", () => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** A folder that goes when the tests end, and with them every process that uses it. */
export function folder() {
  folders.push(mkdtempSync(join(tmpdir(), "orchestration-")));
  return folders.at(-1);
}

/** A broker with a storage of its own, and the official clients for it; `t` ends it. */
export async function broker(t, options = {}) {
  const persistDir = folder();
  const start = (port) => startWorker({ ...options, port, persistDir });
  let worker;
  t.after(() => worker?.kill());
  worker = await start(0);
  const { url, port } = worker;

  /** A request with the right token. */
  const api = (path, init = {}) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });

  /** The run's log, once it has ended. */
  const ended = (runId, limit = 30_000) =>
    until(async () => {
      const { runs } = await (await api(`/v2/workflows/logs?workflowRunId=${runId}`)).json();
      return runs.find((run) => run.workflowState !== "RUN_STARTED");
    }, limit);

  /** The names of the steps that the broker remembers of a run; none once it has ended. */
  const remembered = async (runId) => {
    const answer = await api(`/v2/workflows/runs/${runId}`);
    if (!answer.ok) return [];
    const steps = (await answer.json()).slice(1).map(({ body }) => JSON.parse(Buffer.from(body, "base64")));
    return steps.filter((step) => step.stepId > 0).map((step) => step.stepName);
  };

  const settings = { baseUrl: url, token: TOKEN, retry: false, enableTelemetry: false };
  return {
    url,
    qstash: new Qstash(settings),
    workflow: new Workflow(settings),
    api,
    ended,
    remembered,
    persistDir,
    kill: () => worker.kill(),
    /** The same storage and address again. */
    async restart() {
      worker = await start(port);
    },
  };
}

/** A server on the loopback whose handler gets each request with its body; resolves with its address. */
export async function server(t, handler) {
  const requests = [];
  const listener = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const request = { at: Date.now(), method: incoming.method, url: incoming.url, headers: incoming.headers, body };
    requests.push(request);
    try {
      const answer = (await handler(request, requests.length)) ?? {};
      outgoing.writeHead(answer.status ?? 200, answer.headers ?? {}).end(answer.body ?? "");
    } catch (error) {
      outgoing.writeHead(500).end(String(error));
    }
  });
  await new Promise((listening) => listener.listen(0, "127.0.0.1", listening));
  t.after(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return { url: `http://127.0.0.1:${listener.address().port}`, requests };
}

/** What serves workflows: the official SDK, and this package with the same route functions. */
export const SDKS = [
  { name: "official", serve: officialServe, serveMany: (workflows, options) => officialMany(workflows, options).fetch },
  { name: "ours", serve: ourServe, serveMany: byLastSegment },
];

/** Serves `route` with the official SDK on the broker `on`. */
export const official = (t, on, route, options = {}) => serving(t, on, SDKS[0], route, options);

/** Serves `route` with `sdk` on the broker `on`. */
export function serving(t, on, sdk, route, options = {}) {
  return endpoint(t, sdk.serve(route, settings(on, options)).handler);
}

/** Serves workflows with `sdk` on the broker `on`, each at its name, so that one can invoke another. */
export function servingMany(t, on, sdk, workflows) {
  const handler = sdk.serveMany(workflows, settings(on));
  return endpoint(t, (request) => handler(request, {}));
}

const settings = (on, options) => ({ qstashClient: on.qstash, receiver, disableTelemetry: true, ...options });

/** Workflows by the last segment of the URL. */
function byLastSegment(workflows, options) {
  const handlers = new Map();
  for (const [workflowId, workflow] of Object.entries(workflows)) {
    workflow.workflowId = workflowId;
    handlers.set(workflowId, ourServe(workflow.routeFunction, options).handler);
  }
  return (request) => handlers.get(new URL(request.url).pathname.split("/").at(-1))(request);
}

function endpoint(t, handler) {
  return server(t, async ({ method, url, headers, body }) => {
    const request = new Request(`http://${headers.host}${url}`, { method, headers, body });
    const response = await handler(request);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    };
  });
}

/**
 * The world outside of the order workflow: an entry for each step that was done, and a payment service that fails
 * the first two charges of each run.
 */
export async function ledger(t) {
  const entries = [];
  const refused = new Map();
  const { url } = await server(t, ({ body }) => {
    const entry = JSON.parse(body);
    const failures = refused.get(entry.runId) ?? 0;
    if (entry.step === "charge" && failures < 2) {
      refused.set(entry.runId, failures + 1);
      return { status: 500, body: "the payment service has a bad day" };
    }
    entries.push(entry);
    return { headers: { "content-type": "application/json" }, body: JSON.stringify({ entry: entries.length }) };
  });
  return { url, entries, steps: (runId) => entries.filter((e) => e.runId === runId).map((e) => e.step) };
}

/** Resolves with the first truthy result of `look`. */
export async function until(look, limit = 10_000) {
  const end = Date.now() + limit;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`not seen within ${limit} ms: ${look}`);
    await pause(20);
  }
}
