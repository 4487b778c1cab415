// `POST /v2/batch`: many messages, answered in their order.

import assert from "node:assert/strict";

export default {
  async "results in the order of the request; each message has its own settings"(on) {
    const endpoint = await on.endpoint();
    const results = await on.qstash.batchJSON(
      Array.from({ length: 20 }, (_, n) => ({
        url: `${endpoint.url}/${n}`,
        body: { n },
        method: n % 2 ? "PUT" : "POST",
        headers: { "x-n": `${n}` },
      })),
    );
    assert.equal(results.length, 20);
    await on.until(() => endpoint.requests.length === 20);
    const byId = new Map(endpoint.requests.map((request) => [request.headers["upstash-message-id"], request]));
    for (const [n, { messageId }] of results.entries()) {
      const { url, method, headers, body } = byId.get(messageId);
      assert.deepEqual([url, method, headers["x-n"]], [`/${n}`, n % 2 ? "PUT" : "POST", `${n}`]);
      assert.deepEqual(JSON.parse(body), { n });
      assert.equal(headers["content-type"], "application/json");
    }
  },

  async "texts, and no body at all"(on) {
    const endpoint = await on.endpoint();
    const headers = { "content-type": "text/plain" };
    await on.qstash.batch([
      { url: `${endpoint.url}/text`, body: "plain ü", headers },
      { url: `${endpoint.url}/empty` },
    ]);
    await on.until(() => endpoint.requests.length === 2);
    const body = (path) => endpoint.requests.find(({ url }) => url === path).body.toString();
    assert.deepEqual([body("/text"), body("/empty")], ["plain ü", ""]);
  },

  async "a message that can't be accepted gets an error of its own"(on) {
    const endpoint = await on.endpoint();
    const results = await on.json(200, "POST", "/v2/batch", {
      body: [
        { destination: `${endpoint.url}/good`, headers: {}, body: "" },
        { destination: `${endpoint.url}/bad`, headers: { "Upstash-Delay": "soon" }, body: "" },
      ],
    });
    assert.deepEqual(results.map(Object.keys), [["messageId"], ["error"]]);
    assert.match(results[1].error, /Upstash-Delay/);
    await on.until(() => endpoint.requests.length === 1);
  },

  async "a body that is no array is refused"(on) {
    for (const body of ["{", "{}", "[]", "[1]"]) await on.refused(400, "POST", "/v2/batch", { body });
  },

  async "messages for a queue"(on) {
    const endpoint = await on.endpoint();
    const queueName = on.name("batched");
    const results = await on.qstash.batchJSON([1, 2, 3].map((n) => ({ url: endpoint.url, body: n, queueName })));
    assert.equal(results.length, 3);
    await on.until(() => endpoint.requests.length === 3);
    assert.deepEqual(
      endpoint.requests.map(({ body }) => Number(body)),
      [1, 2, 3],
    );
    assert.equal((await on.qstash.queue({ queueName }).get()).name, queueName);
  },

  async "messages for a URL group give nested results"(on) {
    const endpoint = await on.endpoint();
    const name = on.name("batched");
    const endpoints = ["a", "b"].map((path) => ({ url: `${endpoint.url}/${path}` }));
    await on.qstash.urlGroups.addEndpoints({ name, endpoints });
    const [group, single] = await on.qstash.batchJSON([{ urlGroup: name, body: 1 }, { url: `${endpoint.url}/c` }]);
    assert.deepEqual(
      group.map(({ url }) => url).sort(),
      endpoints.map(({ url }) => url),
    );
    assert.match(single.messageId, /^msg_/);
    await on.until(() => endpoint.requests.length === 3);
  },
};
