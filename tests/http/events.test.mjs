/** A run followed by server-sent events, on a clock that is turned by hand. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { OrchestrationError } from "@repo/orchestration";
import { createWorkflowApi } from "@repo/orchestration/server/next";

import { engineDouble, RUN } from "./support.mjs";

/** Follows a run whose states, or errors, come one at a second. */
async function follow(t, states, { follow = {}, signal } = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let asked = 0;
  const getExecution = async () => {
    const state = states[Math.min(asked++, states.length - 1)];
    if (state instanceof Error) throw state;
    return state && { ...RUN, ...state };
  };
  const { engine } = engineDouble({ getExecution });
  const api = createWorkflowApi({ engine, authorize: () => true, follow });
  const response = await api.GET(new Request("https://app.test/api/orchestration/runs/wfr_1/events", { signal }));
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  return {
    response,
    reader,
    asked: () => asked,
    /** What comes next; the clock goes on until something does. */
    async next() {
      const read = reader.read().then(({ done, value }) => (done ? undefined : decoder.decode(value)));
      let settled = false;
      read.then(
        () => (settled = true),
        () => (settled = true),
      );
      for (let turn = 0; turn < 1_000 && !settled; turn++) {
        await new Promise(setImmediate);
        if (!settled) t.mock.timers.tick(500);
      }
      return read;
    },
  };
}

const eventOf = (text) => [/^event: (\w+)/.exec(text)?.[1], JSON.parse(/^data: (.*)$/m.exec(text)[1]).status];

describe("a followed run", () => {
  test("is told at once, at every change, and to its end", async (t) => {
    const states = [{}, {}, {}, { labels: ["new"] }, { status: "completed" }];
    const { response, next, asked } = await follow(t, states);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.match(response.headers.get("cache-control"), /no-store/);
    assert.match(await next(), /^retry: \d+\n\n$/);
    assert.deepEqual(eventOf(await next()), ["run", "running"]);
    const changed = await next();
    assert.ok(changed.includes('"labels":["new"]'), changed);
    assert.deepEqual(eventOf(await next()), ["run", "completed"]);
    assert.match(await next(), /^event: end\n/);
    assert.equal(await next(), undefined);
    assert.equal(asked(), states.length);
  });

  test("is kept alive while nothing happens, and ends after its lifetime", async (t) => {
    const { next } = await follow(t, [{}], { follow: { keepAliveMs: 3_000, lifetimeMs: 8_000 } });
    const heard = [];
    for (let text = await next(); text !== undefined; text = await next()) heard.push(text.split("\n")[0]);
    assert.deepEqual(heard, ["retry: 1000", "event: run", ": still here", ": still here"]);
  });

  test("survives a provider that is away for a moment, and ends with one that refuses", async (t) => {
    const away = new OrchestrationError("away", "BrokerUnreachable", true);
    const { next } = await follow(t, [{}, away, away, { status: "failed" }]);
    await next();
    assert.deepEqual(eventOf(await next()), ["run", "running"]);
    assert.deepEqual(eventOf(await next()), ["run", "failed"]);
    t.mock.timers.reset();
    const refused = await follow(t, [{}, new OrchestrationError("no", "Unauthorized")]);
    await refused.next();
    await refused.next();
    await assert.rejects(refused.next(), /no/);
  });

  test("is left alone when the client has gone", async (t) => {
    const client = new AbortController();
    const { next, asked } = await follow(t, [{}], { signal: client.signal });
    await next();
    await next();
    client.abort();
    assert.equal(await next(), undefined);
    const before = asked();
    t.mock.timers.tick(60_000);
    await new Promise(setImmediate);
    assert.equal(asked(), before);
  });

  test("is left alone when the stream is cancelled", async (t) => {
    const { next, reader, asked } = await follow(t, [{}]);
    await next();
    await next();
    await reader.cancel();
    const before = asked();
    t.mock.timers.tick(60_000);
    await new Promise(setImmediate);
    assert.equal(asked(), before);
  });

  test("many who follow one run ask its provider once, and only so many may", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const asked = [];
    const getExecution = async (id, { provider }) => {
      asked.push([id, provider]);
      return { ...RUN, provider: "other" };
    };
    const { engine } = engineDouble({ getExecution });
    const api = createWorkflowApi({ engine, authorize: () => true, follow: { maxStreams: 3 } });
    const open = () => api.GET(new Request("https://app.test/api/orchestration/runs/wfr_1/events?provider=other"));
    const streams = await Promise.all([open(), open(), open()]);
    const refused = await open();
    assert.deepEqual([refused.status, (await refused.json()).error], [429, "RateLimited"]);
    assert.equal(asked.splice(0).length, 4, "each is asked for once before it is followed");
    const readers = streams.map(({ body }) => body.getReader());
    const reads = readers.map(async (reader) => {
      for (;;) if ((await reader.read()).done) return;
    });
    for (let second = 0; second < 5; second++) {
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      t.mock.timers.tick(1_000);
    }
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    assert.ok(asked.length >= 4 && asked.length <= 6, `${asked.length} looks in five seconds`);
    assert.deepEqual(asked[0], ["wfr_1", "other"]);
    for (const reader of readers) await reader.cancel();
    await Promise.all(reads);
    assert.equal((await open()).status, 200, "their places are free again");
  });
});
