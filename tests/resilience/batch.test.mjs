/** Batches: against a model that moves time by milliseconds, and what callers see. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { BatchManager, processBatch, withBatch } from "@repo/orchestration";

import { chance } from "./random.mjs";

/** Lets promises that are due be heard. */
const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};
const settled = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error: error.code ?? error.message }),
  );

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

/** Moves time on by single milliseconds, as far as they matter. */
async function pass(milliseconds) {
  for (let each = 0; each < milliseconds; each += 1) {
    mock.timers.tick(1);
    await turns(6);
  }
}

/** Items in a list, and the rule in its own words; asked after everything that happens. */
class Model {
  waiting = [];
  running = 0;
  batches = [];
  /** Since when the first of those who wait has waited for others. */
  since = 0;

  constructor(rule) {
    this.rule = rule;
  }

  add(item, now) {
    if (this.waiting.length === 0) this.since = now;
    this.waiting.push(item);
  }

  begin(now) {
    for (;;) {
      const { maxSize, maxWaitMs, concurrency } = this.rule;
      const waited = this.waiting.length > 0 && now >= this.since + maxWaitMs;
      const ready = this.waiting.length >= maxSize || waited || (this.flushed ?? 0) > 0;
      if (this.waiting.length === 0 || !ready || this.running >= concurrency) return;
      const batch = this.waiting.splice(0, maxSize);
      // Whoever waits with one that has waited long enough goes with it, or right behind.
      this.flushed = waited ? this.waiting.length : Math.max(0, (this.flushed ?? 0) - batch.length);
      this.since = now;
      this.running += 1;
      this.batches.push(batch);
    }
  }
}

test("batches are what the model says", async () => {
  let total = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const between = chance(seed);
    const rule = { maxSize: between(1, 5), maxWaitMs: between(1, 20), concurrency: between(1, 3) };
    const model = new Model(rule);
    const batches = [];
    const open = [];
    const manager = new BatchManager({
      ...rule,
      process: (items) => {
        batches.push(items);
        const work = Promise.withResolvers();
        open.push({ work, items });
        return work.promise;
      },
    });
    const results = [];
    for (let action = 0; action < 60; action += 1) {
      const kind = between(0, 3);
      if (kind <= 1) {
        for (let count = between(1, 3); count > 0; count -= 1) {
          results.push(manager.add(results.length));
          model.add(results.length - 1, Date.now());
        }
      } else if (kind === 2 && open.length > 0) {
        const [{ work, items }] = open.splice(between(0, open.length - 1), 1);
        work.resolve(items.map((item) => item * 10));
        model.running -= 1;
      } else {
        for (let each = between(1, 12); each > 0; each -= 1) {
          await pass(1);
          model.begin(Date.now());
        }
      }
      await turns();
      model.begin(Date.now());
      assert.deepEqual(batches, model.batches, `seed ${seed}, action ${action}, ${JSON.stringify(rule)}`);
      assert.deepEqual([manager.pending, manager.running], [model.waiting.length, model.running]);
    }
    const closing = manager.close();
    for (; manager.running > 0; await turns()) {
      const { work, items } = open.shift();
      work.resolve(items.map((item) => item * 10));
    }
    await closing;
    assert.deepEqual(
      await Promise.all(results),
      results.map((_, item) => item * 10),
      `seed ${seed}`,
    );
    assert.deepEqual(
      batches.flat(),
      results.map((_, item) => item),
      "in the order in which they came",
    );
    total += results.length;
  }
  assert.ok(total > 500, `${total} items`);
});

