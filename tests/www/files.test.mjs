// The dashboard as files beside a broker, in a browser: on Node.js, in workerd as `make dev` runs it, and as Workers' assets.

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { startBroker } from "@repo/orchestration/server";
import { Client } from "@repo/orchestration/workflows";
import { developmentBindings, startWorker } from "../../scripts/workerd.mjs";
import { startMiniflare } from "../worker/miniflare.mjs";
import { folder } from "../worker/support.mjs";
import { assertSmall, settled, startBrowser, visit } from "./lib/browser.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const { QSTASH_TOKEN: TOKEN } = developmentBindings();
const PAGES = {
  "/": "Overview",
  "/runs": "Runs",
  "/messages": "Messages",
  "/logs": "Logs",
  "/dlq": "Dead letters",
  "/queues": "Queues",
  "/url-groups": "URL groups",
  "/schedules": "Schedules",
  "/flow-control": "Flow control",
  "/keys": "Signing keys",
  "/playground": "Playground",
};

const HOSTS = {
  async "Node.js"() {
    const broker = await startBroker({ port: 0, db: ":memory:", token: TOKEN, dashboard: true });
    return { url: broker.url, stop: () => broker.stop(0) };
  },
  async workerd() {
    const worker = await startWorker({ port: 0, persistDir: folder() });
    return { url: worker.url, stop: () => worker.kill() };
  },
  async "Workers' assets"() {
    const miniflare = startMiniflare({ storage: folder(), assets: join(ROOT, "www/out") });
    return { url: (await miniflare.ready).origin, stop: () => miniflare.dispose() };
  },
};

describe("the dashboard as files", () => {
  for (const [name, start] of Object.entries(HOSTS)) {
    describe(name, () => {
      let host;
      let browser;

      before(async () => {
        host = await start();
        browser = await startBrowser();
      });

      after(async () => {
        await browser?.close();
        await host?.stop();
      });

      test("logs in by token, and out; the token is this tab's alone", async () => {
        const { page, errors, close } = await browser.open({ tolerate: /status of 401/ });
        await page.goto(`${host.url}/queues`);
        await page.getByLabel("Token").fill("something else");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByText("The broker does not know this token.").waitFor();

        await page.getByLabel("Token").fill(TOKEN);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Queues" }).waitFor();
        await page.locator('[data-connection="live"]').waitFor();
        await page.getByRole("button", { name: "Create a queue" }).first().click();
        await page.getByRole("dialog").getByLabel("Name").fill("mails");
        await page.getByRole("dialog").getByRole("button", { name: "Create", exact: true }).click();
        await page.getByRole("row").filter({ hasText: "mails" }).waitFor();
        await page.reload();
        await page.getByRole("row").filter({ hasText: "mails" }).waitFor();
        const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie, location.href]));
        assert.ok(!kept.includes(TOKEN), kept);

        const other = await page.context().newPage();
        await other.goto(`${host.url}/queues`);
        await other.getByRole("heading", { name: "Sign in" }).waitFor();
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("heading", { name: "Sign in" }).waitFor();
        await page.reload();
        await page.getByRole("heading", { name: "Sign in" }).waitFor();
        assert.deepEqual(errors, []);
        await close();
      });

      test("each page opens by its address, and breaks no rule of its own policy", async () => {
        const { page, errors, close } = await browser.open();
        await page.goto(`${host.url}/#token=${encodeURIComponent(TOKEN)}`);
        await settled(page);
        assert.equal(page.url(), `${host.url}/`);
        for (const [path, heading] of Object.entries(PAGES)) {
          await visit(page, host.url + path);
          await page.getByRole("heading", { level: 1, name: heading }).waitFor();
        }
        // The core in WebAssembly, which the policy must let through.
        await visit(page, `${host.url}/playground?tab=times`);
        await page.locator("[data-delays] tbody tr").nth(7).waitFor();
        assert.equal(await page.getByRole("link", { name: "Samples" }).count(), 0);
        assert.deepEqual(errors, []);
        await close();
      });

      test("a run appears, and is cancelled", async () => {
        const { page, errors, close } = await browser.open();
        await page.goto(`${host.url}/runs#token=${encodeURIComponent(TOKEN)}`);
        await page.locator('[data-connection="live"]').waitFor();
        await assertSmall(page, `${host.url}/runs`);
        const client = new Client({ baseUrl: host.url, token: TOKEN });
        const { workflowRunId } = await client.trigger({
          url: "http://127.0.0.1:9/later",
          label: "seen-live",
          delay: "1h",
        });
        await page.getByRole("row").filter({ hasText: "seen-live" }).getByRole("link").click();
        await page.getByRole("button", { name: "Cancel", exact: true }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
        await page.locator('[data-run-state="RUN_CANCELED"]').waitFor();
        assert.match(page.url(), new RegExp(`/run\\?id=${workflowRunId}`));
        assert.deepEqual(errors, []);
        await close();
      });
    });
  }
});
