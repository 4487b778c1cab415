// The same message twice within ten minutes: accepted, delivered once.

import assert from "node:assert/strict";

export default {
  async "by id: 202, the first message's id, no second delivery"(on) {
    const endpoint = await on.endpoint();
    const deduplicationId = on.name("dedup");
    const first = await on.qstash.publish({ url: endpoint.url, body: "1", deduplicationId });
    const second = await on.qstash.publish({ url: `${endpoint.url}/other`, body: "2", deduplicationId });
    assert.equal(first.deduplicated, undefined);
    assert.deepEqual(second, { messageId: first.messageId, deduplicated: true });
    const headers = { "upstash-deduplication-id": deduplicationId };
    const third = await on.json(202, "POST", `/v2/publish/${endpoint.url}`, { headers });
    assert.deepEqual(third, second);
    await on.states(first.messageId, "DELIVERED");
    assert.equal(endpoint.requests.length, 1);
  },

  async "by content: destination, body, media type and forwarded headers"(on) {
    const endpoint = await on.endpoint();
    const publish = (options) =>
      on.qstash.publish({ url: endpoint.url, body: "same", contentBasedDeduplication: true, ...options });
    const first = await publish({ headers: { "x-a": "1" } });
    assert.deepEqual(await publish({ headers: { "x-a": "1" } }), { messageId: first.messageId, deduplicated: true });
    const others = [
      await publish({ headers: { "x-a": "2" } }),
      await publish({ headers: { "x-a": "1", "content-type": "text/csv" } }),
      await publish({ headers: { "x-a": "1" }, body: "other" }),
      await publish({ headers: { "x-a": "1" }, url: `${endpoint.url}/other` }),
    ];
    assert.deepEqual(
      others.map(({ deduplicated }) => deduplicated),
      [undefined, undefined, undefined, undefined],
    );
    await on.until(() => endpoint.requests.length === 5);
  },

  async "in a batch, against each other too"(on) {
    const endpoint = await on.endpoint();
    const deduplicationId = on.name("dedup");
    const message = { url: endpoint.url, deduplicationId };
    const [first, second, third] = await on.qstash.batch([message, message, { url: endpoint.url }]);
    assert.deepEqual(second, { messageId: first.messageId, deduplicated: true });
    assert.equal(third.deduplicated, undefined);
    await on.until(() => endpoint.requests.length === 2);
  },

  async "an id with a colon is refused"(on) {
    const headers = { "upstash-deduplication-id": "a:b" };
    await on.refused(400, "POST", "/v2/publish/https://app.test/x", { headers });
  },
};
