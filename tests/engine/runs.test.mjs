// Runs from their start to their end: a real broker, a real endpoint, one engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createStep } from "@repo/orchestration";
import { defineWorkflow } from "@repo/orchestration/server";
import { broker, ended, served, site, until } from "./support.mjs";

/** Tries that follow quickly. */
const QUICKLY = { retries: 1, retryDelay: "10" };

test("a function is served, run durably and followed to its end", async (t) => {
  const charged = [];
  const order = defineWorkflow("order", async (context) => {
    const paid = await context.run("charge", () => {
      charged.push(context.requestPayload.orderId);
      return { amount: context.requestPayload.orderId * 2 };
    });
    await context.sleep("cool down", 1);
    return context.run("ship", () => ({ ...paid, shipped: true }));
  });
  const { engine } = await served(t, { workflows: [order] });
  const before = Date.now();
  const started = await engine.executeWorkflow(order, { orderId: 7 }, { label: "vip" });
  assert.match(started.workflowRunId, /^wfr_/);
  assert.deepEqual({ ...started, workflowRunId: "" }, { workflowRunId: "", workflowId: "order", provider: "own" });

  const run = await ended(engine, started);
  const { workflowRunId, workflowId, provider, status, output, labels, error } = run;
  assert.deepEqual({ workflowRunId, workflowId, provider }, started);
  assert.deepEqual(
    { status, output, labels, error },
    { status: "completed", output: { amount: 14, shipped: true }, labels: ["vip"], error: undefined },
  );
  assert.deepEqual(
    run.steps.map(({ name, type, status, attempts, output }) => [name, type, status, attempts, output]),
    [
      ["charge", "Run", "completed", 1, { amount: 14 }],
      ["cool down", "SleepFor", "completed", 1, undefined],
      ["ship", "Run", "completed", 1, { amount: 14, shipped: true }],
    ],
  );
  assert.deepEqual(charged, [7]);
  const moments = [before, run.startedAt, ...run.steps.flatMap((step) => [step.startedAt, step.completedAt])];
  moments.push(run.completedAt, Date.now());
  assert.deepEqual(
    moments,
    moments.toSorted((a, b) => a - b),
  );
  assert.ok(run.steps[1].durationMs >= 1000 && run.durationMs >= 1000);
  assert.deepEqual(await engine.getExecution(started.workflowRunId), run);
});

test("a list of steps runs each durably, output piped to input", async (t) => {
  const tries = [];
  const download = createStep("download", (url) => ({ url, bytes: url.length }));
  const measure = createStep("measure", ({ bytes }, { attempt }) => {
    tries.push(attempt);
    if (tries.length === 1) throw new Error("the first try");
    return bytes;
  });
  const store = createStep("store", (bytes) => `${bytes} bytes`);
  const mirror = defineWorkflow("mirror", [download, measure, store], QUICKLY);
  const { engine } = await served(t, { workflows: [mirror] });
  const run = await ended(engine, await engine.executeWorkflow("mirror", "https://a.test"));
  assert.equal(run.output, "14 bytes");
  assert.deepEqual(
    run.steps.map(({ name, attempts, output }) => [name, attempts, output]),
    [
      ["download", 1, { url: "https://a.test", bytes: 14 }],
      ["measure", 2, 14],
      ["store", 1, "14 bytes"],
    ],
  );
});

test("inputs arrive as what they are", async (t) => {
  const echo = defineWorkflow("echo", async (context) => {
    const payload = await context.run("read", () => ({ type: typeof context.requestPayload }));
    return [payload.type, context.requestPayload];
  });
  const { engine } = await served(t, { workflows: [echo] });
  for (const input of ["5", "text", 5, false, { a: [null] }]) {
    const run = await ended(engine, await engine.executeWorkflow(echo, input));
    assert.deepEqual(run.output, [typeof input, input]);
  }
  const run = await ended(engine, await engine.executeWorkflow(echo));
  assert.equal(run.output[0], "undefined");
});

