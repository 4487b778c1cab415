/** Counters and histograms as text, spans by the real OpenTelemetry, and what is told of served workflows. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as api from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import {
  contentTypes,
  createMonitoringMiddleware,
  createStep,
  engineMetrics,
  expositionFor,
  MetricsRegistry,
  withStepMonitoring,
  withStepRetry,
} from "@repo/orchestration";

import { durable, flaky } from "./durable.mjs";

describe("metrics", () => {
  test("counters, gauges and histograms in the text format 0.0.4", () => {
    const registry = new MetricsRegistry();
    const requests = registry.counter({
      name: "requests_total",
      help: 'Of a\\b,\nby "path".',
      labels: ["path", "code"],
    });
    requests.add(1, { path: '/a"b\\c\n', code: "200" });
    requests.add(2.5, { path: '/a"b\\c\n', code: "200" });
    requests.add(0, { path: "/" });
    registry.gauge({ name: "temperature", help: "Now." }).set(-1.5);
    registry.gauge({ name: "limit", help: "Most." }).set(Number.POSITIVE_INFINITY);
    const sizes = registry.histogram({ name: "size", help: "Sizes.", buckets: [1, 2.5], labels: ["kind"] });
    for (const size of [0.5, 1, 2, 9, Number.NaN]) sizes.observe(size, { kind: "x" });
    assert.equal(
      registry.expose(),
      [
        '# HELP requests_total Of a\\\\b,\\nby "path".',
        "# TYPE requests_total counter",
        'requests_total{path="/a\\"b\\\\c\\n",code="200"} 3.5',
        'requests_total{path="/",code=""} 0',
        "# HELP temperature Now.",
        "# TYPE temperature gauge",
        "temperature -1.5",
        "# HELP limit Most.",
        "# TYPE limit gauge",
        "limit +Inf",
        "# HELP size Sizes.",
        "# TYPE size histogram",
        'size_bucket{kind="x",le="1"} 2',
        'size_bucket{kind="x",le="2.5"} 3',
        'size_bucket{kind="x",le="+Inf"} 4',
        'size_sum{kind="x"} 12.5',
        'size_count{kind="x"} 4',
        "",
      ].join("\n"),
    );
    assert.equal(contentTypes.prometheus, "text/plain; version=0.0.4; charset=utf-8");
  });

  test("OpenMetrics names families without the suffix, writes bounds as floats, and ends", () => {
    const registry = new MetricsRegistry();
    registry.counter({ name: "requests_total", help: 'Of "all".' }).add(1);
    registry.histogram({ name: "size", help: "Sizes.", buckets: [1] }).observe(1);
    assert.equal(
      registry.expose("openmetrics"),
      [
        '# HELP requests Of \\"all\\".',
        "# TYPE requests counter",
        "requests_total 1",
        "# HELP size Sizes.",
        "# TYPE size histogram",
        'size_bucket{le="1.0"} 1',
        'size_bucket{le="+Inf"} 1',
        "size_sum 1",
        "size_count 1",
        "# EOF",
        "",
      ].join("\n"),
    );
    assert.equal(expositionFor("application/openmetrics-text; version=1.0.0,text/plain;q=0.5"), "openmetrics");
    assert.deepEqual([expositionFor("text/plain"), expositionFor(null)], ["prometheus", "prometheus"]);
  });

  test("a metric is made once; combinations of labels are bounded", () => {
    const registry = new MetricsRegistry({ maxSeries: 2 });
    const options = { name: "seen_total", help: "Seen.", labels: ["id"] };
    for (let id = 0; id < 100; id += 1) registry.counter(options).add(1, { id: `${id}` });
    registry.counter(options).add(1, { id: "1" });
    const lines = registry.expose().split("\n").slice(2, -1);
    assert.deepEqual(lines, ['seen_total{id="0"} 1', 'seen_total{id="1"} 2', 'seen_total{id="_other"} 98']);
  });

  test("what can't be is refused", () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter({ name: "a_total", help: "", labels: ["x"] });
    const refused = (make) => assert.throws(make, { code: "InvalidConfiguration" });
    refused(() => registry.gauge({ name: "a_total", help: "" }));
    refused(() => registry.gauge({ name: "a b", help: "" }));
    refused(() => registry.gauge({ name: "a", help: "", labels: ["1x"] }));
    refused(() => registry.gauge({ name: "a", help: "", labels: ["__x"] }));
    refused(() => registry.histogram({ name: "h", help: "", labels: ["le"] }));
    refused(() => registry.histogram({ name: "h", help: "", buckets: [2, 1] }));
    refused(() => counter.add(-1));
    refused(() => counter.add(1, { y: "1" }));
    refused(() => new MetricsRegistry({ maxSeries: 0 }));
  });

  test("quantiles are estimated from the buckets, as Prometheus does", () => {
    const registry = new MetricsRegistry({ now: () => 7 });
    const steps = registry.histogram({
      name: "orchestration_step_duration_seconds",
      help: "",
      labels: ["workflow", "step", "outcome"],
      buckets: [0.1, 0.2, 0.4],
    });
    const seen = (seconds, outcome) => steps.observe(seconds, { workflow: "w", step: "s", outcome });
    for (let each = 0; each < 10; each += 1) seen(0.05, "success");
    for (let each = 0; each < 8; each += 1) seen(0.2, "success");
    for (let each = 0; each < 2; each += 1) seen(3, "failure");
    const { since, workflows } = engineMetrics(registry);
    assert.equal(since, 7);
    const [{ workflowId, steps: told }] = workflows;
    const { name, succeeded, failed, ...durations } = told[0];
    assert.equal(workflowId, "w");
    assert.deepEqual([name, succeeded, failed], ["s", 18, 2]);
    const rounded = Object.fromEntries(Object.entries(durations).map(([key, ms]) => [key, Number(ms.toFixed(6))]));
    // The tenth of twenty ends the first bucket; the nineteenth is between the last bound and the largest value.
    assert.deepEqual(rounded, { averageMs: 405, p50Ms: 100, p95Ms: 1700, maxMs: 3000 });
  });
});

/** OpenTelemetry, registered globally for a test, and what it has heard. */
function telemetry(t, { register = true } = {}) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (register) api.trace.setGlobalTracerProvider(provider);
  t.after(() => {
    api.trace.disable();
    api.context.disable();
  });
  return { provider, spans: () => exporter.getFinishedSpans() };
}

