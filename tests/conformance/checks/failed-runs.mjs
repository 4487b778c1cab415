// `/v2/workflows/dlq`: failed runs, and what can be done about them.

import assert from "node:assert/strict";

/** A workflow whose second step and whose failure function fail as long as `state` says so. */
async function fragile(on) {
  const state = { broken: true, deaf: false, ran: [], told: 0 };
  const endpoint = await on.serve(
    async (context) => {
      const n = await context.run("first", () => state.ran.push("first") && context.requestPayload.n);
      await context.run("second", () => {
        if (state.broken) throw new Error("broken");
        state.ran.push("second");
      });
      return n;
    },
    {
      failureFunction: () => {
        state.told += 1;
        if (state.deaf) throw new Error("deaf");
        return "noted";
      },
    },
  );
  const letter = (workflowRunId) =>
    on.until(async () => (await on.workflow.dlq.list({ filter: { workflowRunId } })).messages[0]);
  const fail = async (options = {}) => {
    const url = `${endpoint.url}/w`;
    const { workflowRunId } = await on.workflow.trigger({ url, body: { n: 7 }, retries: 0, ...options });
    return letter(workflowRunId);
  };
  return { state, endpoint, letter, fail };
}

export default {
  async "a failed run is listed and shown, under both names"(on) {
    const { endpoint, fail } = await fragile(on);
    const label = on.name("failed");
    const letter = await fail({ label });
    assert.deepEqual(
      [letter.responseStatus, letter.workflowUrl, letter.label, letter.labels],
      [500, `${endpoint.url}/w`, label, [label]],
    );
    assert.match(letter.responseBody, /broken/);
    assert.match(letter.workflowRunId, /^wfr_/);
    for (const member of ["workflowCreatedAt", "createdAt", "notBefore", "header", "responseHeader"]) {
      assert.ok(letter[member], member);
    }
    const listed = await on.json(200, "GET", `/v2/workflows/dlq?label=${label}`);
    assert.deepEqual(
      listed.messages.map(({ dlqId }) => dlqId),
      [letter.dlqId],
    );
    assert.equal((await on.json(200, "GET", `/v2/workflows/dlq/${letter.dlqId}`)).workflowRunId, letter.workflowRunId);
    await on.done("DELETE", `/v2/workflows/dlq/${letter.dlqId}`);
    await on.refused(404, "GET", `/v2/workflows/dlq/${letter.dlqId}`);
  },

  async "by every filter"(on) {
    const { endpoint, fail, letter } = await fragile(on);
    const label = on.name("filtered");
    const { dlqId, workflowRunId, workflowCreatedAt } = await fail({ label });
    await on.until(async () => (await letter(workflowRunId)).failureCallbackInfo?.state === "CALLBACK_SUCCESS");
    const found = async (filter) => (await on.workflow.dlq.list({ filter })).messages.map((message) => message.dlqId);
    for (const filter of [
      { label },
      { workflowUrl: `${endpoint.url}/w` },
      { workflowRunId, workflowCreatedAt },
      { label, responseStatus: 500 },
      { label, failureFunctionState: "CALLBACK_SUCCESS" },
      { label, fromDate: Date.now() - 60_000, toDate: new Date(Date.now() + 1000) },
    ]) {
      assert.deepEqual(await found(filter), [dlqId], JSON.stringify(filter));
    }
    assert.deepEqual(await found({ label, failureFunctionState: "CALLBACK_FAIL" }), []);
    assert.deepEqual(await found({ label, callerIp: "1.2.3.4" }), []);
  },

  async "resume keeps what was done"(on) {
    const { state, fail } = await fragile(on);
    const { dlqId, workflowRunId } = await fail();
    state.broken = false;
    const { workflowRuns } = await on.workflow.dlq.resume(dlqId, { retries: 1 });
    assert.equal(workflowRuns.length, 1);
    assert.notEqual(workflowRuns[0].workflowRunId, workflowRunId);
    assert.ok(Number(workflowRuns[0].workflowCreatedAt) > 0);
    assert.equal(await on.result(workflowRuns[0].workflowRunId), 7);
    assert.deepEqual(state.ran, ["first", "second"]);
    await assert.rejects(on.workflow.dlq.resume(dlqId), { status: 404 });
  },

  async "restart begins anew"(on) {
    const { state, fail } = await fragile(on);
    const { dlqId } = await fail();
    state.broken = false;
    const { workflowRuns } = await on.workflow.dlq.restart(dlqId, {
      flowControl: { key: on.name("k"), parallelism: 1 },
    });
    assert.equal(await on.result(workflowRuns[0].workflowRunId), 7);
    assert.deepEqual(state.ran, ["first", "first", "second"]);
  },

  async "the single forms"(on) {
    const { state, fail } = await fragile(on);
    const letters = [await fail(), await fail()];
    state.broken = false;
    for (const [index, verb] of ["resume", "restart"].entries()) {
      const { dlqId } = letters[index];
      const headers = { "Upstash-Retries": "1", "Upstash-Label": verb };
      const answer = await on.json(200, "POST", `/v2/workflows/dlq/${verb}/${dlqId}`, { headers });
      assert.deepEqual(Object.keys(answer).sort(), ["workflowCreatedAt", "workflowRunId"]);
      assert.equal(await on.result(answer.workflowRunId), 7);
      assert.equal((await on.ended(answer.workflowRunId)).label, verb);
      await on.refused(404, "POST", `/v2/workflows/dlq/${verb}/${dlqId}`);
    }
  },

  async "in bulk, by ids and by a filter"(on) {
    const { state, fail } = await fragile(on);
    const label = on.name("bulk");
    const letters = [];
    for (let n = 0; n < 4; n += 1) letters.push(await fail({ label }));
    state.broken = false;
    const ids = letters.slice(0, 2).map(({ dlqId }) => dlqId);
    const resumed = await on.workflow.dlq.resume(ids);
    const restarted = await on.workflow.dlq.restart({ filter: { label }, count: 1 });
    assert.deepEqual([resumed.workflowRuns.length, restarted.workflowRuns.length], [2, 1]);
    for (const { workflowRunId } of [...resumed.workflowRuns, ...restarted.workflowRuns])
      await on.result(workflowRunId);
    assert.equal((await on.workflow.dlq.delete({ filter: { label } })).deleted, 1);
    await on.refused(404, "POST", `/v2/workflows/dlq/resume?dlqIds=${ids[0]}`);
    await on.refused(400, "POST", "/v2/workflows/dlq/resume");
    await on.refused(400, "DELETE", "/v2/workflows/dlq");
  },

  async "the failure function is called again, or no more"(on) {
    const { state, letter, fail } = await fragile(on);
    state.deaf = true;
    const { dlqId, workflowRunId } = await fail();
    const info = (wanted) => on.until(async () => (await letter(workflowRunId)).failureCallbackInfo?.state === wanted);
    await info("CALLBACK_FAIL");
    state.deaf = false;
    const again = await on.workflow.dlq.retryFailureFunction({ dlqId });
    assert.equal(again.workflowRunId, workflowRunId);
    assert.ok(Number(again.workflowCreatedAt) > 0);
    await info("CALLBACK_SUCCESS");
    assert.equal(state.told, 2);
    await on.refused(404, "POST", "/v2/workflows/dlq/callback/1-1");
    await on.refused(404, "DELETE", "/v2/workflows/dlq/callback/1-1");
  },

  async "a failure function that is still tried is cancelled"(on) {
    const { state, letter, fail } = await fragile(on);
    state.deaf = true;
    const { dlqId, workflowRunId } = await fail({ retries: 1, retryDelay: "2000" });
    await on.until(() => state.told === 1);
    await on.done("DELETE", `/v2/workflows/dlq/callback/${dlqId}`);
    const { failureCallbackInfo } = await letter(workflowRunId);
    assert.equal(failureCallbackInfo.state, "CALLBACK_CANCELED");
    assert.equal(state.told, 1);
  },
};
