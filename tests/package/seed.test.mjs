/** The examples that the package was announced with, word for word: they compile, and they do what they say. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { transform } from "esbuild";

import { createCompiler } from "./compiler.mjs";
import { createProject } from "./consumer.mjs";

/** The imports that the page begins with. */
const HINTS = `
  // Primary: Upstash Workflow + QStash orchestration - durable background jobs
  import {
    createWorkflowEngine,
    createStep
  } from "@repo/orchestration/server/next";
  // Utilities: import { withStepRetry, compose } from "@repo/orchestration"
  // ❌ NEVER: Run long-running jobs in request handlers or without error handling
`;

const QUICK_SETUP = `
  // Create workflow engine
  import {
    createWorkflowEngine,
    createStep
  } from "@repo/orchestration/server/next";

  const engine = createWorkflowEngine({
    providers: [
      {
        name: "upstash",
        type: "upstash-workflow",
        config: {
          baseUrl: process.env.QSTASH_URL,
          qstashToken: process.env.QSTASH_TOKEN
        }
      }
    ]
  });

  // Create steps with retry logic
  import { withStepRetry } from "@repo/orchestration";
  const robustStep = withStepRetry(createStep("download", downloadFile), {
    maxAttempts: 3,
    backoffMs: 1000
  });
`;

const FEATURES = `
  // Modern AbortSignal with timeout and proper cleanup
  import { createTimeoutSignal } from "@repo/orchestration/shared/factories/step-templates";

  const signal = createTimeoutSignal(5000); // 5 second timeout
  signal.addEventListener(
    "abort",
    () => {
      console.log("Operation timed out");
    },
    { once: true }
  ); // Proper cleanup

  // BoundedCache with TTL and analytics
  import { BoundedCache } from "@repo/orchestration";

  const cache = new BoundedCache({
    maxSize: 1000, // LRU eviction at 1000 entries
    ttl: 300000, // 5 minute TTL
    enableAnalytics: true // Track hits/misses
  });

  // Secure ID generation
  import { randomUUID } from "crypto";
  const secureId = randomUUID(); // Crypto-secure, not Math.random()

  // Immutable operations (ES2023)
  const sortedArray = data.toSorted((a, b) => a.timestamp - b.timestamp);

  // Webhook signature verification
  import { createWorkflowWebhookHandler } from "@repo/orchestration/server/next";

  const handler = createWorkflowWebhookHandler({
    provider: workflowProvider,
    secret: process.env.QSTASH_CURRENT_SIGNING_KEY,
    nextSecret: process.env.QSTASH_NEXT_SIGNING_KEY, // Key rotation support
    onEvent: async (event) => {
      // Handle verified webhook event
    }
  });

  // Data masking for sensitive logs
  import { maskSensitiveData } from "@repo/orchestration/shared/utils/data-masking";

  console.log("User data:", maskSensitiveData(userData)); // Masks API keys, tokens, etc.
`;

/** The functions that the page names: where they are, and under which name. */
const PATTERNS = `
  import { compose, createOrchestrationError, createStep, OrchestrationErrorCodes, withStepRetry } from "@repo/orchestration";
  import { BatchManager, withCircuitBreaker, withRateLimit } from "@repo/orchestration";
  import { createWorkflowEngine } from "@repo/orchestration/server/next";
  import * as client from "@repo/orchestration/client";
  import * as server from "@repo/orchestration/server";
  import * as workflows from "@repo/orchestration/workflows";
  import * as triggers from "@repo/orchestration/triggers";
  import * as actions from "@repo/orchestration/actions";
`;

/** What the examples take for granted. */
const AMBIENT = `
import type { WorkflowProvider } from "@repo/orchestration/server";
declare global {
  const console: { log(...items: unknown[]): void };
  const process: { env: Record<string, string | undefined> };
  const data: { timestamp: number }[];
  const userData: { name: string; apiKey: string; contact: { email: string } };
  const workflowProvider: WorkflowProvider;
  function downloadFile(url: string): Promise<number>;
}
`;
const CRYPTO = `declare module "crypto" { export function randomUUID(): string; }`;

