// How many runs are started: a limit before a real broker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defineWorkflow } from "@repo/orchestration/server";
import { broker, ended, served } from "./support.mjs";

const hello = (id = "hello") => defineWorkflow(id, (context) => context.run("greet", () => context.requestPayload));

/** An engine whose default provider is a limit before a broker. */
async function limited(t, config, options = {}) {
  const { config: settings } = await broker(t);
  return served(t, {
    providers: [
      { name: "limited", type: "rate-limit", config: { provider: "own", redis: false, ...config } },
      { name: "own", type: "upstash-workflow", config: settings },
    ],
    ...options,
  });
}

test("what is too much is refused and starts nothing; the window's end lets runs through again", async (t) => {
  let now = 1_000_000;
  const config = { limit: 2, window: "1m", algorithm: "fixed-window", now: () => now };
  const { engine, requests } = await limited(t, config, { workflows: [hello(), hello("other")] });
  const start = (id = "hello") => engine.executeWorkflow(id, id);
  const [first] = [await start(), await start()];
  assert.equal(first.provider, "own");
  await assert.rejects(start(), (error) => {
    const { name, code, retryable, limit, remaining, retryAfterMs } = error;
    assert.deepEqual(
      { name, code, retryable, limit, remaining },
      { name: "RateLimitError", code: "RateLimited", retryable: true, limit: 2, remaining: 0 },
    );
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 60_000);
    return true;
  });
  // Each workflow by itself, and what is not limited.
  await start("other");
  await engine.executeWorkflow("hello", 1, { provider: "own" });
  now += 60_000;
  const last = await start();
  const run = await ended(engine, last);
  assert.deepEqual([run.output, run.provider], ["hello", "own"]);
  assert.equal((await engine.listExecutions({ workflowId: "hello" })).runs.length, 4);
  assert.ok(requests.every((request) => /^POST \/api\/workflows\/(hello|other)$/.test(request)));
});

test("what is counted together can be said", async (t) => {
  const identifier = (workflowId, { user }) => `${workflowId} of ${user}`;
  const { engine } = await limited(t, { limit: 1, window: 60_000, identifier }, { workflows: [hello()] });
  await engine.executeWorkflow("hello", { user: "a" });
  await engine.executeWorkflow("hello", { user: "b" });
  await assert.rejects(engine.executeWorkflow("hello", { user: "a" }), { code: "RateLimited" });
});

test("everything else goes to the provider behind it", async (t) => {
  const { engine } = await limited(t, { limit: 1, window: "1h" }, { workflows: [hello()] });
  const { workflowRunId } = await engine.executeWorkflow("hello", 1, { delay: "1d" });
  const provider = engine.provider("limited");
  assert.equal((await provider.get(workflowRunId)).status, "pending");
  assert.equal((await provider.list({})).runs.length, 1);
  assert.equal(await provider.notify({ eventId: "x" }), 0);
  const { scheduleId } = await engine.scheduleWorkflow("hello", { cron: "0 * * * *" });
  await engine.scheduleWorkflow("hello", { cron: "0 * * * *", scheduleId }, { provider: "limited" });
  assert.equal((await engine.listSchedules()).length, 1);
  await provider.pauseSchedule(scheduleId);
  await provider.resumeSchedule(scheduleId);
  await provider.unschedule(scheduleId);
  assert.equal(provider.client, engine.provider("own").client);
  assert.ok(provider.endpoint().receiver);
  assert.equal(await provider.cancel(workflowRunId), true);
  assert.equal((await engine.healthCheck()).status, "healthy");
});

test("a limit that can't be asked refuses, unless it fails open", async (t) => {
  const redis = { url: "http://127.0.0.1:1", token: "t" };
  const closed = await limited(t, { limit: 1, window: "1m", redis }, { workflows: [hello()] });
  await assert.rejects(closed.engine.executeWorkflow("hello"), { code: "ProviderUnavailable", retryable: true });
  const open = { limit: 1, window: "1m", redis, failOpen: true, onError: () => {} };
  const { engine } = await limited(t, open, { workflows: [hello()] });
  await engine.executeWorkflow("hello");
  await engine.executeWorkflow("hello");
});

test("a rule that can't be is told when it is first used", async (t) => {
  const { engine } = await limited(t, { limit: 0, window: "1m" }, { workflows: [hello()] });
  await assert.rejects(engine.executeWorkflow("hello"), { code: "InvalidConfiguration" });
});
