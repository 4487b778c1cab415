// What an engine is made with: nothing at all, a token, a Worker's bindings, mistakes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server";
import { createWorkflowEngine as createInNext } from "@repo/orchestration/server/next";
import { folder } from "../worker/support.mjs";
import { broker, ended, served, site, until } from "./support.mjs";

const hello = () => defineWorkflow("hello", (context) => context.run("greet", () => `hello ${context.requestPayload}`));

/** The process's environment for one test. */
function environment(t, values) {
  const before = { ...process.env };
  for (const name of Object.keys(process.env))
    if (/QSTASH|^NODE_ENV$|^VERCEL|^UPSTASH|^NEXT_|^PORT$/.test(name)) delete process.env[name];
  Object.assign(process.env, values);
  t.after(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  });
}

/** Keeps what it is asked to start. */
const recording = (started) => ({
  name: "recording",
  type: "recording",
  start: async (request) => {
    started.push(request);
    return { workflowRunId: "wfr_1" };
  },
});

test("the quick setup, without an environment: made at once, and what is missing is told when it is used", async (t) => {
  environment(t, {});
  const engine = createInNext({
    providers: [
      {
        name: "upstash",
        type: "upstash-workflow",
        config: {
          baseUrl: process.env.QSTASH_URL,
          qstashToken: process.env.QSTASH_TOKEN,
        },
      },
    ],
  });
  assert.deepEqual(
    [engine.getStatus().state, engine.getStatus().defaultProvider, engine.workflows(), engine.triggers()],
    ["created", "upstash", [], []],
  );
  await assert.rejects(engine.executeWorkflow(hello(), 1), {
    name: "ConfigurationError",
    code: "InvalidConfiguration",
    message: /'upstash' lacks QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY: set what is missing/,
  });
});

test("the quick setup, with the environment of a broker", async (t) => {
  const { running } = await broker(t);
  environment(t, running.environment);
  const { url, answers } = await site(t);
  const engine = createInNext({
    url,
    providers: [
      {
        name: "upstash",
        type: "upstash-workflow",
        config: {
          baseUrl: process.env.QSTASH_URL,
          qstashToken: process.env.QSTASH_TOKEN,
        },
      },
    ],
  });
  t.after(() => engine.shutdown());
  const workflow = hello();
  await engine.register(workflow);
  answers(engine.serve().POST);
  assert.equal((await ended(engine, await engine.executeWorkflow(workflow, "you"))).output, "hello you");
});

test("nothing is given: a token chooses QStash, a developer's machine the embedded broker, production tells what is missing", async (t) => {
  const chosen = (env) => createWorkflowEngine({ env }).getStatus().providers[0].type;
  environment(t, { NODE_ENV: "development" });
  assert.equal(chosen({}), "embedded");
  assert.equal(chosen({ NODE_ENV: "test" }), "embedded");
  assert.equal(chosen({ QSTASH_TOKEN: "t" }), "upstash-workflow");
  assert.equal(chosen({ QSTASH_TOKEN: "" }), "embedded");
  assert.equal(chosen({ QSTASH_REGION: "us-east-1", US_EAST_1_QSTASH_TOKEN: "t" }), "upstash-workflow");
  assert.equal(chosen({ QSTASH_TOKEN: "t", QSTASH_DEV: "true" }), "embedded");
  assert.equal(chosen({ NODE_ENV: "production" }), "upstash-workflow");
  process.env.NODE_ENV = "production";
  assert.equal(chosen({}), "upstash-workflow");
  const engine = createWorkflowEngine();
  const execute = () => engine.executeWorkflow(hello());
  await assert.rejects(execute, { code: "InvalidConfiguration" });
  process.env.UPSTASH_WORKFLOW_URL = "https://app.test";
  for (const call of [() => engine.initialize(), () => engine.listExecutions(), execute])
    await assert.rejects(call, { code: "InvalidConfiguration", message: /lacks QSTASH_TOKEN/ });
  const health = await engine.healthCheck();
  assert.equal(health.status, "unhealthy");
});

