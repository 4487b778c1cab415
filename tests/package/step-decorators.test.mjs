/** What changes how a step is done, in this process: retries, limits, breakers, watching, substitutes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";

import {
  CircuitBreaker,
  createStep,
  MetricsRegistry,
  StepRegistry,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
  withFallback,
  withRetry,
  withStepCircuitBreaker,
  withStepMonitoring,
  withStepRetry,
  withStepTimeout,
} from "@repo/orchestration";
import { createDelayStep, createTimeoutSignal } from "@repo/orchestration/shared/factories/step-templates";

import { breaker, flaky } from "./durable.mjs";

/** Timers of a test's own. `elapse` lets everything happen that happens within so many milliseconds. */
function clock(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return async (ms) => {
    for (let passed = 0; passed <= ms; passed += 1) {
      await setImmediate();
      if (passed < ms) t.mock.timers.tick(1);
    }
  };
}

const settled = (promise) => {
  const state = {};
  promise.then(
    (value) => Object.assign(state, { value }),
    (error) => Object.assign(state, { error }),
  );
  return state;
};

const still = { jitter: "none", strategy: "fixed" };

describe("withStepRetry in this process", () => {
  test("attempts are made until one succeeds, each told how many failed before it", async (t) => {
    const elapse = clock(t);
    const work = flaky(2);
    const done = settled(withStepRetry(createStep("work", work), { ...still, backoffMs: 100 }).execute(7));
    await elapse(99);
    assert.equal(work.calls, 1);
    await elapse(1);
    assert.equal(work.calls, 2);
    await elapse(100);
    assert.deepEqual(done.value, { input: 7, calls: 3 });
    assert.deepEqual(work.attempts, [0, 1, 2]);
  });

  for (const [strategy, moments] of [
    ["fixed", [10, 20, 30, 40]],
    ["linear", [10, 30, 55, 80]],
    ["exponential", [10, 30, 65, 100]],
  ])
    test(`the delays are ${strategy}, up to the longest`, async (t) => {
      const elapse = clock(t);
      const began = [];
      let now = 0;
      const work = () => {
        began.push(now);
        throw new Error("no");
      };
      const options = {
        maxAttempts: 5,
        backoffMs: 10,
        maxBackoffMs: strategy === "linear" ? 25 : 35,
        strategy,
        jitter: "none",
      };
      const done = settled(withStepRetry(createStep("work", work), options).execute());
      for (; now < 110; now += 1) await elapse(0).then(() => t.mock.timers.tick(1));
      assert.equal(done.error.message, "no");
      // The timer of a moment runs before the clock of the test is advanced.
      assert.deepEqual(began, [0, ...moments.map((moment) => moment - 1)]);
    });

  test("after the last attempt it rejects with the last failure itself", async () => {
    const failures = [new TypeError("a"), new RangeError("b"), new SyntaxError("c")];
    const work = flaky(9, (attempt) => failures[attempt - 1]);
    const step = withStepRetry(createStep("work", work), { backoffMs: 0 });
    await assert.rejects(step.execute(), (error) => error === failures[2]);
    assert.equal(work.calls, 3);
  });

  test("long delays, which a run would leave to its broker, are waited for", async (t) => {
    const elapse = clock(t);
    const work = flaky(4);
    const options = { ...still, maxAttempts: 5, backoffMs: 50, inPlaceMs: 20 };
    const done = settled(withStepRetry(createStep("work", work), options).execute());
    await elapse(200);
    assert.deepEqual([done.value?.calls, work.attempts], [5, [0, 1, 2, 3, 4]]);
  });

  test("errors that say so are not worth another attempt, and retryIf has the last word", async () => {
    const calls = async (error, options = {}) => {
      const work = flaky(9, () => error);
      await assert.rejects(withStepRetry(createStep("work", work), { backoffMs: 0, ...options }).execute());
      return work.calls;
    };
    assert.equal(await calls(new Error("plain")), 3);
    assert.equal(await calls("a text"), 3);
    assert.equal(await calls(Object.assign(new Error("no"), { retryable: false })), 1);
    assert.equal(await calls(new WorkflowNonRetryableError("no")), 1);
    assert.equal(await calls(new DOMException("gone", "AbortError")), 1);
    assert.equal(await calls(new DOMException("late", "TimeoutError")), 3);
    const asked = [];
    const retryIf = async (error, attempt) => asked.push([error.message, attempt]) < 2;
    assert.equal(await calls(Object.assign(new Error("no"), { retryable: false }), { retryIf }), 2);
    assert.deepEqual(asked, [
      ["no", 1],
      ["no", 2],
    ]);
  });

  test("an abort ends the waiting", async (t) => {
    const elapse = clock(t);
    const [ending, work] = [new AbortController(), flaky(9)];
    const step = withStepRetry(createStep("work", work), { ...still, backoffMs: 1000 });
    const done = settled(step.execute(1, { signal: ending.signal }));
    await elapse(10);
    ending.abort(new Error("enough"));
    await elapse(0);
    assert.deepEqual([done.error?.message, work.calls], ["enough", 1]);
  });

  test("onRetry is told of each failure that another attempt follows", async () => {
    const told = [];
    const onRetry = ({ error, attempt, delayMs }) => told.push([error.message, attempt, delayMs]);
    const step = withStepRetry(createStep("work", flaky(9)), { ...still, backoffMs: 1, onRetry });
    await assert.rejects(step.execute());
    assert.deepEqual(told, [
      ["failure 1", 1, 1],
      ["failure 2", 2, 1],
    ]);
  });

  test("jitter takes a part of the delay, or all", async (t) => {
    const delays = async (jitter, chance) => {
      t.mock.method(Math, "random", () => chance);
      const told = [];
      const onRetry = ({ delayMs }) => told.push(delayMs);
      const step = withStepRetry(createStep("work", flaky(1)), { strategy: "fixed", backoffMs: 4, jitter, onRetry });
      await step.execute();
      return told[0];
    };
    assert.deepEqual([await delays("none", 0), await delays("equal", 0), await delays("full", 0)], [4, 2, 0]);
    assert.deepEqual([await delays("equal", 0.5), await delays("full", 0.5)], [3, 2]);
  });

  test("a WorkflowRetryAfterError says when, in place for no longer than inPlaceMs", async () => {
    const delay = async (retryAfter) => {
      let told;
      const work = flaky(1, () => new WorkflowRetryAfterError("later", retryAfter));
      const options = { ...still, backoffMs: 1, inPlaceMs: 5, onRetry: ({ delayMs }) => (told = delayMs) };
      await withStepRetry(createStep("work", work), options).execute();
      return told;
    };
    assert.deepEqual([await delay(0.003), await delay("1h")], [3, 5]);
  });

  test("one around another repeats it as a whole", async () => {
    const work = flaky(99);
    const inner = withStepRetry(createStep("work", work), { backoffMs: 0, maxAttempts: 3 });
    await assert.rejects(withStepRetry(inner, { backoffMs: 0, maxAttempts: 2 }).execute());
    assert.deepEqual(work.attempts, [0, 1, 2, 0, 1, 2]);
  });

  test("an option that can't be is refused by its name", () => {
    const step = createStep("work", () => 1);
    for (const [options, named] of [
      [{ maxAttempts: 0 }, /^maxAttempts must be a whole number from 1, not 0/],
      [{ maxAttempts: 1.5 }, /^maxAttempts/],
      [{ maxAttempts: Number.NaN }, /^maxAttempts/],
      [{ backoffMs: -1 }, /^backoffMs/],
      [{ backoffMs: Number.POSITIVE_INFINITY }, /^backoffMs/],
      [{ strategy: "cubic" }, /^strategy must be one of fixed, linear, exponential/],
      [{ jitter: "some" }, /^jitter must be one of none, equal, full/],
      [{ maxBackoffMs: Number.NaN }, /^maxBackoffMs/],
      [{ inPlaceMs: -5 }, /^inPlaceMs/],
      [{ retryIf: true }, /^retryIf must be a function/],
      [{ onRetry: "log" }, /^onRetry must be a function/],
    ])
      assert.throws(
        () => withStepRetry(step, options),
        (error) => error.code === "InvalidConfiguration" && named.test(error.message),
        JSON.stringify(options),
      );
  });
});

