// The broker over HTTP: the Worker in workerd, its storage in the Durable Object, endpoints on the loopback.

import assert from "node:assert/strict";
import test from "node:test";
import { broker, receiver, server, TOKEN, until } from "./support.mjs";

test("a published message arrives as it was sent, signed", async (t) => {
  const { qstash } = await broker(t);
  const endpoint = await server(t, () => ({ body: "thanks" }));
  const body = new Uint8Array([0, 255, 128, 10, 13, 65]);
  const published = await qstash.publish({
    url: `${endpoint.url}/hook?q=1`,
    body,
    method: "PUT",
    headers: { "content-type": "application/octet-stream", "x-own": "kept" },
  });
  const [arrived] = await until(() => endpoint.requests.length && endpoint.requests);
  assert.equal(arrived.method, "PUT");
  assert.equal(arrived.url, "/hook?q=1");
  assert.deepEqual(arrived.body, Buffer.from(body));
  assert.equal(arrived.headers["x-own"], "kept");
  assert.equal(arrived.headers["content-type"], "application/octet-stream");
  assert.equal(arrived.headers["upstash-message-id"], published.messageId);
  assert.equal(arrived.headers["upstash-retried"], "0");
  assert.ok(!JSON.stringify(arrived.headers).includes(TOKEN));

  // Binary bodies are beyond the official receiver, which hashes text.
  await qstash.publishJSON({ url: `${endpoint.url}/json`, body: { ä: 1 } });
  const json = await until(() => endpoint.requests.find((request) => request.url === "/json"));
  const signed = { signature: json.headers["upstash-signature"], url: `${endpoint.url}/json` };
  assert.ok(await receiver.verify({ ...signed, body: json.body.toString() }));
  await assert.rejects(receiver.verify({ ...signed, body: "another" }));

  const { logs } = await until(async () => {
    const found = await qstash.logs({ filter: { messageId: published.messageId } });
    return found.logs.some((event) => event.state === "DELIVERED") && found;
  });
  assert.deepEqual(logs.map((event) => event.state).reverse(), ["CREATED", "ACTIVE", "DELIVERED"]);
});

test("a failed delivery is tried again by its retry delay, then kept in the DLQ with the last answer", async (t) => {
  const { qstash } = await broker(t);
  const endpoint = await server(t, ({ url }, count) =>
    url === "/heals" && count > 2 ? {} : { status: 503, body: "not now" },
  );
  await qstash.publish({ url: `${endpoint.url}/heals`, retries: 3, retryDelay: "300" });
  await until(() => endpoint.requests.length === 3);
  assert.deepEqual(
    endpoint.requests.map((request) => request.headers["upstash-retried"]),
    ["0", "1", "2"],
  );
  const gap = endpoint.requests[1].at - endpoint.requests[0].at;
  assert.ok(gap >= 290, `the second try came after ${gap} ms`);

  const { messageId } = await qstash.publish({ url: `${endpoint.url}/stays`, retries: 1, retryDelay: "10" });
  const dead = await until(async () => (await qstash.dlq.listMessages({ filter: { messageId } })).messages[0]);
  assert.equal(dead.responseStatus, 503);
  assert.equal(dead.responseBody, "not now");
});

test("an endpoint that is down, hangs, or redirects is a failed delivery", async (t) => {
  const { qstash, url } = await broker(t);
  const endpoint = await server(t, ({ url: path }) =>
    path === "/moved" ? { status: 302, headers: { location: `${endpoint.url}/elsewhere` } } : new Promise(() => {}),
  );
  const failed = async (request) => {
    const { messageId } = await qstash.publish({ retries: 0, ...request });
    return until(async () => (await qstash.dlq.listMessages({ filter: { messageId } })).messages[0], 15_000);
  };
  const [down, hangs, moved] = await Promise.all([
    failed({ url: "http://127.0.0.1:1/" }),
    failed({ url: `${endpoint.url}/hangs`, timeout: 1 }),
    failed({ url: `${endpoint.url}/moved` }),
  ]);
  assert.ok(!down.responseStatus && !hangs.responseStatus);
  assert.equal(moved.responseStatus, 302);
  assert.ok(!endpoint.requests.some((request) => request.url === "/elsewhere"));
  // The object is not blocked by what hangs.
  assert.equal((await fetch(`${url}/health`)).status, 200);
});

