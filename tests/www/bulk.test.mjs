// One action on many things: what the dialogs of the dashboard that act in bulk rely on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { byReason, chunks, runBulk } from "../../www/lib/bulk.ts";

const numbers = (count) => Array.from({ length: count }, (_, at) => at + 1);
const refused = (message, status) => Object.assign(new Error(message), { status });

test("every item is acted on once, in order, with no more calls at a time than allowed", async () => {
  const seen = [];
  let [underWay, most] = [0, 0];
  const end = await runBulk({
    items: numbers(20),
    parallel: 3,
    async act([item]) {
      most = Math.max(most, ++underWay);
      seen.push(item);
      await new Promise(setImmediate);
      underWay--;
    },
  });
  assert.deepEqual(seen, numbers(20));
  assert.equal(most, 3);
  assert.deepEqual(end, { total: 20, done: 20, skipped: 0, failures: [], rest: [], state: "done" });
});

test("a failure is told with its item, and the others are done", async () => {
  const end = await runBulk({
    items: numbers(5),
    async act([item]) {
      if (item % 2 === 0) throw refused(`no message ${item}`, 404);
    },
  });
  assert.equal(end.done, 3);
  assert.equal(end.state, "done");
  assert.deepEqual(
    end.failures.toSorted((a, b) => a.item - b.item),
    [
      { item: 2, reason: "no message 2" },
      { item: 4, reason: "no message 4" },
    ],
  );
});

test("a part of several that is refused is done one by one", async () => {
  const calls = [];
  const end = await runBulk({
    items: numbers(6),
    size: 3,
    parallel: 1,
    async act(part) {
      calls.push(part);
      if (part.includes(2)) throw refused("gone", 404);
    },
  });
  assert.deepEqual(calls, [[1, 2, 3], [1], [2], [3], [4, 5, 6]]);
  assert.equal(end.done, 5);
  assert.deepEqual(end.failures, [{ item: 2, reason: "gone" }]);
});

test("a part that failed within the broker, or was refused too often, is not done again: some of it may be done", async () => {
  for (const status of [500, 503, 429, undefined]) {
    const calls = [];
    const end = await runBulk({
      items: numbers(4),
      size: 2,
      parallel: 1,
      async act(part) {
        calls.push(part);
        if (part.includes(2)) throw refused("it broke", status);
      },
      wait: async () => {},
    });
    assert.ok(!calls.some((part) => part.length === 1), `${status}: ${JSON.stringify(calls)}`);
    assert.deepEqual(
      [end.state, end.done, end.failures],
      [
        "done",
        2,
        [
          { item: 1, reason: "it broke" },
          { item: 2, reason: "it broke" },
        ],
      ],
    );
  }
});

test("pauses leave no listener on the signal", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...given) => {
    listeners++;
    return addEventListener.apply(signal, given);
  };
  signal.removeEventListener = (...given) => {
    listeners--;
    return removeEventListener.apply(signal, given);
  };
  let refusals = 1;
  await runBulk({
    items: [1],
    signal,
    async act() {
      if (refusals-- > 0) throw refused("slow down", 429);
    },
  });
  assert.equal(listeners, 0);
});

test("what a part had nothing to do for is counted apart", async () => {
  const end = await runBulk({ items: numbers(7), size: 4, act: async (part) => part.length - 1 });
  assert.deepEqual([end.done, end.skipped, end.failures.length], [5, 2, 0]);
});

test("a stop begins nothing else, counts what was under way and keeps the rest", async () => {
  const stop = new AbortController();
  const end = await runBulk({
    items: numbers(10),
    parallel: 2,
    signal: stop.signal,
    async act([item]) {
      if (item === 3) stop.abort();
      await new Promise(setImmediate);
    },
  });
  assert.equal(end.state, "stopped");
  assert.equal(end.done + end.rest.length, 10);
  assert.deepEqual(
    end.rest,
    numbers(10).filter((item) => item > end.done),
  );
  assert.ok(end.done >= 3 && end.done <= 4, `${end.done} were done`);
});

test("an answer of 429 is waited for and tried again", async () => {
  const waits = [];
  let refusals = 2;
  const states = [];
  const end = await runBulk({
    items: [1],
    async act() {
      if (refusals-- > 0) throw refused("slow down", 429);
    },
    wait: async (milliseconds) => void waits.push(milliseconds),
    onProgress: ({ state }) => states.push(state),
  });
  assert.deepEqual(waits, [500, 1000]);
  assert.ok(states.includes("waiting"));
  assert.deepEqual([end.done, end.failures.length, end.state], [1, 0, "done"]);
});

test("a broker that refuses for too long fails the item, and no more", async () => {
  const end = await runBulk({
    items: [1, 2],
    parallel: 1,
    async act([item]) {
      if (item === 1) throw refused("slow down", 429);
    },
    wait: async () => {},
  });
  assert.deepEqual([end.done, end.failures], [1, [{ item: 1, reason: "slow down" }]]);
});

test("a part that was refused when it is stopped was not begun", async () => {
  const stop = new AbortController();
  const end = await runBulk({
    items: [1, 2],
    parallel: 1,
    signal: stop.signal,
    act: async () => Promise.reject(refused("slow down", 429)),
    wait: async () => stop.abort(),
  });
  assert.deepEqual([end.state, end.rest, end.failures], ["stopped", [1, 2], []]);
});

test("a broker that can't be reached halts it: the rest is kept, not failed one by one", async () => {
  let calls = 0;
  const end = await runBulk({
    items: numbers(50),
    parallel: 1,
    async act() {
      if (++calls === 3) throw Object.assign(new Error("the broker does not answer"), { isUnreachable: true });
    },
  });
  assert.equal(calls, 3);
  assert.deepEqual([end.state, end.done, end.failures.length, end.rest.length], ["halted", 2, 1, 47]);
});

test("nothing to do is done at once", async () => {
  const end = await runBulk({ items: [], act: async () => assert.fail("there is nothing to do") });
  assert.deepEqual([end.total, end.state], [0, "done"]);
});

test("failures are grouped by their reason, the most frequent first", () => {
  const groups = byReason([
    { item: 1, reason: "gone" },
    { item: 2, reason: "refused" },
    { item: 3, reason: "refused" },
  ]);
  assert.deepEqual(groups, [
    { reason: "refused", items: [2, 3] },
    { reason: "gone", items: [1] },
  ]);
  assert.deepEqual(chunks(numbers(5), 2), [[1, 2], [3, 4], [5]]);
});