describe("withRetry", () => {
  test("a function with its arguments", async () => {
    const work = flaky(2);
    const robust = withRetry((a, b) => work(a + b), { backoffMs: 0 });
    assert.deepEqual(await robust(1, 2), { input: 3, calls: 3 });
    await assert.rejects(withRetry(flaky(9), { backoffMs: 0, maxAttempts: 2 })(), { message: "failure 2" });
  });

  test("its signal ends waiting", async (t) => {
    const elapse = clock(t);
    const [ending, work] = [new AbortController(), flaky(9)];
    const done = settled(withRetry(work, { ...still, backoffMs: 60_000, signal: ending.signal })());
    await elapse(5);
    ending.abort(new Error("enough"));
    await elapse(0);
    assert.deepEqual([done.error?.message, work.calls], ["enough", 1]);
  });
});

describe("withStepTimeout", () => {
  const deaf = createStep("deaf", () => new Promise(() => {}));

  test("the signal is aborted and the step rejects, also if it takes no notice", async (t) => {
    const elapse = clock(t);
    let signal;
    const listening = createStep("listening", (_, tools) => {
      signal = tools.signal;
      return new Promise(() => {});
    });
    const done = settled(withStepTimeout(listening, 50).execute());
    await elapse(49);
    assert.equal(signal.aborted, false);
    await elapse(1);
    assert.equal(signal.aborted, true);
    assert.equal(done.error, signal.reason);
    const { code, name, message, retryable } = done.error;
    assert.deepEqual(
      [code, name, message, retryable],
      ["StepTimeout", "StepTimeoutError", "step 'listening' took longer than 50 ms", true],
    );
  });

  test("the timer ends with the work", async (t) => {
    const cleared = t.mock.method(globalThis, "clearTimeout");
    const made = t.mock.method(globalThis, "setTimeout");
    assert.equal(
      await withStepTimeout(
        createStep("quick", () => 1),
        60_000,
      ).execute(),
      1,
    );
    await assert.rejects(
      withStepTimeout(
        createStep("bad", () => Promise.reject(new Error("no"))),
        60_000,
      ).execute(),
    );
    assert.equal(made.mock.callCount(), 2);
    for (const { result } of made.mock.calls)
      assert.ok(cleared.mock.calls.some(({ arguments: [id] }) => id === result));
  });

  test("the caller's signal ends it too, with the caller's reason", async () => {
    const ending = new AbortController();
    const pending = withStepTimeout(deaf, 60_000).execute(1, { signal: ending.signal });
    ending.abort(new Error("enough"));
    await assert.rejects(pending, { message: "enough" });
    await assert.rejects(withStepTimeout(deaf, 60_000).execute(1, { signal: ending.signal }), { message: "enough" });
  });

  test("inside of retries each attempt is limited", async (t) => {
    const elapse = clock(t);
    let calls = 0;
    const slow = createStep("slow", () => (++calls < 3 ? new Promise(() => {}) : calls));
    const done = settled(withStepRetry(withStepTimeout(slow, 20), { ...still, backoffMs: 5 }).execute());
    await elapse(60);
    assert.equal(done.value, 3);
  });

  test("a limit is a number of milliseconds", () => {
    for (const ms of [0, -1, Number.NaN, "10s", undefined])
      assert.throws(() => withStepTimeout(deaf, ms), { code: "InvalidConfiguration" });
  });
});