describe("an item", () => {
  test("goes with those of its tick when it need not wait", async () => {
    const batches = [];
    const load = withBatch(
      (ids) => {
        batches.push(ids);
        return ids.map((id) => `user ${id}`);
      },
      { maxWaitMs: 0, maxSize: 3 },
    );
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map(load)), ["user 1", "user 2", "user 3", "user 4"]);
    assert.deepEqual(batches, [[1, 2, 3], [4]]);
  });

  test("can fail by itself: by an Error, or by a promise", async () => {
    const manager = new BatchManager({
      maxSize: 4,
      process: (items) =>
        items.map((item) => {
          if (item === "error") return new Error("no");
          return item === "rejected" ? Promise.reject(new Error("later")) : Promise.resolve(item.length);
        }),
    });
    const results = await manager.addAll(["one", "error", "rejected", "three"]);
    const told = results.map(({ value, reason }) => value ?? reason.message);
    assert.deepEqual(told, [3, "no", "later", 5]);
  });

  test("fails with its batch, and the next batch is not touched", async () => {
    let calls = 0;
    const manager = new BatchManager({
      maxSize: 2,
      process: (items) => {
        calls += 1;
        if (calls === 1) throw new Error("down");
        return items;
      },
    });
    const results = await manager.addAll([1, 2, 3, 4]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["rejected", "rejected", "fulfilled", "fulfilled"],
    );
  });

  test("is told when the function gives something else than a result for each", async () => {
    for (const wrong of [[1], undefined, { length: 2 }]) {
      const manager = new BatchManager({ maxSize: 2, process: () => wrong });
      const [first] = await manager.addAll([1, 2]);
      assert.deepEqual([first.reason.code, /2 items/.test(first.reason.message)], ["ValidationFailed", true]);
    }
  });
});

describe("when there is no room", () => {
  const slow = (options) => {
    const work = [];
    const process = (items) => {
      const { promise, resolve } = Promise.withResolvers();
      work.push(() => resolve(items));
      return promise;
    };
    return { work, manager: new BatchManager({ maxSize: 2, maxPending: 2, maxWaitMs: 10, process, ...options }) };
  };

  test("an item waits in front, and order is kept", async () => {
    const { work, manager } = slow();
    const order = [];
    const added = [1, 2, 3, 4, 5, 6, 7].map((item) => manager.add(item).then((value) => order.push(value)));
    await turns();
    assert.deepEqual([manager.pending, manager.running], [5, 1]);
    const ready = manager.ready();
    let isReady = false;
    ready.then(() => {
      isReady = true;
    });
    for (let batch = 0; batch < 3; batch += 1) {
      assert.equal(isReady, batch === 2);
      work.shift()();
      await turns();
    }
    await pass(11);
    work.shift()();
    await Promise.all([...added, ready]);
    assert.deepEqual(order, [1, 2, 3, 4, 5, 6, 7]);
  });

  test("or it is refused", async () => {
    const { work, manager } = slow({ whenFull: "reject" });
    const results = [1, 2, 3, 4, 5].map((item) => settled(manager.add(item)));
    assert.deepEqual(await results[4], { error: "BatchFull" });
    await turns();
    work.shift()();
    await turns();
    work.shift()();
    assert.deepEqual(
      await Promise.all(results.slice(0, 4)),
      [1, 2, 3, 4].map((value) => ({ value })),
    );
  });

  test("waiting for room can be given up", async () => {
    const { manager } = slow();
    for (const item of [1, 2, 3, 4, 5]) settled(manager.add(item));
    const caller = new AbortController();
    const ready = manager.ready({ signal: caller.signal });
    const reason = new Error("gone");
    caller.abort(reason);
    await assert.rejects(ready, reason);
  });
});