const idOf = (span) => span.spanContext().spanId;
const SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH";

describe("spans", () => {
  test("of a step are children of what is active, and parents of what it begins", async (t) => {
    const { spans } = telemetry(t);
    const tracer = api.trace.getTracer("test");
    const work = createStep("work", () => tracer.startActiveSpan("inside", (span) => span.end()));
    const step = withStepMonitoring(work, { telemetry: true });
    await tracer.startActiveSpan("outside", async (span) => {
      await step.execute();
      span.end();
    });
    const [inside, own, outside] = spans();
    assert.deepEqual([inside.name, own.name, outside.name], ["inside", "step work", "outside"]);
    assert.deepEqual([inside.parentSpanContext.spanId, own.parentSpanContext.spanId], [idOf(own), idOf(outside)]);
    assert.deepEqual(own.attributes, { "orchestration.step.name": "work", "orchestration.step.attempt": 0 });
    assert.deepEqual([own.kind, own.status.code], [api.SpanKind.INTERNAL, api.SpanStatusCode.UNSET]);
    assert.equal(own.instrumentationScope.name, "@repo/orchestration");
  });

  test("failures are recorded, without secrets", async (t) => {
    const { spans } = telemetry(t);
    const failing = createStep("work", () => {
      throw Object.assign(new TypeError(`the key ${SECRET} is refused`), { code: "KeyRefused" });
    });
    await assert.rejects(withStepMonitoring(failing, { telemetry: true }).execute(), (error) =>
      error.message.includes(SECRET),
    );
    const [span] = spans();
    assert.equal(span.status.code, api.SpanStatusCode.ERROR);
    assert.equal(span.attributes["error.type"], "KeyRefused");
    assert.equal(span.events[0].name, "exception");
    assert.match(span.events[0].attributes["exception.stacktrace"], /monitoring\.test\.mjs/);
    assert.match(span.status.message, /^the key .* is refused$/);
    assert.ok(!JSON.stringify([span.status, span.events, span.attributes]).includes(SECRET));
  });

  test("an API or a tracer can be handed in; without any, nothing happens", async (t) => {
    const { provider, spans } = telemetry(t, { register: false });
    const step = createStep("work", () => 1);
    assert.equal(await withStepMonitoring(step, { telemetry: true }).execute(), 1);
    assert.equal(spans().length, 0);
    await withStepMonitoring(step, { telemetry: provider.getTracer("own") }).execute();
    await withStepMonitoring(step, { telemetry: { trace: provider } }).execute();
    await withStepMonitoring(step, { telemetry: false }).execute();
    assert.deepEqual(
      spans().map(({ instrumentationScope }) => instrumentationScope.name),
      ["own", "@repo/orchestration"],
    );
  });
});

