// `make dev`, without make: what it prints, how it stops, what it says when it can't start.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import test from "node:test";
import { folder, TOKEN, until } from "./support.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PAGES = resolve(ROOT, "www/out/index.html");

function dev(t, ...options) {
  const storage = folder();
  const child = spawn(process.execPath, ["scripts/dev.mjs", "--storage", storage, ...options], { cwd: ROOT });
  t.after(() => child.kill("SIGTERM"));
  const run = { child, output: "", ended: once(child, "close") };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (run.output += data));
  return run;
}

/** A port that was free a moment ago, and the server that takes it. */
async function listener() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: server.address().port };
}

test("make dev prints what clients need, answers, and stops on SIGINT", async (t) => {
  const { server, port } = await listener();
  await new Promise((closed) => server.close(closed));
  const run = dev(t, "--port", String(port));
  await until(() => /The broker is ready/.test(run.output) && /samples/.test(run.output), 20_000);
  assert.ok(run.output.split("\n").length < 24, "the banner fits a screen");
  const value = (name) => run.output.match(new RegExp(`${name}="(.+)"`))[1];
  assert.equal(value("QSTASH_TOKEN"), TOKEN);
  const dashboard = run.output.match(/Dashboard: +(.+)/)[1];
  if (existsSync(PAGES)) {
    assert.equal(new URLSearchParams(new URL(dashboard).hash.slice(1)).get("token"), TOKEN);
    const page = await fetch(dashboard, { headers: { accept: "text/html" } });
    assert.match(page.headers.get("content-type"), /^text\/html/);
  } else assert.match(dashboard, /^not built/);
  const keys = await fetch(`${value("QSTASH_URL")}/v2/keys`, { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.deepEqual(await keys.json(), {
    current: value("QSTASH_CURRENT_SIGNING_KEY"),
    next: value("QSTASH_NEXT_SIGNING_KEY"),
  });
  run.child.kill("SIGINT");
  assert.deepEqual(await run.ended, [0, null]);
  await assert.rejects(fetch(value("QSTASH_URL")));
});

test("make dev says what to do when its port is taken", async (t) => {
  const { server, port } = await listener();
  t.after(() => server.close());
  const run = dev(t, "--port", String(port));
  assert.deepEqual(await run.ended, [1, null]);
  assert.match(
    run.output,
    new RegExp(`port ${port} is taken by another program: stop it, or run .*--port ${port + 1}`),
  );
});
