// Waiting and being told: events, waiters, webhooks.

import assert from "node:assert/strict";

const waiters = (on, eventId) =>
  on.until(async () => {
    const found = await on.workflow.getWaiters({ eventId });
    return found.length > 0 && found;
  });

export default {
  async "notify wakes whoever waits, with the data"(on) {
    const eventId = on.name("paid");
    const endpoint = await on.serve((context) => context.waitForEvent("wait", eventId, { timeout: "1h" }));
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w` });
    const [waiter] = await waiters(on, eventId);
    assert.equal(waiter.url, `${endpoint.url}/w`);
    assert.ok(Math.abs(waiter.deadline - Date.now() / 1000 - 3600) < 30);
    assert.equal(typeof waiter.headers, "object");
    const [told] = await on.workflow.notify({ eventId, eventData: { amount: 5 } });
    assert.match(told.messageId, /^msg_/);
    assert.equal(told.waiter.url, waiter.url);
    assert.equal(told.workflowRunId, workflowRunId);
    assert.deepEqual(await on.result(workflowRunId), { eventData: { amount: 5 }, timeout: false });
    assert.deepEqual(await on.workflow.getWaiters({ eventId }), []);
  },

  async "by REST: 201 and a list; nobody waits: an empty one"(on) {
    const eventId = on.name("rest");
    assert.deepEqual(await on.json(201, "POST", `/v2/notify/${eventId}`, { body: "lost" }), []);
    assert.deepEqual(await on.json(200, "GET", `/v2/waiters/${eventId}`), []);
    const endpoint = await on.serve((context) => context.waitForEvent("wait", eventId));
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    const [waiter] = await waiters(on, eventId);
    assert.ok(Math.abs(waiter.deadline - Date.now() / 1000 - 7 * 86_400) < 60);
    const [told] = await on.json(201, "POST", `/v2/notify/${eventId}`, { body: '"text"' });
    assert.ok(told.messageId && told.waiter && Number(told.workflowCreatedAt) > 0);
    assert.deepEqual(await on.result(workflowRunId), { eventData: "text", timeout: false });
  },

  async "an event for a run is kept until the run waits"(on) {
    const eventId = on.name("early");
    let go;
    const gate = new Promise((resolve) => {
      go = resolve;
    });
    const endpoint = await on.serve(async (context) => {
      await context.run("gate", () => gate);
      return context.waitForEvent("wait", eventId, { timeout: "1h" });
    });
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    await on.workflow.notify({ eventId, eventData: 1, workflowRunId });
    go();
    assert.deepEqual(await on.result(workflowRunId), { eventData: 1, timeout: false });
    await assert.rejects(on.workflow.notify({ eventId, workflowRunId: "wfr_unknown" }), { status: 404 });
  },

  async "a wait that nobody ends times out"(on) {
    const eventId = on.name("never");
    const endpoint = await on.serve((context) => context.waitForEvent("wait", eventId, { timeout: 1 }));
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    assert.deepEqual(await on.result(workflowRunId), { timeout: true });
  },

  async "a run tells others with notify"(on) {
    const eventId = on.name("run");
    const waiting = await on.serve((context) => context.waitForEvent("wait", eventId));
    const telling = await on.serve(async (context) => {
      const { notifyResponse, eventData } = await context.notify("tell", eventId, { n: 1 });
      return [notifyResponse.length, eventData];
    });
    const { workflowRunId } = await on.workflow.trigger({ url: waiting.url });
    await waiters(on, eventId);
    const teller = await on.workflow.trigger({ url: telling.url });
    assert.deepEqual(await on.result(teller.workflowRunId), [1, { n: 1 }]);
    assert.deepEqual((await on.result(workflowRunId)).eventData, { n: 1 });
  },

  async "a webhook takes any call, without a token"(on) {
    const urls = [];
    const endpoint = await on.serve(async (context) => {
      const hook = await context.createWebhook("make");
      await context.run("tell", () => urls.push(hook.webhookUrl));
      const { request } = await context.waitForWebhook("wait", hook, "1m");
      return [request.method, new URL(request.url).search, request.headers.get("x-shop"), await request.json()];
    });
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url });
    const url = await on.until(() => urls[0]);
    const { UserID } = JSON.parse(Buffer.from(on.token, "base64"));
    assert.ok(url.startsWith(`${on.url}/v2/workflows/hooks/${UserID}/${workflowRunId}/evt_`), url);
    const call = (address) =>
      fetch(address, {
        method: "PUT",
        headers: { "x-shop": "s", "content-type": "application/json" },
        body: '{"paid":"ü"}',
      }).then(({ status }) => status);
    assert.equal(await call(`${url}x`), 404);
    assert.equal(await call(`${url}?ref=1`), 200);
    assert.deepEqual(await on.result(workflowRunId), ["PUT", "?ref=1", "s", { paid: "ü" }]);
    assert.equal(await call(url), 404);
  },

  async "a wait that is none is refused"(on) {
    await on.refused(400, "POST", "/v2/wait/event", { body: { url: "https://app.test", timeout: "1h" } });
  },
};
