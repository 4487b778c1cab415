// Failed runs with the official client: listed, resumed, restarted, their failure told again, removed, cancelled.

import assert from "node:assert/strict";
import test from "node:test";
import { broker, official, server, until } from "./support.mjs";

/** A workflow whose second step and whose failure function fail as long as `on.broken` says so. */
async function fragile(t) {
  const on = await broker(t);
  const state = { broken: true, deaf: false, ran: [], told: 0 };
  const endpoint = await official(
    t,
    on,
    async (context) => {
      const n = await context.run("first", () => state.ran.push("first") && context.requestPayload.n);
      await context.run("second", () => {
        if (state.broken) throw new Error("broken");
        state.ran.push("second");
      });
      return n;
    },
    {
      failureFunction: () => {
        state.told += 1;
        if (state.deaf) throw new Error("deaf");
        return "noted";
      },
    },
  );
  const trigger = (options = {}) =>
    on.workflow.trigger({ url: `${endpoint.url}/w`, body: { n: 7 }, retries: 0, ...options });
  const letter = (workflowRunId) =>
    until(async () => (await on.workflow.dlq.list({ filter: { workflowRunId } })).messages[0]);
  return { on, state, endpoint, trigger, letter };
}

test("official client: a failed run is listed and resumed after what was done", async (t) => {
  const { on, state, endpoint, trigger, letter } = await fragile(t);
  const { workflowRunId } = await trigger({ label: "gold" });
  const { dlqId, ...failed } = await letter(workflowRunId);
  assert.deepEqual([failed.responseStatus, failed.workflowUrl, failed.label], [500, `${endpoint.url}/w`, "gold"]);
  assert.match(failed.responseBody, /broken/);
  state.broken = false;
  const resumed = await on.workflow.dlq.resume({ dlqId, retries: 1 });
  assert.notEqual(resumed.workflowRunId, workflowRunId);
  const run = await on.ended(resumed.workflowRunId);
  assert.deepEqual([run.workflowState, run.workflowRunResponse], ["RUN_SUCCESS", "7"]);
  assert.deepEqual(state.ran, ["first", "second"]);
  assert.deepEqual((await on.workflow.dlq.list()).messages, []);
  await assert.rejects(on.workflow.dlq.resume({ dlqId }), { status: 404 });
});

test("official client: failed runs are restarted and deleted in bulk", async (t) => {
  const { on, state, trigger, letter } = await fragile(t);
  const letters = [];
  for (const label of ["a", "b", "c", "d"]) {
    const { workflowRunId } = await trigger({ label });
    letters.push(await letter(workflowRunId));
  }
  state.broken = false;
  const byIds = await on.workflow.dlq.restart({ dlqId: letters.slice(0, 2).map(({ dlqId }) => dlqId) });
  const { workflowRuns } = await on.workflow.dlq.restart({ filter: { label: "c" } });
  const runs = [...byIds, ...workflowRuns];
  assert.equal(runs.length, 3);
  for (const { workflowRunId } of runs) {
    assert.equal((await on.ended(workflowRunId)).workflowState, "RUN_SUCCESS");
  }
  assert.equal(state.ran.filter((step) => step === "first").length, 4 + 3);
  assert.equal((await on.workflow.dlq.delete({ filter: { label: "none" } })).deleted, 0);
  assert.equal((await on.workflow.dlq.delete({ all: true })).deleted, 1);
  assert.deepEqual((await on.workflow.dlq.list()).messages, []);
});

test("official client: a failure function that failed is called again", async (t) => {
  const { on, state, trigger, letter } = await fragile(t);
  state.deaf = true;
  const { workflowRunId } = await trigger();
  const { dlqId } = await letter(workflowRunId);
  const info = (wanted) => until(async () => (await letter(workflowRunId)).failureCallbackInfo?.state === wanted);
  await info("CALLBACK_FAIL");
  assert.equal(state.told, 1);
  state.deaf = false;
  assert.equal((await on.workflow.dlq.retryFailureFunction({ dlqId })).workflowRunId, workflowRunId);
  await info("CALLBACK_SUCCESS");
  assert.equal(state.told, 2);
  await assert.rejects(on.workflow.dlq.retryFailureFunction({ dlqId }), { status: 400 });
});

test("official client: runs are cancelled by filters, and a filter that is unknown cancels nothing", async (t) => {
  const on = await broker(t);
  const endpoint = await official(t, on, (context) => context.sleep("long", 3600));
  const start = (path, label) => on.workflow.trigger({ url: `${endpoint.url}${path}`, label });
  const runs = [];
  for (const [path, label] of [
    ["/a", "x"],
    ["/a", "y"],
    ["/b/c", "z"],
    ["/b/d", "z"],
    ["/e", "z"],
  ]) {
    runs.push((await start(path, label)).workflowRunId);
  }
  const live = async () => (await on.workflow.logs({ state: "RUN_STARTED", count: 50 })).runs.length;
  await until(async () => (await live()) === 5);
  assert.equal((await on.api("/v2/workflows/runs?lable=x", { method: "DELETE" })).status, 400);
  const { workflow } = on;
  assert.deepEqual(await workflow.cancel({ filter: { label: "x" } }), { cancelled: 1 });
  assert.deepEqual(await workflow.cancel({ filter: { workflowUrlStartingWith: `${endpoint.url}/b/` } }), {
    cancelled: 2,
  });
  assert.deepEqual(await workflow.cancel({ filter: { path: "/e", host: new URL(endpoint.url).host } }), {
    cancelled: 1,
  });
  assert.deepEqual(await workflow.cancel({ filter: { workflowUrl: `${endpoint.url}/a` } }), { cancelled: 1 });
  assert.deepEqual(await workflow.cancel(runs), { cancelled: 0 });
  assert.equal(await live(), 0);
});

test("official client: dead letters are retried, with their callbacks, and removed", async (t) => {
  const on = await broker(t);
  let broken = true;
  const endpoint = await server(t, () => (broken ? { status: 500 } : {}));
  const back = await server(t, () => {});
  const publish = (label) =>
    on.qstash.publishJSON({ url: endpoint.url, body: { label }, label, retries: 0, callback: back.url });
  for (const label of ["a", "b", "c"]) await publish(label);
  const { dlq } = on.qstash;
  await until(async () => (await dlq.listMessages()).messages.length === 3);
  broken = false;
  const [{ dlqId }] = (await dlq.listMessages({ filter: { label: "a" } })).messages;
  const { responses } = await dlq.retry(dlqId);
  assert.match(responses[0].messageId, /^msg_/);
  await until(() => endpoint.requests.length === 4 && back.requests.length === 4);
  assert.deepEqual(JSON.parse(endpoint.requests[3].body), { label: "a" });
  assert.equal((await dlq.retry({ filter: { label: "b" } })).responses.length, 1);
  assert.equal((await dlq.delete({ all: true })).deleted, 1);
  assert.deepEqual((await dlq.listMessages()).messages, []);
  await assert.rejects(dlq.retry(dlqId), { status: 404 });
});
