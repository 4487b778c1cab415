/** What the compiler knows of steps, templates and monitoring. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createCompiler } from "./compiler.mjs";

const SOURCE = `
import * as api from "@opentelemetry/api";
import {
  compose, createMonitoringMiddleware, createStep, type EngineMetrics, engineMetrics, MetricsRegistry, type Step,
  StepRegistry, withFallback, withRetry, withStepCircuitBreaker, withStepMonitoring, withStepRetry, withStepTimeout,
} from "@repo/orchestration";
import {
  createConditionalStep, createDelayStep, createHttpStep, createMapStep, createParallelStep, createTimeoutSignal,
  createTransformStep, StepTemplates, stepTemplates,
} from "@repo/orchestration/shared/factories/step-templates";

interface User { id: number; name: string }
const load = createStep("load", async (id: number): Promise<User> => ({ id, name: "n" }));
const greet = createStep("greet", (user: User) => \`hello \${user.name}\`);

/** Decorators keep what a step works on and gives. */
export const robust: Step<number, User> = withStepRetry(withStepTimeout(load, 500), {
  maxAttempts: 3, backoffMs: 1000, strategy: "linear", jitter: "full", maxBackoffMs: 10_000, inPlaceMs: 5,
  retryIf: (error, attempt) => attempt < 2 && error instanceof Error,
  onRetry: ({ error, attempt, delayMs }) => void [error, attempt.toFixed(), delayMs.toFixed()],
});
export const greeting: Step<number, string> = compose(robust, greet);
export const watched: Step<number, User> = withStepMonitoring(load, {
  onStart: ({ stepName, attempt }) => void [stepName.length, attempt.toFixed()],
  onSuccess: ({ output, durationMs }) => void [output, durationMs.toFixed()],
  onError: ({ error, willRetry }) => void [error, willRetry],
  metrics: new MetricsRegistry(), telemetry: true,
});
export const guarded: Step<number, User> = withStepCircuitBreaker(load, { execute: (work) => work() });
// @ts-expect-error there is no such strategy
withStepRetry(load, { strategy: "cubic" });
// @ts-expect-error a limit is a number
withStepTimeout(load, "10s");
// @ts-expect-error greet works on users
compose(load, withStepRetry(createStep("x", (text: string) => text)));

export const either: Step<number, User | undefined> = withFallback(load, (id, error, { signal }) => {
  void [id.toFixed(), error, signal.aborted];
  return undefined;
});
export const instead: Step<number, User | string> = withFallback(load, createStep("other", (id: number) => \`\${id}\`));
// @ts-expect-error the fallback works on something else
withFallback(load, createStep("other", (text: string) => text.length));

export const fetched: (url: string, n: number) => Promise<number> = withRetry(async (url: string, n: number) => url.length + n, { maxAttempts: 2 });
// @ts-expect-error functions wait in place
withRetry(fetched, { inPlaceMs: 5 });

const schema = { parse: (value: unknown) => value as User };
export async function templates() {
  const http = createHttpStep("user", { url: (id: number) => \`https://a.test/\${id}\`, body: { a: 1 }, expect: [200], response: schema });
  const { status, body } = await http.execute(1);
  const user: User = body;
  const text: string = await compose(http, createTransformStep("body", ({ body }) => body), createDelayStep<User>("wait", "10s"), greet).execute(1);
  const lengths: number[] = await createMapStep(createStep("length", (t: string) => t.length), { concurrency: 2 }).execute(["a"]);
  const named: { user: User; label: string } = await createParallelStep("both", {
    user: load, label: createStep("label", (id: number) => \`\${id}\`),
  }).execute(1);
  const listed: [User, string] = await createParallelStep("both", [load, createStep("label", (id: number) => \`\${id}\`)]).execute(1);
  const chosen: User | number = await createConditionalStep("maybe", (id: number) => id > 1, load).execute(1);
  const other: User | boolean = await createConditionalStep("maybe", (id: number) => id > 1, load, createStep("no", (_: number) => false)).execute(1);
  const signal: AbortSignal = createTimeoutSignal(5000);
  createTimeoutSignal(5000).clear();
  // @ts-expect-error steps side by side work on the same
  await createParallelStep("both", { load, greet }).execute(1);
  // @ts-expect-error a list is mapped
  await createMapStep(load).execute(1);
  // @ts-expect-error what is waited for has to be remembered
  const late: Step<number, number> = createTransformStep("late", async (n: number) => n);
  const kept: Step<number, number> = createTransformStep("late", async (n: number) => n, { durable: true });
  return [status, user, text, lengths, named, listed, chosen, other, signal, late, kept, stepTemplates.map === StepTemplates.map];
}

export async function registry() {
  const steps = new StepRegistry({ load }).register("tell", (channel: string) => createStep("tell", (n: number) => channel + n));
  const user: User = await steps.get("load").execute(1);
  const told: string = await steps.create("tell", "mail").execute(1);
  // @ts-expect-error the factory's channel is a text
  steps.create("tell", 5);
  // @ts-expect-error it works on numbers
  await steps.get("load").execute("1");
  const unknown: Step<string, string> = steps.get("registered elsewhere");
  return [user, told, unknown];
}

const metrics = new MetricsRegistry({ maxSeries: 10 });
const counter = metrics.counter({ name: "a_total", help: "A.", labels: ["path"] });
counter.add(1, { path: "/" });
// @ts-expect-error there is no such label
counter.add(1, { pth: "/" });
metrics.histogram({ name: "b", help: "B." }).observe(1);
export const told: EngineMetrics = engineMetrics(metrics);
createMonitoringMiddleware(metrics, { telemetry: api });
createMonitoringMiddleware(metrics, { telemetry: api.trace.getTracer("own"), workflowId: "w" });
withStepMonitoring(load, { telemetry: api });
`;

let compiler;
before(async () => {
  compiler = await createCompiler();
});
after(() => compiler.remove());

test("types flow through decorators, templates, registries and metrics", async () => {
  assert.equal(await compiler.compile({ "steps.ts": SOURCE }), "");
});
