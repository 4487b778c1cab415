// `/v2/events` and `/v2/logs`: what happened, newest first.

import assert from "node:assert/strict";

export default {
  async "an entry tells the message, its state and the answer"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500, headers: { "x-answer": "1" }, body: "no" }));
    const before = Date.now();
    const { messageId } = await on.qstash.publish({
      url: endpoint.url,
      body: "b",
      method: "PUT",
      headers: { "x-own": "1" },
      retries: 1,
      retryDelay: "0",
      timeout: 30,
      callback: "http://127.0.0.1:1/callback",
      failureCallback: "http://127.0.0.1:1/failure",
      label: ["a", "b"],
    });
    await on.states(messageId, "FAILED");
    const { logs } = await on.qstash.logs({ filter: { messageId } });
    for (const log of logs) {
      assert.ok(Math.abs(log.time - before) < 20_000);
      for (const [name, value] of Object.entries({
        messageId,
        url: new URL(endpoint.url).href,
        method: "PUT",
        maxRetries: 1,
        retryDelayExpression: "0",
        timeout: 30_000,
        callback: "http://127.0.0.1:1/callback",
        failureCallback: "http://127.0.0.1:1/failure",
        label: "a",
        labels: ["a", "b"],
        body: Buffer.from("b").toString("base64"),
      })) {
        assert.deepEqual(log[name], value, `${log.state} ${name}`);
      }
      assert.deepEqual(log.header["X-Own"], ["1"]);
    }
    const failed = logs.find(({ state }) => state === "ERROR");
    assert.equal(failed.responseStatus, 500);
    assert.equal(failed.responseBody, "no");
    assert.deepEqual(failed.responseHeaders["X-Answer"], ["1"]);
    assert.ok(failed.error.length > 0);
    const retried = logs.find(({ state }) => state === "RETRY");
    assert.ok(retried.nextDeliveryTime >= retried.time);
  },

  async "the key is events under /v2/events and logs under /v2/logs; the entries are the same"(on) {
    const endpoint = await on.endpoint();
    const { messageId } = await on.qstash.publish({ url: endpoint.url });
    await on.states(messageId, "DELIVERED");
    const { events } = await on.json(200, "GET", `/v2/events?messageId=${messageId}`);
    const { logs } = await on.json(200, "GET", `/v2/logs?messageId=${messageId}`);
    assert.equal(events.length, 3);
    assert.deepEqual(logs, events);
    assert.equal((await on.qstash.events({ filter: { messageId } })).events.length, 3);
  },

  async "bodies are trimmed, or left out"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500, body: "answer" }));
    const { messageId } = await on.qstash.publish({ url: endpoint.url, body: "text", retries: 0 });
    await on.states(messageId, "FAILED");
    const error = async (trim) =>
      (await on.json(200, "GET", `/v2/logs?messageId=${messageId}&state=ERROR${trim}`)).logs[0];
    const [whole, trimmed, without] = [await error(""), await error("&trimBody=2"), await error("&trimBody=-1")];
    const bodies = ({ body, responseBody }) => [body && atob(body), responseBody];
    assert.deepEqual([whole, trimmed, without].map(bodies), [
      ["text", "answer"],
      ["te", "an"],
      [undefined, undefined],
    ]);
  },

  async "by every filter; several values are any of them, several filters all"(on) {
    const label = on.name("filtered");
    const endpoint = await on.endpoint(({ url }) => (url === "/bad" ? { status: 500 } : {}));
    const [good, bad] = (
      await on.qstash.batch(
        ["/good", "/bad"].map((path) => ({ url: endpoint.url + path, retries: 0, label: [label, path.slice(1)] })),
      )
    ).map(({ messageId }) => messageId);
    await on.states(good, "DELIVERED");
    await on.states(bad, "FAILED");
    const found = async (filter) => {
      const { logs } = await on.qstash.logs({ filter: { label, ...filter } });
      return [logs.length, new Set(logs.map((log) => log.messageId)).size];
    };
    const [all] = await found({});
    assert.equal(all, 3 + 4);
    assert.deepEqual(await found({ state: "DELIVERED" }), [1, 1]);
    assert.deepEqual(await found({ url: `${endpoint.url}/bad` }), [4, 1]);
    assert.deepEqual(await found({ url: [`${endpoint.url}/bad`, `${endpoint.url}/good`] }), [all, 2]);
    assert.deepEqual(await found({ messageId: good }), [3, 1]);
    assert.deepEqual(await found({ host: new URL(endpoint.url).host, path: "/good" }), [3, 1]);
    assert.deepEqual(await found({ callerIp: "1.2.3.4" }), [0, 0]);
    assert.deepEqual(await found({ fromDate: Date.now() - 60_000, toDate: new Date(Date.now() + 1000) }), [all, 2]);
    assert.deepEqual(await found({ toDate: Date.now() - 3_600_000 }), [0, 0]);
    assert.equal((await on.qstash.logs({ messageIds: [good, bad] })).logs.length, all);
    const { logs } = await on.json(200, "GET", `/v2/logs?messageIds=${good},${bad}`);
    assert.equal(logs.length, all);
    assert.equal((await on.qstash.logs({ filter: { label: [label, "x"], state: "CREATED" } })).logs.length, 2);
  },

  async "page by page, newest first"(on) {
    const label = on.name("paged");
    const endpoint = await on.endpoint();
    const sent = await on.qstash.batch([1, 2, 3].map(() => ({ url: endpoint.url, label })));
    for (const { messageId } of sent) await on.states(messageId, "DELIVERED");
    const seen = [];
    let cursor;
    do {
      const page = await on.qstash.logs({ filter: { label }, cursor, count: 4 });
      assert.ok(page.logs.length <= 4);
      seen.push(...page.logs);
      cursor = page.cursor;
    } while (cursor);
    assert.equal(seen.length, 9);
    const times = seen.map(({ time }) => time);
    assert.deepEqual(times, [...times].sort().reverse());
  },

  async "a state, filter or cursor that is unknown is refused"(on) {
    await on.refused(400, "GET", "/v2/events?state=LOST");
    await on.refused(400, "GET", "/v2/logs?lable=x");
    await on.refused(400, "GET", "/v2/logs?cursor=nonsense");
    await on.refused(400, "GET", "/v2/logs?count=0");
    for (const state of ["CREATED", "ACTIVE", "RETRY", "ERROR", "IN_PROGRESS", "DELIVERED", "FAILED"]) {
      await on.json(200, "GET", `/v2/logs?state=${state}`);
    }
    for (const state of ["CANCEL_REQUESTED", "CANCELED", "CANCELLED"]) {
      await on.json(200, "GET", `/v2/logs?state=${state}`);
    }
  },
};
