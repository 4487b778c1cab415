// What an engine tells of what it has seen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compose, createMapStep, createStep, MetricsRegistry, withStepMonitoring } from "@repo/orchestration";
import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server";
import { ended, served, site, until } from "./support.mjs";

test("runs and tries of steps are counted by workflow, and told as Prometheus reads them", async (t) => {
  const metrics = new MetricsRegistry();
  const spans = [];
  const span = { setAttributes() {}, setStatus() {}, recordException() {}, end() {} };
  const telemetry = {
    startActiveSpan(name, { attributes }, work) {
      spans.push([name, attributes["orchestration.workflow.id"]]);
      return work(span);
    },
  };
  let tries = 0;
  const shaky = createStep("shaky", () => {
    tries += 1;
    if (tries === 1) throw new Error("once");
    return tries;
  });
  const fine = defineWorkflow("fine", [shaky], { retries: 1, retryDelay: "10" });
  const doomed = defineWorkflow("doomed", (context) => context.run("x", () => Promise.reject(new Error("no"))), {
    retries: 0,
    failureFunction: () => {},
  });
  const { engine } = await served(t, { workflows: [fine, doomed], metrics, telemetry });
  assert.deepEqual(engine.getMetrics().workflows, []);
  await ended(engine, await engine.executeWorkflow(fine));
  await ended(engine, await engine.executeWorkflow(doomed));
  await until(() => engine.getMetrics().workflows.find(({ workflowId }) => workflowId === "doomed")?.failed === 1);
  const { since, workflows } = engine.getMetrics();
  assert.ok(since <= Date.now());
  assert.deepEqual(
    workflows.map(({ steps, ...counts }) => [
      counts,
      steps.map(({ name, succeeded, failed }) => [name, succeeded, failed]),
    ]),
    [
      [{ workflowId: "fine", started: 1, completed: 1, failed: 0 }, [["shaky", 1, 1]]],
      [{ workflowId: "doomed", started: 1, completed: 0, failed: 1 }, [["x", 0, 1]]],
    ],
  );
  const text = engine.prometheus();
  assert.equal(text, metrics.expose());
  assert.match(text, /^orchestration_runs_completed_total\{workflow="fine"\} 1$/m);
  assert.match(
    text,
    /^orchestration_step_duration_seconds_count\{workflow="fine",step="shaky",outcome="failure"\} 1$/m,
  );
  assert.deepEqual(spans, [
    ["step shaky", "fine"],
    ["step shaky", "fine"],
    ["step x", "doomed"],
  ]);
  assert.deepEqual(engine.getStatus().metrics, engine.getMetrics());
});

test("a run is counted by who started or served it, not by everybody who asks for it", async (t) => {
  const fine = defineWorkflow("fine", (context) => context.run("x", () => "done"));
  const { engine } = await served(t, { workflows: [fine] });
  const started = await engine.executeWorkflow(fine);
  await ended(engine, started);
  const provider = engine.provider();
  const { url } = await site(t);
  const providers = [{ name: "own", type: "custom", provider: { ...own(provider), name: "own" } }];
  const other = createWorkflowEngine({ providers, workflows: [fine], url, env: {} });
  assert.equal((await other.getExecution(started.workflowRunId)).status, "completed");
  assert.deepEqual(other.getMetrics().workflows, []);
  assert.deepEqual(
    engine.getMetrics().workflows.map((counts) => [counts.started, counts.completed]),
    [[1, 1]],
  );
});

const own = (provider) => ({
  type: "own",
  start: (...asked) => provider.start(...asked),
  get: (workflowRunId) => provider.get(workflowRunId),
});

test("a list leaves series for others: its elements are one step", async (t) => {
  const square = createStep("square", (n) => n * n);
  const all = createMapStep(
    compose(
      square,
      createStep("odd[7]", (n) => n % 2),
    ),
    { name: "all" },
  );
  const metrics = new MetricsRegistry({ maxSeries: 5 });
  const list = [1, 2, 3, 4];
  const { engine } = await served(t, {
    workflows: [defineWorkflow("lists", [createMapStep(square), all, createStep("last", () => 0)])],
    metrics,
  });
  await ended(engine, await engine.executeWorkflow("lists", list));
  const [{ steps }] = engine.getMetrics().workflows;
  assert.deepEqual(
    steps.map(({ name, succeeded }) => [name, succeeded]),
    [
      ["square[*]", 4],
      ["all[*] square", 4],
      ["all[*] odd[*]", 4],
      ["last", 1],
    ],
  );
  const watched = new MetricsRegistry({ maxSeries: 1 });
  await withStepMonitoring(createMapStep(square), { metrics: watched }).execute(list);
  assert.match(watched.expose(), /_count\{workflow="",step="square\[\*\]",outcome="success"\} 4$/m);
});