test("delay and not-before hold a message back", async (t) => {
  const { qstash } = await broker(t);
  const endpoint = await server(t, () => {});
  const published = Date.now();
  await qstash.publish({ url: `${endpoint.url}/later`, delay: 2 });
  await qstash.publish({ url: `${endpoint.url}/at`, notBefore: Math.ceil(published / 1000) + 1 });
  await until(() => endpoint.requests.length === 2);
  const at = (path) => endpoint.requests.find((request) => request.url === path).at;
  assert.ok(at("/later") - published >= 2000 && at("/later") - published < 5000);
  assert.ok(at("/at") >= (Math.ceil(published / 1000) + 1) * 1000);
});

test("a batch is answered in order; more messages than connections are all delivered, once", async (t) => {
  const { qstash } = await broker(t);
  const endpoint = await server(t, () => {});
  const results = await qstash.batchJSON(
    Array.from({ length: 60 }, (_, number) => ({ url: `${endpoint.url}/n`, body: { number } })),
  );
  assert.equal(results.length, 60);
  await until(() => endpoint.requests.length >= 60);
  const ids = endpoint.requests.map((request) => request.headers["upstash-message-id"]);
  assert.deepEqual(new Set(ids), new Set(results.map((result) => result.messageId)));
  const byId = new Map(endpoint.requests.map((r) => [r.headers["upstash-message-id"], JSON.parse(r.body).number]));
  assert.deepEqual(
    results.map((result) => byId.get(result.messageId)),
    results.map((_, number) => number),
  );
});

test("an endpoint may call the broker while its delivery is open", async (t) => {
  const { qstash } = await broker(t);
  const endpoint = await server(t, async ({ url }) => {
    if (url === "/outer") await qstash.publish({ url: `${endpoint.url}/inner` });
    if (url === "/outer") await until(() => endpoint.requests.some((request) => request.url === "/inner"));
  });
  await qstash.publish({ url: `${endpoint.url}/outer`, retries: 0 });
  await until(() => endpoint.requests.some((request) => request.url === "/inner"));
});

test("bad requests are refused with a sentence, and nothing is stored", async (t) => {
  const { api, url, qstash } = await broker(t);
  const endpoint = await server(t, () => {});
  const publish = `/v2/publish/${endpoint.url}`;
  const post = (path, init) => api(path, { method: "POST", ...init });
  const large = "x".repeat(1024 * 1024 + 1);
  const cases = [
    [401, await fetch(url + publish, { method: "POST" })],
    [401, await post(publish, { headers: { authorization: "Bearer wrong" } })],
    [400, await post("/v2/publish/ftp://127.0.0.1/x")],
    [400, await post(publish, { headers: { "upstash-delay": "soon" } })],
    [400, await post("/v2/batch", { body: "{" })],
    [413, await post(publish, { body: large })],
    [413, await post("/v2/batch", { body: "x".repeat(9 * 1024 * 1024) })],
    [404, await api("/v2/nothing")],
    [404, await fetch(`${url}/nothing`)],
    [405, await api(publish, { method: "DELETE" })],
  ];
  for (const [status, answer] of cases) {
    const body = await answer.json();
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.ok(body.error.length > 10 && !body.error.includes(TOKEN), body.error);
  }
  assert.deepEqual((await qstash.logs()).logs, []);
  assert.deepEqual(endpoint.requests, []);
});

test("a Worker without its settings answers 500 and names what is missing", async (t) => {
  const options = { bindings: { QSTASH_TOKEN: TOKEN } };
  await assert.rejects(broker(t, options), /InvalidConfiguration: QSTASH_CURRENT_SIGNING_KEY is not set/);
});
