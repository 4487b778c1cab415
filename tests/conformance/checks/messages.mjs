// `/v2/messages`: what waits for delivery, shown and cancelled.

import assert from "node:assert/strict";

/** Publishes messages that wait, one for each set of options. */
const waiting = (on, ...options) =>
  Promise.all(
    options.map((option) => on.qstash.publish({ url: "https://app.test/later", delay: "1d", ...option })),
  ).then((published) => published.map(({ messageId }) => messageId));

const isGone = async (on, id) => (await on.api("GET", `/v2/messages/${id}`)).status === 404;

export default {
  async "a waiting message is shown with everything that was asked for"(on) {
    const before = Date.now();
    const { messageId } = await on.qstash.publish({
      url: "https://app.test/later?a=1",
      body: "héllo",
      method: "PATCH",
      headers: { "x-own": "1" },
      delay: "1h",
      retries: 5,
      retryDelay: "1000 * retried",
      timeout: 30,
      callback: "https://app.test/callback",
      failureCallback: "https://app.test/failure",
      label: ["one", "two"],
    });
    const message = await on.qstash.messages.get(messageId);
    for (const [name, value] of Object.entries({
      messageId,
      url: "https://app.test/later?a=1",
      body: "héllo",
      method: "PATCH",
      maxRetries: 5,
      retryDelayExpression: "1000 * retried",
      timeout: 30,
      callback: "https://app.test/callback",
      failureCallback: "https://app.test/failure",
      label: "one",
      labels: ["one", "two"],
    })) {
      assert.deepEqual(message[name], value, name);
    }
    assert.deepEqual(message.header["X-Own"], ["1"]);
    assert.ok(Math.abs(message.createdAt - before) < 10_000);
    assert.ok(Math.abs(message.notBefore - before - 3_600_000) < 10_000);
    await on.qstash.messages.delete(messageId);
    await assert.rejects(on.qstash.messages.get(messageId), { status: 404 });
  },

  async "bytes are shown as base64"(on) {
    const [id] = await waiting(on, { body: new Uint8Array([0, 255]) });
    const message = await on.qstash.messages.get(id);
    assert.equal(message.bodyBase64, "AP8=");
    assert.ok(!("body" in message));
  },

  async "a cancelled message is not delivered, and the log tells it"(on) {
    const endpoint = await on.endpoint();
    const { messageId } = await on.qstash.publish({ url: endpoint.url, delay: 1 });
    await on.qstash.messages.cancel(messageId);
    assert.ok(await isGone(on, messageId));
    const states = await on.states(messageId, "CANCELED");
    assert.deepEqual(states, ["CREATED", "CANCEL_REQUESTED", "CANCELED"]);
    await on.refused(404, "DELETE", `/v2/messages/${messageId}`);
    assert.equal(endpoint.requests.length, 0);
  },

  async "an unknown message is 404"(on) {
    await on.refused(404, "GET", "/v2/messages/msg_unknown");
    await on.refused(404, "DELETE", "/v2/messages/msg_unknown");
  },

  async "several are cancelled by their ids"(on) {
    const ids = await waiting(on, {}, {}, {});
    assert.deepEqual(await on.qstash.messages.cancel(ids.slice(0, 2)), { cancelled: 2 });
    assert.deepEqual(await on.qstash.messages.cancel(ids.slice(0, 2)), { cancelled: 0 });
    assert.ok((await isGone(on, ids[0])) && (await isGone(on, ids[1])) && !(await isGone(on, ids[2])));
    assert.equal(await on.qstash.messages.deleteMany([ids[2]]), 1);
  },

  "by ids in the body, as the Python client sends them": {
    // A broker that ignored the body would cancel what belongs to other checks.
    alone: true,
    async run(on) {
      const [id, other] = await waiting(on, {}, {});
      const answer = await on.json(200, "DELETE", "/v2/messages", { body: { messageIds: [id] } });
      assert.equal(answer.cancelled, 1);
      assert.ok((await isGone(on, id)) && !(await isGone(on, other)));
    },
  },

  "by every filter, alone and together": {
    alone: true,
    async run(on) {
      const cancel = (filter) => on.qstash.messages.cancel({ filter });
      const key = { key: "shop", parallelism: 1 };
      const cases = [
        [{ label: "red" }, { label: ["red", "x"] }],
        [{ url: "https://app.test/by-url" }, { url: "https://app.test/by-url" }],
        [{ host: "other.test" }, { url: "https://other.test/a" }],
        [{ path: "/by-path" }, { url: "https://third.test/by-path" }],
        [{ flowControlKey: "shop" }, { flowControl: key }],
        [{ label: ["one", "two"], host: "app.test" }, { label: "one" }, { label: "two" }],
      ];
      for (const [filter, ...options] of cases) {
        const ids = await waiting(on, ...options);
        const [other] = await waiting(on, { url: "https://unrelated.test/", label: "one-more" });
        assert.deepEqual(await cancel(filter), { cancelled: ids.length }, JSON.stringify(filter));
        for (const id of ids) assert.ok(await isGone(on, id));
        assert.ok(!(await isGone(on, other)), JSON.stringify(filter));
      }
      assert.deepEqual(await cancel({ callerIp: "1.2.3.4" }), { cancelled: 0 });
      assert.deepEqual(await cancel({ toDate: Date.now() - 3_600_000 }), { cancelled: 0 });
      assert.ok((await cancel({ fromDate: new Date(Date.now() - 60_000), toDate: Date.now() + 1000 })).cancelled > 0);
    },
  },

  async "by queue and by URL group"(on) {
    const queueName = on.name("cancelled");
    const queue = on.qstash.queue({ queueName });
    await queue.upsert({ parallelism: 1, paused: true });
    await queue.enqueue({ url: "https://app.test/queued" });
    await queue.enqueue({ url: "https://app.test/queued" });
    assert.deepEqual(await on.qstash.messages.cancel({ filter: { queueName } }), { cancelled: 2 });
    const urlGroup = on.name("cancelled");
    await on.qstash.urlGroups.addEndpoints({ name: urlGroup, endpoints: [{ url: "https://app.test/grouped" }] });
    await on.qstash.publish({ urlGroup, delay: "1d" });
    assert.deepEqual(await on.qstash.messages.cancel({ filter: { urlGroup } }), { cancelled: 1 });
  },

  "all of them": {
    alone: true,
    async run(on) {
      await waiting(on, {}, {}, {});
      assert.deepEqual(await on.qstash.messages.cancel({ all: true }), { cancelled: 3 });
      await waiting(on, {}, {});
      assert.equal(await on.qstash.messages.deleteAll(), 2);
      await waiting(on, {});
      assert.deepEqual(await on.json(200, "DELETE", "/v2/messages"), { cancelled: 1 });
    },
  },

  async "a filter that is unknown or empty cancels nothing"(on) {
    const [id] = await waiting(on, {});
    await on.refused(400, "DELETE", "/v2/messages?lable=x");
    assert.ok(!(await isGone(on, id)));
  },
};