test("where nobody says that it is development, the broker whose keys are public is not taken", async (t) => {
  environment(t, {});
  const workflow = hello();
  const chosen = (env) => createWorkflowEngine({ env }).getStatus().providers[0].type;
  for (const env of [undefined, {}, { NODE_ENV: "staging" }, { NODE_ENV: "" }, { QSTASH_DEV: "false" }])
    assert.equal(chosen(env), "upstash-workflow", JSON.stringify(env));
  assert.equal(chosen({ QSTASH_DEV: "1" }), "embedded");
  const engine = createWorkflowEngine({ workflows: [workflow], url: "https://app.test/api/workflows" });
  await assert.rejects(engine.executeWorkflow(workflow, 1), {
    code: "InvalidConfiguration",
    message: /lacks QSTASH_TOKEN.* NODE_ENV=development or QSTASH_DEV=true for a broker on this machine/,
  });
  const delivery = new Request("https://app.test/api/workflows/hello", {
    method: "POST",
    headers: { "upstash-signature": "a.b.c" },
    body: "1",
  });
  const answer = await engine.serve().handler(delivery);
  assert.deepEqual([answer.status, (await answer.json()).error], [500, "InvalidConfiguration"]);
  const placeless = createWorkflowEngine({ env: { QSTASH_TOKEN: "t" } });
  await assert.rejects(placeless.executeWorkflow(workflow, 1), { message: /public address/ });
});

test("nothing is given on a developer's machine: the broker of development mode is started and shared", async (t) => {
  const { url: place, answers } = await site(t);
  // A port that was free a moment ago.
  const { running } = await broker(t);
  const { port } = running;
  await running.stop(0);
  const before = process.cwd();
  process.chdir(folder());
  t.after(() => process.chdir(before));
  environment(t, {
    NODE_ENV: "development",
    PORT: new URL(place).port,
    QSTASH_DEV_PORT: String(port),
    QSTASH_DEV: "0",
  });
  const workflow = hello();
  const engine = createWorkflowEngine({ workflows: [workflow] });
  const twin = createWorkflowEngine({ workflows: [workflow] });
  answers(engine.serve().handler);
  const started = await engine.executeWorkflow(workflow, "you");
  assert.equal((await ended(twin, started)).output, "hello you");
  await engine.shutdown();
  // It is not the engine's alone.
  assert.equal((await twin.getExecution(started.workflowRunId)).status, "completed");
  await twin.shutdown();
});

test("in production there is no broker of development, whatever settings an engine is given", async (t) => {
  environment(t, { NODE_ENV: "production" });
  for (const env of [undefined, {}, { NODE_ENV: "production", QSTASH_DEV: "true" }]) {
    const engine = createWorkflowEngine({ env, providers: [{ name: "here", type: "embedded" }] });
    await assert.rejects(engine.initialize(), { code: "InvalidConfiguration", message: /NODE_ENV is production/ });
  }
});

test("a Worker's bindings come as env, or with the request", async (t) => {
  const { running } = await broker(t);
  environment(t, { NODE_ENV: "production" });
  const { url, answers } = await site(t);
  const bindings = { ...running.environment, UPSTASH_WORKFLOW_URL: url, OWN: "bound" };
  const workflow = defineWorkflow("bound", (context) => context.run("read", () => context.env.OWN));

  const given = createWorkflowEngine({ env: bindings, workflows: [workflow] });
  answers(given.serve().handler);
  assert.equal((await ended(given, await given.executeWorkflow(workflow))).output, "bound");
  await given.shutdown();

  const late = createWorkflowEngine({ workflows: [workflow] });
  t.after(() => late.shutdown());
  const worker = late.serve();
  answers((request) => worker.fetch(request, bindings, {}));
  await assert.rejects(late.executeWorkflow(workflow), { code: "InvalidConfiguration" });
  await fetch(`${url}/api/workflows/bound`, { method: "POST", body: "1" });
  assert.equal((await ended(late, await late.executeWorkflow(workflow))).output, "bound");
});

