/** What the compiler says of engines: steps that fit, inputs that don't, and the quick setup as it is documented. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "./compiler.mjs";

/** Word for word what the package's description shows; only `downloadFile` is the reader's own. */
const QUICK_SETUP = `
declare const process: { env: Record<string, string | undefined> };
declare function downloadFile(url: string): Promise<string>;

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

const bytes: Promise<string> = robustStep.execute("https://a.test");
const state: "created" | "ready" | "shut-down" = engine.getStatus().state;
export { bytes, state };
`;

const ENGINE = `
import { createStep, type Step } from "@repo/orchestration";
import {
  type AnyWorkflow, createWorkflowEngine, defineWorkflow, type EngineOptions, type WorkflowEngine, type WorkflowExecution,
  type WorkflowProvider,
} from "@repo/orchestration/server";
import { createWorkflowEngine as createInNext, defineWorkflow as defineInNext } from "@repo/orchestration/server/next";
import type { WorkflowContext } from "@repo/orchestration/workflows";

interface Order { orderId: number }

const download = createStep("download", async (url: string) => ({ url, bytes: url.length }));
const measure = createStep("measure", ({ bytes }: { bytes: number }) => bytes);
const store = createStep("store", (bytes: number, { signal, attempt }) => signal.aborted ? attempt : bytes > 0);
const shout = createStep("shout", (text: string) => text.toUpperCase());

const mirror = defineWorkflow("mirror", [download, measure, store], { retries: 3, description: "keeps a copy" });
// @ts-expect-error what a step gives has to be what the next one takes
defineWorkflow("broken", [download, shout]);
// @ts-expect-error wherever it is in the list
defineWorkflow("broken", [download, measure, store, shout, download]);
// @ts-expect-error a list has a step
defineWorkflow("empty", []);

const order = defineWorkflow("order", async (context: WorkflowContext<Order>) => {
  const paid = await context.run("charge", () => ({ id: context.requestPayload.orderId }));
  const shipped: boolean | number = await store.run(context, paid.id);
  // @ts-expect-error a step takes its own input
  await store.run(context, "text");
  const { body } = await context.invoke("mirror it", { workflow: mirror, body: "https://a.test" });
  const kept: boolean | number = body;
  // @ts-expect-error the other workflow takes another input
  await context.invoke("mirror it", { workflow: mirror, body: 7 });
  return { paid, shipped, kept };
});
const parsed = defineWorkflow("parsed", async ({ requestPayload }) => requestPayload.orderId, {
  schema: { parse: (value: unknown) => value as Order },
});
const anything = defineWorkflow("anything", async () => {});
// @ts-expect-error there is no such option
defineWorkflow("options", async () => {}, { retry: 3 });
void defineInNext;

const engine: WorkflowEngine = createWorkflowEngine({ workflows: [mirror, order, parsed, anything] });
const all: readonly AnyWorkflow[] = engine.workflows();

export async function use(): Promise<unknown> {
  const { workflowRunId } = await engine.executeWorkflow(order, { orderId: 7 }, { label: ["a"], delay: "1m", workflowRunId: "x" });
  // @ts-expect-error the input has another type
  await engine.executeWorkflow(order, { orderId: "7" });
  // @ts-expect-error the first step takes a text
  await engine.executeWorkflow(mirror, 7);
  // @ts-expect-error it takes an input
  await engine.executeWorkflow(order);
  // @ts-expect-error a schedule's runs need one too
  await engine.scheduleWorkflow(order, { cron: "0 * * * *" });
  await engine.scheduleWorkflow(anything, { cron: "0 * * * *" });
  await engine.executeWorkflow(mirror, "https://a.test");
  await engine.executeWorkflow(parsed, { orderId: 1 });
  await engine.executeWorkflow(anything);
  await engine.executeWorkflow("order", { whatever: true });
  await engine.scheduleWorkflow(order, { cron: "0 * * * *", input: { orderId: 1 } });
  // @ts-expect-error the input has another type
  await engine.scheduleWorkflow(order, { cron: "0 * * * *", input: 1 });
  // @ts-expect-error a schedule has times
  await engine.scheduleWorkflow(order, { input: { orderId: 1 } });
  const run = await engine.waitForExecution<{ shipped: boolean }>(workflowRunId, { intervalMs: 10, signal: AbortSignal.timeout(1) });
  const shipped: boolean | undefined = run.output?.shipped;
  const found: WorkflowExecution | undefined = await engine.getExecution(workflowRunId, { provider: "a" });
  const page = await engine.listExecutions({ status: "failed", workflowId: "order", cursor: undefined });
  // @ts-expect-error there is no such status
  await engine.listExecutions({ status: "done" });
  const { GET, POST, fetch, handler } = engine.serve(order);
  const answer: Response = await POST(new Request("https://a.test"));
  const healthy: boolean = (await engine.healthCheck()).status === "healthy";
  return [all, shipped, found, page.runs, page.cursor, GET, fetch, handler, answer, healthy, engine.prometheus()];
}

const provider: WorkflowProvider = { name: "mine", type: "memory", start: async ({ workflowId }) => ({ workflowRunId: workflowId }) };
export const options: EngineOptions = {
  defaultProvider: "limited",
  providers: [
    { name: "mine", type: "custom", provider },
    { name: "here", type: "embedded", config: { port: 0, db: ":memory:" } },
    { name: "shared", type: "embedded" },
    { name: "limited", type: "rate-limit", config: { provider: "mine", limit: 10, window: "1m", algorithm: "token-bucket" } },
    { name: "hosted", type: "upstash-workflow" },
  ],
};
createInNext(options);
// @ts-expect-error a custom provider is handed in
createInNext({ providers: [{ name: "mine", type: "custom" }] });
// @ts-expect-error a limit has a provider behind it
createInNext({ providers: [{ name: "limited", type: "rate-limit", config: { limit: 1, window: 1 } }] });
// @ts-expect-error there is no such type
createInNext({ providers: [{ name: "x", type: "sqs" }] });
export const step: Step<string, { url: string; bytes: number }> = download;
`;

describe("types of engines", () => {
  let compiler;

  before(async () => {
    compiler = await createCompiler();
  });

  after(() => compiler.remove());

  for (const [title, source] of Object.entries({
    "the quick setup, word for word": QUICK_SETUP,
    "chains and inputs": ENGINE,
  }))
    for (const [style, options] of Object.entries({
      strict: {},
      "strictest, with our declarations": { exactOptionalPropertyTypes: true, skipLibCheck: false },
    }))
      test(`${title}: ${style}`, async () => {
        assert.equal(await compiler.compile({ "app.mts": source }, options), "");
      });
});
