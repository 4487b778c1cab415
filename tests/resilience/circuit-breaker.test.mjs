/** Circuit breakers: against a list of all calls, and what callers see. Time is an argument. */
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { CircuitBreaker, createStep, withCircuitBreaker, withStepCircuitBreaker } from "@repo/orchestration";

import { chance } from "./random.mjs";

const fail = async () => {
  throw new Error("down");
};
const succeed = async () => "up";
const settled = (promise) =>
  promise.then(
    () => "passed",
    (error) => error.code ?? "failed",
  );

/** A breaker whose time stands still until it is moved on. */
function fixture(options = {}) {
  const time = { now: 1_700_000_000_000 };
  const breaker = new CircuitBreaker({ name: "payments", volumeThreshold: 4, now: () => time.now, ...options });
  return { time, breaker };
}

async function opened(options) {
  const given = fixture(options);
  for (let call = 0; call < 4; call += 1) await assert.rejects(given.breaker.execute(fail));
  return given;
}

/** All calls that ended since the state last changed, and the rule in its own words. */
class Model {
  state = "closed";
  ended = [];
  /** The calls that hold a place while it is half open. */
  trying = [];
  done = 0;
  openedAt = 0;
  era = 0;

  constructor(rule) {
    this.rule = rule;
  }

  begin(now) {
    if (this.state === "open" && now >= this.openedAt + this.rule.resetTimeoutMs) this.#become("half-open", now);
    if (this.state === "open") return undefined;
    const call = { era: this.era, begun: now };
    if (this.state === "half-open") {
      this.trying = this.trying.filter(({ begun }) => now < begun + this.rule.resetTimeoutMs);
      if (this.trying.length + this.done >= this.rule.halfOpenCalls) return undefined;
      this.trying.push(call);
    }
    return call;
  }

  end(call, success, now) {
    if (call.era !== this.era) return;
    if (this.state === "half-open") {
      this.trying = this.trying.filter((other) => other !== call);
      this.done += success ? 1 : 0;
      if (!success) this.#become("open", now);
      else if (this.done >= this.rule.halfOpenCalls) this.#become("closed", now);
      return;
    }
    this.ended.push({ now, success });
    const failures = this.ended.filter((call) => !call.success).length;
    const enough = this.ended.length >= this.rule.volumeThreshold;
    if (!success && enough && failures / this.ended.length >= this.rule.errorRate) this.#become("open", now);
  }

  #become(state, now) {
    this.state = state;
    this.era += 1;
    this.openedAt = now;
    this.ended = [];
    this.trying = [];
    this.done = 0;
  }
}

test("it does what a list of all calls says", async () => {
  const seen = new Set();
  for (let seed = 1; seed <= 200; seed += 1) {
    const between = chance(seed);
    const rule = {
      errorRate: between(1, 10) / 10,
      volumeThreshold: between(1, 8),
      // Longer than the test lasts: what leaves the window is tested by itself.
      windowMs: 1_000_000,
      resetTimeoutMs: between(1, 500),
      halfOpenCalls: between(1, 3),
    };
    const { time, breaker } = fixture(rule);
    const model = new Model(rule);
    const underWay = [];
    for (let action = 0; action < 120; action += 1) {
      if (between(0, 1) === 0) {
        const call = Promise.withResolvers();
        const outcome = settled(breaker.execute(() => call.promise));
        const begun = model.begin(time.now);
        if (begun === undefined) assert.equal(await outcome, "CircuitOpen", `seed ${seed}, action ${action}`);
        else underWay.push({ call, outcome, begun });
      } else if (underWay.length > 0) {
        const [{ call, outcome, begun }] = underWay.splice(between(0, underWay.length - 1), 1);
        const success = between(0, 2) > 0;
        if (success) call.resolve();
        else call.reject(new Error("down"));
        assert.equal(await outcome, success ? "passed" : "failed");
        model.end(begun, success, time.now);
      }
      time.now += between(0, 60);
      const due = model.state === "open" && time.now >= model.openedAt + rule.resetTimeoutMs;
      assert.equal(breaker.state, due ? "half-open" : model.state, `seed ${seed}, action ${action}`);
      seen.add(breaker.state);
    }
  }
  assert.deepEqual([...seen].sort(), ["closed", "half-open", "open"]);
});

