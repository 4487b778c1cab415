// Runs from their start to their end: a real broker, a real endpoint, one engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createStep } from "@repo/orchestration";
import { defineWorkflow } from "@repo/orchestration/server";
import { ended, served, until } from "./support.mjs";

test("a function is served, run durably and followed to its end", async (t) => {
  const calls = [];
  const order = defineWorkflow("order", async (context) => {
    const paid = await context.run("charge", () => {
      calls.push("charge");
      return { amount: context.requestPayload.orderId * 2 };
    });
    await context.sleep("cool down", 1);
    return context.run("ship", () => ({ ...paid, shipped: true }));
  });
  const { engine, requests } = await served(t, { workflows: [order] });
  const started = await engine.executeWorkflow(order, { orderId: 7 }, { label: "vip" });
  assert.match(started.workflowRunId, /^wfr_/);
  assert.deepEqual({ ...started, workflowRunId: "" }, { workflowRunId: "", workflowId: "order", provider: "own" });
  const run = await ended(engine, started);
  console.log(JSON.stringify(run, null, 1));
});
