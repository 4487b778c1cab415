// `startBroker` in a process: for tests of applications, with a clock of their own.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startBroker } from "@repo/orchestration/server";
import { embedded, folder, program, server, until } from "./support.mjs";

test("hours pass by turning the clock: delays, backoff and cleaning up don't have to be waited for", async (t) => {
  let now = Date.now();
  const on = await embedded(t, { now: () => now });
  const { broker, qstash } = on;
  let fails = 2;
  const { url, requests } = await server(t, () => ({ status: fails-- > 0 ? 500 : 200 }));
  const began = Date.now();
  const { messageId } = await qstash.publishJSON({ url, body: 1, delay: "3h" });
  const turn = async (milliseconds) => {
    now += milliseconds;
    broker.wake();
    await broker.idle();
  };
  await turn(3 * 3_600_000 - 1000);
  assert.equal(requests.length, 0);
  await turn(1000);
  assert.equal(requests.length, 1);
  // The backoff of hosted QStash: 12 s, then 2 min 28 s.
  await turn(11_000);
  assert.equal(requests.length, 1);
  await turn(1500);
  assert.equal(requests.length, 2);
  await turn(148_500);
  assert.equal(requests.length, 3);
  assert.equal((await on.events(messageId))[0].state, "DELIVERED");
  await turn(8 * 86_400_000);
  assert.deepEqual(await on.events(messageId), []);
  assert.ok(Date.now() - began < 10_000);
});

test("two brokers of one process are two", async (t) => {
  const [a, b] = [await embedded(t), await embedded(t, { token: "another" })];
  assert.notEqual(a.url, b.url);
  await a.qstash.publishJSON({ url: "http://127.0.0.1:1/", body: 1, delay: 60 });
  const messages = async (on) => (await on.json("/v2/events")).events.length;
  assert.deepEqual([await messages(a), await messages(b)], [1, 0]);
  assert.equal(b.broker.environment.QSTASH_TOKEN, "another");
});

test("what was told is kept in its file when it stops, and the file can be used again at once", async (t) => {
  const db = join(folder(), "kept", "broker.db");
  const { url, requests } = await server(t, () => ({}));
  const first = await startBroker({ port: 0, db });
  await assert.rejects(startBroker({ port: 0, db }), { code: "DatabaseInUse", name: "OrchestrationError" });
  await fetch(`${first.url}/v2/publish/${url}`, {
    method: "POST",
    headers: { authorization: `Bearer ${first.token}`, "upstash-delay": "1s" },
  });
  await first.stop();
  await first.stop();
  assert.equal(requests.length, 0);
  const second = await startBroker({ port: 0, db });
  t.after(() => second.stop(0));
  assert.equal(second.db, db);
  await until(() => requests.length === 1);
});

test("stopping gives what is under way its time, and leaves the rest for the next start", async (t) => {
  const db = join(folder(), "broker.db");
  let release;
  const { url, requests } = await server(t, ({ url: path }) =>
    path === "/slow" ? new Promise((resolve) => setTimeout(resolve, 300, {})) : new Promise((r) => (release = r)),
  );
  const broker = await startBroker({ port: 0, db, limits: { restartGrace: 0 } });
  const headers = { authorization: `Bearer ${broker.token}` };
  for (const path of ["/slow", "/endless"])
    await fetch(`${broker.url}/v2/publish/${url}${path}`, { method: "POST", headers });
  await until(() => requests.length === 2);
  const began = Date.now();
  await broker.stop(1000);
  assert.ok(Date.now() - began < 3000);
  release({});
  const again = await startBroker({ port: 0, db, limits: { restartGrace: 0 } });
  t.after(() => again.stop(0));
  await until(() => requests.length === 3);
  assert.equal(requests[2].url, "/endless");
  // Not a try that failed: whoever stopped it was us.
  assert.equal(requests[2].headers["upstash-retried"], "0");
  release({});
  await again.idle();
  assert.equal(requests.length, 3);
});

test("a process ends although a broker runs, if that is unreferenced", async (t) => {
  const script = `
    const { startBroker } = require("@repo/orchestration/server");
    startBroker({ port: 0, db: ":memory:" }).then((broker) => { broker.unref(); console.log(broker.url); });
  `;
  const running = program(t, ["--eval", script], { script: "--no-warnings", cwd: import.meta.dirname });
  const { code, stdout, stderr } = await running.exited;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\n$/);
});

test("options are checked", async () => {
  const refused = async (options, message) => {
    const error = await startBroker({ port: 0, db: ":memory:", ...options }).then(
      (broker) => broker.stop(0).then(() => assert.fail(`started with ${JSON.stringify(options)}`)),
      (error) => error,
    );
    assert.equal(error.code, "InvalidConfiguration", error.stack);
    assert.match(error.message, message);
  };
  await refused({ port: -1 }, /option port must be a whole number from 0 to 65535/);
  await refused({ connections: 0 }, /option connections must be/);
  await refused({ token: " " }, /token/);
  await refused({ apis: { lmm: "" } }, /no option 'lmm'/);
  await refused({ privateDestinations: "no" }, /'allow' or 'refuse'/);
  await refused({ prot: 1 }, /no option 'prot'/);
  await refused({ limits: { bodyBites: 1 } }, /no option 'bodyBites'/);
  await refused({ limits: { delay: "soon" } }, /soon/);
  await refused({ apis: { fax: "http://127.0.0.1" } }, /no option 'fax'/);
  await refused({ host: "203.0.113.1" }, /can't be listened at/);
  const error = await startBroker({ port: 0, db: ":memory:", currentSigningKey: "" }).catch((error) => error);
  assert.equal(error.code, "EmptyKeySet");
});

test("API destinations go where the options say", async (t) => {
  const { url, requests } = await server(t, () => ({}));
  const on = await embedded(t, { apis: { llm: `${url}/llm`, email: url } });
  for (const api of ["llm", "email"]) {
    const sent = await on.api(`/v2/publish/api/${api}`, {
      method: "POST",
      body: "{}",
      headers: {
        "content-type": "application/json",
        "upstash-forward-authorization": "Bearer sk-theirs",
        "upstash-callback": `${url}/told`,
      },
    });
    assert.equal(sent.status, 200, await sent.text());
  }
  await on.broker.idle();
  const calls = requests.filter(({ url: path }) => path !== "/told");
  const got = calls.map(({ url: path, headers }) => `${path} ${headers.authorization}`).sort();
  assert.deepEqual(got, ["/emails Bearer sk-theirs", "/llm/v1/chat/completions Bearer sk-theirs"]);
});