describe("a breaker that opened", () => {
  test("refuses without calling, and says when it lets calls try", async () => {
    const { time, breaker } = await opened({ resetTimeoutMs: 5000 });
    time.now += 1000;
    const work = mock.fn(succeed);
    await assert.rejects(breaker.execute(work), {
      name: "CircuitOpenError",
      code: "CircuitOpen",
      retryable: true,
      retryAfterMs: 4000,
      message: /'payments'/,
    });
    assert.equal(work.mock.callCount(), 0);
  });

  test("half open, lets one try; it closes if that succeeds, and opens again if not", async () => {
    const { time, breaker } = await opened({ resetTimeoutMs: 5000 });
    time.now += 5000;
    assert.equal(breaker.state, "half-open");
    await assert.rejects(breaker.execute(fail), { message: "down" });
    assert.equal(breaker.state, "open");
    time.now += 5000;
    const slow = Promise.withResolvers();
    const trying = breaker.execute(() => slow.promise);
    await assert.rejects(breaker.execute(succeed), { code: "CircuitOpen", retryAfterMs: 0 });
    slow.resolve("up");
    assert.deepEqual([await trying, breaker.state], ["up", "closed"]);
  });

  test("lets another try when one does not end in time", async () => {
    const { time, breaker } = await opened({ resetTimeoutMs: 5000 });
    time.now += 5000;
    settled(breaker.execute(() => new Promise(() => {})));
    time.now += 4999;
    await assert.rejects(breaker.execute(succeed), { code: "CircuitOpen" });
    time.now += 1;
    assert.deepEqual([await breaker.execute(succeed), breaker.state], ["up", "closed"]);
  });

  test("takes a try back that its caller gives up", async () => {
    const { time, breaker } = await opened({ resetTimeoutMs: 5000 });
    time.now += 5000;
    const caller = new AbortController();
    const reason = new Error("gone");
    const waiting = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const given = breaker.execute(waiting, { signal: caller.signal });
    caller.abort(reason);
    await assert.rejects(given, reason);
    assert.equal(await breaker.execute(succeed), "up");
    assert.equal(breaker.state, "closed");
  });
});

test("what is older than the window does not count, and counts can be seen", async () => {
  const { time, breaker } = fixture({ windowMs: 1000 });
  for (let call = 0; call < 3; call += 1) await settled(breaker.execute(fail));
  await breaker.execute(succeed);
  assert.deepEqual(breaker.counts, { calls: 4, failures: 3, errorRate: 0.75 });
  time.now += 1001;
  await settled(breaker.execute(fail));
  assert.deepEqual([breaker.state, breaker.counts], ["closed", { calls: 1, failures: 1, errorRate: 1 }]);
});

test("errors that say nothing of the other side are no failures", async () => {
  const { breaker } = fixture({ isFailure: (error) => error.status >= 500 });
  const notFound = async () => {
    throw Object.assign(new Error("not found"), { status: 404 });
  };
  for (let call = 0; call < 10; call += 1) await assert.rejects(breaker.execute(notFound), { status: 404 });
  assert.deepEqual([breaker.state, breaker.counts.failures], ["closed", 0]);
});

test("a call that takes too long is a failure, and its signal is aborted", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { breaker } = fixture({ timeoutMs: 500, volumeThreshold: 1 });
    let seen;
    const given = breaker.execute(({ signal }) => {
      seen = signal;
      return new Promise(() => {});
    });
    const outcome = assert.rejects(given, { name: "TimeoutError", code: "StepTimeout", message: /'payments'.*500 ms/ });
    mock.timers.tick(499);
    assert.equal(seen.aborted, false);
    mock.timers.tick(1);
    await outcome;
    assert.deepEqual([seen.aborted, breaker.state], [true, "open"]);
  } finally {
    mock.timers.reset();
  }
});

