// Triggers as the engine sees them: attached, listed, pulled by requests and events, taken away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server";
import { ended, served } from "./support.mjs";

const hello = () => defineWorkflow("hello", (context) => context.run("greet", () => `hello ${context.requestPayload}`));
const trigger = (members) => ({ kind: "trigger", type: "http", name: "door", workflow: "hello", ...members });

test("a trigger is attached once, listed, and taken away", async (t) => {
  const seen = [];
  let failures = 1;
  const door = trigger({
    attach: async ({ url, provider, client }) => {
      if (failures-- > 0) throw new Error("not yet");
      seen.push(["attach", url, provider.name, client() === provider.client]);
    },
    detach: async ({ url }) => void seen.push(["detach", url]),
    handle: async () => new Response("open"),
  });
  const { engine, url } = await served(t, { workflows: [hello()], triggers: [door] });
  const place = `${url}/api/workflows/triggers/door`;
  const summary = { name: "door", type: "http", workflowId: "hello", url: place };
  assert.deepEqual(engine.triggers(), [{ ...summary, isAttached: false }]);
  await assert.rejects(engine.initialize(), { message: "not yet" });
  assert.deepEqual(engine.getStatus().triggers, [{ ...summary, isAttached: false }]);
  await Promise.all([engine.initialize(), engine.initialize()]);
  await engine.initialize();
  await engine.register(door);
  assert.deepEqual(engine.triggers(), [{ ...summary, isAttached: true }]);
  assert.deepEqual(seen, [["attach", place, "own", true]]);
  assert.equal(await (await fetch(place)).text(), "open");

  const late = trigger({ name: "late", attach: async () => void seen.push(["attach late"]) });
  await engine.register(late);
  assert.deepEqual(seen.at(-1), ["attach late"]);
  await assert.rejects(engine.register(trigger({ name: "late" })), { code: "InvalidConfiguration" });

  assert.equal(await engine.unregister("door"), true);
  assert.deepEqual(seen.at(-1), ["detach", place]);
  assert.equal(await engine.unregister("door"), false);
  const answer = await fetch(place);
  assert.deepEqual([answer.status, (await answer.json()).error], [404, "NotFound"]);
  assert.equal(await engine.unregister("hello"), true);
  assert.deepEqual(engine.workflows(), []);
});

test("a request pulls a trigger, which starts a run", async (t) => {
  const workflow = hello();
  const door = trigger({
    workflow,
    handle: async (request, host) => {
      if (new URL(request.url).searchParams.has("break")) throw new Error("a secret of the inside");
      return Response.json(await host.start(await request.json(), { label: "door" }), { status: 202 });
    },
  });
  const { engine, url } = await served(t, { triggers: [door] });
  assert.deepEqual(engine.workflows(), [workflow]);
  const place = `${url}/api/workflows/triggers/door`;
  const answer = await fetch(place, { method: "POST", body: JSON.stringify("you") });
  assert.equal(answer.status, 202);
  const run = await ended(engine, await answer.json());
  assert.deepEqual([run.output, run.labels], ["hello you", ["door"]]);
  const broken = await fetch(`${place}?break`, { method: "POST" });
  assert.deepEqual(
    [broken.status, await broken.json()],
    [500, { error: "Internal", message: "the request could not be answered" }],
  );
});

test("a trigger tells whether the broker has signed a request", async (t) => {
  const bodies = [];
  const door = trigger({
    workflow: hello(),
    handle: async (request, host) => {
      const body = new Uint8Array(await request.arrayBuffer());
      await host.verify(request, body);
      bodies.push([...body]);
      return new Response("ok");
    },
  });
  const { engine, broker, url } = await served(t, { triggers: [door] });
  const place = `${url}/api/workflows/triggers/door`;
  await engine.initialize();
  await engine.provider().client.publish({ url: place, body: new Uint8Array([0, 255, 128]), retries: 0 });
  await broker.idle();
  assert.deepEqual(bodies, [[0, 255, 128]]);
  for (const [headers, status, error] of [
    [{}, 401, "SignatureMissing"],
    [{ "upstash-signature": "x" }, 401, "SignatureMalformed"],
  ]) {
    const answer = await fetch(place, { method: "POST", headers, body: "x" });
    assert.deepEqual([answer.status, (await answer.json()).error], [status, error]);
  }
  assert.equal(bodies.length, 1);
});

