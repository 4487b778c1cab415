// The app with a broker that has only what hosted QStash documents: no changes told, no metrics, another address and token.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { startBroker } from "@repo/orchestration/server";
import { Client } from "@repo/orchestration/workflows";
import { startApp } from "./lib/app.mjs";
import { settled, startBrowser, visit } from "./lib/browser.mjs";
import { startEndpoints } from "./lib/endpoints.mjs";
import { eventually } from "./lib/stage.mjs";

const OURS = /^\/v2\/(changes|metrics)\b/;
const TOKEN = "a-token-as-the-console-shows-it";

const closers = [];
let broker;
let endpoints;
let app;
let browser;

before(async () => {
  broker = await startBroker({ port: 0, db: ":memory:", token: TOKEN });
  closers.push(() => broker.stop(0));
  endpoints = await startEndpoints({ broker });
  closers.push(() => endpoints.stop());
  const hosted = await withoutOurs(broker.url);
  closers.push(hosted.stop);
  app = await startApp({ broker, env: { QSTASH_URL: hosted.url, QSTASH_TOKEN: TOKEN, DASHBOARD_LOGIN: "on" } });
  closers.push(() => app.stop());
  browser = await startBrowser();
  closers.push(() => browser.close());
});

after(async () => {
  for (const close of closers.reverse()) await close();
});

/** The same broker, without what only ours answers. */
async function withoutOurs(target) {
  const server = createServer((incoming, answer) => {
    if (OURS.test(incoming.url)) {
      answer.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
      return;
    }
    const headers = { ...incoming.headers, host: new URL(target).host };
    const passed = request(target + incoming.url, { method: incoming.method, headers }, (from) => {
      answer.writeHead(from.statusCode, from.headers);
      from.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("runs appear and move, figures are counted from the log, and schedules are seen in time", async () => {
  const { page, errors, close } = await browser.open({ tolerate: /status of 404/ });
  await page.goto(`${app.url}/runs#token=${TOKEN}`);
  await settled(page);
  await page.locator('[data-connection="live"]').waitFor();
  const client = new Client({ baseUrl: broker.url, token: TOKEN });
  await client.trigger({ url: `${endpoints.url}/workflows/order`, body: { pause: 1 }, label: "from-afar" });
  await page.getByRole("row").filter({ hasText: "from-afar" }).getByText("Succeeded").waitFor({ timeout: 30_000 });

  await visit(page, `${app.url}/`);
  const succeeded = page.locator('[data-figure="Runs succeeded"]');
  await eventually(async () => /\b1\b/.test((await succeeded.textContent()) ?? ""), "the run is counted");

  await visit(page, `${app.url}/schedules`);
  await page.getByText("No schedule yet.").waitFor();
  const made = await fetch(`${broker.url}/v2/schedules/${endpoints.url}/answers/200`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "upstash-cron": "@yearly", "upstash-schedule-id": "from-elsewhere" },
  });
  assert.ok(made.ok, String(made.status));
  await page.getByRole("row").filter({ hasText: "from-elsewhere" }).waitFor({ timeout: 60_000 });
  assert.deepEqual(errors, []);
  await close();
});