test("who listens is told everything, and touches nothing", async () => {
  const changes = [];
  const { time, breaker } = fixture({
    volumeThreshold: 1,
    resetTimeoutMs: 100,
    onStateChange: (change) => changes.push(change),
  });
  const told = [];
  for (const event of ["open", "halfOpen", "close", "success", "failure", "reject", "timeout"])
    breaker.on(event, ({ name }) => told.push(`${event} ${name}`));
  const uncaught = [];
  const listening = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => uncaught.push(error.message));
  try {
    breaker.on("success", () => {
      throw new Error("a listener's own");
    });
    await settled(breaker.execute(fail));
    await settled(breaker.execute(succeed));
    time.now += 100;
    assert.equal(await breaker.execute(succeed), "up");
    await new Promise(setImmediate);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of listening) process.on("uncaughtException", listener);
  }
  const words = ["failure", "open", "reject", "halfOpen", "success", "close"];
  assert.deepEqual(
    told,
    words.map((word) => `${word} payments`),
  );
  assert.deepEqual(
    changes.map(({ from, to }) => `${from} > ${to}`),
    ["closed > open", "open > half-open", "half-open > closed"],
  );
  assert.deepEqual(uncaught, ["a listener's own"]);
});

test("it can be opened and closed by hand; a listener can leave", async () => {
  const { breaker } = fixture();
  const told = [];
  const leave = breaker.on("open", () => told.push("open"));
  breaker.open();
  breaker.open();
  assert.equal(breaker.state, "open");
  breaker.close();
  assert.equal(await breaker.execute(succeed), "up");
  leave();
  breaker.open();
  assert.deepEqual(told, ["open"]);
});

describe("a guarded function", () => {
  test("keeps its signature, its name and its breaker", async () => {
    async function charge(amount, currency) {
      if (amount < 0) throw new Error("down");
      return `${amount} ${currency}`;
    }
    const guarded = withCircuitBreaker(charge, { volumeThreshold: 1 });
    assert.deepEqual([await guarded(5, "EUR"), guarded.breaker.name], ["5 EUR", "charge"]);
    await assert.rejects(guarded(-1, "EUR"), { message: "down" });
    await assert.rejects(guarded(5, "EUR"), { code: "CircuitOpen" });
  });

  test("has a fallback for failures and refusals", async () => {
    const guarded = withCircuitBreaker(fail, {
      volumeThreshold: 1,
      fallback: (error, city) => `${city}: ${error.code ?? error.message}`,
    });
    assert.deepEqual([await guarded("Ulm"), await guarded("Bonn")], ["Ulm: down", "Bonn: CircuitOpen"]);
  });

  test("shares a breaker with others, steps among them", async () => {
    const breaker = new CircuitBreaker({ volumeThreshold: 1 });
    await settled(withCircuitBreaker(fail, { breaker })());
    await assert.rejects(withCircuitBreaker(succeed, { breaker })(), { code: "CircuitOpen" });
    await assert.rejects(withStepCircuitBreaker(createStep("pay", succeed), breaker).execute(), {
      code: "CircuitOpen",
    });
    const own = withStepCircuitBreaker(createStep("pay", fail), { volumeThreshold: 1 });
    await assert.rejects(own.execute(), { message: "down" });
    await assert.rejects(own.execute(), { code: "CircuitOpen", message: /'pay'/ });
  });
});

test("options that make no sense are named", () => {
  for (const [wrong, name] of [
    [{ errorRate: 0 }, /errorRate/],
    [{ errorRate: 1.1 }, /errorRate/],
    [{ volumeThreshold: 0 }, /volumeThreshold/],
    [{ windowMs: 5 }, /window/],
    [{ resetTimeoutMs: 0 }, /reset timeout/],
    [{ resetTimeoutMs: -1 }, /resetTimeoutMs/],
    [{ halfOpenCalls: 1.5 }, /halfOpenCalls/],
    [{ timeoutMs: 0 }, /timeoutMs/],
  ])
    assert.throws(
      () => new CircuitBreaker(wrong),
      { code: "InvalidConfiguration", message: name },
      JSON.stringify(wrong),
    );
  assert.throws(() => withCircuitBreaker("x"), { code: "InvalidConfiguration" });
});