test("keys are known without a token, and those of development mode before its broker runs", async (t) => {
  environment(t, {});
  const [hosted, local] = [
    { name: "hosted", type: "upstash-workflow", config: { currentSigningKey: "sig_1", nextSigningKey: "sig_2" } },
    { name: "local", type: "embedded" },
  ];
  process.env.NEXT_PHASE = "phase-production-build";
  const engine = createWorkflowEngine({ providers: [hosted, local] });
  for (const { name } of [hosted, local]) {
    const { receiver } = engine.provider(name).endpoint();
    await assert.rejects(receiver.verify({ signature: "x", body: "" }), { code: "SignatureMalformed" });
  }
});

test("while Next.js builds nothing is started and nothing attached", async (t) => {
  environment(t, { NEXT_PHASE: "phase-production-build", NODE_ENV: "production" });
  let attached = 0;
  const trigger = { kind: "trigger", type: "event", name: "t", workflow: hello(), attach: async () => (attached += 1) };
  const engine = createWorkflowEngine({ triggers: [trigger], providers: [{ name: "here", type: "embedded" }] });
  engine.serve();
  await engine.initialize();
  assert.deepEqual([attached, engine.getStatus().state], [0, "created"]);
});

test("where the engine is", async (t) => {
  environment(t, { NODE_ENV: "development" });
  const place = async (options, env) => {
    const started = [];
    const providers = [{ name: "own", type: "custom", provider: recording(started) }];
    await createWorkflowEngine({ providers, workflows: [hello()], env, ...options }).executeWorkflow("hello");
    return started[0].url;
  };
  const path = "/api/workflows/hello";
  assert.equal(await place({}, {}), `http://localhost:3000${path}`);
  assert.equal(await place({}, { PORT: "4000" }), `http://localhost:4000${path}`);
  assert.equal(await place({ url: "/flows/" }, {}), "http://localhost:3000/flows/hello");
  assert.equal(await place({ url: "https://own.test/a" }, { VERCEL_URL: "v.test" }), "https://own.test/a/hello");
  assert.equal(await place({ url: "https://own.test" }, {}), "https://own.test/hello");
  const vercel = { VERCEL_URL: "v-1.test", VERCEL_PROJECT_PRODUCTION_URL: "v.test", NODE_ENV: "production" };
  assert.equal(await place({}, vercel), `https://v.test${path}`);
  assert.equal(await place({}, { ...vercel, VERCEL_ENV: "production" }), `https://v.test${path}`);
  assert.equal(await place({}, { ...vercel, VERCEL_ENV: "preview" }), `https://v-1.test${path}`);
  assert.equal(await place({}, { ...vercel, UPSTASH_WORKFLOW_URL: "https://t.test/" }), `https://t.test${path}`);
  await assert.rejects(place({}, { NODE_ENV: "production" }), {
    code: "InvalidConfiguration",
    message: /does not know its public address: set UPSTASH_WORKFLOW_URL.*NODE_ENV=development/,
  });
  for (const url of ["flows", "//a.test", "/a?b", "ftp://a.test", "https://user@a.test", "https://a.test?b"])
    assert.throws(() => createWorkflowEngine({ url }), { code: "InvalidConfiguration" }, url);
});

test("an address that code or a setting gives is the one that signatures are for", async (t) => {
  const { running, config } = await broker(t);
  environment(t, {});
  const { url, answers } = await site(t);
  const providers = [{ name: "own", type: "upstash-workflow", config }];
  const behindProxy = (handler) => (request) => {
    const { pathname } = new URL(request.url);
    return handler(new Request(`http://inside:8080${pathname}`, request));
  };
  for (const options of [
    { url: `${url}/flows`, env: { UPSTASH_WORKFLOW_URL: "https://wrong.test" } },
    { url: "/flows", env: { UPSTASH_WORKFLOW_URL: url } },
  ]) {
    const engine = createWorkflowEngine({ ...options, providers, workflows: [hello()] });
    answers(behindProxy(engine.serve().handler));
    assert.equal((await ended(engine, await engine.executeWorkflow("hello", 1))).output, "hello 1");
    await engine.shutdown();
  }
  await running.idle();
});