test("an id of your own starts one run, however often it is used", async (t) => {
  let runs = 0;
  const count = defineWorkflow("count", (context) => context.run("count", () => (runs += 1)));
  const { engine } = await served(t, { workflows: [count] });
  const options = { workflowRunId: "order-7" };
  const [first, second] = await Promise.all([
    engine.executeWorkflow(count, 1, options),
    engine.executeWorkflow(count, 1, options),
  ]);
  assert.deepEqual([first.workflowRunId, second.workflowRunId], ["wfr_order-7", "wfr_order-7"]);
  await ended(engine, first);
  await engine.executeWorkflow(count, 1, options);
  assert.equal((await engine.getExecution("order-7")).status, "completed");
  assert.equal(runs, 1);
  assert.equal((await engine.listExecutions({ workflowId: "count" })).runs.length, 1);
});

test("a failure is told: of the step that is tried again, and of the run that has failed", async (t) => {
  let release;
  const gate = new Promise((open) => {
    release = open;
  });
  const fragile = defineWorkflow(
    "fragile",
    async (context) => {
      await context.run("fine", () => 1);
      await context.run("break", async () => {
        if (context.retried > 0) await gate;
        throw new RangeError("out of range");
      });
    },
    QUICKLY,
  );
  const { engine } = await served(t, { workflows: [fragile] });
  const started = await engine.executeWorkflow(fragile);
  const retrying = await until(async () => {
    const run = await engine.getExecution(started.workflowRunId);
    return run?.steps.some(({ status }) => status === "retrying") ? run : undefined;
  });
  assert.equal(retrying.status, "running");
  const error = { name: "RangeError", message: "out of range", status: 500 };
  const [, step] = retrying.steps;
  assert.deepEqual([step.name, step.attempts, step.error], ["break", 1, error]);
  release();
  const run = await ended(engine, started);
  assert.deepEqual([run.status, run.output, run.error], ["failed", undefined, error]);
  assert.deepEqual(
    run.steps.map(({ name, status, attempts, error }) => [name, status, attempts, error]),
    [
      ["fine", "completed", 1, undefined],
      ["break", "failed", 2, error],
    ],
  );
});

test("a failure outside of steps, and of a parallel step, is the run's too", async (t) => {
  const careless = defineWorkflow(
    "careless",
    async (context) => {
      await context.run("fine", () => 1);
      throw new TypeError("not in a step");
    },
    { retries: 0 },
  );
  const parallel = defineWorkflow(
    "parallel",
    (context) =>
      Promise.all([
        context.run("left", () => "l"),
        context.run("right", () => {
          throw new Error("right is wrong");
        }),
      ]),
    { retries: 0 },
  );
  const { engine } = await served(t, { workflows: [careless, parallel] });
  const first = await ended(engine, await engine.executeWorkflow(careless));
  assert.deepEqual(first.error, { name: "TypeError", message: "not in a step", status: 500 });
  assert.deepEqual(
    first.steps.map(({ name, status }) => [name, status]),
    [["fine", "completed"]],
  );
  const second = await ended(engine, await engine.executeWorkflow(parallel));
  assert.deepEqual([second.status, second.error.message], ["failed", "right is wrong"]);
  const right = second.steps.find(({ name }) => name === "right");
  assert.deepEqual([right.status, right.error.message], ["failed", "right is wrong"]);
});

test("a failure function is called, and does not hide why", async (t) => {
  const failures = [];
  const doomed = defineWorkflow(
    "doomed",
    async (context) => {
      await context.run("break", () => {
        throw new Error("for good");
      });
    },
    { retries: 0, failureFunction: ({ failResponse }) => void failures.push(failResponse) },
  );
  const { engine } = await served(t, { workflows: [doomed] });
  const run = await ended(engine, await engine.executeWorkflow(doomed));
  assert.deepEqual([run.status, run.error.message], ["failed", "for good"]);
  await until(() => failures.length > 0);
  assert.deepEqual(failures, ["for good"]);
});

test("a run is cancelled while it waits, and only once", async (t) => {
  const patient = defineWorkflow("patient", async (context) => {
    await context.run("begin", () => 1);
    await context.sleep("wait", "1d");
  });
  const { engine } = await served(t, { workflows: [patient] });
  const { workflowRunId } = await engine.executeWorkflow(patient);
  await until(async () => (await engine.getExecution(workflowRunId))?.steps.length === 2);
  assert.equal(await engine.cancelExecution(workflowRunId), true);
  const run = await ended(engine, { workflowRunId });
  assert.deepEqual(
    [run.status, run.steps.map(({ name, status }) => `${name} ${status}`)],
    ["cancelled", ["begin completed", "wait cancelled"]],
  );
  assert.equal(await engine.cancelExecution(workflowRunId), false);
  assert.equal(await engine.cancelExecution("wfr_unknown"), false);
});

