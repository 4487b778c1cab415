/** Decorated steps in runs on a real broker, and what they do to calls. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  CircuitBreaker,
  compose,
  createHttpStep,
  createStep,
  withFallback,
  withStepCircuitBreaker,
  withStepMonitoring,
  withStepRetry,
  withStepTimeout,
} from "@repo/orchestration";
import { WorkflowStepError } from "@repo/orchestration/workflows";

import { server } from "../node-host/support.mjs";
import { breaker, durable, flaky } from "./durable.mjs";

const headers = { "content-type": "application/json" };
const still = { jitter: "none", strategy: "fixed" };

describe("withStepRetry in a run", () => {
  test("short waits are in one delivery, long ones go through the broker, and attempts are exact", async (t) => {
    const { perform } = await durable(t);
    const work = flaky(5);
    const options = { maxAttempts: 6, backoffMs: 10, strategy: "exponential", jitter: "none", inPlaceMs: 25 };
    // 10 and 20 ms in place; 40, 80, 160 ms durably, as a second each.
    const done = await perform(withStepRetry(createStep("work", work), options), "x");
    assert.deepEqual([done.state, done.result], ["RUN_SUCCESS", { input: "x", calls: 6 }]);
    assert.deepEqual(work.attempts, [0, 1, 2, 3, 4, 5]);
    assert.equal(done.seconds, 3);
    assert.deepEqual(done.steps.filter((name) => name === "work").length, 4);
  });

  test("hours pass at the broker", async (t) => {
    const { perform } = await durable(t);
    const work = flaky(2);
    const options = { ...still, backoffMs: 3_600_000, maxBackoffMs: 3_600_000 };
    const done = await perform(withStepRetry(createStep("work", work), options), 1, { jump: 60 });
    assert.deepEqual([done.state, done.seconds, work.attempts], ["RUN_SUCCESS", 7200, [0, 1, 2]]);
  });

  test("when they are used up, the step rejects with what was thrown last, and the workflow can go on", async (t) => {
    const { run } = await durable(t);
    for (const inPlaceMs of [10_000, 0]) {
      const work = flaky(99, (attempt) => new RangeError(`out of range ${attempt}`));
      const step = withStepRetry(createStep("work", work), { ...still, backoffMs: 2, maxAttempts: 3, inPlaceMs });
      const done = await run(async (context) => {
        const error = await step.run(context, 1).catch((caught) => caught);
        return context.run("after", () => [error instanceof WorkflowStepError, error.cause.name, error.message]);
      });
      assert.deepEqual(done.result, [true, "RangeError", "out of range 3"], `inPlaceMs ${inPlaceMs}`);
      assert.equal(work.calls, 3);
    }
  });

  test("what is not worth another attempt rejects at once, without the run's retries", async (t) => {
    const { run } = await durable(t);
    const work = flaky(99, () => Object.assign(new Error("no"), { retryable: false }));
    const step = withStepRetry(createStep("work", work), { ...still, backoffMs: 100_000, maxAttempts: 5 });
    const done = await run((context) => step.run(context, 1).catch((error) => error.code));
    assert.deepEqual([done.result, work.calls, done.seconds], ["StepFailed", 1, 0]);
  });

  test("one around another makes as many attempts as both allow", async (t) => {
    const { run } = await durable(t);
    for (const [innerMs, outerMs] of [
      [0, 0],
      [0, 1000],
      [1000, 0],
      [1000, 1000],
    ]) {
      const work = flaky(99);
      const wait = (inPlaceMs) => ({ ...still, backoffMs: 1, inPlaceMs });
      const inner = withStepRetry(createStep("work", work), { ...wait(innerMs), maxAttempts: 3 });
      const both = withStepRetry(inner, { ...wait(outerMs), maxAttempts: 2 });
      const done = await run((context) => both.run(context, 1).catch(({ message }) => message));
      assert.deepEqual([done.result, work.attempts], ["failure 6", [0, 1, 2, 0, 1, 2]], `${innerMs}, ${outerMs}`);
    }
  });

  for (const [strategy, seconds] of [
    ["linear", 20 + 40 + 60],
    ["exponential", 20 + 40 + 70],
    ["fixed", 20 + 20 + 20],
  ])
    test(`the broker's delays are ${strategy} too, up to the longest`, async (t) => {
      const { perform } = await durable(t);
      const { url, requests } = await server(t, (_, count) => ({ status: count < 4 ? 503 : 200 }));
      const options = { maxAttempts: 4, backoffMs: 20_000, maxBackoffMs: 70_000, strategy };
      const done = await perform(withStepRetry(createHttpStep("call", { url }), options), 1);
      assert.deepEqual([done.result.status, requests.length, done.seconds], [200, 4, seconds]);
    });

  test("calls are retried by the broker, which can't be asked for more", async (t) => {
    const { perform, run } = await durable(t);
    const { url, requests } = await server(t, (_, count) => ({
      status: count < 3 ? 503 : 200,
      body: `${count}`,
      headers,
    }));
    const call = createHttpStep("call", { url });
    const done = await perform(withStepRetry(call, { ...still, backoffMs: 20_000 }), 1);
    assert.deepEqual([done.result.body, requests.length, done.seconds], [3, 3, 40]);
    const choosy = withStepRetry(call, { retryIf: () => true });
    const refused = await run(async (context) => {
      await context.run("first", () => {});
      return choosy.run(context, 1).catch(({ code }) => code);
    });
    assert.deepEqual([refused.result, requests.length], ["Unsupported", 3]);
  });

  test("a call is made again as the broker would", async (t) => {
    const { url, requests } = await server(t, (_, count) => ({
      status: count < 3 ? 503 : 200,
      body: `${count}`,
      headers,
    }));
    const step = withStepRetry(createHttpStep("call", { url }), { backoffMs: 1 });
    assert.equal((await step.execute()).body, 3);
    assert.equal(requests.length, 3);
    const refused = await server(t, () => ({ status: 404 }));
    const once = withStepRetry(createHttpStep("call", { url: refused.url, expect: [200, 404] }), { backoffMs: 1 });
    assert.deepEqual([(await once.execute()).status, refused.requests.length], [404, 1]);
    const never = withStepRetry(createHttpStep("call", { url: refused.url }), { backoffMs: 1 });
    await assert.rejects(never.execute(), { code: "CallFailed", status: 404 });
    assert.equal(refused.requests.length, 4);
  });
});

describe("withStepTimeout", () => {
  const deaf = createStep("deaf", () => new Promise(() => {}));

  test("calls that this process makes are limited too", async (t) => {
    const { url } = await server(t, () => new Promise(() => {}));
    const call = withStepTimeout(createHttpStep("call", { url }), 30);
    await assert.rejects(call.execute(), { code: "StepTimeout" });
  });

  test("in a run it fails the try, whose cause can be told", async (t) => {
    const { run } = await durable(t);
    const step = withStepRetry(withStepTimeout(deaf, 20), { maxAttempts: 2, backoffMs: 1 });
    const done = await run((context) => step.run(context, 1).catch(({ code, cause }) => [code, cause.name]));
    assert.deepEqual(done.result, ["StepFailed", "StepTimeoutError"]);
  });
});

describe("withStepCircuitBreaker", () => {
  test("in a run the breaker of this process is asked; calls of the broker are not its to see", async (t) => {
    const { run } = await durable(t);
    const [guard, work] = [breaker(), flaky(0)];
    const step = withStepCircuitBreaker(createStep("work", work), guard);
    const done = await run((context) => step.run(context, 1));
    assert.deepEqual([done.result.calls, guard.seen], [1, 1]);
    const call = withStepCircuitBreaker(createHttpStep("call", { url: "http://127.0.0.1:1/" }), guard);
    const refused = await run(async (context) => {
      await context.run("first", () => {});
      return call.run(context, 1).catch(({ code }) => code);
    });
    assert.deepEqual([refused.result, guard.seen], ["Unsupported", 1]);
  });

  test("around durable retries it is shown what each try has failed with", async (t) => {
    const { run } = await durable(t);
    const seen = [];
    const shared = new CircuitBreaker({ volumeThreshold: 2, isFailure: ({ message }) => seen.push(message) > 0 });
    const work = flaky(99);
    const robust = withStepRetry(createStep("work", work), { ...still, backoffMs: 1, inPlaceMs: 0, maxAttempts: 3 });
    const step = withStepCircuitBreaker(robust, shared);
    const done = await run((context) => step.run(context, 1).catch(({ cause, message }) => [cause.name, message]));
    assert.deepEqual(seen, ["failure 1", "failure 2"]);
    assert.deepEqual([done.result[0], work.calls], ["CircuitOpenError", 2]);
  });
});

describe("withStepMonitoring", () => {
  test("outside of retries it tells of durable tries, once for each", async (t) => {
    const { perform } = await durable(t);
    const told = [];
    const robust = withStepRetry(createStep("work", flaky(2)), { ...still, backoffMs: 1, inPlaceMs: 0 });
    const watched = withStepMonitoring(robust, {
      onError: ({ error, willRetry, attempt }) => told.push([error.message, willRetry, attempt]),
      onSuccess: ({ attempt, workflowRunId }) => told.push([workflowRunId, attempt]),
    });
    const { workflowRunId } = await perform(watched, 1);
    assert.deepEqual(told, [
      ["failure 1", true, 0],
      ["failure 2", true, 1],
      [workflowRunId, 2],
    ]);
  });
});

describe("withFallback", () => {
  test("in a run the failure is recorded, and the fallback is a durable step of its own", async (t) => {
    const { run } = await durable(t);
    const [work, seen] = [flaky(99), []];
    const step = withFallback(createStep("work", work), (input, error, { workflowRunId }) => {
      seen.push(workflowRunId);
      return [input, error.code, error.cause.message];
    });
    const done = await run(async (context) => {
      const result = await step.run(context, 7);
      await context.run("after", () => {});
      return result;
    });
    assert.deepEqual(done.result, [7, "StepFailed", "failure 1"]);
    assert.deepEqual([work.calls, seen], [1, [done.workflowRunId]]);
    assert.deepEqual(done.steps, ["init", "work", "work:fallback", "after"]);
  });

  test("retries inside come first, also those of the broker", async (t) => {
    const { run } = await durable(t);
    const work = flaky(99);
    const robust = withStepRetry(createStep("work", work), { ...still, backoffMs: 1, inPlaceMs: 0 });
    const done = await run((context) => withFallback(robust, (_, { message }) => message).run(context, 1));
    assert.deepEqual([done.result, work.calls], ["failure 3", 3]);
    const { url } = await server(t, () => ({ status: 500 }));
    const call = withFallback(createHttpStep("call", { url }), (_, { code, status }) => [code, status]);
    assert.deepEqual((await run((context) => call.run(context, 1))).result, ["CallFailed", 500]);
  });
});

test("decorators go around composed steps as well", async (t) => {
  const { perform } = await durable(t);
  const [first, second] = [flaky(1), flaky(1)];
  const both = compose(createStep("first", first), createStep("second", second));
  const step = withFallback(withStepRetry(both, { backoffMs: 1 }), () => "fallback");
  const done = await perform(step, 1);
  assert.deepEqual([done.result.calls, first.calls, second.calls], [2, 2, 2]);
  assert.deepEqual(done.steps, ["init", "first", "second"]);
});