test("mistakes are told when the engine is made", () => {
  const upstash = (name) => ({ name, type: "upstash-workflow" });
  const limit = (name, provider) => ({ name, type: "rate-limit", config: { provider, limit: 1, window: 1 } });
  for (const [options, message] of [
    [{ providers: [] }, /'providers' is empty/],
    [{ providers: [upstash("a"), upstash("a")] }, /two providers have the name 'a'/],
    [{ providers: [upstash("triggers")] }, /the provider name 'triggers'/],
    [{ providers: [upstash("a/b")] }, /the provider name 'a\/b'/],
    [{ providers: [{ name: "a", type: "sqs" }] }, /the type 'sqs'; expected one of upstash-workflow, embedded/],
    [{ providers: [{ name: "a", type: "custom" }] }, /give it a 'provider' with a method 'start'/],
    [{ providers: [limit("a", "b")] }, /'a' limits 'b', which is not among the providers/],
    [{ providers: [limit("a", "b"), limit("b", "a")] }, /'a' limits itself/],
    [{ providers: [upstash("a")], defaultProvider: "b" }, /default provider 'b' is not among the providers: a/],
    [{ defaultProvider: "b" }, /default provider 'b' is not among the providers: none/],
    [{ workflows: [hello(), hello()] }, /two workflows have the id 'hello'/],
    [{ triggers: [{ kind: "trigger", type: "http", name: "a b", workflow: "hello" }] }, /the trigger name 'a b'/],
  ])
    assert.throws(() => createWorkflowEngine(options), { code: "InvalidConfiguration", message }, String(message));
  const lost = defineWorkflow("lost", async () => {}, { provider: "b" });
  assert.throws(() => createWorkflowEngine({ providers: [upstash("a")], workflows: [lost] }), {
    message: "there is no provider 'b'; there are: a",
  });
});

test("what is not signed is refused, and so is everything where there are no keys", async (t) => {
  let runs = 0;
  const workflow = defineWorkflow("guarded", (context) => context.run("x", () => (runs += 1)));
  const { engine, url } = await served(t, { workflows: [workflow] });
  const post = (path, headers = {}) => fetch(`${url}/api/workflows/${path}`, { method: "POST", headers, body: "{}" });
  const told = async (answer) => [answer.status, (await answer.json()).error];
  assert.deepEqual(await told(await post("guarded")), [401, "SignatureMissing"]);
  assert.deepEqual(await told(await post("guarded", { "upstash-signature": "a.b.c" })), [401, "SignatureMalformed"]);
  assert.deepEqual(await told(await post("unknown")), [404, "NotFound"]);
  assert.deepEqual(await told(await post("own/guarded")), [401, "SignatureMissing"]);
  assert.deepEqual(await told(await fetch(`${url}/api/workflows/guarded`)), [405, "MethodNotAllowed"]);
  assert.deepEqual(await told(await fetch(`${url}/`)), [404, "NotFound"]);
  await engine.initialize();

  environment(t, { NODE_ENV: "production" });
  const keyless = createWorkflowEngine({
    providers: [{ name: "own", type: "upstash-workflow", config: { baseUrl: url, qstashToken: "t" } }],
    workflows: [workflow],
    url: `${url}/api/workflows`,
  });
  const request = new Request(`${url}/api/workflows/guarded`, { method: "POST", body: "{}" });
  const answer = await keyless.serve().handler(request);
  const { error, message } = await answer.json();
  assert.deepEqual([answer.status, error], [500, "EmptyKeySet"]);
  assert.match(message, /set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY/);
  assert.equal(runs, 0);
});

test("one workflow at an address of its own", async (t) => {
  const { config } = await broker(t);
  const { url, answers } = await site(t);
  const workflow = hello();
  const providers = [{ name: "own", type: "upstash-workflow", config }];
  const engine = createWorkflowEngine({ providers, url: `${url}/flows`, env: {} });
  t.after(() => engine.shutdown());
  const route = engine.serve(workflow);
  answers(route.POST);
  assert.deepEqual(engine.workflows(), [workflow]);
  assert.equal((await ended(engine, await engine.executeWorkflow("hello", 1))).output, "hello 1");
  await until(() => engine.getMetrics().workflows[0]?.completed === 1);
});
