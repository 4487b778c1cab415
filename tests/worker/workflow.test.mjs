// Workflows on the broker: the sample in Rust, and the official SDK's `serve`, unmodified, on a server of Node.

import assert from "node:assert/strict";
import test from "node:test";
import { broker, ledger, official, until } from "./support.mjs";

/** The settings of a run whose retries don't take long. */
const QUICK = { retries: 3, retryDelay: "100" };

test("the order workflow in Rust runs to its end, each step once", async (t) => {
  const { url, workflow, ended } = await broker(t);
  const { url: ledgerUrl, entries, steps } = await ledger(t);
  const payload = { orderId: "o-1", ledgerUrl, sleepSeconds: 1 };
  const { workflowRunId } = await workflow.trigger({ ...QUICK, url: `${url}/samples/order`, body: payload });
  const run = await ended(workflowRunId);
  assert.equal(run.workflowState, "RUN_SUCCESS");
  const receipt = `receipt-${entries.findIndex((entry) => entry.step === "charge") + 1}`;
  assert.deepEqual(JSON.parse(run.workflowRunResponse), { orderId: "o-1", receipt, shipped: true });
  const done = steps(workflowRunId);
  assert.deepEqual([...done].sort(), ["charge", "email", "reserve", "ship", "validate"]);
  assert.deepEqual([done[0], done[1], done[4]], ["validate", "charge", "ship"]);
  assert.equal(entries.find((entry) => entry.step === "charge").attempt, 3);
});

test("the order workflow refuses a delivery that the broker did not sign", async (t) => {
  const { url } = await broker(t);
  const post = (headers) => fetch(`${url}/samples/order`, { method: "POST", body: "{}", headers });
  assert.equal((await post({})).status, 401);
  assert.equal((await post({ "upstash-signature": "a.b.c" })).status, 401);
});

test("official serve: sequential steps with a sleep", async (t) => {
  const on = await broker(t);
  const ran = [];
  const endpoint = await official(t, on, async (context) => {
    const a = await context.run("a", () => ran.push("a") && { got: context.requestPayload.n });
    await context.sleep("nap", 1);
    const b = await context.run("b", () => ran.push("b") && a.got * 2);
    return { b };
  });
  const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w`, body: { n: 21 } });
  const run = await on.ended(workflowRunId);
  assert.equal(run.workflowState, "RUN_SUCCESS");
  assert.deepEqual(JSON.parse(run.workflowRunResponse), { b: 42 });
  assert.deepEqual(ran, ["a", "b"]);
});

test("official serve: parallel steps of mixed kinds, and a run started by a plain publish", async (t) => {
  const on = await broker(t);
  const ran = [];
  const results = [];
  const endpoint = await official(t, on, async (context) => {
    const step = (name) => context.run(name, () => ran.push(name) && name);
    const all = await Promise.all([step("a"), step("b"), context.sleep("nap", 1), step("c")]);
    await context.run("last", () => ran.push("last") && results.push(all));
  });
  await on.qstash.publishJSON({ url: `${endpoint.url}/w`, body: {} });
  await until(() => results.length > 0, 20_000);
  assert.deepEqual(results, [["a", "b", undefined, "c"]]);
  assert.deepEqual([...ran].sort(), ["a", "b", "c", "last"]);
});

test("official serve: a step that fails is tried again", async (t) => {
  const on = await broker(t);
  let tries = 0;
  const endpoint = await official(t, on, async (context) =>
    context.run("flaky", () => {
      tries += 1;
      if (tries < 3) throw new Error("not yet");
      return tries;
    }),
  );
  const { workflowRunId } = await on.workflow.trigger({ ...QUICK, url: `${endpoint.url}/w` });
  const run = await on.ended(workflowRunId);
  assert.equal(run.workflowState, "RUN_SUCCESS");
  assert.equal(JSON.parse(run.workflowRunResponse), 3);
});

test("official serve: a run that fails for good calls the failure function, once", async (t) => {
  const on = await broker(t);
  const failures = [];
  const endpoint = await official(
    t,
    on,
    async (context) => {
      await context.run("fine", () => 1);
      await context.run("broken", () => {
        throw new Error("never");
      });
    },
    {
      failureFunction: ({ context, failStatus, failResponse }) => {
        failures.push({ runId: context.workflowRunId, failStatus, failResponse });
        return "noted";
      },
    },
  );
  const trigger = { url: `${endpoint.url}/w`, retries: 1, retryDelay: "100" };
  const { workflowRunId } = await on.workflow.trigger(trigger);
  const run = await on.ended(workflowRunId);
  assert.equal(run.workflowState, "RUN_FAILED");
  await until(() => failures.length > 0);
  assert.deepEqual(failures, [{ runId: workflowRunId, failStatus: 500, failResponse: "never" }]);
});

test("official client: a run can be cancelled while it sleeps", async (t) => {
  const on = await broker(t);
  const ran = [];
  const endpoint = await official(t, on, async (context) => {
    await context.run("a", () => ran.push("a"));
    await context.sleep("long", 3600);
    await context.run("b", () => ran.push("b"));
  });
  const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w` });
  await until(() => ran.length === 1);
  assert.deepEqual(await on.workflow.cancel({ ids: workflowRunId }), { cancelled: 1 });
  assert.equal((await on.ended(workflowRunId)).workflowState, "RUN_CANCELED");
  assert.deepEqual(ran, ["a"]);
});