describe("the end", () => {
  test("flush works off what waits, and later items wait again", async () => {
    const batches = [];
    const manager = new BatchManager({ maxSize: 10, process: (items) => batches.push(items) && items });
    manager.add(1);
    manager.add(2);
    await manager.flush();
    const later = manager.add(3);
    await turns();
    assert.deepEqual(batches, [[1, 2]]);
    await pass(100);
    assert.equal(await later, 3);
    await manager.flush();
  });

  test("flush does not wait for items that come later, and waits for all that came before", async () => {
    const gates = new Map();
    const manager = new BatchManager({
      maxSize: 1,
      concurrency: 2,
      process: async ([item]) => {
        await new Promise((resolve) => gates.set(item, resolve));
        return [item];
      },
    });
    manager.add("slow");
    let flushed = false;
    const flushing = manager.flush().then(() => {
      flushed = true;
    });
    manager.add("later");
    await turns();
    gates.get("later")();
    await turns();
    assert.equal(flushed, false, "as many are done as were to be, but not the same ones");
    manager.add("last");
    await turns();
    gates.get("slow")();
    await flushing;
    assert.equal(manager.running, 1);
    gates.get("last")();
    await manager.close();
  });

  test("close works off what waits and takes no more; `await using` closes", async () => {
    const done = [];
    const manager = new BatchManager({ maxSize: 10, process: (items) => done.push(...items) && items });
    const added = manager.add(1);
    await manager[Symbol.asyncDispose]();
    assert.deepEqual([await added, done], [1, [1]]);
    await assert.rejects(manager.add(2), { code: "Closed", retryable: false });
    await assert.rejects(manager.ready(), { code: "Closed" });
  });

  test("a signal ends everything at once", async () => {
    const ending = new AbortController();
    let seen;
    const manager = new BatchManager({
      maxSize: 1,
      signal: ending.signal,
      process: (items, { signal }) => {
        seen = signal;
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve(items)));
      },
    });
    const [running, waiting] = [settled(manager.add(1)), settled(manager.add(2))];
    await turns();
    const reason = new Error("shut down");
    ending.abort(reason);
    assert.deepEqual([await waiting, await running, seen.aborted], [{ error: "shut down" }, { value: 1 }, true]);
    await assert.rejects(manager.add(3), reason);
    await manager.close();
  });

  test("what does not heed the signal is not waited for, and counts for nothing later", async () => {
    const ending = new AbortController();
    let finish;
    const told = [];
    const manager = new BatchManager({
      maxSize: 1,
      signal: ending.signal,
      onProgress: (progress) => told.push(progress),
      process: (items) => new Promise((resolve) => (finish = () => resolve(items))),
    });
    const running = settled(manager.add(1));
    await turns();
    ending.abort(new Error("shut down"));
    const closing = manager.close();
    await pass(1);
    await closing;
    assert.deepEqual([await running, manager.running], [{ error: "shut down" }, 0]);
    finish();
    await turns();
    assert.deepEqual(told, [{ completed: 1, succeeded: 0, failed: 1, pending: 0, running: 0 }]);
  });

  test("progress is told after each batch, and who is told can't harm it", async () => {
    const told = [];
    const manager = new BatchManager({
      maxSize: 2,
      process: (items) => items.map((item) => (item === 2 ? new Error("no") : item)),
      onProgress: (progress) => told.push(progress),
    });
    await manager.addAll([1, 2, 3, 4]);
    await manager.close();
    assert.deepEqual(told.at(-1), { completed: 4, succeeded: 3, failed: 1, pending: 0, running: 0 });
    assert.equal(told.length, 2);
  });
});

test("no timer is held while nothing waits", async () => {
  const set = mock.method(globalThis, "setTimeout");
  const clear = mock.method(globalThis, "clearTimeout");
  const manager = new BatchManager({ maxSize: 2, process: (items) => items });
  await turns();
  assert.equal(set.mock.callCount(), 0);
  const first = manager.add(1);
  await turns();
  assert.deepEqual([set.mock.callCount(), clear.mock.callCount()], [1, 0]);
  await Promise.all([first, manager.add(2)]);
  await turns();
  assert.deepEqual([set.mock.callCount(), clear.mock.callCount()], [1, 1]);
});

test("options that make no sense are named", () => {
  const process = (items) => items;
  for (const [wrong, name] of [
    [{ process: undefined }, /process/],
    [{ maxSize: 0 }, /maxSize/],
    [{ maxWaitMs: -1 }, /maxWaitMs/],
    [{ concurrency: 0.5 }, /concurrency/],
    [{ maxPending: 0 }, /maxPending/],
    [{ whenFull: "drop" }, /whenFull/],
  ]) {
    const options = { process, ...wrong };
    assert.throws(() => new BatchManager(options), { code: "InvalidConfiguration", message: name }, `${name}`);
  }
});

