// Triggers of every type: registered, listed, pulled and removed, on a real engine and a real broker.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defineWorkflow } from "@repo/orchestration/server";
import {
  eventTrigger,
  httpTrigger,
  queueTrigger,
  scheduleTrigger,
  urlGroupTrigger,
} from "@repo/orchestration/triggers";
import { Client } from "@repo/orchestration/workflows";
import { codeOf, echo, ended, having, runs, served, until, urlOf } from "./support.mjs";

const post = (url, body, headers = {}) =>
  fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

describe("by HTTP", () => {
  test("a request starts a run, and its key starts it once", async (t) => {
    const { workflow, inputs } = echo();
    const orders = httpTrigger({
      name: "orders",
      workflow,
      authorize: ({ headers }) => headers.get("x-key") === "k",
      schema: having("id"),
      map: ({ id }, request) => ({ id, from: request.headers.get("x-from") }),
      run: { label: "web" },
    });
    const { engine, url } = await served(t, { triggers: [orders] });
    assert.deepEqual(engine.triggers(), [
      {
        name: "orders",
        type: "http",
        workflowId: "echo",
        url: `${url}/api/workflows/triggers/orders`,
        isAttached: true,
      },
    ]);
    const address = urlOf(engine, "orders");
    const headers = {
      "x-key": "k",
      "x-from": "test",
      "idempotency-key": "any key: /?",
    };
    const answer = await post(address, { id: 7 }, headers);
    assert.equal(answer.status, 202);
    const run = await answer.json();
    assert.deepEqual([run.workflowId, run.provider], ["echo", "own"]);
    assert.match(run.workflowRunId, /^wfr_orders-[0-9a-f]{32}$/);
    const { output, labels } = await ended(engine, run);
    assert.deepEqual([output, labels], [{ id: 7, from: "test" }, ["web"]]);
    const again = await post(address, { id: 7 }, headers);
    assert.deepEqual([again.status, (await again.json()).workflowRunId], [202, run.workflowRunId]);
    const other = await (await post(address, { id: 8 }, { ...headers, "idempotency-key": "b" })).json();
    await ended(engine, other);
    assert.deepEqual(inputs, [
      { id: 7, from: "test" },
      { id: 8, from: "test" },
    ]);
  });

  test("who may not, and what does not fit, starts nothing", async (t) => {
    const { workflow, inputs } = echo();
    const common = { workflow, schema: having("id"), maxBodyBytes: 100 };
    const guarded = httpTrigger({
      ...common,
      name: "guarded",
      authorize: ({ headers }) =>
        headers.has("x-away") ? Response.redirect("https://login.test/") : headers.has("x-key"),
    });
    const open = httpTrigger({ ...common, name: "open", public: true, methods: ["POST", "GET"] });
    const { engine } = await served(t, { triggers: [guarded, open] });
    const [guardedUrl, openUrl] = [urlOf(engine, "guarded"), urlOf(engine, "open")];
    assert.deepEqual(await codeOf(await post(guardedUrl, { id: 1 })), [403, "Forbidden"]);
    const away = await fetch(guardedUrl, { method: "POST", headers: { "x-away": "1" }, redirect: "manual" });
    assert.deepEqual([away.status, away.headers.get("location")], [302, "https://login.test/"]);
    assert.deepEqual(await codeOf(await post(openUrl, { other: 1 })), [400, "ValidationFailed"]);
    assert.deepEqual(await codeOf(await post(openUrl, { id: "x".repeat(100) })), [413, "PayloadTooLarge"]);
    const raw = (body, type) => fetch(openUrl, { method: "POST", body, headers: { "content-type": type } });
    assert.deepEqual(await codeOf(await raw("{", "application/json")), [400, "InvalidRequest"]);
    assert.deepEqual(await codeOf(await raw("x", "image/png")), [400, "InvalidRequest"]);
    assert.deepEqual(await codeOf(await raw(new Uint8Array([255]), "text/plain")), [400, "InvalidRequest"]);
    assert.deepEqual(await codeOf(await fetch(openUrl, { method: "PUT" })), [405, "MethodNotAllowed"]);
    assert.deepEqual(await codeOf(await post(urlOf(engine, "open").replace("open", "none"), {})), [404, "NotFound"]);
    assert.deepEqual((await engine.listExecutions()).runs, []);
    const form = await raw("id=7&b=c", "application/x-www-form-urlencoded");
    assert.deepEqual((await ended(engine, await form.json())).output, { id: "7", b: "c" });
    const query = await fetch(`${openUrl}?id=8`);
    assert.deepEqual((await ended(engine, await query.json())).output, { id: "8" });
    assert.equal(inputs.length, 2);
  });

  /** Pulls a trigger alone: the status or the code of its answer, and the id of the run. */
  const pulling = (options) => {
    const trigger = httpTrigger({ name: "x", workflow: "w", ...options });
    const start = async (_, { workflowRunId }) => ({ workflowRunId, workflowId: "w", provider: "own" });
    return async (headers, { method = "POST", body = '{"id":1}', query = "" } = {}) => {
      const init = { method, headers, body: method === "GET" ? null : body };
      try {
        const answer = await trigger.handle(new Request(`https://app.test/triggers/x${query}`, init), { start });
        return { status: answer.status, id: answer.status === 202 ? (await answer.json()).workflowRunId : undefined };
      } catch ({ code }) {
        return { status: code };
      }
    };
  };

  test("pages of other origins can't pull it, with whatever cookie", async () => {
    const [evil, shop] = ["https://evil.test", "https://shop.test"];
    const methods = ["GET", "POST"];
    const pull = pulling({
      methods,
      authorize: ({ headers }) => headers.get("cookie") === "a",
      allowedOrigins: [shop],
    });
    const status = async (headers, more) => (await pull({ cookie: "a", ...headers }, more)).status;
    for (const method of methods) {
      assert.equal(await status({ origin: evil }, { method }), "Forbidden");
      assert.equal(await status({ origin: "null" }, { method }), "Forbidden");
      assert.equal(await status({ origin: evil, "sec-fetch-site": "cross-site" }, { method }), "Forbidden");
      // Links and images tell no origin.
      assert.equal(await status({ "sec-fetch-site": "cross-site" }, { method }), "Forbidden");
      assert.equal(await status({ "sec-fetch-site": "same-site" }, { method }), "Forbidden");
      assert.equal(await status({}, { method }), 202);
      assert.equal(await status({ "sec-fetch-site": "none" }, { method }), 202);
      assert.equal(await status({ origin: "https://app.test" }, { method }), 202);
      assert.equal(await status({ origin: shop, "sec-fetch-site": "cross-site" }, { method }), 202);
      assert.equal(await status({ origin: "https://proxied.test", "sec-fetch-site": "same-origin" }, { method }), 202);
    }
    const open = pulling({ public: true });
    assert.equal((await open({ origin: evil, "sec-fetch-site": "cross-site" })).status, 202);
  });

  test("anything but true refuses", async () => {
    for (const verdict of [null, undefined, {}, [], "yes", 1, { user: "anna" }])
      assert.equal((await pulling({ authorize: () => verdict })({})).status, "Forbidden");
    const like = { status: 418, headers: new Headers() };
    assert.equal((await pulling({ authorize: () => like })({})).status, 418);
  });

  test("a key is of one payload, and of one caller if they are identified", async () => {
    const headers = { "idempotency-key": "1", "content-type": "application/json", "x-user": "anna" };
    const ids = async (options, ...requests) => {
      const pull = pulling({ public: true, methods: ["GET", "POST"], ...options });
      const all = [];
      for (const [changed, more] of requests) all.push((await pull({ ...headers, ...changed }, more)).id);
      return all.map((id) => all.indexOf(id));
    };
    const requests = [
      [{}],
      [{}, { body: '{"id":2}' }],
      [{}],
      [{ "x-user": "bob" }],
      [{}, { method: "GET", query: "?a=1" }],
      [{}, { method: "GET", query: "?a=2" }],
      [{}, { method: "GET", query: "?a=1" }],
    ];
    assert.deepEqual(await ids({}, ...requests), [0, 1, 0, 0, 4, 5, 4]);
    const identify = async (request) => request.headers.get("x-user");
    assert.deepEqual(await ids({ identify }, ...requests), [0, 1, 0, 3, 4, 5, 4]);
    const shifted = [[{ "idempotency-key": "1a", "x-user": "b" }], [{ "idempotency-key": "1", "x-user": "ab" }]];
    assert.deepEqual(await ids({ identify }, ...shifted), [0, 1]);
  });

  test("one that is open by mistake can't be made", () => {
    for (const options of [{}, { public: false }, { authorize: true }])
      assert.throws(() => httpTrigger({ name: "x", workflow: "w", ...options }), { code: "InvalidConfiguration" });
  });
});

