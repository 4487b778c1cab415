// `/v2/queues` and `/v2/enqueue`: one after the other.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const numbers = (endpoint) => endpoint.requests.map(({ body }) => Number(body));

export default {
  async "upsert, get, list, delete"(on) {
    const queueName = on.name("q.A_1");
    const queue = on.qstash.queue({ queueName });
    const before = Date.now();
    await queue.upsert({ parallelism: 2 });
    const made = await queue.get();
    assert.deepEqual([made.name, made.parallelism, made.paused, made.lag], [queueName, 2, false, 0]);
    for (const moment of [made.createdAt, made.updatedAt]) assert.ok(Math.abs(moment - before) < 10_000, `${moment}`);
    await queue.upsert({ parallelism: 3, paused: true });
    const changed = await queue.get();
    assert.deepEqual([changed.parallelism, changed.paused, changed.createdAt], [3, true, made.createdAt]);
    assert.ok(changed.updatedAt >= made.updatedAt);
    const listed = (await on.qstash.queue().list()).find(({ name }) => name === queueName);
    assert.deepEqual(listed, changed);
    await queue.delete();
    await assert.rejects(queue.get(), { status: 404 });
    assert.ok(!(await on.qstash.queue().list()).some(({ name }) => name === queueName));
  },

  async "bad names and numbers are refused, unknown queues are 404"(on) {
    await on.refused(400, "POST", "/v2/queues", { body: { queueName: "a b", parallelism: 1 } });
    await on.refused(400, "POST", "/v2/queues", { body: { parallelism: 1 } });
    await on.refused(400, "POST", "/v2/queues", { body: { queueName: on.name("q"), parallelism: 0 } });
    await on.refused(400, "POST", "/v2/queues", { body: "{" });
    await on.refused(404, "GET", "/v2/queues/unknown");
    await on.refused(400, "POST", "/v2/enqueue/a%20b/https://app.test/x");
  },

  async "the first message makes its queue; lag counts what waits"(on) {
    const queueName = on.name("q");
    const queue = on.qstash.queue({ queueName });
    let open;
    const endpoint = await on.endpoint(() => new Promise((resolve) => (open = resolve)));
    const { messageId } = await queue.enqueueJSON({ url: endpoint.url, body: 1 });
    assert.match(messageId, /^msg_/);
    const made = await queue.get();
    assert.deepEqual([made.parallelism, made.paused], [1, false]);
    await queue.enqueueJSON({ url: endpoint.url, body: 2 });
    await queue.enqueueJSON({ url: endpoint.url, body: 3 });
    await on.until(() => endpoint.requests.length === 1);
    assert.ok((await queue.get()).lag >= 2);
    for (const count of [2, 3, 4]) {
      open({});
      if (count < 4) await on.until(() => endpoint.requests.length === count);
    }
    await on.until(async () => (await queue.get()).lag === 0);
    assert.deepEqual(numbers(endpoint), [1, 2, 3]);
  },

  async "one after the other: the next waits for the retries of the current one"(on) {
    const queue = on.qstash.queue({ queueName: on.name("fifo") });
    const endpoint = await on.endpoint(({ body, headers }) =>
      Number(body) === 1 && headers["upstash-retried"] !== "2" ? { status: 500 } : {},
    );
    for (const n of [1, 2, 3]) await queue.enqueueJSON({ url: endpoint.url, body: n, retries: 2, retryDelay: "100" });
    await on.until(() => endpoint.requests.length === 5);
    assert.deepEqual(numbers(endpoint), [1, 1, 1, 2, 3]);
  },

  async "a message that failed for good lets the next one go"(on) {
    const queue = on.qstash.queue({ queueName: on.name("fifo") });
    const endpoint = await on.endpoint(({ body }) => (Number(body) === 1 ? { status: 500 } : {}));
    const { messageId } = await queue.enqueueJSON({ url: endpoint.url, body: 1, retries: 0 });
    await queue.enqueueJSON({ url: endpoint.url, body: 2 });
    await on.until(() => endpoint.requests.length === 2);
    assert.deepEqual(numbers(endpoint), [1, 2]);
    await on.letter(messageId);
  },

  async "the next waits for callbacks and failure callbacks"(on) {
    const queue = on.qstash.queue({ queueName: on.name("fifo") });
    const order = [];
    const endpoint = await on.endpoint(({ body }) => {
      order.push(`message ${body}`);
      return String(body) === "2" ? { status: 500 } : {};
    });
    const back = await on.endpoint(async ({ url, body, headers }) => {
      await pause(100);
      const source = Buffer.from(JSON.parse(body).sourceBody, "base64");
      order.push(`${url.slice(1)} ${source} ${headers["upstash-retried"]}`);
      return url === "/callback" && headers["upstash-retried"] === "0" ? { status: 500 } : {};
    });
    const headers = { "Upstash-Callback-Retries": "1", "Upstash-Callback-Retry-Delay": "0" };
    await queue.enqueue({ url: endpoint.url, body: "1", callback: `${back.url}/callback`, headers });
    await queue.enqueue({ url: endpoint.url, body: "2", failureCallback: `${back.url}/failure`, retries: 0 });
    await queue.enqueue({ url: endpoint.url, body: "3" });
    await on.until(() => order.length === 6);
    assert.deepEqual(order, ["message 1", "callback 1 0", "callback 1 1", "message 2", "failure 2 0", "message 3"]);
  },

  async "parallelism is how many are under way at once"(on) {
    const queueName = on.name("wide");
    const queue = on.qstash.queue({ queueName });
    await queue.upsert({ parallelism: 2 });
    let active = 0;
    let most = 0;
    const endpoint = await on.endpoint(async () => {
      active += 1;
      most = Math.max(most, active);
      await pause(60);
      active -= 1;
    });
    await on.qstash.batchJSON(Array.from({ length: 8 }, (_, body) => ({ url: endpoint.url, body, queueName })));
    await on.until(() => endpoint.requests.length === 8);
    assert.equal(most, 2);
  },

  async "pause holds deliveries back, resume lets them go in order"(on) {
    const queue = on.qstash.queue({ queueName: on.name("paused") });
    await queue.upsert({ parallelism: 1 });
    await queue.pause();
    assert.equal((await queue.get()).paused, true);
    const endpoint = await on.endpoint();
    for (const n of [1, 2, 3]) await queue.enqueueJSON({ url: endpoint.url, body: n });
    await pause(300);
    assert.equal(endpoint.requests.length, 0);
    assert.equal((await queue.get()).lag, 3);
    await queue.resume();
    assert.equal((await queue.get()).paused, false);
    await on.until(() => endpoint.requests.length === 3);
    assert.deepEqual(numbers(endpoint), [1, 2, 3]);
  },

  async "a message of a queue says so, in messages, logs and dead letters"(on) {
    const queueName = on.name("named");
    const queue = on.qstash.queue({ queueName });
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    await queue.upsert({ parallelism: 1, paused: true });
    const { messageId } = await queue.enqueue({ url: endpoint.url, retries: 0 });
    assert.equal((await on.qstash.messages.get(messageId)).queueName, queueName);
    await queue.resume();
    assert.equal((await on.letter(messageId)).queueName, queueName);
    const { logs } = await on.qstash.logs({ filter: { queueName } });
    assert.ok(logs.length >= 4 && logs.every((log) => log.messageId === messageId && log.queueName === queueName));
    const { messages } = await on.qstash.dlq.listMessages({ filter: { queueName } });
    assert.deepEqual(
      messages.map((message) => message.messageId),
      [messageId],
    );
  },

  async "duplicates are 202 here too"(on) {
    const endpoint = await on.endpoint();
    const queueName = on.name("dedup");
    const path = `/v2/enqueue/${queueName}/${endpoint.url}`;
    const headers = { "upstash-deduplication-id": queueName };
    const { messageId } = await on.json(200, "POST", path, { headers });
    assert.deepEqual(await on.json(202, "POST", path, { headers }), { messageId, deduplicated: true });
  },

  async "to a URL group: a result for each endpoint"(on) {
    const endpoint = await on.endpoint();
    const urlGroup = on.name("queued");
    const endpoints = ["a", "b"].map((path) => ({ url: `${endpoint.url}/${path}` }));
    await on.qstash.urlGroups.addEndpoints({ name: urlGroup, endpoints });
    const results = await on.qstash.queue({ queueName: on.name("q") }).enqueueJSON({ urlGroup, body: 1 });
    assert.equal(results.length, 2);
    await on.until(() => endpoint.requests.length === 2);
  },
};
