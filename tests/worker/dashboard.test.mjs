// The dashboard's files beside the broker, on Workers: in workerd as `make dev` runs it, and in miniflare as wrangler.toml says.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { startMiniflare } from "./miniflare.mjs";
import {
  actionsOfThePagePass,
  nothingLeadsOut,
  pagesAreServed,
  theApiIsFirst,
  whatIsNowhereIsNotFound,
} from "./page-checks.mjs";
import { ask, BROWSER, writePages } from "./pages.mjs";
import { broker, folder, TOKEN } from "./support.mjs";

const ROOT = resolve(import.meta.dirname, "../..");

test("workerd: the dashboard is at /, the API and the samples are where they were", async (t) => {
  const on = await broker(t, { dashboard: writePages() });
  await pagesAreServed(on.url);
  await theApiIsFirst(on.url, TOKEN);
  await whatIsNowhereIsNotFound(on.url);
  await nothingLeadsOut(on.url);
  await actionsOfThePagePass(on.url, TOKEN);
  const sample = await ask(on.url, "/samples/order", { method: "POST", headers: BROWSER });
  assert.equal(sample.status, 401, "a delivery without a signature");
});

test("workerd: without a dashboard / is the index", async (t) => {
  const on = await broker(t, { dashboard: false });
  for (const headers of [BROWSER, {}]) {
    const { status, text } = await ask(on.url, "/", { headers });
    assert.deepEqual([status, JSON.parse(text).name], [200, "orchestration"]);
    const missing = await ask(on.url, "/runs", { headers });
    assert.deepEqual([missing.status, missing.headers["content-type"]], [404, "application/json"]);
  }
});

test("miniflare: the assets of wrangler.toml answer alike, and know what a browser has", async (t) => {
  mkdirSync(join(ROOT, "www/out"), { recursive: true });
  const miniflare = startMiniflare({ storage: folder(), assets: writePages() });
  t.after(() => miniflare.dispose());
  const url = (await miniflare.ready).origin;
  await pagesAreServed(url);
  await theApiIsFirst(url, TOKEN);
  await whatIsNowhereIsNotFound(url);
  await nothingLeadsOut(url);
  const { headers } = await ask(url, "/runs", { headers: BROWSER });
  assert.match(headers.etag ?? "", /^(W\/)?".+"$/);
  const again = await ask(url, "/runs", { headers: { ...BROWSER, "if-none-match": headers.etag } });
  assert.deepEqual([again.status, again.text, again.headers.etag], [304, "", headers.etag]);
});
