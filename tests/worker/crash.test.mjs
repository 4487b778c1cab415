// SIGKILL of workerd in the middle of a run, then a new process on the same storage: nothing is lost or done twice.

import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { broker, ledger, official, server, until } from "./support.mjs";

/** Kills at these moments after the trigger; an undisturbed run takes about two seconds. */
const MOMENTS_MS = [0, 20, 50, 90, 140, 200, 300, 500, 800, 1200];

for (const moment of MOMENTS_MS) {
  test(`killed ${moment} ms after its trigger, the order ends and no remembered step runs twice`, async (t) => {
    const on = await broker(t);
    const { url: ledgerUrl, entries, steps } = await ledger(t);
    const { workflowRunId } = await on.workflow.trigger({
      url: `${on.url}/samples/order`,
      body: { orderId: "o", ledgerUrl, sleepSeconds: 1 },
      retries: 5,
      retryDelay: "300",
    });
    await pause(moment);
    await on.kill();
    await pause(50);
    const before = steps(workflowRunId);
    await on.restart();
    const remembered = await on.remembered(workflowRunId);

    const run = await on.ended(workflowRunId, 45_000);
    assert.equal(run.workflowState, "RUN_SUCCESS");
    assert.ok(JSON.parse(run.workflowRunResponse).shipped);
    const done = steps(workflowRunId);
    assert.deepEqual([...new Set(done)].sort(), ["charge", "email", "reserve", "ship", "validate"]);
    const twice = done.slice(before.length).filter((step) => before.includes(step));
    // What the process was doing when it died left a trace without being remembered: that, and only that, runs again.
    const wrong = twice.filter((step) => remembered.includes(step));
    assert.deepEqual(wrong, [], `remembered ${remembered}; ledger ${JSON.stringify(entries)}`);
    assert.ok(twice.length <= 2, `only the parallel group has two steps under way, but ${twice} ran twice`);
  });
}

test("official serve goes on after the broker was killed", async (t) => {
  const on = await broker(t);
  const ran = [];
  const endpoint = await official(t, on, async (context) => {
    await context.run("a", () => ran.push("a"));
    await context.sleep("nap", 1);
    await context.run("b", () => ran.push("b"));
    return "end";
  });
  const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w` });
  await until(() => ran.length === 1);
  await until(async () => (await on.remembered(workflowRunId)).includes("a"));
  await on.kill();
  await pause(1200);
  await on.restart();
  const run = await on.ended(workflowRunId);
  assert.equal(run.workflowState, "RUN_SUCCESS");
  assert.deepEqual(ran, ["a", "b"]);
});

test("a message that waits is delivered once after a restart, though nobody asks for it", async (t) => {
  const on = await broker(t);
  const endpoint = await server(t, () => {});
  await on.qstash.publish({ url: endpoint.url, delay: 2 });
  await on.kill();
  await on.restart();
  await until(() => endpoint.requests.length === 1);
  await pause(500);
  assert.equal(endpoint.requests.length, 1);
});

test("a delivery that was open when the process died is made again", async (t) => {
  const on = await broker(t);
  const endpoint = await server(t, (_, count) => (count === 1 ? new Promise(() => {}) : {}));
  const { messageId } = await on.qstash.publish({ url: endpoint.url, retries: 0 });
  await until(() => endpoint.requests.length === 1);
  await on.kill();
  await on.restart();
  await until(() => endpoint.requests.length === 2, 20_000);
  assert.deepEqual(new Set(endpoint.requests.map((r) => r.headers["upstash-message-id"])), new Set([messageId]));
});

test("what was accepted before the kill is delivered", async (t) => {
  const on = await broker(t);
  const endpoint = await server(t, () => {});
  const accepted = [];
  const publish = async () => {
    for (let number = 0; number < 50; number += 1) {
      const answer = await on.api(`/v2/publish/${endpoint.url}`, { method: "POST" });
      accepted.push((await answer.json()).messageId);
    }
  };
  // Four publishers, until the connection breaks.
  const publishers = Promise.allSettled(Array.from({ length: 4 }, publish));
  await until(() => accepted.length >= 20);
  await on.kill();
  await publishers;
  assert.ok(accepted.length < 200, "the broker was killed too late");
  await on.restart();
  const arrived = () => new Set(endpoint.requests.map((request) => request.headers["upstash-message-id"]));
  await until(() => accepted.every((id) => arrived().has(id)), 20_000);
});
