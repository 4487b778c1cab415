// `startBroker` in a process: for tests of applications, with a clock of their own.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
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
    startBroker({ port: 0, db: ":memory:" }).then(async (broker) => {
      broker.unref();
      // A connection that is kept does not keep the process.
      await fetch(broker.url + "/health").then((answer) => answer.text());
      console.log(broker.url);
    });
  `;
  const began = Date.now();
  const running = program(t, ["--eval", script], { script: "--no-warnings", cwd: import.meta.dirname });
  const { code, stdout, stderr } = await running.exited;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\n$/);
  assert.ok(Date.now() - began < 20_000);
});

test("who opens it to others with what everybody knows is warned", async (t) => {
  const warnings = async (options) => {
    const seen = [];
    await embedded(t, { onWarning: ({ code, message }) => seen.push(`${code}: ${message}`), ...options });
    return seen;
  };
  const own = { token: "own", currentSigningKey: "sig_own", nextSigningKey: "sig_other" };
  assert.deepEqual(await warnings({}), []);
  assert.deepEqual(await warnings({ host: "0.0.0.0", ...own }), []);
  const warned = (known) => [
    `PublicIdentity: others can reach this broker, and everybody knows ${known}: set your own`,
  ];
  assert.deepEqual(await warnings({ host: "0.0.0.0" }), warned("its token and its signing keys"));
  assert.deepEqual(await warnings({ host: "0.0.0.0", ...own, token: undefined }), warned("its token"));
  assert.deepEqual(await warnings({ host: "0.0.0.0", ...own, nextSigningKey: undefined }), warned("its signing keys"));
});

test("the files of a database are their owner's alone, also in a folder that is everybody's", async (t) => {
  const cwd = folder();
  chmodSync(cwd, 0o755);
  const on = await embedded(t, { db: join(cwd, "broker.db") });
  await on.qstash.publishJSON({ url: "http://127.0.0.1:1/", body: 1, delay: 60 });
  const files = readdirSync(cwd);
  assert.ok(files.includes("broker.db") && files.includes("broker.db-wal"), files.join());
  for (const file of files) assert.equal(statSync(join(cwd, file)).mode & 0o777, 0o600, file);
});

test("how long and how much is kept can be said for each kind", async (t) => {
  let now = Date.now();
  const limits = { retention: "1h", deadLetterRetention: "3h", loggedEvents: 6, deadLetters: 3 };
  const on = await embedded(t, { now: () => now, limits });
  const { url } = await server(t, () => ({ status: 500 }));
  for (let index = 0; index < 5; index++) await on.qstash.publishJSON({ url, body: index, retries: 0 });
  await on.broker.idle();
  const kept = async (milliseconds) => {
    now += milliseconds;
    on.broker.wake();
    await on.broker.idle();
    return [(await on.json("/v2/events")).events.length, (await on.json("/v2/dlq")).messages.length];
  };
  assert.deepEqual(await kept(61_000), [6, 3]);
  assert.deepEqual(await kept(2 * 3_600_000), [0, 3]);
  assert.deepEqual(await kept(3_600_000), [0, 0]);
});

test("more clients than are allowed are closed, and the others go on", async (t) => {
  const on = await embedded(t, { clientConnections: 2 });
  const open = () => {
    const socket = connect(on.broker.port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    return socket;
  };
  const answered = async (socket) => {
    socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return String(await Promise.race([once(socket, "data"), once(socket, "close").then(() => "closed")]));
  };
  const [first, second] = [open(), open()];
  assert.match(await answered(first), /^HTTP\/1\.1 200/);
  assert.match(await answered(second), /^HTTP\/1\.1 200/);
  assert.equal(await once(open(), "close").then(() => "closed"), "closed");
  assert.match(await answered(first), /^HTTP\/1\.1 200/);
  first.destroy();
  await until(async () => (await answered(open())).startsWith("HTTP/1.1 200"));
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
  await refused({ clientConnections: 0 }, /option clientConnections must be/);
  await refused({ limits: { deadLetters: -1 } }, /deadLetters must be a whole number/);
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
