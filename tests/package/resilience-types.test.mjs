/** What the compiler knows of limits, breakers and batches; also where declarations are checked, and without newer libraries. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createCompiler } from "./compiler.mjs";

const SOURCE = `
import {
  type BatchProgress, BatchManager, type BreakerEvents, CircuitBreaker, type CircuitCounts, type CircuitState, clientAddress,
  createRateLimiter, processBatch, type RateLimiter, type RateLimitResult, RedisRest, withBatch, withCircuitBreaker, withRateLimit,
} from "@repo/orchestration";

const limiter: RateLimiter = createRateLimiter({ limit: 10, window: "1 m", algorithm: "token-bucket", refill: 5, redis: false });
createRateLimiter({ limit: 10, window: 1000, redis: { url: "https://r.test", token: "t" }, failOpen: true, onError: (error) => void error });
// @ts-expect-error there is no such algorithm
createRateLimiter({ limit: 10, window: "10s", algorithm: "leaky-bucket" });
// @ts-expect-error there is no such unit
createRateLimiter({ limit: 10, window: "10 lightyears" });
// @ts-expect-error how much has to be said
createRateLimiter({ window: "10s" });

export async function limits(signal: AbortSignal) {
  const { success, remaining, reset, retryAfter, headers }: RateLimitResult = await limiter.limit("ada", { cost: 2, signal });
  const reply = new Response(null, { headers });
  await limiter.check("ada");
  await limiter.reset("ada", { signal });
  return [success, remaining + reset + retryAfter, reply];
}

/** A handler may answer with a refusal, any other function rejects. */
export const POST: (request: Request, context: { params: { id: string } }) => Promise<Response> = withRateLimit(
  async (request: Request, { params }: { params: { id: string } }) => Response.json([request.url, params.id]),
  { limit: 1, window: "1h", identifier: (request, { params }) => clientAddress(request) ?? params.id, cost: () => 1 },
);
export const add: (a: number, b: number) => Promise<number> = withRateLimit((a: number, b: number) => a + b, limiter);
export const shared = withRateLimit((a: number) => a, { limiter, identifier: (a) => a.toFixed() });
// @ts-expect-error the identifier is a text
withRateLimit((a: number) => a, { limit: 1, window: 1, identifier: (a) => a });

const breaker = new CircuitBreaker({ name: "b", isFailure: (error) => error instanceof Error, onStateChange: ({ from, to }) => void [from, to] });
export const leave: () => void = breaker.on("open", (told: BreakerEvents["open"]) => void told.at);
breaker.on("failure", ({ durationMs, error }) => void [durationMs.toFixed(), error]);
// @ts-expect-error there is no such event
breaker.on("explode", () => {});
const state: CircuitState = breaker.state;
const counts: CircuitCounts = breaker.counts;
export const facts = [state, counts.errorRate];
const charge = async (amount: number, currency: string) => ({ amount, currency });
export const guarded = withCircuitBreaker(charge, { errorRate: 0.5, fallback: (error, amount) => ({ amount, currency: String(error) }) });
export const receipt: Promise<{ amount: number; currency: string }> = guarded(1, "EUR");
guarded.breaker.open();
// @ts-expect-error it takes what the function takes
guarded("1", "EUR");
// @ts-expect-error the fallback gives what the function gives
withCircuitBreaker(charge, { fallback: () => 1 });
withCircuitBreaker(charge, { breaker });
export const executed: Promise<number> = breaker.execute(({ signal }) => (signal.aborted ? 1 : Promise.resolve(2)));

export async function batches(rows: { id: string }[]) {
  const manager = new BatchManager({
    maxSize: 10, maxWaitMs: 5, concurrency: 2, maxPending: 100, whenFull: "reject",
    process: async (items: { id: string }[], { signal }) => items.map(({ id }) => (signal.aborted ? new Error("no") : id)),
    onProgress: ({ completed, pending }: BatchProgress) => void (completed + pending),
  });
  const id: string = await manager.add({ id: "1" });
  // @ts-expect-error it is made for rows
  void manager.add(1);
  await manager.flush();
  await manager.close();
  const length = withBatch((texts: string[]) => texts.map(async (text) => text.length), { maxWaitMs: 0 });
  const five: number = await length("hello");
  await length.batch.close();
  const each = await processBatch(rows, ({ id }, { index, signal }) => (signal.aborted ? index : id.length), { concurrency: 3 });
  const several = await processBatch(rows, async (some, { index }) => some.map(({ id }) => id + index), { size: 2 });
  const numbers: PromiseSettledResult<number>[] = each.results;
  const texts: PromiseSettledResult<string>[] = several.results;
  const visits: number = await new RedisRest({ url: "https://r.test", token: "t" }).command<number>(["INCR", "visits"]);
  return [id, five, numbers, texts, each.succeeded + several.failed, visits];
}
`;

const USING = `
import { BatchManager } from "@repo/orchestration";
export async function work() {
  await using manager = new BatchManager({ process: (items: number[]) => items });
  return manager.add(1);
}
`;

let compiler;
before(async () => {
  compiler = await createCompiler();
});
after(() => compiler?.remove());

test("types flow through limits, breakers and batches", async () => {
  assert.equal(await compiler.compile({ "use.mts": SOURCE, "use.cts": SOURCE }), "");
});

test("a manager can be used by `await using`, and needs no newer library for that", async () => {
  const disposable = ["es2022", "dom", "dom.iterable", "esnext.disposable"];
  assert.equal(await compiler.compile({ "using.mts": USING }, { lib: disposable }), "");
  assert.equal(
    await compiler.compile({ "use.mts": SOURCE, "using.mts": USING }, { lib: ["es2022", "dom", "dom.iterable"] }),
    "",
  );
});
