// Live data: what happens is shown without a reload, also after the broker was away, and in a list of thousands.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBroker } from "@repo/orchestration/server";
import { Client } from "@repo/orchestration/workflows";
import { startApp } from "./lib/app.mjs";
import { startBrowser, visit } from "./lib/browser.mjs";
import { startEndpoints } from "./lib/endpoints.mjs";

const MANY = 5_000;
const BATCH = 100;
/** A frame of scrolling a long list may take so many times what it takes in a short one. */
const GROWTH = 1.5;
/** In ms, so that a test machine without a graphics card, and busy, passes. */
const MOST_OF_FRAME = 150;

let folder;
let broker;
let endpoints;
let app;
let browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "orchestration-www-"));
  broker = await startBroker({ port: 0, db: join(folder, "broker.db") });
  endpoints = await startEndpoints({ broker });
  app = await startApp({ broker });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await app?.stop();
  await endpoints?.stop();
  await broker?.stop(0);
  rmSync(folder, { recursive: true, force: true });
});

const client = () => new Client({ baseUrl: broker.url, token: broker.token });
const order = (label) => client().trigger({ url: `${endpoints.url}/workflows/order`, body: { pause: 1 }, label });

test("a run that is started appears, and its state moves", async () => {
  const { page, errors, close } = await browser.open();
  await visit(page, `${app.url}/runs`);
  await page.locator('[data-connection="live"]').waitFor();
  await order("live-one");
  const row = page.getByRole("row").filter({ hasText: "live-one" });
  await row.getByText("Running").waitFor();
  await row.getByText("Succeeded").waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test("the broker goes away and comes back", async () => {
  const { page, close } = await browser.open({ tolerate: /status of 50[234]|ERR_/ });
  await visit(page, `${app.url}/runs`);
  await page.locator('[data-connection="live"]').waitFor();
  const { port } = broker;
  await broker.stop(0);
  await page.getByText("The broker does not answer").waitFor();
  await page.getByRole("row").filter({ hasText: "live-one" }).waitFor();

  broker = await startBroker({ port, db: join(folder, "broker.db") });
  await page.locator('[data-connection="live"]').waitFor({ timeout: 30_000 });
  assert.equal(await page.getByText("The broker does not answer").count(), 0);
  await order("after-the-break");
  await page.getByRole("row").filter({ hasText: "after-the-break" }).waitFor();
  await close();
});

test(`${MANY} runs are listed, scrolled and searched without lag`, async () => {
  for (let from = 0; from < MANY; from += BATCH) {
    await client().trigger(
      Array.from({ length: BATCH }, (_, index) => ({
        url: `${endpoints.url}/workflows/order`,
        workflowRunId: `many-${from + index}`,
        label: `many-${from + index}`,
        delay: "1d",
      })),
    );
  }
  const { page, errors, close } = await browser.open();
  await visit(page, `${app.url}/runs`);
  const table = page.getByRole("table", { name: "Runs" });
  await table.getByRole("row").nth(5).waitFor();
  // Down to the very first run, page after page.
  const bottom = () => table.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
  const end = Date.now() + 120_000;
  let short;
  for (;;) {
    await bottom();
    const count = await table.getAttribute("aria-rowcount");
    if (count !== "-1") break;
    if (!short && (await table.getByRole("row").last().getAttribute("aria-rowindex")) > 4 * BATCH)
      short = await frameOfScrolling(page, table);
    assert.ok(Date.now() < end, "the end of the list was not reached");
  }
  assert.ok(Number(await table.getAttribute("aria-rowcount")) > MANY);
  await page.getByRole("row").filter({ hasText: "live-one" }).waitFor();
  assert.ok((await table.getByRole("row").count()) < 100, "only what is on screen exists");

  const long = await frameOfScrolling(page, table);
  console.log(`scrolling ${MANY} rows: ${long.toFixed(1)} ms a frame, and ${short.toFixed(1)} ms among the first`);
  assert.ok(long < GROWTH * short && long < MOST_OF_FRAME, `${long} ms a frame, and ${short} ms among few`);

  await page.getByLabel(/^Search/).fill("many-4321");
  await page.getByRole("row").filter({ hasText: "many-4321" }).waitFor();
  assert.match(page.url(), /many-4321/);
  assert.deepEqual(errors, []);
  await close();
});

/** What the page's thread computes for a frame, in ms, while whole screens of rows go by, up and down. */
async function frameOfScrolling(page, table) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const computed = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
  };
  const began = await computed();
  const frames = await table.evaluate(async (element) => {
    const SCREEN = 50 * 40;
    const nextFrame = () => new Promise((next) => requestAnimationFrame(next));
    let frames = 0;
    const step = async (by) => {
      element.scrollTop += by * SCREEN;
      frames += 1;
      await nextFrame();
    };
    element.scrollTop = 0;
    while (frames < 100) {
      const down = Math.min(50, Math.floor(element.scrollHeight / SCREEN) - 1);
      for (let at = 0; at < down; at += 1) await step(1);
      for (let at = 0; at < down; at += 1) await step(-1);
    }
    return frames;
  });
  const each = ((await computed()) - began) / frames;
  await devtools.detach();
  return each;
}

