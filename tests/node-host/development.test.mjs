// `QSTASH_DEV=true`: whoever needs the broker first starts it, everybody else finds it, and production is left alone.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createListener } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Client as Official } from "@upstash/qstash";
import { folder, program, server, until } from "./support.mjs";

const APPLICATION = join(import.meta.dirname, "programs/application.mjs");
const TOKEN = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
const KEYS = { current: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r", next: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs" };
const STARTED = "[orchestration] the broker is at";

/** A folder and a port of their own, and applications that run there. */
async function project(t) {
  const listener = createListener().listen(0, "127.0.0.1");
  await until(() => listener.listening);
  const { port } = listener.address();
  await new Promise((closed) => listener.close(closed));
  const cwd = folder();
  const env = { QSTASH_DEV: "true", QSTASH_DEV_PORT: String(port) };
  const url = `http://127.0.0.1:${port}`;
  return {
    cwd,
    url,
    port,
    env,
    start: (args, more = {}) => program(t, args, { cwd, script: APPLICATION, env: { ...env, ...more } }),
    keys: async () => {
      const answer = await fetch(`${url}/v2/keys`, { headers: { authorization: `Bearer ${TOKEN}` } }).catch(() => {});
      return answer?.json();
    },
  };
}

/** What an application said. */
const said = async (application) => JSON.parse(await application.line(/^["{]/));

test("the client starts it, and what it publishes is delivered", async (t) => {
  const at = await project(t);
  const { url, requests } = await server(t, () => ({}));
  const application = at.start(["client", url]);
  const { messageId } = await said(application);
  await until(() => requests.length === 1);
  assert.equal(requests[0].headers["upstash-message-id"], messageId);
  assert.deepEqual(await at.keys(), KEYS);
  assert.ok(existsSync(join(at.cwd, ".orchestration/broker.db")));
  assert.ok(application.output.stdout.startsWith(STARTED), application.output.stdout);
  assert.equal(application.output.stderr, "");
});

for (const role of ["receiver", "serve"]) {
  test(`${role} starts it when it is made, so that what waits from before is delivered`, async (t) => {
    const at = await project(t);
    const { url, requests } = await server(t, () => ({}));
    // A script that ends takes the broker with it, at once; what it published stays.
    const script = at.start(["script", url]);
    const { messageId } = await said(script);
    assert.equal((await script.exited).code, 0);
    at.start([role]);
    await until(() => requests.some(({ headers }) => headers["upstash-message-id"] === messageId));
    assert.deepEqual(await at.keys(), KEYS);
  });
}

test("six processes that start at once end with one broker, used by all", async (t) => {
  const at = await project(t);
  const { url, requests } = await server(t, () => ({}));
  const applications = Array.from({ length: 6 }, () => at.start(["client", url]));
  const sent = await Promise.all(applications.map(said));
  assert.equal(new Set(sent.map(({ messageId }) => messageId)).size, 6, JSON.stringify(sent));
  assert.equal(applications.filter(({ output }) => output.stdout.includes(STARTED)).length, 1);
  await until(() => requests.length >= 6);
  assert.deepEqual(readdirSync(at.cwd), [".orchestration"]);
});

test("if the process that has it dies, another that used it takes over, with everything in it", async (t) => {
  const at = await project(t);
  const { url, requests } = await server(t, () => ({}));
  const first = at.start(["client"]);
  assert.deepEqual(await said(first), KEYS);
  const second = at.start(["client"]);
  assert.deepEqual(await said(second), KEYS);
  const client = new Official({ baseUrl: at.url, token: TOKEN, enableTelemetry: false });
  await client.publishJSON({ url, body: 1, delay: 2 });
  await first.kill();
  await second.line(/the broker is at/);
  await until(() => requests.length === 1);
  assert.deepEqual(await at.keys(), KEYS);
});

test("the program is found, by the official client in development mode too", async (t) => {
  const at = await project(t);
  const running = program(t, ["dev", "--db", ":memory:"], { cwd: at.cwd, env: at.env });
  assert.match(await running.line(/URL/), new RegExp(`${at.url}$`));
  const application = at.start(["client"]);
  assert.deepEqual(await said(application), KEYS);
  assert.ok(!application.output.stdout.includes(STARTED));
  assert.ok(!existsSync(join(at.cwd, ".orchestration")));

  const script = `
    const { Client } = require("@upstash/qstash");
    new Client({ devMode: true, enableTelemetry: false }).publishJSON({ url: "http://127.0.0.1:1/", body: 1 })
      .then(({ messageId }) => { console.log(messageId); process.exit(); });
  `;
  const { QSTASH_DEV_PORT } = at.env;
  const official = program(t, ["--eval", script], {
    script: "--no-warnings",
    cwd: import.meta.dirname,
    env: { QSTASH_DEV_PORT },
  });
  assert.match(await official.line(/^msg_/), /^msg_/);
});

test("in production nothing is started, and using it is an error", async (t) => {
  const at = await project(t);
  const production = { NODE_ENV: "production" };
  const { code, message } = await said(at.start(["client"], production));
  assert.equal(code, "InvalidConfiguration");
  assert.match(message, /NODE_ENV is production/);
  for (const role of ["receiver", "serve"]) assert.equal(await said(at.start([role], production)), "made");
  // Nor during a build of Next.js, which imports every route.
  assert.equal(await said(at.start(["serve"], { NEXT_PHASE: "phase-production-build" })), "made");
  await pause(1000);
  assert.equal(await at.keys(), undefined);
  assert.deepEqual(readdirSync(at.cwd), []);
});

test("something else at the address is an error that says what to do", async (t) => {
  const at = await project(t);
  const other = createServer((_, response) => response.end("hello")).listen(at.port, "127.0.0.1");
  t.after(() => {
    other.closeAllConnections();
    other.close();
  });
  const { code, message } = await said(at.start(["client"]));
  assert.equal(code, "BrokerUnreachable");
  assert.match(message, new RegExp(`no broker at ${at.url}: another program answers there; QSTASH_DEV_PORT`));
});

test("a broker whose keys were rotated is told from another program, at the address and in the file", async (t) => {
  const at = await project(t);
  const running = program(t, ["dev"], { cwd: at.cwd, env: at.env });
  await running.line(/Ctrl-C/);
  assert.deepEqual(await said(at.start(["client"])), KEYS);
  const headers = { authorization: `Bearer ${TOKEN}` };
  assert.ok((await fetch(`${at.url}/v2/keys/rotate`, { method: "POST", headers })).ok);
  const there = await said(at.start(["client"]));
  assert.equal(there.code, "BrokerMismatch");
  assert.match(
    there.message,
    new RegExp(`a broker answers at ${at.url} whose .* rotated: set QSTASH_URL, .*delete its`),
  );
  await running.kill("SIGTERM");
  const nobody = await said(at.start(["client"]));
  assert.equal(nobody.code, "BrokerMismatch");
  assert.match(nobody.message, /the database .*broker\.db is that of a broker whose .* or stop it and delete it/);
  assert.equal(await at.keys(), undefined, "it does not go on with keys that nobody believes");
});

test("a broker with a token of its own is told from another program", async (t) => {
  const at = await project(t);
  const running = program(t, ["dev", "--token", "own", "--db", ":memory:"], { cwd: at.cwd, env: at.env });
  await running.line(/Ctrl-C/);
  const { code, message } = await said(at.start(["client"]));
  assert.equal(code, "BrokerMismatch");
  assert.match(message, /were configured or rotated/);
});

test("a broker on the same file at another port is an error that says what to do", async (t) => {
  const at = await project(t);
  const running = program(t, ["dev", "--port", "0"], { cwd: at.cwd });
  await running.line(/URL/);
  const { code, message } = await said(at.start(["client"]));
  assert.equal(code, "BrokerUnreachable");
  assert.match(message, /broker\.db is in use by another process.*QSTASH_DEV_PORT/);
});
