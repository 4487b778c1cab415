// `GET /v2/changes` of the broker on Node.

import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fill, listen } from "../worker/listening.mjs";
import { embedded, server, until } from "./support.mjs";

const LISTENERS = 100;

test("ready at once, then each change that a request, a timer and a delivery make", async (t) => {
  const on = await embedded(t);
  const { url } = await server(t, () => pause(700));
  const { response, heard, tells } = await listen(t, on.url, on.token);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.match(response.headers.get("cache-control"), /no-cache/);
  assert.ok(heard.text.startsWith("retry: 2000\n\nevent: ready\ndata: {}\n\n"), heard.text);

  const { messageId } = await tells(() => on.qstash.publish({ url, delay: 1 }));
  const state = async () => (await on.events(messageId))[0].state;
  await tells(() => until(async () => (await state()) === "ACTIVE"));
  await tells(() => until(async () => (await state()) === "DELIVERED"));
});

test("what only reads tells nothing", async (t) => {
  const on = await embedded(t);
  const { heard } = await listen(t, on.url, on.token);
  for (const path of ["/v2/logs", "/v2/queues", "/v2/dlq", "/v2/workflows/logs", "/v2/schedules"]) await on.json(path);
  await pause(600);
  assert.equal(heard.changes.length, 0);
});

test("many changes are told about four times a second to each, and the last one always", async (t) => {
  const on = await embedded(t);
  const listeners = [await listen(t, on.url, on.token), await listen(t, on.url, on.token)];
  const begun = Date.now();
  for (let n = 0; Date.now() - begun < 2_000; n += 1)
    await on.qstash.publish({ url: "https://app.invalid", delay: 3600, body: `${n}` });
  const took = Date.now() - begun;
  await pause(400);
  for (const { heard, tells } of listeners) {
    const { length } = heard.changes;
    assert.ok(length >= 4 && length <= took / 250 + 3, `${length} in ${took} ms`);
    await tells(() => on.qstash.publish({ url: "https://app.invalid", delay: 3600 }));
  }
});

test("whoever may read may listen, nobody else; HEAD ends at once", async (t) => {
  const on = await embedded(t, { readOnlyToken: "reader" });
  await listen(t, on.url, "reader");
  await listen(t, on.url, undefined, "/v2/changes?qstash_token=reader");
  const head = await on.api("/v2/changes", { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  for (const authorization of ["", "Bearer guess"]) {
    const refused = await fetch(`${on.url}/v2/changes`, { headers: { authorization } });
    assert.equal(refused.status, 401);
    assert.match((await refused.json()).error, /token/);
  }
  const posted = await on.api("/v2/changes", { method: "POST" });
  assert.equal(posted.status, 405);
});

test("a listener that goes gives its place to another one", async (t) => {
  const on = await embedded(t);
  const { streams, response } = await fill(t, on.url, on.token);
  assert.equal(streams.length, LISTENERS);
  assert.equal(response.status, 503);
  assert.match((await response.json()).error, /100 listen to changes already/);
  for (const stream of streams.splice(0, 10)) stream.close();
  let found = 0;
  await until(async () => {
    const more = await fill(t, on.url, on.token);
    await more.response.text();
    found += more.streams.length;
    return found === 10;
  });
});

test("stop ends the streams, and a listener doesn't keep the broker from it", async (t) => {
  const on = await embedded(t);
  const { heard, ended } = await listen(t, on.url, on.token);
  const begun = Date.now();
  await on.broker.stop();
  await ended;
  assert.ok(heard.ended, "the stream broke off");
  assert.ok(Date.now() - begun < 1_000);
});
