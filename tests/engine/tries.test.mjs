/** Steps with tries of their own, as a run's history tells of them: one step each, with its failures, without their stacks. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { createStep, withFallback, withStepRetry, withStepTimeout } from "@repo/orchestration";
import { defineWorkflow } from "@repo/orchestration/server/next";

import { ended, served, until } from "./support.mjs";

const refusing = (times) => {
  let tries = 0;
  return () => {
    tries += 1;
    if (tries <= times) throw new TypeError(`no ${tries}, at postgres://ada:hunter2secret@db.test/x`);
    return tries;
  };
};
const durable = { maxAttempts: 4, backoffMs: 1_000, inPlaceMs: 10, jitter: "none", strategy: "fixed" };

const told = ({ name, type, status, attempts, output, error }) => ({ name, type, status, attempts, output, error });

test("tries of a step are one step, and its failure is told", async (t) => {
  let now = Date.now();
  const succeeding = withStepRetry(createStep("third", refusing(2)), durable);
  const failing = withStepRetry(createStep("broken", refusing(9)), { maxAttempts: 2, backoffMs: 1 });
  const slow = withStepTimeout(
    createStep("slow", () => new Promise(() => {})),
    20,
  );
  const workflow = defineWorkflow("tries", async (context) => {
    const parts = await Promise.all([succeeding.run(context), withFallback(failing, () => "instead").run(context)]);
    await withFallback(slow, () => null).run(context);
    await context.run("last", () => Promise.reject(new Error("for good")), { retries: 0 });
    return parts;
  });
  const { engine, broker } = await served(t, { workflows: [workflow], brokerOptions: { now: () => now } });
  const started = await engine.executeWorkflow(workflow);

  const retrying = await until(async () => {
    const run = await engine.getExecution(started.workflowRunId);
    return run?.steps.find(({ name, status }) => name === "third" && status === "retrying");
  });
  assert.equal(retrying.attempts, 1);
  assert.match(retrying.error.message, /^no 1/);

  const turning = setInterval(() => {
    now += 1_000;
    broker.wake();
  }, 50);
  t.after(() => clearInterval(turning));
  const run = await ended(engine, started);
  assert.equal(run.status, "failed");
  assert.equal(run.error.message, "for good");
  const steps = Object.fromEntries(run.steps.map((step) => [step.name, told(step)]));
  assert.equal(run.steps.length, 6, JSON.stringify(run.steps.map(({ name }) => name)));
  const { third, broken, slow: late, last } = steps;
  assert.deepEqual([third.type, third.status, third.attempts, third.output], ["Run", "completed", 3, 3]);
  assert.equal(third.error, undefined);
  assert.deepEqual([broken.status, broken.attempts, broken.output], ["failed", 1, undefined]);
  assert.deepEqual(broken.error, { name: "TypeError", message: "no 2, at postgres://ada:[masked password]@db.test/x" });
  assert.deepEqual([steps["broken:fallback"].status, steps["broken:fallback"].output], ["completed", "instead"]);
  assert.deepEqual([late.status, late.error.name], ["failed", "StepTimeoutError"]);
  assert.deepEqual([last.status, last.error.message], ["failed", "for good"]);
  const text = JSON.stringify(run);
  for (const hidden of ["orchestration:failure", "hunter2secret", "node_modules", "file://", "    at "])
    assert.ok(!text.includes(hidden), hidden);
});