test("an event reaches the runs that wait for it", async (t) => {
  const waiting = defineWorkflow("waiting", async (context) => {
    const { eventData, timeout } = await context.waitForEvent("paid?", `paid-${context.requestPayload}`, {
      timeout: "1h",
    });
    return { eventData, timeout };
  });
  const { engine } = await served(t, { workflows: [waiting] });
  const started = await engine.executeWorkflow(waiting, 7);
  await until(async () => (await engine.getExecution(started.workflowRunId))?.steps.length === 1);
  assert.equal(await engine.notify({ eventId: "paid-8", data: {} }), 0);
  assert.equal(await engine.notify({ eventId: "paid-7", data: { amount: 5 } }), 1);
  const run = await ended(engine, started);
  assert.deepEqual(run.output, { eventData: { amount: 5 }, timeout: false });

  // To a run that begins to wait later.
  const late = await engine.executeWorkflow(waiting, 9, { workflowRunId: "late", delay: 1 });
  await engine.notify({ eventId: "paid-9", data: 1, workflowRunId: "late" });
  assert.deepEqual((await ended(engine, late)).output, { eventData: 1, timeout: false });
});

test("a workflow invokes another of the engine, also by a provider that is not the default", async (t) => {
  const ship = defineWorkflow("ship", [createStep("pack", ({ orderId }) => `parcel ${orderId}`)]);
  const order = defineWorkflow("order", async (context) => {
    const { body, isFailed } = await context.invoke("ship it", { workflow: ship, body: context.requestPayload });
    return { body, isFailed };
  });
  const [a, b] = [await broker(t), await broker(t)];
  const { engine } = await served(t, {
    workflows: [order, ship],
    providers: [
      { name: "a", type: "upstash-workflow", config: a.config },
      { name: "b", type: "upstash-workflow", config: b.config },
    ],
  });
  for (const provider of ["a", "b"]) {
    const run = await ended(engine, await engine.executeWorkflow(order, { orderId: 7 }, { provider }));
    assert.deepEqual(run.output, { body: "parcel 7", isFailed: false });
    const { runs } = await engine.listExecutions({ workflowId: "ship" }, { provider });
    assert.deepEqual(
      runs.map(({ status, output }) => [status, output]),
      [["completed", "parcel 7"]],
    );
  }
});

test("steps of every kind are told, one after the other and side by side", async (t) => {
  const rates = await site(t);
  rates.answers(async () => Response.json({ rate: 3 }));
  const many = defineWorkflow("many", async (context) => {
    await context.call("rates", { url: rates.url, method: "GET" });
    await context.notify("tell", "told", { a: 1 });
    await Promise.all([context.run("left", () => "l"), context.sleep("side", 1), context.run("right", () => "2")]);
    await context.waitForEvent("never", "never", { timeout: "1s" });
  });
  const { engine } = await served(t, { workflows: [many] });
  const { steps, startedAt, completedAt } = await ended(engine, await engine.executeWorkflow(many));
  const [call, ...rest] = steps;
  assert.deepEqual([call.type, call.output.status, call.output.body], ["Call", 200, { rate: 3 }]);
  assert.deepEqual(
    rest.map(({ name, type, output }) => [name, type, output]),
    [
      ["tell", "Notify", { eventId: "told", eventData: { a: 1 }, notifyResponse: [] }],
      ["left", "Run", "l"],
      ["side", "SleepFor", undefined],
      ["right", "Run", "2"],
      ["never", "Wait", undefined],
    ],
  );
  for (const step of steps) {
    assert.ok(step.startedAt >= startedAt && step.completedAt <= completedAt, step.name);
    assert.equal(step.durationMs, step.completedAt - step.startedAt);
  }
  const [, , , side, , wait] = steps;
  assert.ok(side.completedAt <= wait.startedAt && side.durationMs === 1000 && wait.durationMs >= 1000);
});

test("a run that waits for its start is pending", async (t) => {
  const later = defineWorkflow("later", (context) => context.run("one", () => 1));
  const { engine } = await served(t, { workflows: [later] });
  const { workflowRunId } = await engine.executeWorkflow(later, undefined, { delay: "1d" });
  const run = await engine.getExecution(workflowRunId);
  assert.deepEqual([run.status, run.steps], ["pending", []]);
});

