// Starting runs: by the official client, by a plain publish, and by the REST calls that no SDK makes.

import assert from "node:assert/strict";

/** A workflow that returns its payload and a header. */
const echo = (on) =>
  on.serve(async (context) => {
    const payload = await context.run("read", () => context.requestPayload);
    return { payload, user: context.headers.get("x-user") };
  });

export default {
  async "one, with payload, headers, id, label and retries"(on) {
    const endpoint = await echo(on);
    const id = on.name("own");
    const { workflowRunId } = await on.workflow.trigger({
      url: `${endpoint.url}/w`,
      body: { n: "ü" },
      headers: { "x-user": "u" },
      workflowRunId: id,
      label: ["one", "two"],
      retries: 1,
    });
    assert.equal(workflowRunId, `wfr_${id}`);
    assert.deepEqual(await on.result(workflowRunId), { payload: { n: "ü" }, user: "u" });
    const run = await on.ended(workflowRunId);
    assert.deepEqual([run.label, run.labels], ["one", ["one", "two"]]);
    assert.equal(run.workflowUrl, `${endpoint.url}/w`);
    for (const { headers } of endpoint.requests) {
      assert.equal(headers["upstash-workflow-runid"], workflowRunId);
      assert.equal(headers["x-user"], "u");
      assert.equal(headers["upstash-label"], "one,two");
    }
  },

  async "several at once"(on) {
    const endpoint = await echo(on);
    const runs = await on.workflow.trigger([1, 2, 3].map((body) => ({ url: `${endpoint.url}/w`, body })));
    const results = await Promise.all(runs.map(({ workflowRunId }) => on.result(workflowRunId)));
    assert.deepEqual(
      results.map(({ payload }) => payload),
      [1, 2, 3],
    );
  },

  async "with a delay"(on) {
    const endpoint = await echo(on);
    const before = Date.now();
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url, delay: 1 });
    await on.result(workflowRunId);
    assert.ok(endpoint.requests[0].at - before >= 1000);
  },

  async "the same id again while the run goes on starts nothing"(on) {
    const endpoint = await on.serve((context) => context.sleep("long", 3600));
    const options = { url: endpoint.url, workflowRunId: on.name("same") };
    const first = await on.workflow.trigger(options);
    assert.deepEqual(await on.workflow.trigger(options), first);
    await on.until(() => endpoint.requests.length > 0);
    const { runs } = await on.workflow.logs({ filter: { workflowRunId: first.workflowRunId } });
    assert.equal(runs.length, 1);
    await on.workflow.cancel(first.workflowRunId);
  },

  async "by a plain publish to the workflow's URL"(on) {
    const seen = [];
    const endpoint = await on.serve((context) => context.run("read", () => seen.push(context.requestPayload)));
    await on.qstash.publishJSON({ url: endpoint.url, body: { n: 1 } });
    await on.until(() => seen.length === 1);
    assert.deepEqual(seen, [{ n: 1 }]);
  },

  async "by REST: POST /v2/trigger/{url}"(on) {
    const endpoint = await echo(on);
    const headers = {
      "content-type": "application/json",
      "Upstash-Workflow-RunId": on.name("rest"),
      "Upstash-Forward-X-User": "u",
      "Upstash-Label": "rest",
      "Upstash-Retries": "1",
    };
    const answer = await on.json(200, "POST", `/v2/trigger/${endpoint.url}/w`, { headers, body: { n: 1 } });
    assert.deepEqual(Object.keys(answer).sort(), ["workflowCreatedAt", "workflowRunId"]);
    assert.ok(Math.abs(Number(answer.workflowCreatedAt) - Date.now()) < 20_000);
    assert.deepEqual(await on.result(answer.workflowRunId), { payload: { n: 1 }, user: "u" });
    const run = await on.ended(answer.workflowRunId);
    assert.equal(run.label, "rest");
    await on.refused(400, "POST", "/v2/trigger/ftp://app.test");
  },

  async "by REST: POST /v2/batch/trigger"(on) {
    const endpoint = await echo(on);
    const body = [1, 2].map((n) => ({ destination: `${endpoint.url}/w`, headers: {}, body: JSON.stringify({ n }) }));
    const runs = await on.json(201, "POST", "/v2/batch/trigger", { body });
    assert.equal(runs.length, 2);
    for (const [index, { workflowRunId, workflowCreatedAt }] of runs.entries()) {
      assert.ok(Math.abs(Number(workflowCreatedAt) - Date.now()) < 20_000);
      assert.deepEqual((await on.result(workflowRunId)).payload, { n: index + 1 });
    }
    await on.refused(400, "POST", "/v2/batch/trigger", { body: {} });
  },

  async "by REST, the same id again: deduplicated"(on) {
    const endpoint = await on.serve((context) => context.sleep("long", 3600));
    const headers = { "Upstash-Workflow-RunId": on.name("twice") };
    const body = [{ destination: endpoint.url, headers, body: "" }];
    const [first] = await on.json(201, "POST", "/v2/batch/trigger", { body });
    const [second] = await on.json(201, "POST", "/v2/batch/trigger", { body });
    assert.equal(second.workflowRunId, first.workflowRunId);
    assert.equal(second.deduplicated, true);
    await on.workflow.cancel(first.workflowRunId);
  },

  async "an endpoint that is no workflow fails the run at once"(on) {
    const endpoint = await on.endpoint(() => ({ body: "hello" }));
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url, retries: 3 });
    const run = await on.ended(workflowRunId);
    assert.equal(run.workflowState, "RUN_FAILED");
    const deliveries = endpoint.requests.filter(({ headers }) => !headers["upstash-workflow-is-failure"]);
    assert.equal(deliveries.length, 1);
  },
};