test("a filter leaves nothing of the list before it", async () => {
  // The last row of the first page does not fit; what comes after it does.
  const left = await runLabelled(MANY - BATCH);
  await client().cancel({ ids: [left.workflowRunId] });
  const { page, close } = await browser.open();
  await visit(page, `${app.url}/runs`);
  const table = page.getByRole("table", { name: "Runs" });
  const row = (label) => table.getByRole("row").filter({ has: page.getByText(label, { exact: true }) });
  const toSecondPage = () => table.evaluate((element) => element.scrollTo({ top: 98 * 40 }));
  await row(`many-${MANY - 1}`).waitFor();
  await toSecondPage();
  await row(left.label).waitFor();
  await page.getByLabel("Status").selectOption("RUN_STARTED");
  await page.waitForURL(/RUN_STARTED/);
  await row(`many-${MANY - 1}`).waitFor();
  await toSecondPage();
  await row(`many-${MANY - BATCH - 1}`).waitFor();
  assert.equal(await row(left.label).count(), 0);
  await close();
});

test("data moves on while answers take longer than changes", async () => {
  const { page, close } = await browser.open();
  await page.route(/\/v2\/workflows\/logs/, async (route) => {
    await new Promise((next) => setTimeout(next, 900));
    await route.continue();
  });
  await visit(page, `${app.url}/runs`);
  await page.locator('[data-connection="live"]').waitFor();
  const { Client: Qstash } = await import("@repo/orchestration/client");
  const qstash = new Qstash({ baseUrl: broker.url, token: broker.token });
  const noise = setInterval(() => qstash.publish({ url: `${endpoints.url}/answers/200` }).catch(() => {}), 150);
  try {
    await order("among-noise");
    await page.getByRole("row").filter({ hasText: "among-noise" }).waitFor();
  } finally {
    clearInterval(noise);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await close();
  }
});

test("a next page that can't be read is told, and not asked for again and again", async () => {
  const { page, close } = await browser.open({ tolerate: /status of 500/ });
  let asked = 0;
  await page.route(/\/v2\/workflows\/logs\?.*cursor=/, (route) => {
    asked += 1;
    return route.fulfill({ status: 500, json: { error: "the disk is full" } });
  });
  await visit(page, `${app.url}/runs`);
  const table = page.getByRole("table", { name: "Runs" });
  await table.getByRole("row").nth(5).waitFor();
  await table.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
  await page.getByText("the disk is full").waitFor();
  // Any number of renderings later.
  await page.evaluate(async () => {
    for (let frame = 0; frame < 60; frame += 1) await new Promise((next) => requestAnimationFrame(next));
  });
  // Once, and once more if the head was read again meanwhile.
  assert.ok(asked <= 2, `it was asked ${asked} times`);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.getByRole("button", { name: "Load more" }).click();
  await page.getByText("the disk is full").waitFor({ state: "detached" });
  await close();
});

test("a tab in the background leaves its connection to others, and catches up", async () => {
  const { page, close } = await browser.open();
  await page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    globalThis.hide = (next) => {
      hidden = next;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  await visit(page, `${app.url}/runs`);
  await page.locator('[data-connection="live"]').waitFor();
  const ended = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/v2/changes"));
  await page.evaluate(() => globalThis.hide(true));
  await ended;
  await order("while-away");
  await page.evaluate(() => globalThis.hide(false));
  await page.getByRole("row").filter({ hasText: "while-away" }).waitFor();
  await close();
});

async function runLabelled(number) {
  const { runs } = await client().logs({ label: `many-${number}` });
  return runs[0];
}
