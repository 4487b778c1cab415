/** What an engine counts and times of the workflows that it serves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createStep, MetricsRegistry } from "@repo/orchestration";
import { defineWorkflow } from "@repo/orchestration/server";
import { ended, served } from "./support.mjs";

test("runs and steps are counted, beside metrics of one's own", async (t) => {
  const download = createStep("download", async (url) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return `${url} content`;
  });
  const store = createStep("store", (text) => text.length);
  const mirror = defineWorkflow("mirror", [download, store]);
  const metrics = new MetricsRegistry();
  metrics.gauge({ name: "own", help: "My own." }).set(5);
  const { engine } = await served(t, { workflows: [mirror], metrics });
  await ended(engine, await engine.executeWorkflow(mirror, "a"));
  await ended(engine, await engine.executeWorkflow(mirror, "b"));
  const [{ steps, ...counts }] = engine.getMetrics().workflows;
  assert.deepEqual(counts, { workflowId: "mirror", started: 2, completed: 2, failed: 0 });
  assert.deepEqual(
    steps.map(({ name, succeeded, failed }) => [name, succeeded, failed]),
    [
      ["download", 2, 0],
      ["store", 2, 0],
    ],
  );
  const [{ averageMs, p50Ms, p95Ms, maxMs }] = steps;
  assert.ok(averageMs >= 9 && p50Ms > 0 && p50Ms <= p95Ms && p95Ms <= maxMs, JSON.stringify(steps));
  const text = engine.prometheus();
  for (const line of [
    "own 5",
    'orchestration_runs_started_total{workflow="mirror"} 2',
    'orchestration_step_duration_seconds_count{workflow="mirror",step="download",outcome="success"} 2',
  ])
    assert.ok(text.split("\n").includes(line), text);
  assert.match(engine.prometheus("openmetrics"), /# TYPE orchestration_runs_started counter\n[\s\S]*# EOF\n$/);
});
