// The dashboard's files beside the broker, on Node: the built package with a dashboard of a few files.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import test from "node:test";
import {
  actionsOfThePagePass,
  nothingLeadsOut,
  pagesAreServed,
  theApiIsFirst,
  whatIsNowhereIsNotFound,
} from "../worker/page-checks.mjs";
import { ask, BROWSER, LINKS, writePages } from "../worker/pages.mjs";
import { CLI, embedded, folder, program } from "./support.mjs";

/** The built package's process side in a folder of its own, beside a dashboard. */
function installed({ withPages = true } = {}) {
  const root = folder();
  cpSync(dirname(CLI), join(root, "dist/node"), { recursive: true });
  if (withPages) writePages(join(root, "dashboard"), { links: true });
  return root;
}

async function started(t, options) {
  const { startBroker } = createRequire(import.meta.url)(join(installed(), "dist/node/broker.cjs"));
  const broker = await startBroker({ port: 0, db: ":memory:", dashboard: true, ...options });
  t.after(() => broker.stop(0));
  return broker;
}

test("the dashboard is at /, the API is where it was, and nothing leads out of the folder", async (t) => {
  const { url, token, dashboard } = await started(t);
  assert.equal(dashboard, `${url}/`);
  await pagesAreServed(url);
  await theApiIsFirst(url, token);
  await whatIsNowhereIsNotFound(url);
  await nothingLeadsOut(url, LINKS);
  await actionsOfThePagePass(url, token);
});

test("a browser that has a file is told so", async (t) => {
  const { url } = await started(t);
  const { headers } = await ask(url, "/runs", { headers: BROWSER });
  const known = (tag) => ask(url, "/runs", { headers: { ...BROWSER, "if-none-match": tag } });
  for (const tag of [headers.etag, `"other", W/${headers.etag}`]) {
    const again = await known(tag);
    assert.deepEqual([again.status, again.text, again.headers.etag], [304, "", headers.etag], tag);
    assert.ok(!("content-length" in again.headers), "of a 304 it would be that of the file");
  }
  assert.equal((await known('"other"')).status, 200);
  const other = await ask(url, "/", { headers: BROWSER });
  assert.notEqual(other.headers.etag, headers.etag);
});

test("pages of a site whose name leads here are not served with the public token", async (t) => {
  const { url } = await started(t);
  const { status, text } = await ask(url, "/runs", { headers: { ...BROWSER, host: "evil.example" } });
  assert.equal(status, 403);
  assert.doesNotMatch(text, /<title>/);
});

test("startBroker serves no dashboard unless it is told to", async (t) => {
  const on = await embedded(t);
  assert.equal(on.broker.dashboard, undefined);
  const { text } = await ask(on.url, "/", { headers: BROWSER });
  assert.equal(JSON.parse(text).name, "orchestration");
  await assert.rejects(embedded(t, { dashboard: "yes" }), /the option dashboard must be true or false/);
});

test("dev prints the dashboard's address, with the token only if everybody knows it", async (t) => {
  const root = installed();
  const script = join(root, "dist/node/cli.cjs");
  const printed = async (script, args) => {
    const running = program(t, ["dev", "--port", "0", "--db", ":memory:", ...args], { script });
    const line = await running.line(/^ *Dashboard /);
    await running.line(/Ctrl-C/);
    return { line: line.trim().replace(/^Dashboard +/, ""), output: running.output.stdout };
  };
  const known = await printed(script, []);
  const address = new URL(known.line);
  const token = /QSTASH_TOKEN="(.+)"/.exec(known.output)[1];
  assert.equal(new URLSearchParams(address.hash.slice(1)).get("token"), token);
  const page = await ask(address.origin, "/", { headers: BROWSER });
  assert.match(page.text, /<title>overview/);

  const secret = await printed(script, ["--token", "a-secret"]);
  assert.match(secret.line, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.doesNotMatch(secret.output, /a-secret/);

  const bare = await printed(join(installed({ withPages: false }), "dist/node/cli.cjs"), []);
  assert.equal(bare.line, "not in this build");
});
