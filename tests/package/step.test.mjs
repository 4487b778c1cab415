/** Steps: functions with names, here and in runs on a real broker. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { compose, createStep, withStepRetry } from "@repo/orchestration";

import { durable } from "./durable.mjs";

/** A Standard Schema of numbers from a limit on; texts of digits become numbers. */
const atLeast = (least) => ({
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) =>
      Number(value) >= least ? { value: Number(value) } : { issues: [{ message: `not ${least} or more` }] },
  },
});

describe("createStep", () => {
  test("the function gets its input and what it may need", async (t) => {
    const told = [];
    const step = createStep("work", (input, { signal, attempt, workflowRunId }) => {
      told.push([input, signal.aborted, attempt, workflowRunId]);
      return { input };
    });
    assert.deepEqual(await step.execute({ a: 1 }), { input: { a: 1 } });
    const { perform } = await durable(t);
    const { result, workflowRunId } = await perform(step, { a: 2 });
    assert.deepEqual(result, { input: { a: 2 } });
    assert.deepEqual(told, [
      [{ a: 1 }, false, 0, undefined],
      [{ a: 2 }, false, 0, workflowRunId],
    ]);
  });

  test("the caller's signal is the function's, and nothing begins after it", async () => {
    const ending = new AbortController();
    let signal;
    const step = createStep("work", (_, tools) => {
      signal = tools.signal;
    });
    await step.execute(1, { signal: ending.signal });
    ending.abort(new Error("enough"));
    assert.equal(signal.aborted, true);
    await assert.rejects(step.execute(1, { signal: ending.signal }), { message: "enough" });
  });

  test("what a schema makes of the input reaches the function, and of its output the caller", async () => {
    const step = createStep("half", (n) => n / 2, { input: atLeast(2), output: { parse: (n) => ({ n }) } });
    assert.deepEqual(await step.execute("8"), { n: 4 });
  });

  test("what does not fit rejects, and is not tried again in a run", async (t) => {
    let calls = 0;
    const half = (n) => {
      calls += 1;
      return n / 2;
    };
    const step = createStep("half", half, { input: atLeast(2), output: atLeast(2) });
    const input = {
      code: "ValidationFailed",
      message: "the input of step 'half' does not fit its schema: not 2 or more",
    };
    const output = { code: "ValidationFailed", message: /^the output of step 'half' does not fit/ };
    await assert.rejects(step.execute(1), input);
    await assert.rejects(step.execute(2), output);
    assert.equal(calls, 1);
    const { perform, run } = await durable(t);
    const failed = await perform(step, 2, { retries: 3 });
    assert.deepEqual([failed.state, failed.seconds, calls], ["RUN_FAILED", 0, 2]);
    const robust = withStepRetry(step, { backoffMs: 1 });
    const done = await run((context) => robust.run(context, 2).catch(({ cause }) => cause.name));
    assert.deepEqual([done.result, calls], ["ValidationError", 3]);
  });

  test("it is made up for when the run fails later", async (t) => {
    const undone = [];
    const book = createStep("book", (what) => `booked ${what}`, { compensate: (booking) => undone.push(booking) });
    const { run } = await durable(t);
    const done = await run(async (context) => {
      await withStepRetry(book).run(context, "flight");
      await context.run("pay", () => Promise.reject(new Error("no money")), { retries: 0 });
    });
    assert.deepEqual([done.state, undone], ["RUN_FAILED", ["booked flight"]]);
  });

  test("a step has a name and a function", () => {
    for (const make of [() => createStep("", () => 1), () => createStep("work"), () => compose()])
      assert.throws(make, { code: "InvalidConfiguration" });
  });
});

test("compose hands on what each gives; stubs stand for steps by name", async (t) => {
  const load = createStep("load", (id) => ({ id, from: "afar" }));
  const tell = createStep("tell", ({ id, from }) => `${id} ${from}`);
  const both = compose(load, tell);
  assert.deepEqual([both.name, await both.execute(7)], ["load > tell", "7 afar"]);
  const seen = [];
  const stubs = {
    load: (id) => {
      seen.push(id);
      return { id, from: "here" };
    },
  };
  assert.equal(await both.execute(7, { stubs }), "7 here");
  assert.deepEqual(seen, [7]);
  const done = await (await durable(t)).perform(both, 7);
  assert.deepEqual([done.result, done.steps], ["7 afar", ["init", "load", "tell"]]);
});
