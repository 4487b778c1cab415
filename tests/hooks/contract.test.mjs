/** The hooks and their client against the real `createWorkflowApi`: over an engine that says what it was asked, and over a real one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { describe, test } from "node:test";

import { createWorkflowApi, defineWorkflow } from "@repo/orchestration/server/next";
import { createElement } from "react";

import { served } from "../engine/support.mjs";
import { engineDouble, RUN } from "../http/support.mjs";
import { act, cleanup, hooks, renderHook, until } from "./harness.mjs";

/** Serves the API on loopback, as a framework would. */
async function serve(t, engine, options = {}) {
  const api = createWorkflowApi({ engine, authorize: () => true, follow: { intervalMs: 5 }, ...options });
  const streams = new Set();
  const server = createServer(async (request, response) => {
    const { method, headers, url } = request;
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const body = method === "POST" ? Readable.toWeb(request) : undefined;
    const init = { method, headers, body, duplex: "half", signal: gone.signal };
    const answer = await api.handler(new Request(`http://${headers.host}${url}`, init));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (!answer.body) return response.end();
    const stream = Readable.fromWeb(answer.body);
    streams.add(stream);
    streams.opened = (streams.opened ?? 0) + 1;
    stream.on("close", () => streams.delete(stream));
    response.on("close", () => stream.destroy());
    stream.on("error", () => response.destroy()).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    cleanup();
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${server.address().port}/api/orchestration`;
  return { streams, client: hooks.createWorkflowClient({ baseUrl, pollIntervalMs: 10, reconnectMs: 4 }) };
}

describe("the real API", () => {
  test("understands every call", async (t) => {
    const { engine, told } = engineDouble();
    const { client } = await serve(t, engine);
    assert.deepEqual(await client.listWorkflows(), [{ workflowId: "order", provider: "main" }]);
    const options = { label: ["a", "b"], delay: "10s", workflowRunId: "wfr_own", provider: "main" };
    const started = await client.startWorkflow("a/b", { orderId: 7 }, options);
    assert.deepEqual(started, { workflowRunId: "wfr_1", workflowId: "order", provider: "main" });
    const page = await client.listRuns({ workflowId: "order", status: "running", label: "x", cursor: "c", count: 5 });
    assert.deepEqual(page, { runs: [RUN], cursor: "next" });
    assert.deepEqual(await client.getRun("wfr_1"), RUN);
    assert.deepEqual(await client.getHistory("wfr_1"), RUN.steps);
    assert.equal(await client.cancelRun("wfr_1"), true);
    assert.equal(await client.notify("paid/7", { amount: 3 }, { workflowRunId: "wfr_1" }), 2);
    const schedule = { workflowId: "order", cron: "* * * * *", input: [1], scheduleId: "scd/1" };
    assert.equal(await client.createSchedule(schedule), "scd_1");
    assert.deepEqual(await client.listSchedules(), []);
    await client.pauseSchedule("scd/1");
    await client.resumeSchedule("scd/1");
    await client.deleteSchedule("scd/1");
    assert.deepEqual(await client.getMetrics(), { since: 0, workflows: [] });
    assert.equal((await client.getHealth()).status, "healthy");
    const calls = Object.fromEntries(told.map(([name, ...given]) => [name, given]));
    assert.deepEqual(calls.executeWorkflow, ["a/b", { orderId: 7 }, options]);
    const filter = { workflowId: "order", status: "running", label: "x", cursor: "c", count: 5 };
    assert.deepEqual(calls.listExecutions[0], filter);
    assert.deepEqual(calls.notify[0], { eventId: "paid/7", data: { amount: 3 }, workflowRunId: "wfr_1" });
    const { workflowId, ...rest } = schedule;
    assert.deepEqual(calls.scheduleWorkflow.slice(0, 2), [workflowId, rest]);
    assert.equal(calls.pauseSchedule[0], "scd/1");
  });

  test("its errors keep their codes, and an unhealthy engine is an answer", async (t) => {
    const health = { status: "unhealthy", providers: [] };
    const { client } = await serve(t, engineDouble({ healthCheck: async () => health }).engine);
    await assert.rejects(client.getRun("wfr_2"), { code: "NotFound", status: 404, retryable: false });
    await assert.rejects(client.listRuns({ status: "done" }), { code: "InvalidRequest", status: 400 });
    assert.deepEqual(await client.getHealth(), health);
    const closed = await serve(t, engineDouble().engine, { authorize: () => false });
    await assert.rejects(closed.client.getRun("wfr_1"), { code: "Forbidden", status: 403 });
    await assert.rejects(closed.client.getHealth(), { code: "Forbidden", status: 403 });
  });

  test("a run is followed live to its end, over streams that the API ends", async (t) => {
    let run = RUN;
    const { engine } = engineDouble({ getExecution: async () => run });
    const { client, streams } = await serve(t, engine, { follow: { intervalMs: 2, lifetimeMs: 20 } });
    const wrapper = ({ children }) => createElement(hooks.WorkflowProvider, { client }, children);
    const seen = new Set();
    const use = () => {
      const followed = hooks.useWorkflowRun("wfr_1");
      seen.add(followed.connection);
      return followed;
    };
    const { result, unmount } = renderHook(use, { wrapper, reactStrictMode: true });
    await until(() => result.current.status === "running");
    run = { ...run, labels: ["changed"] };
    await until(() => result.current.run.labels.length === 1);
    // The stream's time is up more than once.
    await until(() => streams.opened >= 3);
    run = { ...run, status: "completed", output: { ok: true } };
    await until(() => result.current.isFinished);
    assert.deepEqual([result.current.output, [...seen]], [{ ok: true }, ["connecting", "live", "closed"]]);
    unmount();
    await until(() => streams.size === 0);
  });

  test("who goes takes the stream along", async (t) => {
    const { client, streams } = await serve(t, engineDouble().engine);
    const wrapper = ({ children }) => createElement(hooks.WorkflowProvider, { client }, children);
    const { result, unmount } = renderHook(() => hooks.useWorkflowRun("wfr_1"), { wrapper, reactStrictMode: true });
    await until(() => result.current.connection === "live" && streams.size === 1);
    unmount();
    await act(async () => {});
    await until(() => streams.size === 0);
  });
});

describe("a real engine", () => {
  test("start, follow each step, output; list, schedule, metrics", async (t) => {
    const gate = Promise.withResolvers();
    const order = defineWorkflow("order", async (context) => {
      const { orderId } = context.requestPayload;
      const charge = await context.run("charge", () => `paid ${orderId}`);
      await context.run("pack", () => gate.promise);
      return { charge };
    });
    const { engine } = await served(t, { workflows: [order] });
    const { client } = await serve(t, engine, { follow: { intervalMs: 10 } });
    const wrapper = ({ children }) => createElement(hooks.WorkflowProvider, { client }, children);
    const render = (use) => renderHook(use, { wrapper, reactStrictMode: true });

    const { result } = render(() => hooks.useWorkflow("order"));
    await act(() => result.current.start({ orderId: 7 }, { label: "blue" }));
    assert.equal(result.current.status, "pending");
    await until(() =>
      result.current.run?.steps.some(({ name, status }) => name === "charge" && status === "completed"),
    );
    assert.deepEqual([result.current.status, result.current.connection], ["running", "live"]);
    gate.resolve(null);
    await until(() => result.current.isFinished);
    const { status, output, error, runId } = result.current;
    assert.deepEqual([status, output, error], ["completed", { charge: "paid 7" }, undefined]);

    const list = render(() => hooks.useWorkflowList({ workflowId: "order", status: "completed" }));
    await until(() => list.result.current.runs.length === 1);
    assert.deepEqual([list.result.current.runs[0].workflowRunId, list.result.current.hasMore], [runId, false]);

    const schedule = render(() => hooks.useWorkflowSchedule("order"));
    await until(() => !schedule.result.current.isLoading);
    const id = await act(() => schedule.result.current.create({ cron: "0 8 * * 1", input: { orderId: 1 } }));
    await act(() => schedule.result.current.pause(id));
    await until(() => schedule.result.current.schedules[0]?.isPaused);
    await act(() => schedule.result.current.remove(id));
    await until(() => schedule.result.current.schedules.length === 0);
    assert.deepEqual(await engine.listSchedules(), []);

    const metrics = render(() => hooks.useWorkflowMetrics());
    await until(() => metrics.result.current.metrics);
    const [{ workflowId, started }] = metrics.result.current.metrics.workflows;
    assert.deepEqual([workflowId, started], ["order", 1]);
  });

  test("cancel, and cancel on unmount", async (t) => {
    const wait = defineWorkflow("wait", async (context) => {
      await context.sleep("long", "1d");
    });
    const { engine } = await served(t, { workflows: [wait] });
    const { client } = await serve(t, engine, { follow: { intervalMs: 10 } });
    const wrapper = ({ children }) => createElement(hooks.WorkflowProvider, { client }, children);
    const use = () => hooks.useWorkflow("wait", { cancelOnUnmount: true });
    const { result, unmount } = renderHook(use, { wrapper, reactStrictMode: true });
    await act(() => result.current.start());
    await until(() => result.current.status === "running");
    assert.equal(await act(() => result.current.cancel()), true);
    await until(() => result.current.status === "cancelled");
    await act(() => result.current.start());
    const { runId } = result.current;
    unmount();
    const { status } = await engine.waitForExecution(runId, { intervalMs: 10, signal: AbortSignal.timeout(10_000) });
    assert.equal(status, "cancelled");
  });
});