test("a schedule starts runs, is replaced under its id, and goes with its trigger", async (t) => {
  let now = Date.now();
  const { workflow, inputs } = echo();
  const nightly = (cron, input) => scheduleTrigger({ name: "nightly", workflow, cron, input, label: "cron" });
  const { engine, broker } = await served(t, { brokerOptions: { now: () => now } });
  await engine.register(nightly("0 3 * * *", { n: 1 }));
  assert.equal(engine.triggers()[0].isAttached, false);
  await engine.initialize();
  assert.equal(engine.triggers()[0].isAttached, true);
  const [schedule] = await engine.listSchedules();
  assert.deepEqual([schedule.scheduleId, schedule.workflowId, schedule.cron], ["nightly", "echo", "0 3 * * *"]);
  assert.equal(await engine.unregister("nightly"), true);
  assert.deepEqual([await engine.listSchedules(), engine.triggers()], [[], []]);
  await engine.register(nightly("* * * * *", { n: 2 }));
  assert.equal((await engine.listSchedules()).length, 1);
  now += 61_000;
  broker.wake();
  const [run] = await runs(engine, 1);
  assert.deepEqual([run.output, inputs], [{ n: 2 }, [{ n: 2 }]]);
  // Deleted by somebody else: removing the trigger is no mistake all the same.
  await engine.unscheduleWorkflow("nightly");
  assert.equal(await engine.unregister("nightly"), true);
  assert.equal(await engine.unregister("nightly"), false);
});

