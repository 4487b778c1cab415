/** The HTTP API over an engine whose runs a real broker keeps. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { createWorkflowApi, defineWorkflow } from "@repo/orchestration/server/next";

import { served, until } from "../engine/support.mjs";
import { ask } from "./support.mjs";

const order = defineWorkflow("order", async (context) => {
  const price = await context.run("price", () => context.requestPayload.amount * 2);
  const { eventData } = await context.waitForEvent("approval", `approve-${context.requestPayload.id}`);
  return { price, by: eventData.by };
});
const failing = defineWorkflow("failing", async (context) => {
  await context.run("break", () => Promise.reject(new Error("no stock")), { retries: 0 });
});

async function api(t) {
  const on = await served(t, { workflows: [order, failing] });
  return { ...on, api: createWorkflowApi({ engine: on.engine, authorize: () => true, follow: { intervalMs: 20 } }) };
}

/** The events of a stream as they come: names and runs. */
async function* followed(response) {
  let rest = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(rest.slice(0, end)) ?? [];
      rest = rest.slice(end + 2);
      if (event) yield [event, JSON.parse(data)];
    }
  }
}

test("a run is started, followed, told of an event, and ends", async (t) => {
  const { api: on } = await api(t);
  const body = { input: { id: 7, amount: 21 }, label: "vip" };
  const [status, started] = await ask(on, "POST /workflows/order/runs", { body });
  assert.deepEqual([status, started.workflowId, started.provider], [202, "order", "own"]);
  const { workflowRunId } = started;
  const isWaiting = async () => {
    const [, run] = await ask(on, `GET /runs/${workflowRunId}`);
    return run.steps?.some(({ name, status }) => name === "approval" && status === "running");
  };
  await until(isWaiting);
  const request = new Request(`https://app.test/api/orchestration/runs/${workflowRunId}/events`);
  const events = followed(await on.GET(request));
  const [event, first] = (await events.next()).value;
  assert.deepEqual([event, first.status, first.labels], ["run", "running", ["vip"]]);

  const [, { notified }] = await ask(on, "POST /events/approve-7", { body: { data: { by: "Ada" } } });
  assert.equal(notified, 1);
  const rest = [];
  for await (const told of events) rest.push(told);
  const [last] = rest.at(-2).slice(1);
  assert.deepEqual([last.status, last.output], ["completed", { price: 42, by: "Ada" }]);
  assert.equal(rest.at(-1)[0], "end");

  const [, { steps }] = await ask(on, `GET /runs/${workflowRunId}/history`);
  assert.deepEqual(
    steps.map(({ name, status }) => [name, status]),
    [
      ["price", "completed"],
      ["approval", "completed"],
    ],
  );
  const [, page] = await ask(on, "GET /runs?workflowId=order&status=completed&label=vip");
  assert.deepEqual(
    page.runs.map((run) => run.workflowRunId),
    [workflowRunId],
  );
  assert.deepEqual((await ask(on, "GET /runs?workflowId=failing"))[1].runs, []);
  assert.equal((await ask(on, `POST /runs/${workflowRunId}/cancel`))[1].cancelled, false);
});

test("a run is cancelled, another fails, and both are counted", async (t) => {
  const { api: on } = await api(t);
  const [, { workflowRunId }] = await ask(on, "POST /workflows/order/runs", { body: { input: { id: 8, amount: 1 } } });
  assert.equal((await ask(on, `POST /runs/${workflowRunId}/cancel`))[1].cancelled, true);
  assert.equal((await ask(on, `GET /runs/${workflowRunId}`))[1].status, "cancelled");
  const [, failed] = await ask(on, "POST /workflows/failing/runs");
  const run = await until(async () => {
    const [, run] = await ask(on, `GET /runs/${failed.workflowRunId}`);
    return run.status === "failed" && run;
  });
  assert.equal(run.error.message, "no stock");
  const [, { workflows }] = await ask(on, "GET /metrics");
  const counted = workflows.find(({ workflowId }) => workflowId === "failing");
  assert.deepEqual([counted.started, counted.failed], [1, 1]);
  const [, text] = await ask(on, "GET /metrics", { headers: { accept: "text/plain" } });
  assert.match(text, /^# TYPE /m);
  assert.match(text, /failing/);
});

test("schedules are made, paused, listed and removed", async (t) => {
  const { api: on } = await api(t);
  const body = { workflowId: "order", cron: "0 3 * * *", input: { id: 1, amount: 1 }, scheduleId: "nightly" };
  assert.deepEqual((await ask(on, "POST /schedules", { body })).slice(0, 2), [201, { scheduleId: "nightly" }]);
  const listed = async () => (await ask(on, "GET /schedules"))[1].schedules;
  const [{ workflowId, cron, isPaused, nextRunAt }] = await listed();
  assert.deepEqual([workflowId, cron, isPaused, nextRunAt > Date.now()], ["order", "0 3 * * *", false, true]);
  await ask(on, "POST /schedules/nightly/pause");
  assert.equal((await listed())[0].isPaused, true);
  await ask(on, "POST /schedules/nightly/resume");
  assert.equal((await listed())[0].isPaused, false);
  assert.equal((await ask(on, "DELETE /schedules/nightly"))[0], 204);
  assert.deepEqual(await listed(), []);
});

test("what the engine refuses is answered by its code", async (t) => {
  const { api: on, broker } = await api(t);
  for (const [line, body, status, code] of [
    ["POST /workflows/unknown/runs", { input: 1 }, 404, "NotFound"],
    ["POST /schedules", { workflowId: "order", cron: "every day" }, 400, "BrokerRefused"],
    ["GET /runs/wfr_unknown", undefined, 404, "NotFound"],
    ["GET /runs?provider=other", undefined, 404, "NotFound"],
  ]) {
    const [got, { error, message }] = await ask(on, line, { body });
    assert.deepEqual([line, got, error], [line, status, code], message);
  }
  const [up, health] = await ask(on, "GET /health");
  assert.deepEqual([up, health.status, health.providers[0].name], [200, "healthy", "own"]);
  await broker.stop(0);
  const [down, dead] = await ask(on, "GET /health");
  assert.deepEqual([down, dead.status], [503, "unhealthy"]);
  assert.ok(!JSON.stringify(dead).includes(broker.token));
});