describe("the announced examples", () => {
  let compiler;
  let project;

  before(async () => {
    [compiler, project] = await Promise.all([createCompiler(), createProject({ type: "module" })]);
  });
  after(() => Promise.all([compiler.remove(), project.remove()]));

  test("compile", async () => {
    const sources = { "ambient.d.mts": AMBIENT, "crypto.d.ts": CRYPTO };
    for (const [name, source] of Object.entries({ HINTS, QUICK_SETUP, FEATURES, PATTERNS }))
      sources[`${name}.mts`] = `${source}\nexport {};\n`;
    // What is asked of a type is checked too: a wrong option is an error.
    assert.equal(await compiler.compile(sources, LIB), "");
    const wrong = QUICK_SETUP.replace("maxAttempts", "maxAttemps");
    assert.match(await compiler.compile({ ...sources, "QUICK_SETUP.mts": wrong }, LIB), /maxAttemps/);
  });

  test("steps retry, and the engine is there", async () => {
    const said = await run(`
      let tries = 0;
      globalThis.downloadFile = async (url) => {
        tries += 1;
        if (tries < 3) throw new Error("the line is down");
        return url.length;
      };
      ${timers}
      ${QUICK_SETUP}
      const size = await robustStep.execute("https://example.test/file");
      await import("@repo/orchestration/server/next");
      console.log(JSON.stringify({ size, tries, name: robustStep.name, status: engine.getStatus().state }));
    `);
    assert.deepEqual(JSON.parse(said.at(-1)), { size: 25, tries: 3, name: "download", status: "created" });
  });

  test("signals, caches, webhooks and masking do what the comments say", async () => {
    const said = await run(`
      globalThis.data = [{ timestamp: 2 }, { timestamp: 1 }];
      globalThis.userData = { name: "Ada", apiKey: "k-123456", contact: { email: "ada@example.test" } };
      globalThis.workflowProvider = undefined;
      process.env.QSTASH_CURRENT_SIGNING_KEY = "sig_1";
      process.env.QSTASH_NEXT_SIGNING_KEY = "sig_2";
      ${FEATURES}
      for (let n = 0; n < 1001; n++) cache.set(n, n);
      cache.get(0);
      cache.get(1000);
      const { hits, misses, size, evictions } = cache.getAnalytics();
      const unsigned = await handler(new Request("https://app.test/hook", { method: "POST", body: "{}" }));
      const text = JSON.stringify(maskSensitiveData(userData));
      console.log(JSON.stringify({
        aborted: signal.aborted, hits, misses, size, evictions, secureId: secureId.length,
        sorted: sortedArray.map(({ timestamp }) => timestamp), untouched: data[0].timestamp,
        unsigned: unsigned.status, masked: !/k-123456|ada@example/.test(text) && text.includes("Ada"),
        original: userData.apiKey,
      }));
    `);
    assert.deepEqual(JSON.parse(said.at(-1)), {
      ...{ aborted: false, hits: 1, misses: 1, size: 1000, evictions: 1, secureId: 36, sorted: [1, 2], untouched: 2 },
      ...{ unsigned: 401, masked: true, original: "k-123456" },
    });
    assert.ok(!said.slice(0, -1).join("\n").includes("k-123456"), "the example's own log is masked");
  });

  test("every name of the page is there", async () => {
    const said = await run(`
      ${PATTERNS}
      const engine = createWorkflowEngine();
      const named = { compose, createStep, createOrchestrationError, withStepRetry, BatchManager, withCircuitBreaker, withRateLimit };
      const missing = Object.entries(named).filter(([, value]) => typeof value !== "function").map(([name]) => name);
      const entries = { client, server, workflows, triggers, actions };
      const empty = Object.entries(entries).filter(([, entry]) => Object.keys(entry).length < 2).map(([name]) => name);
      console.log(JSON.stringify({
        missing, empty, code: OrchestrationErrorCodes.CircuitOpen, status: typeof engine.getStatus,
      }));
    `);
    assert.deepEqual(JSON.parse(said.at(-1)), { missing: [], empty: [], code: "CircuitOpen", status: "function" });
  });

  /** Runs TypeScript as a module of a project that has the package installed. */
  async function run(source) {
    const { code } = await transform(source, { loader: "ts", format: "esm", target: "es2023" });
    // Imports come first in a module whatever stands before them, so what the example takes for granted is there when it runs.
    await project.write({ "example.js": code });
    const { stdout } = await project.exec(process.execPath, ["example.js"]);
    return stdout.trim().split("\n");
  }
});

const LIB = { lib: ["es2023", "dom", "dom.iterable"] };

/** Backoffs pass at once. */
const timers = `
  const { setTimeout: original } = globalThis;
  globalThis.setTimeout = (call, ms, ...rest) => original(call, Math.min(ms, 1), ...rest);
`;