test("runs are listed by workflow, status and label, a page at a time, the newest first", async (t) => {
  const define = (id) => defineWorkflow(id, (context) => context.run("one", () => 1));
  const [a, b] = [define("a"), define("b")];
  const { engine } = await served(t, { workflows: [a, b] });
  const ids = [];
  for (let index = 0; index < 5; index += 1) {
    const workflow = index % 2 === 0 ? a : b;
    const started = await engine.executeWorkflow(workflow, index, { label: index < 2 ? "early" : ["late", "x"] });
    await ended(engine, started);
    ids.unshift(started.workflowRunId);
  }
  const delayed = await engine.executeWorkflow(a, 5, { delay: "1d" });
  const idsOf = ({ runs }) => runs.map(({ workflowRunId }) => workflowRunId);
  const list = async (filter) => idsOf(await engine.listExecutions(filter));

  assert.deepEqual(await list(), [delayed.workflowRunId, ...ids]);
  assert.deepEqual(await list({ workflowId: "b" }), [ids[1], ids[3]]);
  assert.deepEqual(await list({ status: "completed" }), ids);
  assert.deepEqual(await list({ status: "pending" }), [delayed.workflowRunId]);
  assert.deepEqual(await list({ status: "running" }), []);
  assert.deepEqual(await list({ label: "early", workflowId: "a" }), [ids[4]]);
  assert.deepEqual(await list({ label: "x" }), ids.slice(0, 3));
  assert.deepEqual(await list({ workflowId: "unknown" }), []);

  const pages = [];
  let cursor;
  do {
    const page = await engine.listExecutions({ status: "completed", count: 2, cursor });
    pages.push(idsOf(page));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(pages.flat(), ids);
  assert.deepEqual(
    pages.map((page) => page.length),
    [2, 2, 1],
  );
});

test("an input that does not fit its schema starts nothing", async (t) => {
  const schema = {
    parse(value) {
      if (typeof value?.orderId !== "number") throw new Error("orderId: expected a number");
      return { orderId: value.orderId + 1 };
    },
  };
  const order = defineWorkflow("order", async (context) => context.run("x", () => context.requestPayload), { schema });
  const { engine, requests } = await served(t, { workflows: [order] });
  for (const input of [undefined, {}, { orderId: "7" }])
    await assert.rejects(engine.executeWorkflow(order, input), {
      code: "ValidationFailed",
      message: "the input does not fit the schema of the workflow 'order': orderId: expected a number",
    });
  assert.deepEqual((await engine.listExecutions()).runs, []);
  assert.deepEqual(requests, []);
  // What the schema makes of it reaches the workflow once.
  const run = await ended(engine, await engine.executeWorkflow(order, { orderId: 7 }));
  assert.deepEqual(run.output, { orderId: 8 });
});

test("waiting ends with the signal's reason, and with the run that nobody knows", async (t) => {
  const { engine } = await served(t);
  assert.equal(await engine.getExecution("wfr_unknown"), undefined);
  const reason = new Error("enough");
  const given = AbortSignal.abort(reason);
  await assert.rejects(engine.waitForExecution("wfr_unknown", { signal: given }), reason);
  const limit = new AbortController();
  const waiting = engine.waitForExecution("wfr_unknown", { signal: limit.signal, intervalMs: 5 });
  setTimeout(() => limit.abort(reason), 50);
  await assert.rejects(waiting, reason);
  await assert.rejects(engine.executeWorkflow("unknown"), {
    code: "NotFound",
    message: "there is no workflow 'unknown'; there are: none",
  });
});

test("an empty id of a run is refused", async (t) => {
  const { engine } = await served(t, { workflows: [defineWorkflow("any", async () => {})] });
  for (const id of ["", " ", "wfr_", 5])
    for (const call of [
      () => engine.executeWorkflow("any", 1, { workflowRunId: id }),
      () => engine.getExecution(id),
      () => engine.cancelExecution(id),
      () => engine.waitForExecution(id),
      () => engine.notify({ eventId: "e", workflowRunId: id }),
    ])
      await assert.rejects(call, { code: "InvalidRequest", message: /workflowRunId/ }, String(call));
  assert.deepEqual((await engine.listExecutions()).runs, []);
});
