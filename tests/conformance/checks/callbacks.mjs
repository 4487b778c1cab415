// Callbacks: every try is told, and the failure once.

import assert from "node:assert/strict";

const decoded = (text) => Buffer.from(text, "base64").toString();

export default {
  async "every try is told with all that is known about it"(on) {
    const endpoint = await on.endpoint((_, count) =>
      count === 1
        ? { status: 500, headers: { "x-try": "1" }, body: "first" }
        : { status: 201, headers: { "x-try": "2" }, body: "sécond" },
    );
    const back = await on.endpoint();
    const published = Date.now();
    const { messageId } = await on.qstash.publish({
      url: `${endpoint.url}/hook`,
      body: "söurce",
      method: "PUT",
      headers: { "x-own": "own" },
      callback: `${back.url}/back`,
      retries: 1,
      retryDelay: "0",
    });
    await on.until(() => back.requests.length === 2);
    const told = back.requests.map(({ body }) => JSON.parse(body)).sort((a, b) => a.retried - b.retried);
    for (const [retried, body] of told.entries()) {
      assert.equal(body.retried, retried);
      assert.equal(body.maxRetries, 1);
      assert.equal(body.sourceMessageId, messageId);
      assert.equal(body.url, `${endpoint.url}/hook`);
      assert.equal(body.method, "PUT");
      assert.equal(decoded(body.sourceBody), "söurce");
      assert.deepEqual(body.sourceHeader["X-Own"], ["own"]);
      for (const member of ["notBefore", "createdAt"]) {
        assert.equal(typeof body[member], "string");
        assert.ok(Math.abs(Number(body[member]) - published) < 20_000, member);
      }
      assert.deepEqual(body.header["X-Try"], [`${retried + 1}`]);
      assert.ok(!("dlqId" in body));
    }
    assert.deepEqual(
      told.map(({ status, body }) => [status, decoded(body)]),
      [
        [500, "first"],
        [201, "sécond"],
      ],
    );
  },

  async "a callback is a message of its own: signed, JSON, POST"(on) {
    const endpoint = await on.endpoint();
    const back = await on.endpoint();
    const { messageId } = await on.qstash.publish({ url: endpoint.url, callback: back.url });
    const { method, headers, body } = await on.until(() => back.requests[0]);
    assert.equal(method, "POST");
    assert.equal(headers["content-type"], "application/json");
    assert.notEqual(headers["upstash-message-id"], messageId);
    const signature = headers["upstash-signature"];
    assert.ok(await on.receiver.verify({ signature, body: body.toString(), url: new URL(back.url).href }));
    await on.states(headers["upstash-message-id"], "DELIVERED");
  },

  async "the failure is told once, with the dead letter's id"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500, body: "no" }));
    const back = await on.endpoint();
    const { messageId } = await on.qstash.publish({
      url: endpoint.url,
      body: "b",
      failureCallback: `${back.url}/failed`,
      callback: `${back.url}/tried`,
      retries: 1,
      retryDelay: "0",
    });
    const { dlqId } = await on.letter(messageId);
    await on.until(() => back.requests.length === 3);
    const failed = back.requests.filter(({ url }) => url === "/failed").map(({ body }) => JSON.parse(body));
    assert.equal(failed.length, 1);
    assert.equal(failed[0].dlqId, dlqId);
    assert.deepEqual([failed[0].status, failed[0].retried, failed[0].sourceMessageId], [500, 1, messageId]);
    assert.equal(decoded(failed[0].sourceBody), "b");
  },

  async "a large answer is cut"(on) {
    const endpoint = await on.endpoint(() => ({ body: "x".repeat(3 * 1024 * 1024) }));
    const back = await on.endpoint();
    const { messageId } = await on.qstash.publish({ url: endpoint.url, callback: back.url });
    const { body } = await on.until(() => back.requests[0]);
    assert.equal(decoded(JSON.parse(body).body), "x".repeat(1024 * 1024));
    await on.states(messageId, "DELIVERED");
  },

  async "callbacks have settings and forwarded headers of their own"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    const back = await on.endpoint(() => ({ status: 500 }));
    const { messageId } = await on.qstash.publish({
      url: endpoint.url,
      retries: 0,
      callback: `${back.url}/callback`,
      failureCallback: `${back.url}/failure`,
      headers: {
        "Upstash-Callback-Method": "PUT",
        "Upstash-Callback-Retries": "1",
        "Upstash-Callback-Retry-Delay": "0",
        "Upstash-Callback-Timeout": "10s",
        "Upstash-Callback-Forward-X-Own": "callback",
        "Upstash-Failure-Callback-Method": "PATCH",
        "Upstash-Failure-Callback-Retries": "0",
        "Upstash-Failure-Callback-Forward-X-Own": "failure",
      },
    });
    await on.letter(messageId);
    await on.until(() => back.requests.length === 3);
    const seen = back.requests.map(({ method, url, headers }) => `${method} ${url} ${headers["x-own"]}`).sort();
    assert.deepEqual(seen, ["PATCH /failure failure", "PUT /callback callback", "PUT /callback callback"]);
    assert.equal(endpoint.requests[0].headers["x-own"], undefined);
  },

  async "a failed callback ends in the dead letter queue and is not told in turn"(on) {
    const endpoint = await on.endpoint();
    const back = await on.endpoint(() => ({ status: 500 }));
    const headers = { "Upstash-Callback-Retries": "0" };
    await on.qstash.publish({ url: endpoint.url, callback: `${back.url}/cb`, headers });
    const callback = await on.until(() => back.requests[0]);
    const letter = await on.letter(callback.headers["upstash-message-id"]);
    assert.equal(letter.url, `${back.url}/cb`);
    assert.equal(back.requests.length, 1);
  },
};
