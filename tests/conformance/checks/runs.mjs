// `/v2/workflows/runs` and `/v2/workflows/logs`: runs, shown and cancelled.

import assert from "node:assert/strict";

const sleeper = (on) =>
  on.serve(async (context) => {
    await context.run("first", () => 1);
    await context.sleep("long", 3600);
  });

const started = async (on, endpoint, options = {}) => {
  const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w`, ...options });
  await on.until(async () => {
    const { runs } = await on.workflow.logs({ filter: { workflowRunId } });
    return JSON.stringify(runs[0]?.steps ?? []).includes('"first"');
  });
  return workflowRunId;
};

export default {
  async "the steps of a live run are what an endpoint fetches"(on) {
    const endpoint = await sleeper(on);
    const id = await started(on, endpoint, { body: { n: 1 } });
    const steps = await on.json(200, "GET", `/v2/workflows/runs/${id}`);
    for (const step of steps) {
      assert.match(step.messageId, /^msg_/);
      assert.ok(["step", "toCallback", "fromCallback"].includes(step.callType));
    }
    const bodies = steps.map(({ body }) => Buffer.from(body, "base64").toString());
    assert.deepEqual(JSON.parse(bodies[0]), { n: 1 });
    const first = JSON.parse(bodies[1]);
    assert.deepEqual([first.stepId, first.stepName, first.stepType, first.out], [1, "first", "Run", "1"]);
    await on.workflow.cancel(id);
    await on.refused(404, "GET", `/v2/workflows/runs/${id}`);
    await on.refused(404, "GET", "/v2/workflows/runs/wfr_unknown");
  },

  async "a large history is fetched by the endpoint"(on) {
    const large = "ü".repeat(100_000);
    const endpoint = await on.serve(async (context) => {
      let sum = 0;
      for (let n = 0; n < 8; n += 1) sum += (await context.run(`step ${n}`, () => large)).length;
      return sum;
    });
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    assert.equal(await on.result(workflowRunId), 800_000);
    assert.ok(endpoint.requests.some(({ body }) => body.length === 0));
  },

  async "the log of a run: steps, states, times, result"(on) {
    let tries = 0;
    const endpoint = await on.serve(async (context) => {
      await context.run("one", () => "1");
      await Promise.all([context.run("left", () => "l"), context.run("right", () => "r")]);
      await context.run("flaky", () => {
        tries += 1;
        if (tries < 2) throw new Error("not yet");
      });
      return { done: true };
    });
    const trigger = { url: `${endpoint.url}/w`, retryDelay: "0", label: "logged" };
    const { workflowRunId } = await on.workflow.trigger(trigger);
    assert.deepEqual(await on.result(workflowRunId), { done: true });
    const run = await on.ended(workflowRunId);
    assert.deepEqual([run.workflowState, run.workflowUrl, run.label], ["RUN_SUCCESS", `${endpoint.url}/w`, "logged"]);
    assert.ok(run.workflowRunCompletedAt >= run.workflowRunCreatedAt);
    assert.deepEqual(
      run.steps.map(({ type }) => type),
      ["sequential", "sequential", "parallel", "sequential"],
    );
    const steps = run.steps.flatMap((group) => group.steps);
    assert.deepEqual(
      steps
        .map(({ stepName }) => stepName)
        .slice(1)
        .sort(),
      ["flaky", "left", "one", "right"],
    );
    for (const step of steps) {
      assert.equal(step.state, "STEP_SUCCESS");
      assert.match(step.messageId, /^msg_/);
      assert.ok(step.createdAt > 0);
    }
    assert.equal(steps.find(({ stepName }) => stepName === "one").out, '"1"');
    assert.equal(steps.find(({ stepName }) => stepName === "left").concurrent, 2);
  },

  async "a live run shows what comes next, and a failed try"(on) {
    const endpoint = await on.serve((context) => context.run("broken", () => Promise.reject(new Error("no"))));
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url, retries: 1, retryDelay: "3600000" });
    const next = await on.until(async () => {
      const { runs } = await on.workflow.logs({ filter: { workflowRunId } });
      const group = runs[0]?.steps.find(({ type }) => type === "next");
      return group?.steps[0].state === "STEP_RETRY" && group.steps[0];
    });
    assert.equal(next.errors[0].status, 500);
    await on.workflow.cancel(workflowRunId);
    assert.equal((await on.ended(workflowRunId)).workflowState, "RUN_CANCELED");
  },

  async "logs by every filter, page by page, under both names"(on) {
    const endpoint = await on.serve((context) => context.run("one", () => 1));
    const label = on.name("logs");
    const url = `${endpoint.url}/w`;
    const triggered = await on.workflow.trigger([1, 2, 3].map((body) => ({ url, body, label })));
    const ids = triggered.map(({ workflowRunId }) => workflowRunId);
    for (const id of ids) await on.result(id);
    const found = async (filter) => (await on.workflow.logs({ filter })).runs.map((run) => run.workflowRunId).sort();
    const all = [...ids].sort();
    assert.deepEqual(await found({ label }), all);
    assert.deepEqual(await found({ workflowUrl: url }), all);
    assert.deepEqual(await found({ label, state: "RUN_SUCCESS" }), all);
    assert.deepEqual(await found({ label, state: "RUN_FAILED" }), []);
    assert.deepEqual(await found({ label, host: new URL(url).host, path: "/w" }), all);
    assert.deepEqual(await found({ label, toDate: Date.now() - 3_600_000 }), []);
    assert.deepEqual(await found({ label, callerIp: "1.2.3.4" }), []);
    const { workflowRunCreatedAt } = await on.ended(ids[0]);
    assert.deepEqual(await found({ workflowRunId: ids[0], workflowCreatedAt: workflowRunCreatedAt }), [ids[0]]);
    const seen = [];
    let cursor;
    do {
      const page = await on.workflow.logs({ filter: { label }, count: 2, cursor });
      assert.ok(page.runs.length <= 2);
      seen.push(...page.runs.map((run) => run.workflowRunId));
      cursor = page.cursor;
    } while (cursor);
    assert.deepEqual(seen.sort(), all);
    const { runs } = await on.json(200, "GET", `/v2/workflows/logs?label=${label}`);
    assert.equal(runs.length, 3);
    const one = `${ids[0]}@${workflowRunCreatedAt}`;
    assert.equal((await on.json(200, "GET", `/v2/workflows/logs?workflowRuns=${one}`)).runs.length, 1);
    await on.refused(400, "GET", "/v2/workflows/logs?state=RUN_LOST");
  },

  async "one is cancelled, once"(on) {
    const endpoint = await sleeper(on);
    const id = await started(on, endpoint);
    assert.deepEqual(await on.workflow.cancel(id), { cancelled: 1 });
    assert.deepEqual(await on.workflow.cancel(id), { cancelled: 0 });
    assert.equal((await on.ended(id)).workflowState, "RUN_CANCELED");
    const other = await started(on, endpoint);
    await on.done("DELETE", `/v2/workflows/runs/${other}`);
    assert.equal((await on.ended(other)).workflowState, "RUN_CANCELED");
    await on.refused(404, "DELETE", "/v2/workflows/runs/wfr_unknown");
  },

  async "by ids, URL, beginning of the URL, label, flow-control key, caller"(on) {
    const endpoint = await sleeper(on);
    const label = on.name("cancelled");
    const key = on.name("cancelled");
    const start = (path, options) => on.workflow.trigger({ url: `${endpoint.url}${path}`, ...options });
    const runs = [];
    runs.push(await start("/ids/1"), await start("/ids/2"));
    runs.push(await start("/exact"), await start("/exact/not"));
    runs.push(await start("/begin/1"), await start("/begin/2"));
    runs.push(await start("/label", { label }));
    runs.push(await start("/key", { flowControl: { key, parallelism: 5 } }));
    const { workflow } = on;
    const ids = runs.map(({ workflowRunId }) => workflowRunId);
    assert.deepEqual(await workflow.cancel(ids.slice(0, 2)), { cancelled: 2 });
    assert.deepEqual(await workflow.cancel({ filter: { workflowUrl: `${endpoint.url}/exact` } }), { cancelled: 1 });
    const workflowUrlStartingWith = `${endpoint.url}/begin`;
    assert.deepEqual(await workflow.cancel({ filter: { workflowUrlStartingWith } }), { cancelled: 2 });
    assert.deepEqual(await workflow.cancel({ filter: { label } }), { cancelled: 1 });
    assert.deepEqual(await workflow.cancel({ filter: { flowControlKey: key } }), { cancelled: 1 });
    assert.deepEqual(await workflow.cancel({ filter: { callerIp: "1.2.3.4" } }), { cancelled: 0 });
    assert.deepEqual(await workflow.cancel(ids), { cancelled: 1 });
  },

  "all of them": {
    alone: true,
    async run(on) {
      const endpoint = await sleeper(on);
      await started(on, endpoint);
      await started(on, endpoint);
      assert.deepEqual(await on.workflow.cancel({ all: true }), { cancelled: 2 });
      await on.refused(400, "DELETE", "/v2/workflows/runs");
      await on.refused(400, "DELETE", "/v2/workflows/runs?lable=x");
    },
  },

  async "a run that cancels itself"(on) {
    const endpoint = await on.serve(async (context) => {
      await context.run("one", () => 1);
      await context.cancel();
    });
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    assert.equal((await on.ended(workflowRunId)).workflowState, "RUN_CANCELED");
  },

  async "a step for a run that has ended is 400, its ending stays good"(on) {
    const endpoint = await on.serve((context) => context.run("one", () => 1));
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    await on.result(workflowRunId);
    await on.done("DELETE", `/v2/workflows/runs/${workflowRunId}?cancel=false`, { body: "1" });
    const headers = {
      "upstash-workflow-init": "false",
      "upstash-workflow-runid": workflowRunId,
      "upstash-workflow-url": endpoint.url,
      "upstash-workflow-sdk-version": "1",
    };
    const step = { stepId: 2, stepName: "two", stepType: "Run", out: "2", concurrent: 1 };
    const body = [{ destination: endpoint.url, headers, body: JSON.stringify(step) }];
    await on.refused(400, "POST", "/v2/batch", { body });
  },
};