describe("a list", () => {
  test("so many at once, results in order, failures among them", async () => {
    const between = chance(7);
    let [running, most] = [0, 0];
    const told = [];
    const work = async (item, { index }) => {
      assert.equal(index, item);
      running += 1;
      most = Math.max(most, running);
      await turns(between(1, 9));
      running -= 1;
      if (item % 7 === 3) throw new Error(`no ${item}`);
      return item * 2;
    };
    const items = Array.from({ length: 50 }, (_, index) => index);
    const onProgress = (progress) => told.push(progress);
    const { results, succeeded, failed } = await processBatch(new Set(items), work, { concurrency: 4, onProgress });
    const expected = (item) =>
      item % 7 === 3
        ? { status: "rejected", reason: new Error(`no ${item}`) }
        : { status: "fulfilled", value: item * 2 };
    assert.deepEqual(results, items.map(expected));
    assert.deepEqual([succeeded, failed, most], [43, 7, 4]);
    assert.deepEqual([told.length, told.at(-1)], [50, { total: 50, completed: 50, succeeded: 43, failed: 7 }]);
  });

  test("several at a time", async () => {
    const batches = [];
    const insert = async (rows, { index }) => {
      batches.push([index, rows]);
      if (rows.includes("e")) throw new Error("down");
      return rows.map((row) => (row === "b" ? new Error("no") : row.toUpperCase()));
    };
    const { results, succeeded, failed } = await processBatch("abcdefg", insert, { size: 3, concurrency: 1 });
    assert.deepEqual(batches, [
      [0, ["a", "b", "c"]],
      [3, ["d", "e", "f"]],
      [6, ["g"]],
    ]);
    assert.deepEqual(
      results.map(({ value, reason }) => value ?? reason.message),
      ["A", "no", "C", "down", "down", "down", "G"],
    );
    assert.deepEqual([succeeded, failed], [3, 4]);
    const wrong = await processBatch([1, 2], (some) => some.length, { size: 2 });
    assert.equal(wrong.results[1].reason.code, "ValidationFailed");
  });

  test("ends at the first failure, if asked to", async () => {
    const begun = [];
    const work = async (item) => {
      begun.push(item);
      if (item === 2) throw new Error("no");
      return item;
    };
    const { results, failed } = await processBatch([1, 2, 3, 4], work, { concurrency: 1, stopOnError: true });
    assert.deepEqual([begun, failed], [[1, 2], 3]);
    assert.deepEqual(
      results.slice(1).map(({ reason }) => reason.code ?? reason.message),
      ["no", "Aborted", "Aborted"],
    );
  });

  test("keeps what was done when its caller gives up", async () => {
    const caller = new AbortController();
    const reason = new Error("gone");
    const work = async (item, { signal }) => {
      if (item === 2) {
        caller.abort(reason);
        assert.equal(signal.aborted, true);
      }
      return item;
    };
    const { results } = await processBatch([1, 2, 3], work, { concurrency: 1, signal: caller.signal });
    assert.deepEqual(
      results.map(({ value, reason }) => value ?? reason.message),
      [1, 2, "gone"],
    );
    const none = await processBatch([1], work, { signal: AbortSignal.abort(reason) });
    assert.deepEqual(none, { results: [{ status: "rejected", reason }], succeeded: 0, failed: 1 });
  });

  test("does not wait for what goes on when its caller has given up", async () => {
    const caller = new AbortController();
    const told = [];
    let finish;
    const work = (item) => (item === 1 ? item : new Promise((resolve) => (finish = resolve)));
    const options = { concurrency: 2, signal: caller.signal, onProgress: (progress) => told.push(progress) };
    const working = processBatch([1, 2, 3, 4], work, options);
    await turns();
    caller.abort(new Error("gone"));
    await pass(1);
    const before = await working;
    assert.deepEqual(
      before.results.map(({ value, reason }) => value ?? reason.message),
      [1, "gone", "gone", "gone"],
    );
    finish("late");
    await turns();
    assert.deepEqual([before.results[2].status, before.succeeded, told.length], ["rejected", 1, 1]);
  });

  test("all at once, if the size has no end", async () => {
    for (const items of [[1, 2, 3], []]) {
      const calls = [];
      const work = (some) => calls.push(some) && some.map((item) => item * 2);
      const { results } = await processBatch(items, work, { size: Number.POSITIVE_INFINITY });
      const values = results.map(({ value }) => value);
      const [expected, begun] = items.length > 0 ? [[2, 4, 6], [items]] : [[], []];
      assert.deepEqual([values, calls], [expected, begun]);
    }
  });

  test("may be empty; numbers that make no sense are named", async () => {
    assert.deepEqual(await processBatch([], () => 1), { results: [], succeeded: 0, failed: 0 });
    for (const wrong of [{ size: 0 }, { concurrency: 0 }, { concurrency: 1.5 }])
      await assert.rejects(
        processBatch([1], () => 1, wrong),
        { code: "InvalidConfiguration", message: new RegExp(Object.keys(wrong)[0]) },
      );
  });
});