test("an event starts runs besides those that wait for it", async (t) => {
  const { workflow, inputs } = echo();
  const waiting = defineWorkflow("waiting", async (context) => (await context.waitForEvent("wait", "paid")).eventData);
  const trigger = eventTrigger({
    name: "paid",
    workflow,
    event: ["paid", "refunded"],
    map: ({ id }) => ({ order: id }),
  });
  const { engine, broker } = await served(t, { workflows: [waiting], triggers: [trigger] });
  const waits = await engine.executeWorkflow(waiting);
  const client = new Client({ baseUrl: broker.url, token: broker.token });
  await until(async () => (await client.getWaiters({ eventId: "paid" })).length === 1);
  const { notified, started } = await engine.emit("paid", { id: 7 });
  assert.deepEqual([notified, started.length], [1, 1]);
  assert.deepEqual((await ended(engine, waits)).output, { id: 7 });
  assert.deepEqual((await ended(engine, started[0])).output, { order: 7 });
  assert.equal((await engine.emit("unknown", {})).started.length, 0);
  await engine.unregister("paid");
  assert.equal((await engine.emit("refunded", { id: 8 })).started.length, 0);
  assert.deepEqual(inputs, [{ order: 7 }]);
  assert.throws(() => eventTrigger({ name: "x", workflow, event: [] }), { code: "InvalidConfiguration" });
});

