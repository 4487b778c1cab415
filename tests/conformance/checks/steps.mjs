// Every type of step that the official `serve` has.

import assert from "node:assert/strict";
import { createWorkflow } from "@upstash/workflow/cloudflare";

const run = async (on, endpoint, options = {}) => {
  const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w`, ...options });
  return workflowRunId;
};

export default {
  async "run, sleep and sleepUntil, one after the other"(on) {
    const ran = [];
    const endpoint = await on.serve(async (context) => {
      const a = await context.run("a", () => ran.push("a") && context.requestPayload.n);
      await context.sleep("nap", 1);
      await context.sleepUntil("until", new Date(Date.now() + 500));
      const b = await context.run("b", () => ran.push("b") && a * 2);
      return { b };
    });
    const before = Date.now();
    assert.deepEqual(await on.result(await run(on, endpoint, { body: { n: 21 } })), { b: 42 });
    assert.deepEqual(ran, ["a", "b"]);
    assert.ok(Date.now() - before >= 1000);
  },

  async "steps side by side: 1 + 2n deliveries, each function once"(on) {
    const ran = [];
    const endpoint = await on.serve(async (context) => {
      const step = (name) => context.run(name, () => ran.push(name) && name);
      return Promise.all([step("a"), step("b"), context.sleep("nap", 1), step("c")]);
    });
    const id = await run(on, endpoint);
    assert.deepEqual(await on.result(id), ["a", "b", null, "c"]);
    assert.deepEqual([...ran].sort(), ["a", "b", "c"]);
    const deliveries = new Set(endpoint.requests.map(({ headers }) => headers["upstash-message-id"]));
    assert.equal(deliveries.size, 1 + 2 * 4);
  },

  async "a step that fails is tried again by the trigger's retries and delay"(on) {
    let tries = 0;
    const endpoint = await on.serve((context) =>
      context.run("flaky", () => {
        tries += 1;
        if (tries < 3) throw new Error("not yet");
        return tries;
      }),
    );
    assert.equal(await on.result(await run(on, endpoint, { retries: 2, retryDelay: "0" })), 3);
  },

  async "call: methods, headers, JSON, text and statuses"(on) {
    const third = await on.endpoint(({ method, url, headers, body }) => {
      if (url === "/gone") return { status: 404, headers: { "content-type": "application/json" }, body: '{"e":1}' };
      const seen = { method, key: headers["x-key"], body: String(body) };
      return { headers: { "content-type": "application/json", "x-answer": "1" }, body: JSON.stringify(seen) };
    });
    const endpoint = await on.serve(async (context) => {
      const options = { method: "PUT", body: { n: 1 }, headers: { "x-key": "k" } };
      const echo = await context.call("echo", { url: `${third.url}/echo`, ...options });
      const gone = await context.call("gone", { url: `${third.url}/gone` });
      return { echo: echo.body, answer: echo.header["X-Answer"], status: echo.status, gone: [gone.status, gone.body] };
    });
    assert.deepEqual(await on.result(await run(on, endpoint)), {
      echo: { method: "PUT", key: "k", body: '{"n":1}' },
      answer: ["1"],
      status: 200,
      gone: [404, { e: 1 }],
    });
  },

  async "call: retries of its own"(on) {
    const third = await on.endpoint((_, count) => ({ status: count < 3 ? 500 : 201 }));
    const endpoint = await on.serve(async (context) => {
      const { status } = await context.call("flaky", { url: third.url, retries: 2, retryDelay: "0" });
      return status;
    });
    assert.equal(await on.result(await run(on, endpoint)), 201);
    assert.equal(third.requests.length, 3);
    assert.equal(endpoint.requests.filter(({ headers }) => headers["upstash-workflow-callback"]).length, 1);
  },

  async "call: flow control of its own"(on) {
    const key = on.name("call");
    const state = { active: 0, most: 0 };
    const third = await on.endpoint(async () => {
      state.active += 1;
      state.most = Math.max(state.most, state.active);
      await new Promise((resolve) => setTimeout(resolve, 60));
      state.active -= 1;
    });
    const endpoint = await on.serve(async (context) => {
      const call = (name) => context.call(name, { url: third.url, flowControl: { key, parallelism: 1 } });
      return (await Promise.all([call("a"), call("b"), call("c")])).map(({ status }) => status);
    });
    assert.deepEqual(await on.result(await run(on, endpoint)), [200, 200, 200]);
    assert.equal(state.most, 1);
  },

  async "invoke: results, failures and cancellations of other runs"(on) {
    const child = createWorkflow(async (context) => {
      const { how } = context.requestPayload;
      const seen = await context.run("see", () => ({ how, header: context.headers.get("x-child") }));
      if (how === "fail") await context.run("fail", () => Promise.reject(new Error("no")));
      if (how === "cancel") await context.cancel();
      return seen;
    });
    const endpoint = await on.serveMany({
      child,
      parent: createWorkflow(async (context) => {
        const invoke = (how) =>
          context.invoke(how, { workflow: child, body: { how }, headers: { "x-child": how }, retries: 0 });
        const alone = await invoke("return");
        return { alone, others: await Promise.all([invoke("fail"), invoke("cancel"), invoke("again")]) };
      }),
    });
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/parent` });
    const done = (how) => ({ body: { how, header: how }, isFailed: false, isCanceled: false });
    assert.deepEqual(await on.result(workflowRunId), {
      alone: done("return"),
      others: [{ isFailed: true, isCanceled: false }, { isFailed: false, isCanceled: true }, done("again")],
    });
    const { runs } = await on.workflow.logs({ filter: { workflowUrl: `${endpoint.url}/child` } });
    assert.equal(runs.length, 4);
    assert.ok(runs.every(({ invoker }) => invoker.workflowRunId === workflowRunId));
  },

  async "a failure that is not to be retried, and one that names its delay"(on) {
    const { WorkflowNonRetryableError, WorkflowRetryAfterError } = await import("@upstash/workflow");
    let tries = 0;
    const never = await on.serve((context) =>
      context.run("never", () => {
        tries += 1;
        throw new WorkflowNonRetryableError("for good");
      }),
    );
    const failed = await on.ended(await run(on, never, { retries: 3 }));
    assert.deepEqual([failed.workflowState, tries], ["RUN_FAILED", 1]);
    let later = 0;
    const after = await on.serve((context) =>
      context.run("later", () => {
        later += 1;
        if (later === 1) throw new WorkflowRetryAfterError("busy", 1);
        return later;
      }),
    );
    assert.equal(await on.result(await run(on, after)), 2);
    const [first, second] = after.requests;
    assert.ok(second.at - first.at >= 1000);
  },

  async "a failure function is told once, with status, answer and payload"(on) {
    const told = [];
    const endpoint = await on.serve((context) => context.run("broken", () => Promise.reject(new Error("never"))), {
      failureFunction: ({ context, failStatus, failResponse, failHeaders }) => {
        told.push({ id: context.workflowRunId, payload: context.requestPayload, failStatus, failResponse });
        assert.ok(failHeaders);
        return "noted";
      },
    });
    const id = await run(on, endpoint, { body: { n: 7 }, retries: 1, retryDelay: "0", headers: { "x-user": "u" } });
    const log = await on.until(async () => {
      const { runs } = await on.workflow.logs({ filter: { workflowRunId: id } });
      return runs[0]?.failureFunction?.state === "CALLBACK_SUCCESS" && runs[0];
    });
    assert.equal(log.workflowState, "RUN_FAILED");
    assert.ok(log.dlqId);
    assert.deepEqual(told, [{ id, payload: { n: 7 }, failStatus: 500, failResponse: "never" }]);
    const failure = endpoint.requests.find(({ headers }) => headers["upstash-workflow-is-failure"]);
    assert.equal(failure.headers["x-user"], "u");
    const body = JSON.parse(failure.body);
    assert.deepEqual([body.workflowRunId, body.dlqId, body.status], [id, log.dlqId, 500]);
    assert.ok(body.workflowCreatedAt > 0);
  },
};
