// `/v2/dlq`: what was given up, listed, shown, retried and removed.

import assert from "node:assert/strict";

/** An endpoint that fails as long as `state.broken`, and messages that it has failed. */
async function failed(on, ...options) {
  const state = { broken: true };
  const endpoint = await on.endpoint(() => (state.broken ? { status: 500, body: "no" } : {}));
  const letters = [];
  for (const option of options) {
    const { messageId } = await on.qstash.publish({ url: endpoint.url, body: "b", retries: 0, ...option });
    letters.push(await on.letter(messageId));
  }
  return { state, endpoint, letters };
}

export default {
  async "a dead letter is the message with its last answer"(on) {
    const before = Date.now();
    const { letters, endpoint } = await failed(on, {
      method: "PUT",
      headers: { "x-own": "1" },
      label: ["a", "b"],
      retryDelay: "0",
      callback: "http://127.0.0.1:1/callback",
      failureCallback: "http://127.0.0.1:1/failure",
    });
    const [letter] = letters;
    for (const [name, value] of Object.entries({
      url: new URL(endpoint.url).href,
      method: "PUT",
      body: "b",
      maxRetries: 0,
      retryDelayExpression: "0",
      callback: "http://127.0.0.1:1/callback",
      failureCallback: "http://127.0.0.1:1/failure",
      label: "a",
      labels: ["a", "b"],
      responseStatus: 500,
      responseBody: "no",
    })) {
      assert.deepEqual(letter[name], value, name);
    }
    assert.deepEqual(letter.header["X-Own"], ["1"]);
    assert.ok(letter.responseHeader);
    assert.match(letter.dlqId, /^\d+-\d+$/);
    for (const moment of [letter.createdAt, letter.notBefore]) assert.ok(Math.abs(moment - before) < 20_000);
    const shown = await on.json(200, "GET", `/v2/dlq/${letter.dlqId}`);
    assert.equal(shown.messageId, letter.messageId);
    await on.qstash.dlq.delete(letter.dlqId);
  },

  async "by every filter, and by ids"(on) {
    const label = on.name("filtered");
    const { letters, endpoint } = await failed(on, { label }, { url: "http://127.0.0.1:1/", label });
    const [first, second] = letters;
    const { dlq } = on.qstash;
    const found = async (filter) => (await dlq.listMessages({ filter })).messages.map(({ dlqId }) => dlqId);
    assert.deepEqual((await found({ label })).sort(), [first.dlqId, second.dlqId].sort());
    assert.deepEqual(await found({ label, url: new URL(endpoint.url).href }), [first.dlqId]);
    assert.deepEqual(await found({ label, responseStatus: 500 }), [first.dlqId]);
    assert.deepEqual(await found({ label, responseStatus: [418, 500] }), [first.dlqId]);
    assert.deepEqual(await found({ messageId: second.messageId }), [second.dlqId]);
    assert.deepEqual(await found({ label, callerIp: "1.2.3.4" }), []);
    assert.deepEqual(await found({ label, toDate: Date.now() - 3_600_000 }), []);
    assert.equal(
      (await found({ label, fromDate: new Date(Date.now() - 60_000), toDate: Date.now() + 1000 })).length,
      2,
    );
    const { messages } = await dlq.listMessages({ dlqIds: [first.dlqId] });
    assert.deepEqual(
      messages.map(({ dlqId }) => dlqId),
      [first.dlqId],
    );
  },

  async "page by page"(on) {
    const label = on.name("paged");
    const { letters } = await failed(on, { label }, { label }, { label });
    const seen = [];
    let cursor;
    do {
      const page = await on.qstash.dlq.listMessages({ filter: { label }, count: 2, cursor });
      assert.ok(page.messages.length <= 2);
      seen.push(...page.messages.map(({ dlqId }) => dlqId));
      cursor = page.cursor;
    } while (cursor);
    assert.deepEqual(seen.sort(), letters.map(({ dlqId }) => dlqId).sort());
    await on.refused(400, "GET", "/v2/dlq?count=101");
  },

  async "one is retried: a new message, and the entry is gone"(on) {
    const back = await on.endpoint();
    const { state, endpoint, letters } = await failed(on, { callback: back.url, headers: { "x-own": "1" } });
    state.broken = false;
    const { responses } = await on.qstash.dlq.retry(letters[0].dlqId);
    assert.equal(responses.length, 1);
    assert.notEqual(responses[0].messageId, letters[0].messageId);
    await on.until(() => endpoint.requests.length === 2 && back.requests.length === 2);
    const again = endpoint.requests[1];
    assert.deepEqual([again.body.toString(), again.headers["x-own"]], ["b", "1"]);
    assert.equal(again.headers["upstash-message-id"], responses[0].messageId);
    await on.refused(404, "GET", `/v2/dlq/${letters[0].dlqId}`);
    await assert.rejects(on.qstash.dlq.retry(letters[0].dlqId), { status: 404 });
  },

  async "the single form answers 201, and its headers replace the message's"(on) {
    const { endpoint, letters } = await failed(on, {});
    const headers = { "upstash-retries": "1", "upstash-retry-delay": "0" };
    const { messageId } = await on.json(201, "POST", `/v2/dlq/retry/${letters[0].dlqId}`, { headers });
    assert.equal((await on.letter(messageId)).maxRetries, 1);
    assert.equal(endpoint.requests.length, 3);
    await on.refused(404, "POST", `/v2/dlq/retry/${letters[0].dlqId}`);
  },

  async "several are retried by ids and by a filter"(on) {
    const label = on.name("bulk");
    const { state, endpoint, letters } = await failed(on, { label }, { label }, { label });
    state.broken = false;
    const ids = letters.slice(0, 2).map(({ dlqId }) => dlqId);
    const byIds = await on.json(201, "POST", `/v2/dlq/retry?dlqIds=${ids[0]}&dlqIds=${ids[1]}`);
    assert.equal(byIds.responses.length, 2);
    assert.equal((await on.qstash.dlq.retry({ filter: { label } })).responses.length, 1);
    await on.until(() => endpoint.requests.length === 6);
    assert.deepEqual((await on.qstash.dlq.listMessages({ filter: { label } })).messages, []);
  },

  async "they are removed by id, ids, filter, and by ids in the body"(on) {
    const label = on.name("removed");
    const { letters } = await failed(on, { label }, { label }, { label }, { label }, { label });
    const { dlq } = on.qstash;
    const [first, second, third, fourth] = letters.map(({ dlqId }) => dlqId);
    assert.deepEqual(await dlq.delete(first), { deleted: 1 });
    await on.refused(404, "DELETE", `/v2/dlq/${first}`);
    assert.equal((await dlq.delete([second, "1-1"])).deleted, 1);
    assert.equal((await dlq.deleteMany({ dlqIds: [third] })).deleted, 1);
    assert.equal((await on.json(200, "DELETE", "/v2/dlq", { body: { dlqIds: [fourth] } })).deleted, 1);
    assert.equal((await dlq.delete({ filter: { label } })).deleted, 1);
    assert.deepEqual((await dlq.listMessages({ filter: { label } })).messages, []);
  },

  "all of them": {
    alone: true,
    async run(on) {
      const { state, endpoint } = await failed(on, {}, {}, {});
      state.broken = false;
      const first = await on.qstash.dlq.retry({ all: true, count: 2 });
      assert.equal(first.responses.length, 2);
      assert.ok(first.cursor);
      await on.until(() => endpoint.requests.length === 5);
      assert.equal((await on.qstash.dlq.delete({ all: true })).deleted, 1);
      assert.deepEqual((await on.qstash.dlq.listMessages()).messages, []);
    },
  },

  async "a request that names nothing, or an unknown filter, is refused"(on) {
    const { letters } = await failed(on, {});
    await on.refused(400, "DELETE", "/v2/dlq");
    await on.refused(400, "POST", "/v2/dlq/retry");
    await on.refused(400, "DELETE", "/v2/dlq?lable=x");
    await on.refused(404, "GET", "/v2/dlq/1-1");
    await on.json(200, "GET", `/v2/dlq/${letters[0].dlqId}`);
  },
};
