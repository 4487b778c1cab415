/** Signals that time out: when, why, and what is left of them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { createTimeoutSignal } from "@repo/orchestration/shared/factories/step-templates";

import { createCompiler } from "./compiler.mjs";

const MONTHS = 90 * 24 * 60 * 60 * 1_000;

describe("time", () => {
  test("the example of the package's description", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const log = t.mock.method(console, "log", () => {});
    const signal = createTimeoutSignal(5000); // 5 second timeout
    signal.addEventListener(
      "abort",
      () => {
        console.log("Operation timed out");
      },
      { once: true },
    ); // Proper cleanup
    t.mock.timers.tick(4_999);
    assert.equal(log.mock.callCount(), 0);
    t.mock.timers.tick(1);
    assert.deepEqual(
      log.mock.calls.map(({ arguments: given }) => given),
      [["Operation timed out"]],
    );
  });

  test("the reason is that of AbortSignal.timeout", async (t) => {
    const theirs = AbortSignal.timeout(0);
    // Its timer keeps no process from ending.
    const hold = setInterval(() => {}, 60_000);
    await new Promise((resolve) => theirs.addEventListener("abort", resolve));
    clearInterval(hold);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const ours = createTimeoutSignal(0);
    t.mock.timers.tick(1);
    const told = ({ reason }) => [reason instanceof DOMException, reason.name, reason.code, reason.message];
    assert.deepEqual(told(ours), told(theirs));
    assert.throws(() => ours.throwIfAborted(), { name: "TimeoutError" });
    assert.ok(ours instanceof AbortSignal);
  });

  test("months are months, and Infinity is never", (t) => {
    const timers = t.mock.method(globalThis, "setTimeout", () => ({}));
    createTimeoutSignal(Number.POSITIVE_INFINITY);
    assert.equal(timers.mock.callCount(), 0);
    const signal = createTimeoutSignal(MONTHS);
    let passed = 0;
    for (let call = 0; call < timers.mock.callCount(); call += 1) {
      assert.equal(signal.aborted, false);
      const [fire, milliseconds] = timers.mock.calls[call].arguments;
      assert.ok(milliseconds < 2 ** 31, "a timer fires at once");
      passed += milliseconds;
      fire();
    }
    assert.deepEqual([signal.aborted, passed], [true, MONTHS]);
  });

  test("what is no time is refused", () => {
    for (const ms of [-1, Number.NaN, "5", undefined, null, 5n])
      assert.throws(() => createTimeoutSignal(ms), {
        name: "ConfigurationError",
        code: "InvalidConfiguration",
        message: /a timeout must be a number of milliseconds from 0, not (-1|NaN|string|undefined|object|bigint)$/,
      });
  });

  test("it keeps no process from ending", async () => {
    const url = import.meta.resolve("@repo/orchestration/shared/factories/step-templates");
    const program = `import { createTimeoutSignal } from ${JSON.stringify(url)}; createTimeoutSignal(600_000); console.log("end");`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      timeout: 60_000,
    });
    assert.equal(stdout, "end\n");
  });
});

describe("another signal", () => {
  test("aborts it, with its reason and before its time", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const outer = new AbortController();
    const signal = createTimeoutSignal(5_000, { signal: outer.signal });
    outer.abort("enough");
    assert.deepEqual([signal.aborted, signal.reason], [true, "enough"]);
    const late = createTimeoutSignal(5_000, { signal: outer.signal });
    assert.deepEqual([late.aborted, late.reason], [true, "enough"]);
  });

  test("has no listener and no timer left, however it ends", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const stopped = t.mock.method(globalThis, "clearTimeout", globalThis.clearTimeout);
    const ends = {
      clear: (signal) => signal.clear(),
      "clear twice": (signal) => [signal.clear(), signal.clear()],
      dispose: (signal) => signal[Symbol.dispose](),
      time: () => t.mock.timers.tick(5_000),
      outer: (_, outer) => outer.abort(),
    };
    for (const [name, end] of Object.entries(ends)) {
      const outer = new AbortController();
      const listeners = counted(outer.signal);
      const signal = createTimeoutSignal(5_000, { signal: outer.signal });
      assert.equal(listeners.count, 1, name);
      end(signal, outer);
      assert.equal(listeners.count, 0, name);
      if (name !== "time") assert.ok(stopped.mock.callCount() > 0, name);
      stopped.mock.resetCalls();
      const { aborted } = signal;
      assert.equal(aborted, name === "time" || name === "outer", name);
      t.mock.timers.tick(10_000);
      outer.abort();
      assert.equal(signal.aborted, aborted, name);
    }
  });

  test("collects no listeners, and gets none when it has been aborted", () => {
    const { signal } = new AbortController();
    const listeners = counted(signal);
    for (let index = 0; index < 1_000; index += 1) createTimeoutSignal(60_000, { signal }).clear();
    assert.equal(listeners.count, 0);
    const aborted = AbortSignal.abort();
    const none = counted(aborted);
    createTimeoutSignal(60_000, { signal: aborted });
    assert.equal(none.count, 0);
  });
});

/** How many listeners a signal has. */
function counted(signal) {
  const live = new Set();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (type, listener, options) => {
    live.add(listener);
    addEventListener.call(signal, type, listener, options);
  };
  signal.removeEventListener = (type, listener) => {
    live.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  return {
    get count() {
      return live.size;
    },
  };
}

describe("types", () => {
  let compiler;
  before(async () => {
    compiler = await createCompiler();
  });
  after(() => compiler.remove());

  test("it is an AbortSignal, and disposable where the compiler knows of that", async () => {
    const source = `
import { createTimeoutSignal, type TimeoutSignal } from "@repo/orchestration/shared/factories/step-templates";
const signal: TimeoutSignal = createTimeoutSignal(5000, { signal: new AbortController().signal });
export const plain: AbortSignal = signal;
signal.clear();
`;
    assert.equal(await compiler.compile({ "signal.mts": source }), "");
    const disposing = `${source}export function f() { using own = createTimeoutSignal(5); return own.aborted; }\n`;
    const lib = ["es2022", "esnext.disposable", "dom"];
    assert.equal(await compiler.compile({ "signal.mts": disposing }, { lib }), "");
  });
});
