/** What takes options says which it has: a misspelt one would be without effect. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as main from "@repo/orchestration";
import * as next from "@repo/orchestration/server/next";

const step = main.createStep("step", () => 1);
const { engine } = { engine: next.createWorkflowEngine() };
const CASES = {
  "withStepRetry, maxAttemps": () => main.withStepRetry(step, { maxAttemps: 2 }),
  "withRetry, attempts": () => main.withRetry(() => 1, { attempts: 2 }),
  "withCircuitBreaker, resetTimeout": () => main.withCircuitBreaker(() => 1, { resetTimeout: 50 }),
  "CircuitBreaker, threshold": () => new main.CircuitBreaker({ threshold: 1 }),
  "BoundedCache, max": () => new main.BoundedCache({ max: 1 }),
  "BatchManager, size": () => new main.BatchManager({ process: () => [], size: 1 }),
  "createRateLimiter, limits": () => main.createRateLimiter({ limits: 1, window: "1s" }),
  "withRateLimit, windowMs": () => main.withRateLimit(() => 1, { limit: 1, windowMs: 1 }),
  "RedisRest, URL": () => new main.RedisRest({ URL: "https://redis.test", token: "t" }),
  "createWorkflowEngine, provider": () => next.createWorkflowEngine({ provider: "upstash" }),
  "createWorkflowApi, authorise": () => next.createWorkflowApi({ engine, authorise: () => true }),
  "createWorkflowWebhookHandler, onevent": () => next.createWorkflowWebhookHandler({ onevent: () => {} }),
};

describe("options", () => {
  for (const [name, call] of Object.entries(CASES)) {
    test(name, () => {
      const [, option] = name.split(", ");
      assert.throws(call, ({ code, message }) => {
        assert.equal(code, "InvalidConfiguration");
        assert.ok(message.includes(`'${option}'`), message);
        assert.match(message, /there are: /);
        return true;
      });
    });
  }

  test("those of a run, with the names that the engine takes", async () => {
    await assert.rejects(engine.executeWorkflow("order", 1, { retriess: 2 }), ({ code, message }) => {
      assert.equal(code, "InvalidConfiguration");
      assert.match(message, /'retriess'; there are: .*retries.*provider/);
      return true;
    });
  });

  test("none at all are refused by what is missing, not by a TypeError", () => {
    for (const call of [
      () => new main.BoundedCache(),
      () => new main.BatchManager(),
      () => new main.RedisRest(),
      () => main.createRateLimiter(),
      () => main.createOrchestrationError("failed"),
      () => next.createWorkflowApi(),
      () => next.createWorkflowWebhookHandler(),
      () => new main.BoundedCache("1000"),
      () => main.withStepRetry(step, "3"),
    ])
      assert.throws(call, { code: "InvalidConfiguration" }, String(call));
  });
});
