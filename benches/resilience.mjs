/** What guards the work in a process, beside the library that users would pick for it. */
import { startRedis } from "../tests/resilience/redis.mjs";
import { startRest } from "../tests/resilience/redis-rest.mjs";
import { pair } from "./pair.mjs";

/** Operations of one call of `pair`, whose own cost is that of an `await`. */
const BATCH = 1_000;

/** As it is before other benchmarks replace it. */
const { fetch } = globalThis;

/**
 * @param {(names: string[]) => Promise<object>} load gives what packages export
 * @param {(row: object) => void} show
 */
export async function resilience(load, show) {
  const ours = await load(["@repo/orchestration"]);
  await caches(ours, await load(["lru-cache"]), show);
  await breakers(ours, show);
  await retries(ours, show);
  await batches(ours, show);
  await limiters(ours, await load(["@upstash/ratelimit", "@upstash/redis"]), show);
}

/** A call that succeeds, through a breaker that is closed. */
async function breakers({ withCircuitBreaker }, show) {
  const { default: Opossum } = await import("opossum");
  const work = async (value) => value;
  for (const [name, timeout] of [
    ["", undefined],
    [" with a timeout", 3000],
  ]) {
    const guarded = withCircuitBreaker(work, { timeoutMs: timeout });
    const breaker = new Opossum(work, { timeout: timeout ?? false });
    show(await pair(`circuit breaker${name}`, { ours: () => guarded(1), theirs: () => breaker.fire(1) }));
    breaker.shutdown();
  }
}

/**
 * A function that succeeds at once, and one that fails first; no delay. The failure is one error, so that no stacks are
 * written.
 */
async function retries({ withRetry, withStepRetry, createStep }, show) {
  const { default: pRetry } = await import("p-retry");
  const ours = { maxAttempts: 3, backoffMs: 0 };
  const theirs = { retries: 2, minTimeout: 0 };
  const once = async () => 1;
  const failure = new Error("not yet");
  let calls = 0;
  const second = async () => {
    calls += 1;
    if (calls % 2 === 1) throw failure;
    return 1;
  };
  for (const [name, work] of [
    ["success", once],
    ["one failure", second],
  ]) {
    const retried = withRetry(work, ours);
    const step = withStepRetry(createStep("work", work), ours);
    show(await pair(`retry, ${name}`, { ours: () => retried(), theirs: () => pRetry(work, theirs) }));
    show(await pair(`step with retries, ${name}`, { ours: () => step.execute(1), theirs: () => pRetry(work, theirs) }));
  }
}

/** A thousand items, four at once, each by a call of the same function. */
async function batches({ processBatch, BatchManager }, show) {
  const { default: PQueue } = await import("p-queue");
  const items = Array.from({ length: BATCH }, (_, index) => index);
  const work = async (item) => item + 1;
  const queue = new PQueue({ concurrency: 4 });
  const theirs = () => queue.addAll(items.map((item) => () => work(item)));
  const manager = new BatchManager({ maxSize: 1, maxWaitMs: 0, concurrency: 4, process: ([item]) => [work(item)] });
  show(await pair("list of 1000, four at once", { ours: () => processBatch(items, work, { concurrency: 4 }), theirs }));
  show(await pair("batches, 1000 × add, four at once", { ours: () => manager.addAll(items), theirs }));
}

/** A call that is allowed, counted in a Redis behind the same HTTP server. */
async function limiters({ createRateLimiter }, { Ratelimit, Redis }, show) {
  const stubbed = globalThis.fetch;
  globalThis.fetch = fetch;
  const redis = await startRedis();
  const rest = await startRest(redis);
  const connection = { url: rest.url, token: rest.token };
  rest.received = { push() {} };
  try {
    const limiter = createRateLimiter({ limit: 1e9, window: "1 h", redis: connection });
    const official = new Ratelimit({
      redis: new Redis(connection),
      limiter: Ratelimit.slidingWindow(1e9, "1 h"),
      analytics: false,
    });
    const at = (count, one) => () => Promise.all(Array.from({ length: count }, (_, who) => one.limit(`caller ${who}`)));
    for (const count of [1, 20]) {
      const name = count === 1 ? "one call" : `${count} calls at once`;
      show(await pair(`rate limit in Redis, ${name}`, { ours: at(count, limiter), theirs: at(count, official) }));
    }
  } finally {
    await rest.stop();
    await redis.stop();
    globalThis.fetch = stubbed;
  }
}

/** The same options, and keys of which one in eight isn't there. */
async function caches({ BoundedCache }, { LRUCache }, show) {
  const held = Array.from({ length: BATCH }, (_, index) => `user:${index}`);
  const asked = held.map((key, index) => (index % 8 === 0 ? `absent:${index}` : key));
  const kinds = [
    ["", {}],
    [" with a time to live", { ttl: 300_000 }],
    [" with a time to live, counted", { ttl: 300_000, enableAnalytics: true }],
  ];
  for (const [kind, { enableAnalytics, ...options }] of kinds) {
    const both = (size) => ({
      ours: new BoundedCache({ maxSize: size, enableAnalytics, ...options }),
      theirs: new LRUCache({ max: size, ...options }),
    });
    const [roomy, tight] = [both(BATCH), both(BATCH / 2)];
    show(
      await pair(
        `cache, 1000 × set${kind}`,
        each(roomy, (cache) => calls(cache, held, "cache.set(key, 1)")),
      ),
    );
    show(
      await pair(
        `cache, 1000 × get${kind}`,
        each(roomy, (cache) => calls(cache, asked, "cache.get(key)")),
      ),
    );
    show(
      await pair(
        `cache, 1000 × set that evicts${kind}`,
        each(tight, (cache) => calls(cache, held, "cache.set(key, 1)")),
      ),
    );
  }
}

const each = ({ ours, theirs }, work) => ({ ours: work(ours), theirs: work(theirs) });

/** A function of its own for each cache, since the engine compiles one that has seen two kinds for neither. */
const calls = (cache, keys, call) =>
  new Function("cache", "keys", `return () => { for (const key of keys) ${call}; };`)(cache, keys);
