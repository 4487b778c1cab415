// Tries: what counts as delivered, when the next one follows, and when none does.

import assert from "node:assert/strict";

/** Publishes to an endpoint that answers the first try with `answer`; resolves with the moments of both tries. */
async function gap(on, answer, options = {}) {
  const endpoint = await on.endpoint((_, count) => (count === 1 ? answer : {}));
  await on.qstash.publish({ url: endpoint.url, retries: 1, ...options });
  await on.until(() => endpoint.requests.length === 2);
  const [first, second] = endpoint.requests;
  assert.equal(first.headers["upstash-message-id"], second.headers["upstash-message-id"]);
  assert.equal(second.headers["upstash-retried"], "1");
  return second.at - first.at;
}

export default {
  async "any 2xx is a success, and the log tells it"(on) {
    for (const status of [200, 201, 204, 299]) {
      const endpoint = await on.endpoint(() => ({ status }));
      const { messageId } = await on.qstash.publish({ url: endpoint.url, retries: 0 });
      assert.deepEqual(await on.states(messageId, "DELIVERED"), ["CREATED", "ACTIVE", "DELIVERED"]);
    }
  },

  async "a delivered message is gone"(on) {
    const endpoint = await on.endpoint();
    const { messageId } = await on.qstash.publish({ url: endpoint.url });
    await on.states(messageId, "DELIVERED");
    await assert.rejects(on.qstash.messages.get(messageId), { status: 404 });
  },

  async "a failure is tried again as often as asked, then kept"(on) {
    const endpoint = await on.endpoint(() => ({ status: 503, headers: { "x-why": "tired" }, body: "not now" }));
    const { messageId } = await on.qstash.publish({ url: endpoint.url, retries: 2, retryDelay: "0" });
    const letter = await on.letter(messageId);
    assert.deepEqual(
      endpoint.requests.map(({ headers }) => headers["upstash-retried"]),
      ["0", "1", "2"],
    );
    assert.deepEqual([letter.responseStatus, letter.responseBody], [503, "not now"]);
    assert.deepEqual(letter.responseHeader["X-Why"], ["tired"]);
    const attempt = ["ACTIVE", "ERROR"];
    assert.deepEqual(await on.states(messageId, "FAILED"), [
      "CREATED",
      ...attempt,
      "RETRY",
      ...attempt,
      "RETRY",
      ...attempt,
      "FAILED",
    ]);
  },

  async "three retries without being asked"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500, headers: { "retry-after": "0" } }));
    const { messageId } = await on.qstash.publish({ url: endpoint.url });
    assert.equal((await on.letter(messageId)).maxRetries, 3);
    assert.equal(endpoint.requests.length, 4);
  },

  async "the retry delay is an expression of milliseconds"(on) {
    const waited = await gap(on, { status: 500 }, { retryDelay: "max(300, 100 * pow(2, retried)) + floor(sqrt(4))" });
    assert.ok(waited >= 290 && waited < 5000, `${waited} ms`);
  },

  async "the default backoff is told as the next delivery's time"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    const { messageId } = await on.qstash.publish({ url: endpoint.url });
    await on.states(messageId, "RETRY");
    const { logs } = await on.qstash.logs({ filter: { messageId, state: "RETRY" } });
    assert.equal(logs[0].nextDeliveryTime - logs[0].time, 12_000);
    await on.qstash.messages.cancel(messageId);
  },

  async "the answer may name the delay: seconds, a date or a duration"(on) {
    const date = new Date(Date.now() - 5000).toUTCString();
    for (const [name, value] of [
      ["Retry-After", "0"],
      ["Retry-After", date],
      ["X-RateLimit-Reset", "0"],
      ["X-RateLimit-Reset-Requests", "150ms"],
      ["X-RateLimit-Reset-Tokens", "0s"],
    ]) {
      const waited = await gap(on, { status: 429, headers: { [name]: value } });
      assert.ok(waited < 8000, `${name}: ${value} waited ${waited} ms`);
    }
    const waited = await gap(on, { status: 503, headers: { "Retry-After": "1" } });
    assert.ok(waited >= 990, `${waited} ms`);
  },

  async "489 with Upstash-NonRetryable-Error is tried once"(on) {
    const headers = { "Upstash-NonRetryable-Error": "true" };
    const endpoint = await on.endpoint(() => ({ status: 489, headers, body: "never" }));
    const { messageId } = await on.qstash.publish({ url: endpoint.url, retries: 3 });
    const letter = await on.letter(messageId);
    assert.deepEqual([letter.responseStatus, letter.responseBody], [489, "never"]);
    assert.equal(endpoint.requests.length, 1);
  },

  async "an endpoint that is down, hangs or redirects has failed"(on) {
    const endpoint = await on.endpoint(({ url }) =>
      url === "/moved" ? { status: 302, headers: { location: "/elsewhere" } } : new Promise(() => {}),
    );
    const failed = async (options) => on.letter((await on.qstash.publish({ retries: 0, ...options })).messageId);
    const [down, hangs, moved] = await Promise.all([
      failed({ url: "http://127.0.0.1:1/" }),
      failed({ url: `${endpoint.url}/hangs`, timeout: 1 }),
      failed({ url: `${endpoint.url}/moved` }),
    ]);
    assert.ok(!down.responseStatus && !hangs.responseStatus);
    assert.equal(moved.responseStatus, 302);
    assert.ok(!endpoint.requests.some(({ url }) => url === "/elsewhere"));
  },

  async "an answer that is no UTF-8 is kept as base64"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500, body: Buffer.from([0, 255, 128]) }));
    const { messageId } = await on.qstash.publish({ url: endpoint.url, retries: 0, body: new Uint8Array([254, 1]) });
    const letter = await on.letter(messageId);
    assert.equal(letter.responseBodyBase64, Buffer.from([0, 255, 128]).toString("base64"));
    assert.equal(letter.bodyBase64, Buffer.from([254, 1]).toString("base64"));
    assert.ok(!("body" in letter) && !("responseBody" in letter));
  },
};