for (const [kind, make, send] of [
  [
    "a queue",
    (workflow) => queueTrigger({ name: "pull", workflow, queueName: "work", schema: having("n"), parallelism: 2 }),
    (trigger, engine, payload) => trigger.enqueue(engine, payload),
  ],
  [
    "a URL group",
    (workflow) => urlGroupTrigger({ name: "pull", workflow, urlGroup: "news", schema: having("n") }),
    (_, engine, payload) => engine.provider().client.publishJSON({ urlGroup: "news", body: payload }),
  ],
])
  describe(`by ${kind}`, () => {
    test("a message starts one run, however often it is delivered", async (t) => {
      const { workflow, inputs } = echo();
      const trigger = make(workflow);
      const on = await served(t, { triggers: [trigger] });
      await on.engine.initialize();
      await send(trigger, on.engine, { n: 1 });
      await send(trigger, on.engine, { n: 2 });
      const all = await runs(on.engine, 2);
      assert.deepEqual(new Set(inputs.map(({ n }) => n)), new Set([1, 2]));
      assert.ok(all.every(({ workflowRunId }) => /^wfr_pull-msg_/.test(workflowRunId)));
      const again = await on.arrived[0]();
      assert.equal(again.status, 202);
      const { workflowRunId } = await again.json();
      assert.ok(all.some((run) => run.workflowRunId === workflowRunId));
      await on.broker.idle();
      assert.deepEqual([(await on.engine.listExecutions()).runs.length, inputs.length], [2, 2]);
    });

    test("what the broker has not signed is refused", async (t) => {
      const { workflow } = echo();
      const trigger = make(workflow);
      const on = await served(t, { triggers: [trigger] });
      await on.engine.initialize();
      await send(trigger, on.engine, { n: 1 });
      await runs(on.engine, 1);
      assert.deepEqual(await codeOf(await post(urlOf(on.engine, "pull"), { n: 2 })), [401, "SignatureMissing"]);
      assert.deepEqual(await codeOf(await on.arrived[0]({ body: '{"n":2}' })), [403, "SignatureBody"]);
      const forged = { "upstash-signature": "e30.e30.e30", "upstash-message-id": "msg_1" };
      assert.deepEqual(await codeOf(await on.arrived[0]({ headers: forged })), [401, "SignatureMalformed"]);
      await on.broker.idle();
      assert.equal((await on.engine.listExecutions()).runs.length, 1);
    });

    test("a payload that does not fit becomes a dead letter at once", async (t) => {
      const { workflow } = echo();
      const trigger = make(workflow);
      const on = await served(t, { triggers: [trigger] });
      await on.engine.initialize();
      await send(trigger, on.engine, { other: 1 });
      const [letter] = await until(async () => {
        const { messages } = await on.engine.provider().client.dlq.listMessages();
        return messages.length > 0 ? messages : undefined;
      });
      assert.equal(letter.responseStatus, 489);
      assert.match(letter.responseBody, /ValidationFailed.*n is missing/);
      assert.equal(on.arrived.length, 1);
    });
  });

test("a queue is made with its trigger, kept as it is, and deleted or paused when the trigger goes", async (t) => {
  const { workflow } = echo();
  const trigger = queueTrigger({ name: "work", workflow, parallelism: 3 });
  const { engine } = await served(t, { triggers: [trigger] });
  await engine.initialize();
  const queue = engine.provider().client.queue({ queueName: "work" });
  assert.equal((await queue.get()).parallelism, 3);
  assert.equal(trigger.queueName, "work");
  await engine.unregister("work");
  await assert.rejects(queue.get(), { status: 404 });
  await queue.upsert({ parallelism: 1, paused: true });
  await engine.register(trigger);
  const { parallelism, paused } = await queue.get();
  assert.deepEqual([parallelism, paused], [3, true]);
  await trigger.enqueue(engine, { n: 1 });
  await engine.unregister("work");
  assert.deepEqual([(await queue.get()).lag, (await queue.get()).paused], [1, true]);
  await assert.rejects(trigger.enqueue(engine, { n: 2 }), { code: "NotFound" });
});

test("the endpoint of a URL group is there while its trigger is", async (t) => {
  const { workflow } = echo();
  const trigger = urlGroupTrigger({ name: "pull", workflow, urlGroup: "news" });
  const { engine } = await served(t, { triggers: [trigger] });
  await engine.initialize();
  const { urlGroups } = engine.provider().client;
  await urlGroups.addEndpoints({ name: "news", endpoints: [{ name: "other", url: "https://other.test/" }] });
  const names = async () => (await urlGroups.get("news")).endpoints.map(({ name }) => name).sort();
  assert.deepEqual(await names(), ["other", "pull"]);
  assert.equal((await urlGroups.get("news")).endpoints.find(({ name }) => name === "pull").url, urlOf(engine, "pull"));
  await engine.unregister("pull");
  assert.deepEqual(await names(), ["other"]);
  await engine.register(trigger);
  await urlGroups.delete("news");
  assert.equal(await engine.unregister("pull"), true);
});