describe("withStepCircuitBreaker", () => {
  test("functions are called by the breaker, and not while it is open", async () => {
    const [guard, work] = [breaker(), flaky(1)];
    const step = withStepCircuitBreaker(createStep("work", work), guard);
    await assert.rejects(step.execute(), { message: "failure 1" });
    await assert.rejects(step.execute(), { code: "CircuitOpen" });
    guard.open = false;
    assert.equal((await step.execute()).calls, 2);
    assert.equal(guard.seen, 2);
  });

  test("options make a breaker of the step's own, whose time limit aborts the function's signal", async () => {
    let signal;
    const hanging = createStep("hanging", (_, tools) => {
      signal = tools.signal;
      return new Promise(() => {});
    });
    const step = withStepCircuitBreaker(hanging, { volumeThreshold: 1, timeoutMs: 5, resetTimeoutMs: 60_000 });
    await assert.rejects(step.execute(), { code: "StepTimeout" });
    assert.equal(signal.aborted, true);
    await assert.rejects(step.execute(), { name: "CircuitOpenError", code: "CircuitOpen", message: /hanging/ });
    assert.throws(() => withStepCircuitBreaker(hanging, { errorRate: 5 }), { code: "InvalidConfiguration" });
  });

  test("a breaker can be shared, and sees each attempt inside of retries", async () => {
    const shared = new CircuitBreaker({ volumeThreshold: 3, errorRate: 0.5 });
    const work = flaky(99);
    const step = withStepRetry(withStepCircuitBreaker(createStep("work", work), shared), { ...still, backoffMs: 0 });
    await assert.rejects(step.execute(), { message: "failure 3" });
    assert.equal(shared.state, "open");
    await assert.rejects(
      withStepCircuitBreaker(
        createStep("other", () => 1),
        shared,
      ).execute(),
      { code: "CircuitOpen" },
    );
    assert.equal(work.calls, 3);
  });

  test("who gives up has not seen the other side fail", async () => {
    const shared = new CircuitBreaker({ volumeThreshold: 1 });
    const ending = new AbortController();
    const step = createStep("work", (_, { signal }) => {
      ending.abort(new Error("enough"));
      signal.throwIfAborted();
    });
    const pending = withStepCircuitBreaker(step, shared).execute(1, { signal: ending.signal });
    await assert.rejects(pending, { message: "enough" });
    assert.equal(shared.state, "closed");
  });
});

