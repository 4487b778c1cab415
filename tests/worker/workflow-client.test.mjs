// Our own workflow client and serve on our own broker: runs from start to end, by every call.

import assert from "node:assert/strict";
import test from "node:test";
import { Client, QstashError, serve } from "@repo/orchestration/workflows";
import { developmentBindings } from "../../scripts/workerd.mjs";
import { broker, server, TOKEN, until } from "./support.mjs";

/** A broker with our client for it, and a workflow that waits for an event and then charges, while it can. */
async function connected(t) {
  const { url } = await broker(t);
  const state = { broken: false, told: 0 };
  const { QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY } = developmentBindings();
  const { handler } = serve(
    async (context) => {
      await context.run("check", () => 1);
      const { eventData } = await context.waitForEvent("payment", context.requestPayload.event);
      return context.run("charge", () => {
        if (state.broken) throw new Error("no funds");
        return eventData.amount;
      });
    },
    {
      env: { QSTASH_URL: url, QSTASH_TOKEN: TOKEN, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY },
      failureFunction: () => {
        state.told += 1;
      },
    },
  );
  const endpoint = await server(t, async ({ method, url: path, headers, body }) => {
    const request = new Request(`http://${headers.host}${path}`, { method, headers, body });
    const response = await handler(request);
    const answer = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: Object.fromEntries(response.headers), body: answer };
  });
  const client = new Client({ env: { QSTASH_URL: url, QSTASH_TOKEN: TOKEN } });
  const workflow = `${endpoint.url}/pay`;
  const waiting = (eventId, count) =>
    until(async () => {
      const waiters = await client.getWaiters({ eventId });
      return waiters.length === count && waiters;
    });
  const ended = (workflowRunId) =>
    until(async () => {
      const { runs } = await client.logs({ filter: { workflowRunId } });
      return runs[0]?.workflowState !== "RUN_STARTED" && runs[0];
    });
  return { client, workflow, state, waiting, ended };
}

test("a run is started, waits, is notified and ends", async (t) => {
  const { client, workflow, waiting, ended } = await connected(t);
  const { workflowRunId } = await client.trigger({ url: workflow, body: { event: "paid" }, label: ["eu", "gold"] });
  const [waiter] = await waiting("paid", 1);
  assert.equal(waiter.url, workflow);
  const [notified] = await client.notify({ eventId: "paid", eventData: { amount: 5 }, workflowRunId });
  assert.equal(notified.waiter.url, workflow);
  const run = await ended(workflowRunId);
  assert.deepEqual([run.workflowState, run.workflowRunResponse, run.labels], ["RUN_SUCCESS", "5", ["eu", "gold"]]);
  const names = run.steps.flatMap(({ steps }) => steps.map(({ stepName }) => stepName));
  assert.deepEqual(names.slice(1), ["check", "payment", "charge"]);
  assert.deepEqual(await client.notify({ eventId: "paid", eventData: 1 }), []);
});

test("runs are shown page by page and cancelled", async (t) => {
  const { client, workflow, waiting, ended } = await connected(t);
  const triggers = ["a", "b", "c"].map((id) => ({
    url: workflow,
    body: { event: "never" },
    workflowRunId: id,
    label: id,
  }));
  const started = await client.trigger(triggers);
  assert.deepEqual(
    started.map(({ workflowRunId }) => workflowRunId),
    ["wfr_a", "wfr_b", "wfr_c"],
  );
  await waiting("never", 3);
  const pages = await Array.fromAsync(client.iterateLogs({ count: 2, filter: { state: "RUN_STARTED" } }));
  assert.deepEqual(pages.map(({ workflowRunId }) => workflowRunId).sort(), ["wfr_a", "wfr_b", "wfr_c"]);
  assert.deepEqual(await client.cancel("wfr_a"), { cancelled: 1 });
  assert.deepEqual(await client.cancel("wfr_a"), { cancelled: 0 });
  assert.deepEqual(await client.cancel({ filter: { label: "b", workflowUrl: workflow } }), { cancelled: 1 });
  assert.deepEqual(await client.cancel({ filter: { workflowUrlStartingWith: workflow.slice(0, -1) } }), {
    cancelled: 1,
  });
  assert.equal((await ended("wfr_c")).workflowState, "RUN_CANCELED");
});

test("a failed run is listed, resumed and deleted", async (t) => {
  const { client, workflow, state, waiting, ended } = await connected(t);
  state.broken = true;
  const letters = [];
  for (const id of ["x", "y"]) {
    await client.trigger({ url: workflow, body: { event: id }, workflowRunId: id, retries: 0 });
    await waiting(id, 1);
    await client.notify({ eventId: id, eventData: { amount: 7 } });
    letters.push(
      await until(async () => (await client.dlq.list({ filter: { workflowRunId: `wfr_${id}` } })).messages[0]),
    );
  }
  assert.match(letters[0].responseBody, /no funds/);
  assert.equal((await Array.fromAsync(client.dlq.iterate({ count: 1 }))).length, 2);
  await until(() => state.told === 2);

  state.broken = false;
  const { workflowRuns } = await client.dlq.resume(letters[0].dlqId, { retries: 2 });
  const run = await ended(workflowRuns[0].workflowRunId);
  assert.deepEqual([run.workflowState, run.workflowRunResponse], ["RUN_SUCCESS", "7"]);
  assert.deepEqual(await client.dlq.delete({ all: true }), { cursor: undefined, deleted: 1 });
  assert.deepEqual((await client.dlq.list()).messages, []);
  await assert.rejects(client.dlq.restart(letters[1].dlqId), (error) => {
    return error instanceof QstashError && error.status === 404;
  });
});
