/** What Workers allow: limits, breakers and batches that are made as a module loads, and shared by requests. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

import { startRedis } from "./redis.mjs";
import { startRest } from "./redis-rest.mjs";

const WORKER = `
import { createRateLimiter, processBatch, withBatch, withCircuitBreaker, withRateLimit } from "@repo/orchestration";

const own = withRateLimit(() => new Response("own"), { limit: 2, window: "1h", redis: false });
let shared;
const guarded = withCircuitBreaker(async (fails) => {
  if (fails) throw new Error("down");
  return "up";
}, { volumeThreshold: 1, timeoutMs: 1000 });

const routes = {
  "/own": (request) => own(request),
  "/shared": async (_, env) => {
    shared ??= createRateLimiter({ limit: 2, window: "1h", env });
    const { success, headers } = await shared.limit("ada");
    return new Response(null, { status: success ? 204 : 429, headers });
  },
  "/guarded": async ({ url }) =>
    new Response(await guarded(url.endsWith("?fail")).catch((error) => error.code ?? error.message)),
  "/batch": async () => {
    const length = withBatch((texts) => texts.map((text) => text.length), { maxWaitMs: 5 });
    const { results } = await processBatch(["a", "bb", "ccc"], length);
    return Response.json(results.map(({ value }) => value));
  },
};

export default { fetch: (request, env) => routes[new URL(request.url).pathname](request, env) };
`;

let redis;
let front;
let miniflare;

before(async () => {
  redis = await startRedis();
  front = await startRest(redis);
  const { resolve } = createRequire(import.meta.url);
  const { outputFiles } = await build({
    stdin: { contents: WORKER, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    plugins: [externalWasm],
  });
  const options = convertV4MiniflareOptions({
    modules: [
      { type: "ESModule", path: "worker.mjs", contents: outputFiles[0].text },
      ...(await Promise.all(
        ["core.wasm", "rules.wasm"].map(async (path) => ({
          type: "CompiledWasm",
          path,
          contents: await readFile(resolve(`@repo/orchestration/${path}`)),
        })),
      )),
    ],
    modulesRoot: "/",
    // Older than what lets `fetch` be told about caches.
    compatibilityDate: "2024-09-01",
    bindings: { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token },
  });
  miniflare = new Miniflare(options);
  await miniflare.ready;
});
after(async () => {
  await miniflare?.dispose();
  await front?.stop();
  await redis?.stop();
});

const ask = async (path, count) => {
  const answers = [];
  for (let each = 0; each < count; each += 1) {
    const response = await miniflare.dispatchFetch(`https://app.test${path}`);
    answers.push({
      status: response.status,
      text: await response.text(),
      left: response.headers.get("ratelimit-remaining"),
    });
  }
  return answers;
};

test("a limiter in memory is shared by requests", async () => {
  const answers = await ask("/own", 3);
  assert.deepEqual(
    answers.map(({ status, left }) => [status, left]),
    [
      [200, "1"],
      [200, "0"],
      [429, "0"],
    ],
  );
});

test("a limiter in Redis takes its settings from the bindings", async () => {
  const answers = await ask("/shared", 3);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 204, 429],
  );
  assert.equal((await redis.command("KEYS", "orchestration:limit:*")).length, 1);
});

test("a breaker is shared by requests", async () => {
  const texts = [...(await ask("/guarded", 1)), ...(await ask("/guarded?fail", 1)), ...(await ask("/guarded", 1))];
  assert.deepEqual(
    texts.map(({ text }) => text),
    ["up", "down", "CircuitOpen"],
  );
});

test("a batch belongs to a request", async () => {
  assert.equal((await ask("/batch", 1))[0].text, "[1,2,3]");
});

const externalWasm = {
  name: "external-wasm",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({
      path: `./${path.split("/").at(-1).replace("?module", "")}`,
      external: true,
    }));
  },
};
