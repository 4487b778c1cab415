// The broker over several objects, for what crosses them. All that one object does, too, the conformance checks ask of
// three objects.

import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@upstash/qstash";
import { createWorkflow } from "@upstash/workflow/cloudflare";
import { developmentBindings, startWorker } from "../../scripts/workerd.mjs";
import { broker, folder, receiver, SDKS, server, TOKEN, until } from "./support.mjs";

const bindings = (shards) => ({ ...developmentBindings(), BROKER_SHARDS: String(shards) });
const RUNS = 8;

/** Runs that invoke runs, all under one key with two slots; `most` is how many of their deliveries were open at once. */
async function invokers(t, on) {
  const open = { now: 0, most: 0 };
  const part = createWorkflow(async (context) => {
    await context.run("count", () => {});
    return `part ${context.requestPayload}`;
  });
  const whole = createWorkflow(async (context) => {
    const { body } = await context.invoke("part", {
      workflow: part,
      body: context.requestPayload,
      flowControl: { key: "two", parallelism: 2 },
    });
    return body;
  });
  const settings = { qstashClient: on.qstash, receiver, disableTelemetry: true };
  const handler = SDKS[0].serveMany({ whole, part }, settings);
  const { url } = await server(t, async ({ method, url, headers, body }) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    await pause(30);
    try {
      const response = await handler(new Request(`http://${headers.host}${url}`, { method, headers, body }), {});
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      };
    } finally {
      open.now -= 1;
    }
  });
  return { open, url: `${url}/whole` };
}

test("runs invoke runs of other shards, and one key bounds them all", { timeout: 120_000 }, async (t) => {
  const on = await broker(t, { bindings: bindings(3) });
  const { open, url } = await invokers(t, on);
  const triggered = await on.workflow.trigger(
    Array.from({ length: RUNS }, (_, n) => ({
      url,
      body: `${n}`,
      flowControl: { key: "two", parallelism: 2 },
      retries: 3,
      retryDelay: "500",
    })),
  );
  const ended = await Promise.all(triggered.map(({ workflowRunId }) => on.ended(workflowRunId, 100_000)));
  assert.deepEqual(
    ended.map((run) => [run.workflowState, JSON.parse(run.workflowRunResponse)]),
    Array.from({ length: RUNS }, (_, n) => ["RUN_SUCCESS", `part ${n}`]),
  );
  assert.equal(open.most, 2, `${open.most} deliveries were open at once`);
  const key = await (await on.api("/v2/flowControl/two")).json();
  assert.deepEqual([key.parallelismMax, key.parallelismCount, key.waitListSize], [2, 0, 0]);
});

test("what shards had to tell each other is told after all were killed", { timeout: 120_000 }, async (t) => {
  const on = await broker(t, { bindings: bindings(3) });
  const { url } = await invokers(t, on);
  const triggered = await on.workflow.trigger(
    Array.from({ length: RUNS }, (_, n) => ({ url, body: `${n}`, retries: 5, retryDelay: "300" })),
  );
  for (const moment of [60, 150, 300]) {
    await pause(moment);
    await on.kill();
    await on.restart();
  }
  const ended = await Promise.all(triggered.map(({ workflowRunId }) => on.ended(workflowRunId, 100_000)));
  assert.deepEqual(new Set(ended.map((run) => run.workflowState)), new Set(["RUN_SUCCESS"]));
  const { runs } = await (await on.api("/v2/workflows/logs?count=100")).json();
  assert.equal(runs.length, 2 * RUNS, "each step invoked one run");
});

test("another number of shards is refused while they hold something, and nothing is lost", async (t) => {
  const persistDir = folder();
  const { url, requests } = await server(t, () => ({}));
  let worker;
  t.after(() => worker?.kill());
  const client = async (shards) => {
    await worker?.kill();
    worker = await startWorker({ persistDir, bindings: bindings(shards) });
    return new Client({ baseUrl: worker.url, token: TOKEN, retry: false, enableTelemetry: false });
  };

  const three = await client(3);
  await three.queue({ queueName: "line" }).upsert({ parallelism: 1, paused: true });
  await three.queue({ queueName: "line" }).enqueue({ url, body: "kept" });

  for (const shards of [4, 2, 1]) {
    const other = await client(shards);
    await assert.rejects(other.publish({ url, body: "refused" }), /laid out for 3 shards/);
    await assert.rejects(other.queue({ queueName: "line" }).get(), /laid out for 3 shards/);
  }
  const back = await client(3);
  await back.queue({ queueName: "line" }).resume();
  await until(() => requests.length === 1);
  assert.equal(requests[0].body.toString(), "kept");

  await back.queue({ queueName: "line" }).delete();
  const empty = await client(4);
  await until(() => empty.publish({ url, body: "anew" }).catch(() => false));
  await until(() => requests.length === 2);
});
