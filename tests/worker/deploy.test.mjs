// The deployable Worker as wrangler sees it: its size, its configuration, its schedule, its own address.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { startMiniflare } from "./miniflare.mjs";
import { broker, folder, server, TOKEN, until } from "./support.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const GZIP_LIMIT_BYTES = 1_000_000;

// wrangler wants it to be there, with or without the dashboard in it.
mkdirSync(join(ROOT, "www/out"), { recursive: true });

/** What the platform's scheduler remembers of alarms; without it, every alarm is lost. */
function loseAlarms(storage) {
  const files = readdirSync(storage, { recursive: true }).filter((name) => /(^|\/)metadata\.sqlite/.test(name));
  assert.ok(files.length > 0, "the scheduler keeps its alarms elsewhere now");
  for (const name of files) rmSync(join(storage, name));
}

test("wrangler deploy --dry-run takes wrangler.toml as it stands; the upload is small", async (t) => {
  const out = folder();
  const { stdout } = await promisify(execFile)(
    join(ROOT, "node_modules/.bin/wrangler"),
    ["deploy", "--dry-run", "--outdir", out],
    { cwd: ROOT, env: { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false" }, maxBuffer: 1 << 24 },
  );
  for (const binding of [/env\.BROKER .*BrokerObject/, /env\.SELF .*orchestration/, /env\.ASSETS/])
    assert.match(stdout, binding);
  const sizes = readdirSync(out)
    .filter((name) => /\.(js|wasm)$/.test(name))
    .map((name) => [name, gzipSync(readFileSync(join(out, name))).length]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  t.diagnostic(`gzip: ${total} bytes (${sizes.map(([name, size]) => `${name} ${size}`).join(", ")})`);
  assert.ok(sizes.some(([name]) => name.endsWith(".wasm")) && sizes.some(([name]) => name.endsWith(".js")));
  assert.ok(total < GZIP_LIMIT_BYTES, `${total} bytes`);
  // The token and keys of development stay at home.
  assert.ok(!stdout.includes("QSTASH_TOKEN"));
});

test("what goes to the Worker's own address goes through its service binding, after a restart too", async (t) => {
  const on = await broker(t);
  // No resolver knows this name, so the network can't be the way.
  const host = "orchestration.invalid";
  const published = await new Promise((answered, failed) => {
    const headers = { host, authorization: `Bearer ${TOKEN}`, "upstash-delay": "1s", "upstash-method": "GET" };
    const url = `${on.url}/v2/publish/http://${host}/health`;
    request(url, { method: "POST", headers }, async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      answered(JSON.parse(text));
    })
      .on("error", failed)
      .end();
  });
  await on.kill();
  await on.restart();
  const delivered = await until(async () => {
    const { logs } = await on.qstash.logs({ filter: { messageId: published.messageId } });
    return logs.find((event) => event.state === "DELIVERED" || event.state === "ERROR");
  });
  assert.equal(delivered.state, "DELIVERED", JSON.stringify(delivered));
});

test("a broker whose alarm was lost is woken by the Worker's first request", async (t) => {
  const on = await broker(t);
  const endpoint = await server(t, () => {});
  await on.qstash.publish({ url: endpoint.url, delay: 1 });
  await on.kill();
  loseAlarms(on.persistDir);
  await on.restart();
  await until(() => endpoint.requests.length === 1);
});

test("in miniflare, from wrangler.toml: a broker whose alarm was lost is woken by the schedule", async (t) => {
  const storage = folder();
  const start = () => startMiniflare({ storage });
  const endpoint = await server(t, () => {});
  let miniflare = start();
  t.after(() => miniflare.dispose());
  const headers = { authorization: `Bearer ${TOKEN}`, "upstash-delay": "2s" };
  const url = `http://broker.test/v2/publish/${endpoint.url}`;
  const answer = await miniflare.dispatchFetch(url, { method: "POST", headers });
  assert.equal(answer.status, 200, await answer.text());
  await miniflare.dispose();
  loseAlarms(storage);

  miniflare = start();
  const entry = await miniflare.getWorker();
  await pause(3000);
  assert.equal(endpoint.requests.length, 0, "something else woke the broker");
  await entry.scheduled({ cron: "* * * * *" });
  await until(() => endpoint.requests.length === 1);
});
