/** Rate limits in memory: against models, and what callers are told. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { createRateLimiter } from "@repo/orchestration";

import { MODELS } from "./limit-models.mjs";
import { chance } from "./random.mjs";

const START = 1_700_000_000_000;

const clock = (start = START) => {
  const time = { now: start };
  return { time, now: () => time.now };
};

describe("against a list of all calls", () => {
  for (const algorithm of Object.keys(MODELS)) {
    test(algorithm, async () => {
      let refused = 0;
      for (let seed = 1; seed <= 60; seed += 1) {
        const between = chance(seed);
        const rule = { limit: between(1, 12), window: between(1, 2000) };
        if (algorithm === "token-bucket") rule.refill = between(1, rule.limit);
        const { time, now } = clock(START + between(0, 5000));
        const limiter = createRateLimiter({ ...rule, algorithm, redis: false, now });
        const models = [0, 1, 2].map(() => MODELS[algorithm](rule));
        for (let call = 0; call < 120; call += 1) {
          const [who, cost] = [between(0, 2), between(1, 3)];
          const expected = models[who](cost, time.now);
          const got = await limiter.limit(`caller ${who}`, { cost });
          const told = { allowed: got.success, remaining: got.remaining };
          assert.deepEqual(told, expected, `seed ${seed}, call ${call}, ${JSON.stringify(rule)}`);
          if (!got.success) refused += 1;
          time.now += between(0, 3) === 0 ? between(0, 3 * rule.window) : between(0, Math.ceil(rule.window / 8));
        }
      }
      assert.ok(refused > 300, `${refused} refusals`);
    });
  }
});

describe("what callers are told", () => {
  test("how much, how long, and as headers", async () => {
    const { time, now } = clock();
    const limiter = createRateLimiter({ limit: 2, window: "10s", algorithm: "fixed-window", redis: false, now });
    time.now += 2500;
    const { headers, ...first } = await limiter.limit("ada");
    assert.deepEqual(first, { success: true, limit: 2, remaining: 1, reset: START + 10_000, retryAfter: 0 });
    assert.deepEqual(headers, {
      "RateLimit-Limit": "2",
      "RateLimit-Remaining": "1",
      "RateLimit-Reset": "8",
      "RateLimit-Policy": '"default";q=2;w=10',
      RateLimit: '"default";r=1;t=8',
    });
    await limiter.limit("ada");
    const refused = await limiter.limit("ada");
    assert.deepEqual([refused.success, refused.retryAfter, refused.headers["Retry-After"]], [false, 8, "8"]);
    assert.equal((await limiter.limit("alan")).success, true);
  });

  test("a refused call may be made when it was told to come again, and not before", async () => {
    for (const algorithm of Object.keys(MODELS)) {
      const { time, now } = clock(START + 137);
      const limiter = createRateLimiter({
        limit: 5,
        window: "3s",
        algorithm,
        refill: bucket(algorithm, 2),
        redis: false,
        now,
      });
      for (let call = 0; call < 5; call += 1) await limiter.limit("ada");
      const { success, retryAfter } = await limiter.limit("ada", { cost: 2 });
      assert.equal(success, false);
      time.now += retryAfter * 1000;
      assert.equal((await limiter.limit("ada", { cost: 2 })).success, true, algorithm);
    }
  });

  test("check takes nothing, reset forgets", async () => {
    const { now } = clock();
    const limiter = createRateLimiter({ limit: 2, window: "1 m", redis: false, now });
    for (let look = 0; look < 5; look += 1) assert.equal((await limiter.check("ada")).remaining, 2);
    await limiter.limit("ada", { cost: 2 });
    const { success, remaining, headers } = await limiter.check("ada");
    assert.deepEqual([success, remaining, "Retry-After" in headers], [false, 0, true]);
    await limiter.reset("ada");
    assert.deepEqual([(await limiter.check("ada")).success, (await limiter.limit("ada")).remaining], [true, 1]);
  });

  test("the policy tells how long it takes to be as good as new", async () => {
    const bucket = createRateLimiter({ limit: 10, window: "1s", algorithm: "token-bucket", refill: 2, redis: false });
    assert.equal((await bucket.limit("ada")).headers["RateLimit-Policy"], '"default";q=10;w=5');
  });
});

test("only the identifiers that came last are remembered", async () => {
  const limiter = createRateLimiter({ limit: 1, window: "1h", maxIdentifiers: 100, redis: false });
  for (let who = 0; who <= 100; who += 1) await limiter.limit(`caller ${who}`);
  const allowed = [];
  for (const who of [100, 50, 1]) allowed.push((await limiter.limit(`caller ${who}`)).success);
  assert.deepEqual(allowed, [false, false, false]);
  assert.equal((await limiter.limit("caller 0")).success, true, "it was not seen for the longest time");
});

test("without settings of a Redis, the process counts; half of the settings is an error", async () => {
  const limiter = createRateLimiter({ limit: 1, window: 1000, env: {} });
  assert.equal((await limiter.limit("ada")).success, true);
  const half = createRateLimiter({
    limit: 1,
    window: 1000,
    failOpen: true,
    env: { UPSTASH_REDIS_REST_URL: "https://r" },
  });
  await assert.rejects(half.limit("ada"), { code: "InvalidConfiguration", message: /UPSTASH_REDIS_REST_TOKEN/ });
});

test("options that make no sense are named", () => {
  const good = { limit: 1, window: "1s", redis: false };
  for (const [wrong, name] of [
    [{ limit: 0 }, /limit/],
    [{ limit: 1.5 }, /limit/],
    [{ limit: undefined }, /limit/],
    [{ window: "soon" }, /window/],
    [{ window: 0 }, /window/],
    [{ window: -5 }, /window/],
    [{ window: "3y" }, /window/],
    [{ algorithm: "leaky" }, /algorithm/],
    [{ refill: 2 }, /refill/],
    [{ algorithm: "token-bucket", refill: 0 }, /refill/],
    [{ maxIdentifiers: 0 }, /maxIdentifiers/],
    [{ redis: { url: "ftp://r", token: "t" } }, /url/],
    [{ redis: { url: "https://r", token: "a\nb" } }, /token/],
  ]) {
    const options = { ...good, ...wrong };
    assert.throws(
      () => createRateLimiter(options),
      { code: "InvalidConfiguration", message: name },
      JSON.stringify(wrong),
    );
  }
});

test("what is no identifier or no cost is refused", async () => {
  const limiter = createRateLimiter({ limit: 1, window: "1s", redis: false });
  for (const identifier of ["", null, undefined, 7, "x".repeat(513)])
    await assert.rejects(limiter.limit(identifier), { code: "InvalidConfiguration", message: /identifier/ });
  for (const cost of [0, -1, 0.5, Number.NaN, "2"])
    await assert.rejects(limiter.limit("ada", { cost }), { code: "InvalidConfiguration", message: /cost/ });
  const reason = new Error("gone");
  await assert.rejects(limiter.limit("ada", { signal: AbortSignal.abort(reason) }), reason);
  assert.equal((await limiter.limit("ada")).remaining, 0, "none of these was counted");
});

const bucket = (algorithm, refill) => (algorithm === "token-bucket" ? refill : undefined);