describe("served workflows", () => {
  test("runs and steps are counted, timed and traced", async (t) => {
    const { spans } = telemetry(t);
    const { run } = await durable(t);
    const registry = new MetricsRegistry();
    const middlewares = [createMonitoringMiddleware(registry)];
    const step = withStepRetry(createStep("work", flaky(1)), { backoffMs: 1, inPlaceMs: 0 });
    const done = await run(
      async (context) => {
        await step.run(context, 1);
        return context.run("plain", () => 2);
      },
      { options: { middlewares } },
    );
    assert.equal(done.result, 2);
    const failing = { middlewares, failureFunction: () => {} };
    assert.equal((await run((context) => context.run("plain", flaky(9)), { options: failing })).state, "RUN_FAILED");

    const [{ workflowId, steps, ...counts }, ...others] = engineMetrics(registry).workflows;
    assert.deepEqual([workflowId, counts, others], ["sample", { started: 2, completed: 1, failed: 1 }, []]);
    assert.deepEqual(
      steps.map(({ name, succeeded, failed }) => [name, succeeded, failed]),
      [
        ["work", 1, 1],
        ["plain", 1, 1],
      ],
    );
    for (const { averageMs, p50Ms, p95Ms, maxMs } of steps)
      assert.ok(averageMs > 0 && p50Ms <= p95Ms && p95Ms <= maxMs && averageMs <= maxMs);

    const told = spans().map(({ name, attributes, status }) => [
      name,
      attributes["orchestration.step.attempt"],
      attributes["error.type"] ?? "",
      status.message ?? "",
    ]);
    assert.deepEqual(told, [
      ["step work", 0, "Error", "failure 1"],
      ["step work", 1, "", ""],
      ["step plain", 0, "", ""],
      ["step plain", 0, "Error", "failure 1"],
    ]);
    const { attributes } = spans()[0];
    assert.deepEqual(
      [attributes["orchestration.workflow.id"], attributes["orchestration.run.id"]],
      ["sample", done.workflowRunId],
    );
  });

  test("who watches does not change what a step gives or how it fails", async (t) => {
    const { run } = await durable(t);
    const options = { middlewares: [createMonitoringMiddleware(new MetricsRegistry(), { workflowId: "own" })] };
    const done = await run(
      async (context) => {
        const error = await context
          .run("work", () => Promise.reject(new RangeError("no")), { retries: 0 })
          .catch((e) => e);
        const [a, b] = await Promise.all([context.run("a", () => 1), context.run("b", ({ attempt }) => attempt, {})]);
        return [error.cause.name, a, b];
      },
      { options },
    );
    assert.deepEqual(done.result, ["RangeError", 1, 0]);
  });
});