test("an event reaches runs that wait for it and the triggers that it pulls", async (t) => {
  const waiting = defineWorkflow("waiting", async (context) => (await context.waitForEvent("w", "paid")).eventData);
  const paid = trigger({ type: "event", name: "paid", events: ["paid", "refunded"], inputOf: ({ who }) => who });
  const raw = trigger({ type: "event", name: "raw", events: ["refunded"] });
  const { engine } = await served(t, { workflows: [hello(), waiting], triggers: [paid, raw] });
  const waits = await engine.executeWorkflow(waiting);
  for (;;) if ((await engine.getExecution(waits.workflowRunId))?.steps.length === 1) break;
  const first = await engine.emit("paid", { who: "you" });
  assert.deepEqual([first.notified, first.started.length], [1, 1]);
  assert.deepEqual((await ended(engine, waits)).output, { who: "you" });
  assert.equal((await ended(engine, first.started[0])).output, "hello you");
  const second = await engine.emit("refunded", { who: "me" });
  assert.deepEqual([second.notified, second.started.length], [0, 2]);
  assert.deepEqual(await engine.emit("nothing"), { notified: 0, started: [] });
});

test("what is missing is told when a trigger is used", async () => {
  const own = { name: "mine", type: "custom", provider: { name: "mine", type: "own", start: async () => ({}) } };
  const asked = [];
  const door = trigger({
    workflow: "unknown",
    attach: async (host) => host.client(),
    handle: async () => new Response(),
  });
  const engine = createWorkflowEngine({
    providers: [own],
    triggers: [door],
    url: "https://app.test/flows",
    env: {},
  });
  await assert.rejects(engine.initialize(), { code: "NotFound", message: /there is no workflow 'unknown'/ });
  await engine.register(defineWorkflow("unknown", async () => asked.push(1)));
  await assert.rejects(engine.initialize(), {
    code: "Unsupported",
    message: "the provider 'mine' does not offer 'client'",
  });
  assert.deepEqual(asked, []);
});

test("a trigger that is registered while the engine is initialized is attached, once", async (t) => {
  const seen = [];
  const gate = Promise.withResolvers();
  const attachSlowly = async () => {
    seen.push("slow");
    await gate.promise;
  };
  const slow = trigger({ name: "slow", attach: attachSlowly });
  const late = trigger({ name: "late", attach: async () => void seen.push("late") });
  const { engine } = await served(t, { workflows: [hello()], triggers: [slow] });
  const initializing = engine.initialize();
  const registering = engine.register(late, slow);
  gate.resolve();
  await Promise.all([initializing, registering, engine.initialize()]);
  assert.deepEqual(
    engine.triggers().map(({ name, isAttached }) => [name, isAttached]),
    [
      ["slow", true],
      ["late", true],
    ],
  );
  assert.deepEqual(seen.toSorted(), ["late", "slow"]);
});

test("a trigger that is removed while it is attached leaves nothing; a new one of its name comes after it", async (t) => {
  const seen = [];
  const [gate, begun] = [Promise.withResolvers(), Promise.withResolvers()];
  const door = trigger({
    attach: async () => {
      begun.resolve();
      await gate.promise;
      seen.push("attached");
    },
    detach: async () => void seen.push("detached"),
  });
  const other = trigger({ attach: async () => void seen.push("attached other") });
  const { engine } = await served(t, { workflows: [hello()], triggers: [door] });
  const initializing = engine.initialize();
  await begun.promise;
  const removing = engine.unregister("door");
  const replacing = engine.register(other);
  gate.resolve();
  await Promise.all([initializing, removing, replacing]);
  assert.equal(await removing, true);
  assert.deepEqual(seen, ["attached", "detached", "attached other"]);
});

test("a trigger that could not be taken away is still there", async (t) => {
  let failures = 1;
  const door = trigger({
    attach: async () => {},
    detach: async () => {
      if (failures-- > 0) throw new Error("not now");
    },
  });
  const { engine } = await served(t, { workflows: [hello()], triggers: [door] });
  await engine.initialize();
  await assert.rejects(engine.unregister("door"), { message: "not now" });
  assert.deepEqual([engine.triggers().length, await engine.unregister("door"), engine.triggers().length], [1, true, 0]);
});
