// What keeps runs: several providers side by side, one of your own, one in this process, one that is not there.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { createWorkflowEngine, defineWorkflow, startBroker } from "@repo/orchestration/server";
import { folder } from "../worker/support.mjs";
import { broker, ended, served, site, until } from "./support.mjs";

const hello = () => defineWorkflow("hello", (context) => context.run("greet", () => `hello ${context.requestPayload}`));

/** A port where nobody listens. */
async function nowhere() {
  const listener = createServer();
  await new Promise((listening) => listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address();
  await new Promise((closed) => listener.close(closed));
  return `http://127.0.0.1:${port}`;
}

test("several providers: each is served at its own address, and the run is found whoever keeps it", async (t) => {
  const [a, b] = [await broker(t, { token: "token_of_a" }), await broker(t, { token: "token_of_b" })];
  const workflow = hello();
  const elsewhere = defineWorkflow("elsewhere", (context) => context.run("x", () => "b"), { provider: "b" });
  const { engine, requests } = await served(t, {
    workflows: [workflow, elsewhere],
    providers: [
      { name: "a", type: "upstash-workflow", config: a.config },
      { name: "b", type: "upstash-workflow", config: b.config },
    ],
  });
  const inA = await engine.executeWorkflow(workflow, "a");
  const inB = await engine.executeWorkflow(workflow, "b", { provider: "b" });
  const own = await engine.executeWorkflow(elsewhere);
  assert.deepEqual([inA.provider, inB.provider, own.provider], ["a", "b", "b"]);
  for (const [started, output] of [
    [inA, "hello a"],
    [inB, "hello b"],
    [own, "b"],
  ]) {
    const run = await ended(engine, started);
    assert.deepEqual([run.output, run.provider], [output, started.provider]);
  }
  assert.deepEqual(
    new Set(requests),
    new Set(["POST /api/workflows/hello", "POST /api/workflows/b/hello", "POST /api/workflows/b/elsewhere"]),
  );
  const listed = async (...args) =>
    (await engine.listExecutions(...args)).runs.map(({ workflowRunId }) => workflowRunId);
  assert.deepEqual(await listed({ workflowId: "hello" }), [inA.workflowRunId]);
  assert.deepEqual(await listed({ workflowId: "hello" }, { provider: "b" }), [inB.workflowRunId]);
  assert.deepEqual(await listed({ workflowId: "elsewhere" }), [own.workflowRunId]);
  assert.equal(await engine.getExecution(inB.workflowRunId, { provider: "a" }), undefined);
  const waiting = await engine.executeWorkflow(workflow, 1, { provider: "b", delay: "1d" });
  assert.equal(await engine.cancelExecution(waiting.workflowRunId), true);
  await assert.rejects(engine.executeWorkflow(workflow, 1, { provider: "c" }), {
    code: "NotFound",
    message: "there is no provider 'c'; there are: a, b",
  });
});

test("signatures of one provider don't count at the address of another", async (t) => {
  const [a, b] = [await broker(t), await broker(t, { currentSigningKey: "sig_b1", nextSigningKey: "sig_b2" })];
  const { engine, url, requests } = await served(t, {
    workflows: [hello()],
    providers: [
      { name: "a", type: "upstash-workflow", config: a.config },
      { name: "b", type: "upstash-workflow", config: b.config },
    ],
  });
  // The broker b delivers to the address of a.
  await engine.provider("b").start({ workflowId: "hello", url: `${url}/api/workflows/hello`, input: 1, retries: 0 });
  const run = await until(async () => {
    const [first] = (await engine.listExecutions({ status: "failed" }, { provider: "b" })).runs;
    return first;
  });
  assert.deepEqual([run.error.name, run.error.status], ["SignatureInvalid", 403]);
  assert.equal(requests.length, 1);
});

test("an embedded broker starts when it is first needed, once, and stops with the engine", async (t) => {
  const config = { port: 0, db: join(folder(), "broker.db") };
  const { url, answers } = await site(t);
  const workflow = hello();
  const options = { providers: [{ name: "here", type: "embedded", config }], workflows: [workflow], url, env: {} };
  const engine = createWorkflowEngine(options);
  t.after(() => engine.shutdown());
  assert.deepEqual(engine.getStatus().providers, [{ name: "here", type: "embedded", isReady: false }]);
  await assert.rejects(async () => engine.provider().endpoint(), { code: "InvalidConfiguration" });
  const free = await startBroker(config);
  await free.stop();

  answers(engine.serve().handler);
  const [started] = await Promise.all([
    engine.executeWorkflow(workflow, "you"),
    engine.initialize(),
    engine.initialize(),
    engine.healthCheck(),
  ]);
  assert.equal(engine.getStatus().state, "ready");
  assert.equal((await ended(engine, started)).output, "hello you");
  await assert.rejects(startBroker(config), { code: "DatabaseInUse" });

  // Bundlers load the module that makes the engine once for each route.
  const twin = createWorkflowEngine(options);
  assert.equal((await twin.getExecution(started.workflowRunId)).output, "hello you");
  await Promise.all([engine.shutdown(), engine.shutdown()]);
  assert.equal((await twin.getExecution(started.workflowRunId)).status, "completed");
  await twin.shutdown();
  const again = await startBroker(config);
  await again.stop();
});

test("an embedded broker is shared by engines with the same settings, and refused to others", async (t) => {
  const db = join(folder(), "broker.db");
  const engineWith = (config) => {
    const providers = [{ name: "here", type: "embedded", config: { port: 0, db, ...config } }];
    const engine = createWorkflowEngine({ providers, url: "http://127.0.0.1:1", env: {} });
    t.after(() => engine.shutdown());
    return engine;
  };
  const settings = { token: "secret-1", limits: { queues: 5, schedules: 6 } };
  await engineWith(settings).initialize();
  await engineWith({ limits: { schedules: 6, queues: 5 }, token: "secret-1", onError: () => {} }).initialize();
  for (const [other, named] of [
    [{ ...settings, token: "secret-2" }, /with another token:/],
    [{ ...settings, currentSigningKey: "sig_1" }, /with another currentSigningKey:/],
    [{ token: "secret-1", limits: { queues: 5 } }, /with another limits:/],
    [{}, /with another token, limits:/],
  ])
    await assert.rejects(engineWith(other).initialize(), ({ code, message }) => {
      assert.equal(code, "InvalidConfiguration");
      assert.match(message, named);
      assert.ok(!message.includes("secret"));
      return true;
    });
});

test("a failed start is told, and tried again by the next call", async (t) => {
  const db = join(folder(), "broker.db");
  const blocker = await startBroker({ port: 0, db });
  t.after(() => blocker.stop(0));
  const engine = createWorkflowEngine({
    providers: [{ name: "here", type: "embedded", config: { port: 0, db } }],
    url: "http://127.0.0.1:1",
    env: {},
  });
  t.after(() => engine.shutdown());
  const failed = await Promise.allSettled([engine.initialize(), engine.initialize(), engine.listExecutions()]);
  assert.deepEqual(
    failed.map(({ status, reason }) => [status, reason?.code]),
    failed.map(() => ["rejected", "DatabaseInUse"]),
  );
  await blocker.stop();
  assert.deepEqual(await engine.listExecutions(), { runs: [] });
});

test("shutting down: what waits ends, later calls are refused, repeating it changes nothing", async (t) => {
  const { engine, url } = await served(t, { workflows: [hello()] });
  await engine.initialize();
  const { workflowRunId } = await engine.executeWorkflow("hello", 1, { delay: "1d" });
  const waiting = engine.waitForExecution(workflowRunId);
  const refused = assert.rejects(waiting, { code: "Closed" });
  await engine.shutdown();
  await refused;
  await engine.shutdown();
  assert.equal(engine.getStatus().state, "shut-down");
  for (const call of [
    () => engine.initialize(),
    () => engine.executeWorkflow("hello"),
    () => engine.getExecution(workflowRunId),
    () => engine.listExecutions(),
    () => engine.cancelExecution(workflowRunId),
    () => engine.notify({ eventId: "x" }),
    () => engine.emit("x"),
    () => engine.scheduleWorkflow("hello", { cron: "* * * * *" }),
    () => engine.listSchedules(),
    () => engine.healthCheck(),
    () => engine.register(hello()),
    () => engine.unregister("hello"),
  ])
    await assert.rejects(call, { code: "Closed" }, String(call));
  const answer = await fetch(`${url}/api/workflows/hello`, { method: "POST" });
  assert.deepEqual([answer.status, (await answer.json()).error], [503, "Closed"]);
});

test("shutting down while a broker starts stops it too", async () => {
  const config = { port: 0, db: join(folder(), "broker.db") };
  const engine = createWorkflowEngine({ providers: [{ name: "here", type: "embedded", config }], env: {} });
  const starting = engine.initialize();
  await Promise.all([engine.shutdown(), starting]);
  const again = await startBroker(config);
  await again.stop();
});

test("a provider that is dead is told of, beside one that lives", async (t) => {
  const alive = await broker(t);
  const secret = "qstash_secret_of_a_dead_one";
  const engine = createWorkflowEngine({
    env: {},
    providers: [
      { name: "alive", type: "upstash-workflow", config: alive.config },
      { name: "dead", type: "upstash-workflow", config: { baseUrl: await nowhere(), qstashToken: secret } },
      { name: "stranger", type: "upstash-workflow", config: { ...alive.config, qstashToken: secret } },
      { name: "unset", type: "upstash-workflow", config: {} },
    ],
  });
  const began = Date.now();
  const health = await engine.healthCheck();
  assert.ok(Date.now() - began < 4000);
  assert.equal(health.status, "degraded");
  const told = health.providers.map(({ name, type, status, error }) => [name, type, status, error?.split(":")[0]]);
  assert.deepEqual(told, [
    ["alive", "upstash-workflow", "healthy", undefined],
    ["dead", "upstash-workflow", "unhealthy", "BrokerUnreachable"],
    ["stranger", "upstash-workflow", "unhealthy", "BrokerRefused"],
    ["unset", "upstash-workflow", "unhealthy", "InvalidConfiguration"],
  ]);
  for (const { latencyMs, checkedAt } of health.providers) {
    assert.ok(latencyMs >= 0 && latencyMs < 4000);
    assert.ok(checkedAt >= began && checkedAt <= Date.now());
  }
  assert.ok(!JSON.stringify(health).includes(secret));

  const only = (name) =>
    createWorkflowEngine({ env: {}, providers: [{ name, type: "upstash-workflow", config: {} }] }).healthCheck();
  assert.equal((await only("unset")).status, "unhealthy");
  await assert.rejects(engine.healthCheck({ signal: AbortSignal.abort(new Error("gone")) }), { message: "gone" });
});

test("a provider that never answers is given up, and its secrets are not told", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const silent = { start: async () => ({ workflowRunId: "wfr_1" }), ping: () => new Promise(() => {}) };
  const leaky = {
    start: silent.start,
    ping: async () => {
      throw new TypeError(`refused: Authorization: Bearer ${SECRET}`);
    },
  };
  const engine = createWorkflowEngine({
    env: {},
    providers: [
      { name: "silent", type: "custom", provider: { name: "silent", type: "own", ...silent } },
      { name: "leaky", type: "custom", provider: { name: "leaky", type: "own", ...leaky } },
      { name: "mute", type: "custom", provider: { name: "mute", type: "own", start: silent.start } },
    ],
  });
  const asked = engine.healthCheck();
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  t.mock.timers.tick(5000);
  const { status, providers } = await asked;
  assert.equal(status, "degraded");
  assert.deepEqual(
    providers.map(({ name, type, status, error }) => [name, type, status, error]),
    [
      ["silent", "own", "unhealthy", "ProviderUnavailable: no answer within 5000 ms"],
      ["leaky", "own", "unhealthy", providers[1].error],
      ["mute", "own", "healthy", undefined],
    ],
  );
  assert.match(providers[1].error, /^TypeError: refused: /);
  assert.ok(!providers[1].error.includes(SECRET) && !providers[1].error.includes(SECRET.split(".")[2]));
});

const SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvdGhlciJ9.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4";

test("a provider of your own: what it lacks is refused, what it has is asked", async () => {
  const started = [];
  let failures = 1;
  const own = {
    name: "memory",
    type: "memory",
    async initialize() {
      if (failures-- > 0) throw new Error("not yet");
      started.push("ready");
    },
    async start({ workflowId, url, input, label, retries }) {
      started.push({ workflowId, url, input, label, retries });
      return { workflowRunId: "wfr_1" };
    },
    async cancel(id) {
      return id === "wfr_1";
    },
  };
  const engine = createWorkflowEngine({
    providers: [{ name: "mine", type: "custom", provider: own }],
    workflows: [defineWorkflow("hello", async () => {}, { retries: 2 })],
    url: "https://app.test/api/flows/",
    env: {},
  });
  assert.equal(engine.provider("mine"), own);
  await assert.rejects(engine.executeWorkflow("hello", 1), { message: "not yet" });
  const run = await engine.executeWorkflow("hello", { a: 1 }, { label: "x" });
  assert.deepEqual(run, { workflowRunId: "wfr_1", workflowId: "hello", provider: "mine" });
  await engine.executeWorkflow("hello", 2, { retries: 0 });
  const url = "https://app.test/api/flows/hello";
  assert.deepEqual(started, [
    "ready",
    { workflowId: "hello", url, input: { a: 1 }, label: "x", retries: 2 },
    { workflowId: "hello", url, input: 2, label: undefined, retries: 0 },
  ]);
  assert.equal(await engine.cancelExecution("wfr_1"), true);
  for (const [call, method] of [
    [() => engine.getExecution("wfr_1"), "get"],
    [() => engine.listExecutions(), "list"],
    [() => engine.notify({ eventId: "x" }), "notify"],
    [() => engine.scheduleWorkflow("hello", { cron: "* * * * *" }), "schedule"],
    [() => engine.listSchedules(), "listSchedules"],
    [() => engine.pauseSchedule("x"), "pauseSchedule"],
    [() => engine.resumeSchedule("x"), "resumeSchedule"],
    [() => engine.unscheduleWorkflow("x"), "unschedule"],
  ])
    await assert.rejects(call, { code: "Unsupported", message: `the provider 'mine' does not offer '${method}'` });
  const answer = await engine.serve().handler(new Request(url, { method: "POST", body: "{}" }));
  assert.deepEqual([answer.status, (await answer.json()).error], [501, "Unsupported"]);
});
