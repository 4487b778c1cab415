// What triggers take follows from their workflow and their schema.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createCompiler } from "../package/compiler.mjs";

test("the input is the workflow's, the payload the schema's", async (t) => {
  const compiler = await createCompiler();
  t.after(() => compiler.remove());
  assert.equal(await compiler.compile({ "use.ts": SOURCE }), "");
});

const SOURCE = `
import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server";
import { eventTrigger, httpTrigger, queueTrigger, scheduleTrigger, type Trigger, urlGroupTrigger, webhookTrigger } from "@repo/orchestration/triggers";
import type { StandardSchema, WorkflowContext } from "@repo/orchestration/workflows";

const order = defineWorkflow("order", async (context: WorkflowContext<{ orderId: number }>) => context.requestPayload.orderId);
declare const hooks: StandardSchema<{ ref: string }>;

const work = queueTrigger({ name: "work", workflow: order, parallelism: 2 });
const all: Trigger[] = [
  httpTrigger({ name: "a", workflow: order, authorize: (request) => request.headers.has("x") }),
  httpTrigger({ name: "b", workflow: order, public: true, schema: hooks, map: ({ ref }) => ({ orderId: ref.length }), run: { delay: "1m" } }),
  scheduleTrigger({ name: "c", workflow: order, cron: "* * * * *", input: { orderId: 1 } }),
  scheduleTrigger({ name: "d", workflow: "order", cron: "* * * * *" }),
  eventTrigger({ name: "e", workflow: order, event: ["paid"], map: (data: { id: number }) => ({ orderId: data.id }) }),
  webhookTrigger({ name: "f", workflow: order, preset: "github", secret: () => process.env.SECRET, schema: hooks, map: async ({ ref }, request) => ({ orderId: Number(request.headers.get(ref)) }) }),
  webhookTrigger({ name: "g", workflow: "order", signature: { header: "x", encoding: "base64" }, secret: ["a", "b"] }),
  webhookTrigger({ name: "h", workflow: order, verify: async (request, body) => request.ok(body) }),
  urlGroupTrigger({ name: "i", workflow: order, urlGroup: "g" }),
  work,
];
declare global { interface Request { ok(body: Uint8Array): boolean } }
declare const process: { env: Record<string, string | undefined> };

export async function use() {
  const engine = createWorkflowEngine({ workflows: [order], triggers: all });
  await engine.register(...all);
  const id: string = (await work.enqueue(engine, { orderId: 7 }, { delay: 5, signal: AbortSignal.timeout(1) })).messageId;
  // @ts-expect-error the workflow takes another input
  await work.enqueue(engine, { order: 7 });
  return id;
}

// @ts-expect-error who may start runs has to be said
httpTrigger({ name: "x", workflow: order });
// @ts-expect-error the one or the other
httpTrigger({ name: "x", workflow: order, public: true, authorize: () => true });
// @ts-expect-error another input
scheduleTrigger({ name: "x", workflow: order, cron: "* * * * *", input: { orderId: "1" } });
// @ts-expect-error another input
httpTrigger({ name: "x", workflow: order, public: true, schema: hooks, map: ({ ref }) => ({ orderId: ref }) });
// @ts-expect-error nobody is known by this name
webhookTrigger({ name: "x", workflow: order, preset: "nobody", secret: "s" });
// @ts-expect-error a secret is needed
webhookTrigger({ name: "x", workflow: order, preset: "github" });
// @ts-expect-error nothing says how it is verified
webhookTrigger({ name: "x", workflow: order });
`;
