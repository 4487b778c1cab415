// `GET /v2/changes` of the broker in a Durable Object, and in several of them.

import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { developmentBindings } from "../../scripts/workerd.mjs";
import { fill, listen } from "./listening.mjs";
import { broker, server, TOKEN, until } from "./support.mjs";

const SHARDS = 3;
const LISTENERS = 100;
const READER = "reader";
const bindings = { ...developmentBindings(), QSTASH_READONLY_TOKEN: READER };

for (const [name, shards] of [
  ["one object", "1"],
  [`${SHARDS} objects`, `${SHARDS}`],
]) {
  const started = (t) => broker(t, { bindings: { ...bindings, BROKER_SHARDS: shards } });

  test(`${name}: ready at once, then each change that a request, a timer and a delivery make`, async (t) => {
    const on = await started(t);
    const { url } = await server(t, () => pause(700));
    const { response, heard, tells } = await listen(t, on.url, TOKEN);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.match(response.headers.get("cache-control"), /no-cache/);
    assert.ok(heard.text.startsWith("retry: 2000\n\nevent: ready\ndata: {}\n\n"), heard.text);

    const { messageId } = await tells(() => on.qstash.publish({ url, delay: 1 }));
    const state = async () => (await on.qstash.logs({ filter: { messageId } })).logs[0].state;
    // The timer takes it, and 700 ms later the delivery has ended.
    await tells(() => until(async () => (await state()) === "ACTIVE"));
    await tells(() => until(async () => (await state()) === "DELIVERED"));
    assert.ok(!heard.ended);
  });

  test(`${name}: what only reads tells nothing`, async (t) => {
    const on = await started(t);
    const { heard } = await listen(t, on.url, TOKEN);
    for (const path of ["/v2/logs", "/v2/queues", "/v2/dlq", "/v2/workflows/logs", "/v2/schedules"]) await on.api(path);
    await pause(600);
    assert.equal(heard.changes.length, 0);
  });

  test(`${name}: many changes are told about four times a second, and the last one always`, async (t) => {
    const on = await started(t);
    const { heard, tells } = await listen(t, on.url, TOKEN);
    const begun = Date.now();
    for (let n = 0; Date.now() - begun < 2_000; n += 1)
      await on.qstash.publish({ url: "https://app.invalid", delay: 3600, body: `${n}` });
    const took = Date.now() - begun;
    await pause(600);
    const { length } = heard.changes;
    assert.ok(length >= 4 && length <= took / 250 + 3, `${length} in ${took} ms`);
    await tells(() => on.qstash.publish({ url: "https://app.invalid", delay: 3600 }));
  });

  test(`${name}: whoever may read may listen, nobody else`, async (t) => {
    const on = await started(t);
    await listen(t, on.url, READER);
    await listen(t, on.url, undefined, `/v2/changes?qstash_token=${READER}`);
    for (const [token, status] of [
      ["", 401],
      ["Bearer guess", 401],
    ]) {
      const refused = await fetch(`${on.url}/v2/changes`, { headers: { authorization: token } });
      assert.equal(refused.status, status);
      assert.match((await refused.json()).error, /token/);
    }
    const posted = await on.api("/v2/changes", { method: "POST" });
    assert.equal(posted.status, 405);
    await posted.text();
  });
}

for (const shards of ["1", `${SHARDS}`]) {
  test(`${shards} object(s): a listener that goes gives its place to another one`, { timeout: 60_000 }, async (t) => {
    const on = await broker(t, { bindings: { ...bindings, BROKER_SHARDS: shards } });
    const { streams, response } = await fill(t, on.url, TOKEN);
    assert.equal(streams.length, LISTENERS);
    assert.equal(response.status, 503);
    assert.match((await response.json()).error, /100 listen to changes already/);
    for (const stream of streams.splice(0, 10)) stream.close();
    const again = await until(async () => {
      const found = await fill(t, on.url, TOKEN);
      await found.response.text();
      return found.streams.length > 0 && found;
    });
    assert.ok(again.streams.length <= 10);
  });
}
