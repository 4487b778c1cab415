/** The bounded cache: against a simple model with a clock of its own, and its loads. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";

import { BoundedCache } from "@repo/orchestration";

const SEEDS = 200;
const OPERATIONS = 60;
const KEYS = ["a", "b", "c", "d", "e", "f", "g"];

describe("a bounded cache does what a list would do, however it is used", () => {
  for (const options of [
    { maxSize: 1 },
    { maxSize: 4 },
    { maxSize: 4, ttl: 10 },
    { maxSize: 5, maxBytes: 12 },
    { maxSize: 4, ttl: 25, maxBytes: 9 },
  ]) {
    test(JSON.stringify(options), () => {
      for (let seed = 1; seed <= SEEDS; seed += 1) walk(options, seed);
    });
  }
});

/** Random operations on a cache and on the model; whatever can be seen of them is the same after each. */
function walk(options, seed) {
  const random = generator(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const clock = { time: Math.floor(random() * 3), now: () => clock.time };
  const told = [[], []];
  const listening = seed % 3 !== 0;
  const make = (Cache, log) =>
    new Cache({
      ...options,
      clock,
      enableAnalytics: seed % 4 !== 0,
      ...(options.maxBytes && { sizeOf: (value) => value % 7 }),
      ...(listening && { onEvict: (...event) => log.push(event) }),
    });
  const [cache, model] = [make(BoundedCache, told[0]), make(Model, told[1])];
  for (let step = 1; step <= OPERATIONS; step += 1) {
    const key = pick(KEYS);
    const given = random() < 0.3 ? [{ ttl: pick([1, 5.5, 40, Number.POSITIVE_INFINITY]) }] : [];
    const [operation, ...input] = pick([
      ["set", key, step, ...given],
      ["set", key, step],
      ["set", key, pick([undefined, null, 0, ""])],
      ["get", key],
      ["get", key],
      ["peek", key],
      ["has", key],
      ["delete", key],
      ["pass", pick([1, 3, 10, 30])],
      random() < 0.2 ? ["clear"] : ["get", key],
      random() < 0.2 ? ["resetAnalytics"] : ["get", key],
    ]);
    const why = `seed ${seed}, step ${step}: ${operation}(${input.map(String)})`;
    if (operation === "pass") clock.time += input[0];
    else {
      const [ours, theirs] = [cache[operation](...input), model[operation](...input)];
      if (operation !== "set") assert.deepEqual(ours, theirs, why);
    }
    assert.deepEqual([...cache], model.entries(), why);
    assert.deepEqual(
      [...cache.keys()],
      model.entries().map(([held]) => held),
      why,
    );
    assert.deepEqual(cache.getAnalytics(), model.getAnalytics(), why);
    assert.deepEqual(told[0], told[1], why);
  }
}

/** The same by a list, the entry used last at its end. */
class Model {
  #options;
  #list = [];
  #counts = {};

  constructor(options) {
    this.#options = options;
    this.resetAnalytics();
  }

  resetAnalytics() {
    this.#counts = { hits: 0, misses: 0, evictions: 0, expirations: 0, loads: 0, loadErrors: 0 };
  }

  #find(key) {
    return this.#list.find((entry) => entry.key === key);
  }

  #remove(entry) {
    this.#list.splice(this.#list.indexOf(entry), 1);
  }

  #fresh = (entry) => this.#options.clock.now() - entry.since <= entry.ttl;

  #count(what) {
    if (this.#options.enableAnalytics) this.#counts[what] += 1;
  }

  #tell(entry, reason) {
    this.#count(reason === "evicted" ? "evictions" : "expirations");
    this.#options.onEvict?.(entry.key, entry.value, reason);
  }

  get(key) {
    const entry = this.#find(key);
    if (entry && this.#fresh(entry)) {
      this.#count("hits");
      this.#remove(entry);
      this.#list.push(entry);
      return entry.value;
    }
    this.#count("misses");
    if (entry) {
      this.#remove(entry);
      this.#tell(entry, "expired");
    }
    return undefined;
  }

  peek(key) {
    const entry = this.#find(key);
    return entry && this.#fresh(entry) ? entry.value : undefined;
  }

  has(key) {
    return this.peek(key) !== undefined;
  }

  set(key, value, { ttl = this.#options.ttl ?? Number.POSITIVE_INFINITY } = {}) {
    const { maxSize, maxBytes = Number.POSITIVE_INFINITY, sizeOf = () => 1, clock } = this.#options;
    const existing = this.#find(key);
    if (existing) this.#remove(existing);
    if (value === undefined) return;
    const size = Math.max(1, sizeOf(value));
    if (size > maxBytes) return;
    const bytes = () => this.#list.reduce((sum, entry) => sum + entry.size, size);
    while (this.#list.length >= maxSize || bytes() > maxBytes) this.#tell(this.#list.shift(), "evicted");
    this.#list.push({ key, value, size, ttl: Math.ceil(ttl), since: clock.now() });
  }

  delete(key) {
    const entry = this.#find(key);
    if (!entry) return false;
    this.#remove(entry);
    return this.#fresh(entry);
  }

  clear() {
    this.#list = [];
  }

  entries() {
    return this.#list
      .filter(this.#fresh)
      .map(({ key, value }) => [key, value])
      .reverse();
  }

  getAnalytics() {
    const { hits, misses } = this.#counts;
    const hitRate = hits === 0 ? 0 : hits / (hits + misses);
    return { ...this.#counts, hitRate, size: this.#list.length, maxSize: this.#options.maxSize };
  }
}

/** Numbers from 0 to 1 that a seed decides: mulberry32. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("options", () => {
  const cases = {
    "no size": [{}, /maxSize of a cache has to be a whole number from 1 to 16777216, got undefined/],
    "size 0": [{ maxSize: 0 }, /got 0$/],
    "a broken size": [{ maxSize: 1.5 }, /got 1\.5$/],
    "a size no map has": [{ maxSize: 2 ** 24 + 1 }, /got 16777217$/],
    "a text as size": [{ maxSize: "9" }, /got string$/],
    "no time": [{ maxSize: 1, ttl: 0 }, /ttl of a cache has to be milliseconds above 0, got 0$/],
    "a time before": [{ maxSize: 1, ttl: -1 }, /got -1$/],
    "not a number": [{ maxSize: 1, ttl: Number.NaN }, /got NaN$/],
    "bytes alone": [{ maxSize: 1, maxBytes: 5 }, /maxBytes and sizeOf of a cache need each other/],
    "sizes alone": [{ maxSize: 1, sizeOf: () => 1 }, /need each other/],
    "no bytes": [{ maxSize: 1, maxBytes: 0, sizeOf: () => 1 }, /maxBytes of a cache has to be/],
  };
  for (const [name, [options, message]] of Object.entries(cases)) {
    test(name, () =>
      assert.throws(() => new BoundedCache(options), {
        name: "ConfigurationError",
        code: "InvalidConfiguration",
        message,
      }),
    );
  }

  test("an entry's time and size", async () => {
    const cache = new BoundedCache({ maxSize: 2, maxBytes: 2, sizeOf: (value) => value });
    const refused = { code: "InvalidConfiguration" };
    assert.throws(() => cache.set("key", 1, { ttl: -1 }), refused);
    assert.throws(() => cache.set("key", Number.NaN), refused);
    assert.throws(() => cache.set("key", "large"), refused);
    await assert.rejects(
      cache.getOrLoad("key", () => 1, { ttl: 0 }),
      refused,
    );
    assert.equal(cache.size, 0);
  });
});

test("the runtime's clock ends entries", async (t) => {
  let now = 1_000;
  t.mock.method(performance, "now", () => now);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const cache = new BoundedCache({ maxSize: 10, ttl: 300_000 }).set("key", "value");
  const after = (milliseconds) => {
    now += milliseconds;
    t.mock.timers.tick(milliseconds);
    return cache.get("key");
  };
  assert.equal(after(299_999), "value");
  assert.equal(after(1), "value");
  assert.equal(after(1), undefined);
});

test("who is told of an eviction may use the cache", () => {
  const seen = [];
  const cache = new BoundedCache({
    maxSize: 2,
    onEvict: (key) => {
      seen.push(key);
      if (key === "a") cache.set("told", true);
    },
  });
  for (const key of ["a", "b", "c"]) cache.set(key, key);
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual([...cache.keys()], ["told", "c"]);
});

test("who listens to the library's diagnostics is told of each call by itself", () => {
  const told = [];
  const listen = (status) => told.push(status);
  subscribe("lru-cache:metrics", listen);
  const cache = new BoundedCache({ maxSize: 2 }).set("key", "value");
  cache.get("key");
  cache.get("absent");
  unsubscribe("lru-cache:metrics", listen);
  cache.get("key");
  const calls = told.map(({ op, key, value, get }) => [op, key, value, get]);
  assert.deepEqual(calls, [
    ["set", "key", "value", undefined],
    ["get", "key", "value", "hit"],
    ["get", "absent", undefined, "miss"],
  ]);
});

describe("getOrLoad", () => {
  const create = (options) => new BoundedCache({ maxSize: 10, enableAnalytics: true, ...options });
  const failing = (cache, key, options) => assert.rejects(cache.getOrLoad(key, unreachable, options));
  const unreachable = () => assert.fail("this loader is not needed");

  test("loads once for all who ask meanwhile, and holds what comes", async () => {
    const cache = create();
    const load = deferred();
    const asked = [cache.getOrLoad("key", () => load.promise), cache.getOrLoad("key", unreachable)];
    const other = cache.getOrLoad("other", (key) => `${key}!`);
    assert.equal(await other, "other!");
    load.resolve("value");
    assert.deepEqual(await Promise.all(asked), ["value", "value"]);
    assert.equal(await cache.getOrLoad("key", unreachable), "value");
    const { hits, misses, loads, loadErrors } = cache.getAnalytics();
    assert.deepEqual({ hits, misses, loads, loadErrors }, { hits: 1, misses: 3, loads: 2, loadErrors: 0 });
  });

  test("a failure reaches all who wait and is not remembered, thrown or rejected", async () => {
    for (const fail of [() => Promise.reject(new Error("down")), () => assert.fail("down")]) {
      const cache = create();
      const asked = [cache.getOrLoad("key", fail), cache.getOrLoad("key", unreachable)];
      for (const each of asked) await assert.rejects(each, { message: "down" });
      assert.equal(await cache.getOrLoad("key", () => "up"), "up");
      assert.equal(cache.getAnalytics().loadErrors, 1);
    }
  });

  test("time: the entry's own, or the cache's, from when it was loaded", async () => {
    const clock = { time: 1, now: () => clock.time };
    const cache = create({ ttl: 10, clock });
    await cache.getOrLoad("short", () => 1, { ttl: 5 });
    await cache.getOrLoad("long", () => 1);
    await cache.getOrLoad("always", () => 1, { ttl: Number.POSITIVE_INFINITY });
    clock.time += 6;
    assert.deepEqual([...cache.keys()], ["always", "long"]);
    clock.time += 5;
    assert.deepEqual([...cache.keys()], ["always"]);
  });

  test("one who gives up does not end the load of the others", async () => {
    const cache = create();
    const load = deferred();
    const impatient = new AbortController();
    let told;
    const first = cache.getOrLoad(
      "key",
      (_, { signal }) => {
        told = signal;
        return load.promise;
      },
      { signal: impatient.signal },
    );
    const second = cache.getOrLoad("key", unreachable);
    impatient.abort(new Error("enough"));
    await assert.rejects(first, { message: "enough" });
    assert.equal(told.aborted, false);
    load.resolve("value");
    assert.equal(await second, "value");
    assert.equal(cache.peek("key"), "value");
  });

  test("when the last one gives up the load is aborted, and the next who asks begins another", async () => {
    const cache = create();
    const controllers = [new AbortController(), new AbortController()];
    const late = deferred();
    let told;
    const loader = (_, { signal }) => {
      told = signal;
      return late.promise;
    };
    const asked = controllers.map(({ signal }) => cache.getOrLoad("key", loader, { signal }));
    await null;
    for (const [index, controller] of controllers.entries()) controller.abort(new Error(`no ${index}`));
    for (const [index, each] of asked.entries()) await assert.rejects(each, { message: `no ${index}` });
    assert.equal(told.aborted, true);
    assert.equal(await cache.getOrLoad("key", () => "new"), "new");
    late.resolve("late");
    await settled();
    assert.equal(cache.peek("key"), "new");
    const { loads, loadErrors } = cache.getAnalytics();
    assert.deepEqual({ loads, loadErrors }, { loads: 2, loadErrors: 0 });
  });

  test("who has given up already begins nothing, and a signal keeps no listener", async () => {
    const cache = create();
    await failing(cache, "key", { signal: AbortSignal.abort() });
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...given) => {
      listeners += 1;
      addEventListener.apply(signal, given);
    };
    signal.removeEventListener = (...given) => {
      listeners -= 1;
      removeEventListener.apply(signal, given);
    };
    await cache.getOrLoad("key", () => 1, { signal });
    await assert.rejects(cache.getOrLoad("other", () => assert.fail("down"), { signal }));
    await settled();
    assert.equal(listeners, 0);
  });

  test("what is set, deleted or cleared meanwhile is newer than what is loaded", async () => {
    const changes = {
      set: (cache) => cache.set("key", "set"),
      delete: (cache) => cache.delete("key"),
      clear: (cache) => cache.clear(),
    };
    for (const [name, change] of Object.entries(changes)) {
      const cache = create();
      const load = deferred();
      const asked = cache.getOrLoad("key", () => load.promise);
      await null;
      change(cache);
      load.resolve("loaded");
      assert.equal(await asked, "loaded");
      assert.equal(cache.peek("key"), name === "set" ? "set" : undefined, name);
    }
  });

  test("nothing is nothing to hold", async () => {
    const cache = create();
    assert.equal(await cache.getOrLoad("key", () => undefined), undefined);
    assert.equal(cache.size, 0);
    assert.equal(await cache.getOrLoad("key", () => null), null);
    assert.equal(await cache.getOrLoad("key", unreachable), null);
  });
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** What is under way has ended, timers aside. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
