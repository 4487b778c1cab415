// Access on Workers: the read-only token, private destinations, rotated keys, and what the Worker prints.

import assert from "node:assert/strict";
import test from "node:test";
import { Receiver } from "@upstash/qstash";
import { developmentBindings, startWorker } from "../../scripts/workerd.mjs";
import { broker, folder, server, TOKEN, until } from "./support.mjs";

const { BROKER_PRIVATE_DESTINATIONS: _allow, ...DEPLOYED } = developmentBindings();
const READER = "read-only-token-of-the-worker-suite";

test("a read-only token reads, and neither changes anything nor sees the keys", async (t) => {
  const { url, qstash } = await broker(t, { bindings: { ...developmentBindings(), QSTASH_READONLY_TOKEN: READER } });
  const { messageId } = await qstash.publish({ url: "http://127.0.0.1:1/", delay: 3600 });
  const ask = async (method, path) => {
    const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${READER}` } });
    return [answer.status, await answer.json()];
  };
  assert.equal((await ask("GET", `/v2/messages/${messageId}`))[0], 200);
  for (const [method, path] of [
    ["GET", "/v2/keys"],
    ["POST", "/v2/keys/rotate"],
    ["POST", "/v2/publish/https://example.com"],
    ["DELETE", `/v2/messages/${messageId}`],
  ]) {
    const [status, body] = await ask(method, path);
    assert.equal(status, 403, `${method} ${path}`);
    assert.match(body.error, /read-only/);
  }
});

test("a deployment refuses private destinations, but its own address is none", async (t) => {
  const { url, api, qstash } = await broker(t, { bindings: DEPLOYED });
  const endpoint = await server(t, () => {});
  for (const destination of [endpoint.url, "http://localhost:1/", "http://2130706433/", "http://[::ffff:10.0.0.1]/"]) {
    const answer = await api(`/v2/publish/${destination}`, { method: "POST" });
    assert.equal(answer.status, 400, destination);
    assert.match((await answer.json()).error, /private.*BROKER_PRIVATE_DESTINATIONS=allow/);
  }
  const { messageId } = await qstash.publish({ url: `${url}/health`, method: "GET", retries: 0 });
  const last = await until(async () => {
    const { logs } = await qstash.logs({ filter: { messageId } });
    return logs.find(({ state }) => state === "DELIVERED" || state === "FAILED");
  });
  assert.equal(last.state, "DELIVERED", JSON.stringify(last));
  assert.deepEqual(endpoint.requests, []);
});

test("a setting that is none is named", async () => {
  const bindings = { ...DEPLOYED, BROKER_PRIVATE_DESTINATIONS: "maybe" };
  await assert.rejects(
    startWorker({ persistDir: folder(), bindings }),
    /BROKER_PRIVATE_DESTINATIONS must be allow or refuse/,
  );
  const equal = { ...DEPLOYED, QSTASH_READONLY_TOKEN: DEPLOYED.QSTASH_TOKEN };
  const worker = await startWorker({ persistDir: folder(), bindings: equal });
  try {
    const answer = await fetch(`${worker.url}/v2/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
    assert.equal(answer.status, 500);
    const { error } = await answer.json();
    assert.match(error, /read-only token/);
    assert.ok(!error.includes(TOKEN));
  } finally {
    await worker.kill();
  }
});

test("rotated keys outlive the process; receivers with the former pair go on for one rotation", async (t) => {
  const on = await broker(t);
  const endpoint = await server(t, () => {});
  const before = developmentBindings();
  const former = new Receiver({
    currentSigningKey: before.QSTASH_CURRENT_SIGNING_KEY,
    nextSigningKey: before.QSTASH_NEXT_SIGNING_KEY,
  });
  const rotated = await (await on.api("/v2/keys/rotate", { method: "POST" })).json();
  assert.equal(rotated.current, before.QSTASH_NEXT_SIGNING_KEY);
  await on.kill();
  await on.restart();
  assert.deepEqual(await (await on.api("/v2/keys")).json(), rotated);
  await on.qstash.publish({ url: endpoint.url, body: "signed" });
  const [{ headers, body }] = await until(() => endpoint.requests.length && endpoint.requests);
  const signed = { signature: headers["upstash-signature"], body: body.toString() };
  assert.ok(await former.verify(signed));
  assert.ok(await new Receiver({ currentSigningKey: rotated.current, nextSigningKey: rotated.next }).verify(signed));
  const only = (key) => new Receiver({ currentSigningKey: key, nextSigningKey: key });
  await assert.rejects(only(before.QSTASH_CURRENT_SIGNING_KEY).verify(signed));
});

test("of a stranger's body nothing is read, and no answer or output tells a secret", async (t) => {
  const printed = [];
  const bindings = { ...developmentBindings(), QSTASH_READONLY_TOKEN: READER };
  const { url, api } = await broker(t, { bindings, onLog: (line) => printed.push(line) });
  const endpoint = await server(t, () => ({ status: 500 }));
  const large = "x".repeat(9 * 1024 * 1024);
  const stranger = await fetch(`${url}/v2/batch`, {
    method: "POST",
    body: large,
    headers: { authorization: "Bearer no" },
  });
  assert.equal(stranger.status, 401, "the token counts, not the size");
  assert.equal((await api("/v2/batch", { method: "POST", body: large })).status, 413);

  const secrets = [TOKEN, READER, bindings.QSTASH_CURRENT_SIGNING_KEY, bindings.QSTASH_NEXT_SIGNING_KEY];
  const look = (text) => {
    for (const secret of secrets) assert.ok(!text.includes(secret), text);
  };
  const paths = ["events", "logs", "dlq", "queues", "schedules", "topics", "flowControl", "workflows/logs", "nothing"];
  for (const method of ["GET", "POST", "DELETE", "PATCH", "PUT"]) {
    for (const path of paths) {
      for (const query of ["", `?qstash_token=${TOKEN}`, `?qstash_token=${READER}`, `?qstash_token=wrong${TOKEN}`]) {
        const answer = await fetch(`${url}/v2/${path}${query}`, { method, body: method === "GET" ? undefined : "{" });
        const text = await answer.text();
        look(text);
        look(JSON.stringify([...answer.headers]));
        if (answer.status >= 400) assert.ok(JSON.parse(text).error.length > 10, text);
      }
    }
  }
  const sent = `${url}/v2/publish/${endpoint.url}?own=1&qstash_token=${TOKEN}&upstash-retries=0`;
  assert.equal((await fetch(sent, { method: "POST", headers: { "upstash-header-forward": "true" } })).status, 200);
  await until(async () => (await (await api("/v2/dlq")).json()).messages.length === 1);
  for (const request of endpoint.requests)
    look(JSON.stringify([request.url, request.headers, request.body.toString()]));
  for (const path of paths.slice(0, -1)) look(await (await api(`/v2/${path}`)).text());
  look(printed.join("\n"));
});
