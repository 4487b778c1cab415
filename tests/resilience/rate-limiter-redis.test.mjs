/** Rate limits in a real Redis: the scripts decide as the rules do, at once for all, and what happens when it is down. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, mock, test } from "node:test";

import { createRateLimiter, RedisRest } from "@repo/orchestration";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";

import { chance } from "./random.mjs";
import { startRedis } from "./redis.mjs";
import { startRest } from "./redis-rest.mjs";

const ALGORITHMS = ["fixed-window", "sliding-window", "token-bucket"];

let redis;
let front;
const connection = () => ({ url: front.url, token: front.token });

before(async () => {
  redis = await startRedis();
  front = await startRest(redis);
});
after(async () => {
  await front?.stop();
  await redis?.stop();
});
beforeEach(async () => {
  await redis.command("FLUSHALL");
  front.received = [];
  front.intercept = undefined;
});

describe("the same decisions as in memory", () => {
  for (const algorithm of ALGORITHMS) {
    test(algorithm, async () => {
      let [compared, refused] = [0, 0];
      for (let seed = 1; seed <= 40; seed += 1) {
        const between = chance(seed);
        // Long enough that no key expires by Redis' own clock before it would by the times that it is told.
        const rule = { limit: between(1, 20), window: between(60_000, 3_600_000), algorithm };
        if (algorithm === "token-bucket") rule.refill = between(1, rule.limit);
        let now = Date.now() + between(0, 1e9);
        const options = { ...rule, now: () => now };
        const memory = createRateLimiter({ ...options, redis: false });
        // Without what it remembers of refusals, every call is decided by the script.
        const shared = () => createRateLimiter({ ...options, redis: connection(), prefix: `seed ${seed}` });
        for (let call = 0; call < 40; call += 1) {
          const [who, cost] = [`caller ${between(0, 1)}`, between(0, 5)];
          const ask = (limiter) => (cost === 0 ? limiter.check(who) : limiter.limit(who, { cost }));
          const expected = await ask(memory);
          assert.deepEqual(await ask(shared()), expected, `seed ${seed}, call ${call}, ${JSON.stringify(rule)}`);
          compared += 1;
          if (!expected.success) refused += 1;
          now += between(0, 4) === 0 ? between(0, 2 * rule.window) : between(0, Math.ceil(rule.window / 10));
          // A clock may be set back, too.
          if (between(0, 20) === 0) now -= between(0, 3 * rule.window);
        }
      }
      assert.ok(compared === 1600 && refused > 200, `${compared} compared, ${refused} refused`);
    });
  }
});

test("what a clock far ahead has counted is forgotten when it is set right", async () => {
  for (const algorithm of ALGORITHMS) {
    for (const window of [1000, 60_000]) {
      let now = Date.now() + 3_600_000;
      const limiter = createRateLimiter({ limit: 1, window, algorithm, redis: connection(), now: () => now });
      const passed = [];
      for (const back of [0, 0, 3_600_000, 0]) {
        now -= back;
        passed.push((await limiter.limit(`${window}`)).success);
      }
      assert.deepEqual(passed, [true, false, true, false], `${algorithm}, ${window}`);
    }
  }
});

describe("one script a call", () => {
  test("that Redis knows by its digest after the first", async () => {
    await redis.command("SCRIPT", "FLUSH");
    const limiter = createRateLimiter({ limit: 10, window: "1 m", redis: connection() });
    for (let call = 0; call < 3; call += 1) await limiter.limit("ada");
    assert.deepEqual(
      front.received.map(([name]) => name),
      ["EVALSHA", "EVAL", "EVALSHA", "EVALSHA"],
    );
  });

  test("of many at once exactly the limit passes, through several processes' limiters", async () => {
    for (const algorithm of ALGORITHMS) {
      const limiters = [1, 2, 3].map(() =>
        createRateLimiter({ limit: 25, window: "1h", algorithm, redis: connection() }),
      );
      const results = await Promise.all(Array.from({ length: 120 }, (_, call) => limiters[call % 3].limit("ada")));
      assert.equal(results.filter(({ success }) => success).length, 25, algorithm);
      const left = results.filter(({ success }) => success).map(({ remaining }) => remaining);
      assert.deepEqual(
        left.sort((a, b) => a - b),
        Array.from({ length: 25 }, (_, index) => index),
        algorithm,
      );
    }
  });

  test("keys expire once they say nothing, whatever the clock of the host", async () => {
    for (const [skew, algorithm, most] of [
      [0, "fixed-window", 60_000],
      [-86_400_000, "fixed-window", 60_000],
      [-86_400_000, "sliding-window", 120_000],
      [86_400_000, "token-bucket", 60_000],
    ]) {
      await redis.command("FLUSHALL");
      const now = () => Date.now() + skew;
      const limiter = createRateLimiter({ limit: 2, window: "60s", algorithm, redis: connection(), now });
      await limiter.limit("ada");
      const [key] = await redis.command("KEYS", "*");
      assert.ok(key.startsWith(`orchestration:limit:${algorithm}:2:60000:`) && key.endsWith(":ada"), key);
      const expiry = await redis.command("PTTL", key);
      assert.ok(expiry > 0 && expiry <= most, `${algorithm}: ${expiry}`);
      assert.equal((await limiter.limit("ada")).remaining, 0, "it was counted");
    }
  });

  test("limiters of one rule and prefix share, others don't", async () => {
    const of = (options) => createRateLimiter({ limit: 1, window: "1h", redis: connection(), ...options });
    const passed = [];
    for (const limiter of [of({}), of({}), of({ prefix: "mail" }), of({ limit: 2 }), of({ algorithm: "token-bucket" })])
      passed.push((await limiter.limit("ada")).success);
    assert.deepEqual(passed, [true, false, true, true, true]);
  });

  test("the settings are read at the first call", async () => {
    const env = {};
    const limiter = createRateLimiter({ limit: 1, window: "1h", env });
    Object.assign(env, { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token });
    await limiter.limit("ada");
    assert.equal(front.received.length > 0, true);
  });
});

describe("who is refused", () => {
  test("costs no request until the time that was told", async () => {
    let now = Date.now();
    const limiter = createRateLimiter({
      limit: 3,
      window: "1h",
      algorithm: "token-bucket",
      redis: connection(),
      now: () => now,
    });
    await limiter.limit("ada", { cost: 2 });
    const refused = await limiter.limit("ada", { cost: 2 });
    front.received = [];
    for (let call = 0; call < 50; call += 1) {
      now += 10;
      const again = await limiter.limit("ada", { cost: 2 });
      assert.deepEqual([again.success, again.reset], [false, refused.reset]);
    }
    assert.deepEqual(front.received, []);
    assert.equal((await limiter.limit("ada", { cost: 1 })).success, true, "a cheaper call is asked for");
    now += 3_600_000;
    assert.equal((await limiter.limit("ada", { cost: 2 })).success, true);
  });

  test("is free again after a reset", async () => {
    const limiter = createRateLimiter({ limit: 1, window: "1h", redis: connection() });
    const passed = async () => (await limiter.limit("ada")).success;
    assert.deepEqual([await passed(), await passed()], [true, false]);
    await limiter.reset("ada");
    assert.equal(await passed(), true);
    assert.equal((await limiter.check("ada")).remaining, 0);
  });
});

describe("when Redis can't be asked", () => {
  const failures = {
    "it is down": () => ({ url: "http://127.0.0.1:9", token: "secret-t0ken" }),
    "the token is refused": () => ({ url: front.url, token: "secret-t0ken" }),
    "it answers 500": () => {
      front.intercept = (_, response) => response.writeHead(500).end("<html>") && true;
      return connection();
    },
    "it answers something else": () => {
      front.intercept = (_, response) => response.writeHead(200).end('{"result":[1,"x"]}') && true;
      return connection();
    },
    "it does not answer": () => {
      front.intercept = () => true;
      return { ...connection(), timeout: 50 };
    },
  };

  for (const [name, redisOf] of Object.entries(failures)) {
    test(`${name}: calls are refused, or allowed by choice`, async () => {
      const options = { limit: 3, window: "1 m", redis: redisOf() };
      const errors = [];
      const closed = createRateLimiter({ ...options, onError: (error) => errors.push(error) });
      await assert.rejects(closed.limit("ada"), (error) => {
        assert.deepEqual([error.code, error.retryable], ["ProviderUnavailable", true]);
        assert.ok(!`${error.message}${JSON.stringify(error)}`.includes("t0ken"));
        return true;
      });
      assert.equal(errors.length, 1);

      const warn = mock.method(console, "warn", () => {});
      try {
        const open = createRateLimiter({ ...options, failOpen: true });
        for (let call = 0; call < 2; call += 1) {
          const { success, failedOpen, headers } = await open.limit("ada");
          assert.deepEqual([success, failedOpen, headers], [true, true, {}]);
        }
        assert.equal(warn.mock.callCount(), 1, "an outage is told once");
        assert.ok(!`${warn.mock.calls[0].arguments}`.includes("t0ken"));
      } finally {
        warn.mock.restore();
      }
    });
  }

  test("who gives up is told his own reason, also if calls are allowed then", async () => {
    front.intercept = () => true;
    const limiter = createRateLimiter({ limit: 3, window: "1 m", redis: connection(), failOpen: true });
    const gone = new AbortController();
    const asked = limiter.limit("ada", { signal: gone.signal });
    const reason = new Error("gone");
    gone.abort(reason);
    await assert.rejects(asked, reason);
  });
});

describe("commands by REST", () => {
  test("results of all kinds", async () => {
    const client = new RedisRest(connection());
    assert.equal(await client.command(["SET", "word", "naïve ✓"]), "OK");
    assert.equal(await client.command(["GET", "word"]), "naïve ✓");
    assert.equal(await client.command(["GET", "absent"]), null);
    assert.equal(await client.command(["INCRBY", "count", 41]), 41);
    assert.deepEqual(await client.command(["MGET", "word", "absent"]), ["naïve ✓", null]);
  });

  test("Redis' own errors have a kind, and repeat no argument", async () => {
    const client = new RedisRest(connection());
    await client.command(["SET", "word", "x"]);
    await assert.rejects(client.command(["LPUSH", "word", "y"]), {
      code: "Storage",
      kind: "WRONGTYPE",
      retryable: false,
    });
    await assert.rejects(client.command(["NOPE", "s3cret"]), (error) => {
      assert.deepEqual([error.kind, error.message.includes("s3cret")], ["ERR", false]);
      return true;
    });
  });
});

describe("the official limiter on the same Redis", () => {
  test("runs, and agrees for a fixed window", async () => {
    const official = new Ratelimit({
      redis: new Redis(connection()),
      limiter: Ratelimit.fixedWindow(5, "1 h"),
      analytics: false,
    });
    const ours = createRateLimiter({ limit: 5, window: "1 h", algorithm: "fixed-window", redis: connection() });
    for (let call = 0; call < 8; call += 1) {
      const [theirs, own] = [await official.limit("ada"), await ours.limit("ada")];
      assert.deepEqual(
        [own.success, own.limit, own.remaining, own.reset],
        [theirs.success, theirs.limit, theirs.remaining, theirs.reset],
        `call ${call}`,
      );
    }
  });
});
