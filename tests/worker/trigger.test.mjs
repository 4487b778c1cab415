// Runs that are started by REST: the broker does not know which SDK serves them, and each has to tell.

import assert from "node:assert/strict";
import test from "node:test";
import { broker, SDKS, server, serving, until } from "./support.mjs";

/** Starts runs: `path` is `/v2/trigger/<url>` or `/v2/batch/trigger`. */
async function start(on, path, status, body, headers = {}) {
  const answer = await on.api(path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, status, await answer.clone().text());
  return answer.json();
}

for (const sdk of SDKS) {
  test(`${sdk.name} serve: a run started by REST goes through steps of several kinds`, async (t) => {
    const on = await broker(t);
    const third = await server(t, () => ({ headers: { "content-type": "application/json" }, body: '{"rate":3}' }));
    const ran = [];
    const endpoint = await serving(t, on, sdk, async (context) => {
      const n = await context.run("read", () => ran.push("read") && context.requestPayload.n);
      const [{ body }] = await Promise.all([
        context.call("ask", { url: `${third.url}/rates`, method: "GET" }),
        context.sleep("nap", 1),
        context.run("note", () => ran.push("note")),
      ]);
      return context.run(
        "reckon",
        () => ran.push("reckon") && { sum: n * body.rate, by: context.headers.get("x-user") },
      );
    });
    const headers = {
      "content-type": "application/json",
      "upstash-forward-x-user": "u",
      "upstash-label": "rest",
      "upstash-retries": "1",
      "upstash-delay": "1s",
    };
    const before = Date.now();
    const { workflowRunId } = await start(on, `/v2/trigger/${endpoint.url}/w`, 200, { n: 7 }, headers);
    const run = await on.ended(workflowRunId);
    assert.equal(run.workflowState, "RUN_SUCCESS", JSON.stringify(run));
    assert.deepEqual(JSON.parse(run.workflowRunResponse), { sum: 21, by: "u" });
    assert.deepEqual([...ran].sort(), ["note", "read", "reckon"]);
    const [first, ...rest] = endpoint.requests;
    assert.ok(first.at - before >= 1000);
    assert.equal(first.headers["upstash-workflow-unknown-sdk"], "true");
    assert.equal(first.headers["upstash-workflow-runid"], workflowRunId);
    for (const { headers } of rest) {
      assert.equal(headers["upstash-workflow-unknown-sdk"], undefined);
      assert.deepEqual([headers["x-user"], headers["upstash-label"]], ["u", "rest"]);
    }
  });

  test(`${sdk.name} serve: several runs are started by REST at once, each id once`, async (t) => {
    const on = await broker(t);
    const endpoint = await serving(t, on, sdk, (context) => context.run("read", () => context.requestPayload));
    const item = (id, body) => ({
      destination: `${endpoint.url}/w`,
      headers: { "upstash-workflow-runid": id },
      body: JSON.stringify(body),
    });
    const batch = [item("wfr_one", { n: 1 }), item("wfr_two", { n: 2 }), item("wfr_one", { n: 3 })];
    const runs = await start(on, "/v2/batch/trigger", 201, batch);
    assert.deepEqual(
      runs.map((run) => [run.workflowRunId, run.deduplicated ?? false]),
      [
        ["wfr_one", false],
        ["wfr_two", false],
        ["wfr_one", true],
      ],
    );
    const results = await Promise.all(["wfr_one", "wfr_two"].map((id) => on.ended(id)));
    assert.deepEqual(
      results.map((run) => JSON.parse(run.workflowRunResponse)),
      [{ n: 1 }, { n: 2 }],
    );
  });

  test(`${sdk.name} serve: the failure of a run that was started by REST is told where it says`, async (t) => {
    const on = await broker(t);
    const failures = [];
    const endpoint = await serving(
      t,
      on,
      sdk,
      async (context) => {
        await context.run("broken", () => {
          throw new Error("never");
        });
      },
      {
        failureFunction: ({ context, failStatus, failResponse }) => {
          failures.push([context.workflowRunId, context.requestPayload, failStatus, failResponse]);
        },
      },
    );
    const told = "upstash-failure-callback";
    const headers = {
      "upstash-retries": "1",
      "upstash-retry-delay": "100",
      [told]: `${endpoint.url}/w`,
      [`${told}-forward-upstash-workflow-is-failure`]: "true",
      [`${told}-forward-upstash-workflow-failure-callback`]: "true",
    };
    const { workflowRunId } = await start(on, `/v2/trigger/${endpoint.url}/w`, 200, { n: 1 }, headers);
    assert.equal((await on.ended(workflowRunId)).workflowState, "RUN_FAILED");
    await until(() => failures.length > 0);
    assert.deepEqual(failures, [[workflowRunId, { n: 1 }, 500, "never"]]);
  });
}

test("an endpoint that is no workflow fails a run that was started by REST at once", async (t) => {
  const on = await broker(t);
  const endpoint = await server(t, () => ({ body: "hello" }));
  const { workflowRunId } = await start(on, `/v2/trigger/${endpoint.url}/w`, 200, {});
  const run = await on.ended(workflowRunId);
  assert.equal(run.workflowState, "RUN_FAILED");
  assert.match(run.error, /non-workflow destination/);
  assert.equal(endpoint.requests.length, 1);
});