describe("withStepMonitoring", () => {
  test("each attempt inside of retries is told of, and what is told changes nothing", async (t) => {
    const logged = t.mock.method(console, "error", () => {});
    const told = [];
    const metrics = new MetricsRegistry();
    const watched = withStepMonitoring(createStep("work", flaky(1)), {
      onStart: ({ stepName, input, attempt }) => told.push(["start", stepName, input, attempt]),
      onSuccess: ({ output, durationMs }) => told.push(["success", output.calls, durationMs >= 0]),
      onError: ({ error, willRetry }) => {
        told.push(["error", error.message, willRetry]);
        throw new Error("a hook's own");
      },
      metrics,
    });
    await withStepRetry(watched, { backoffMs: 0 }).execute("x");
    assert.deepEqual(told, [
      ["start", "work", "x", 0],
      ["error", "failure 1", false],
      ["start", "work", "x", 1],
      ["success", 2, true],
    ]);
    assert.match(logged.mock.calls[0].arguments[0], /monitors 'work' failed: Error: a hook's own/);
    const counted = /^orchestration_step_duration_seconds_count\{(.*)\} 1$/gm;
    assert.deepEqual(
      [...metrics.expose().matchAll(counted)].map(([, labels]) => labels),
      ['workflow="",step="work",outcome="failure"', 'workflow="",step="work",outcome="success"'],
    );
  });
});

describe("withFallback", () => {
  test("a function is told the input and the failure", async () => {
    const step = withFallback(createStep("work", flaky(1)), (input, error) => [input, error.message]);
    assert.deepEqual(await step.execute(7), [7, "failure 1"]);
    assert.deepEqual(await step.execute(7), { input: 7, calls: 2 });
  });

  test("a step takes over, and may fail too", async () => {
    const other = createStep("other", (input) => `other ${input}`);
    const broken = createStep("work", () => Promise.reject(new Error("no")));
    assert.equal(await withFallback(broken, other).execute(1), "other 1");
    await assert.rejects(withFallback(broken, broken).execute(1), { message: "no" });
  });

  test("who gives up wants no fallback", async () => {
    const ending = new AbortController();
    const step = createStep("work", () => {
      ending.abort(new Error("enough"));
      throw new Error("no");
    });
    const pending = withFallback(step, () => "fallback").execute(1, { signal: ending.signal });
    await assert.rejects(pending, { message: "enough" });
  });
});

describe("StepRegistry", () => {
  const download = createStep("download", (url) => `content of ${url}`);

  test("steps and factories by name", async () => {
    const steps = new StepRegistry({ download }).register("tell", (channel) =>
      createStep(`tell ${channel}`, (text) => `${channel}: ${text}`),
    );
    steps.register(createStep("store", (text) => text.length));
    assert.deepEqual(steps.list(), ["download", "tell", "store"]);
    assert.equal(await steps.get("download").execute("x"), "content of x");
    const mail = steps.create("tell", "mail");
    assert.deepEqual([mail.name, await mail.execute("hi")], ["tell mail", "mail: hi"]);
    assert.deepEqual([steps.has("store"), steps.remove("store"), steps.remove("store")], [true, true, false]);
    assert.equal(steps.has("store"), false);
  });

  test("a name is taken once, unless it is to be replaced", () => {
    const steps = new StepRegistry({ download });
    assert.throws(() => steps.register(download), { code: "InvalidConfiguration" });
    const other = createStep("download", () => 1);
    assert.equal(steps.register(other, { replace: true }).get("download"), other);
  });

  test("what is not there, or of the other kind, is told", () => {
    const steps = new StepRegistry({ download, make: () => download });
    assert.throws(() => steps.get("upload"), { code: "NotFound", message: /there are: download, make$/ });
    assert.throws(() => steps.get("make"), /use create/);
    assert.throws(() => steps.create("download"), /use get/);
    assert.throws(() => steps.register("x", 5), { code: "InvalidConfiguration" });
    assert.throws(() => steps.register(undefined), { code: "InvalidConfiguration" });
  });
});

test("a delay is waited for here, until somebody gives up", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const pending = createDelayStep("wait", 50).execute("x");
  t.mock.timers.tick(50);
  assert.equal(await pending, "x");
  const ending = new AbortController();
  const endless = createDelayStep("wait", "1d").execute("x", { signal: ending.signal });
  ending.abort(new Error("enough"));
  await assert.rejects(endless, { message: "enough" });
});

describe("createTimeoutSignal", () => {
  test("aborts when its time has come", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const signal = createTimeoutSignal(5000);
    let told = 0;
    signal.addEventListener("abort", () => (told += 1), { once: true });
    t.mock.timers.tick(4999);
    assert.equal(signal.aborted, false);
    t.mock.timers.tick(1);
    assert.deepEqual([signal.aborted, signal.reason.name, told], [true, "TimeoutError", 1]);
    assert.ok(signal instanceof AbortSignal);
  });

  test("is cleaned up", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const signal = createTimeoutSignal(10);
    signal.clear();
    t.mock.timers.tick(20);
    assert.equal(signal.aborted, false);
  });

  test("follows another signal", () => {
    const outer = new AbortController();
    const signal = createTimeoutSignal(60_000, { signal: outer.signal });
    outer.abort(new Error("enough"));
    assert.equal(signal.reason.message, "enough");
    assert.equal(createTimeoutSignal(60_000, { signal: outer.signal }).aborted, true);
    assert.throws(() => createTimeoutSignal(Number.NaN), { code: "InvalidConfiguration" });
  });
});
