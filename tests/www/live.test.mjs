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
/** Of the time between two frames while scrolling; a test machine is busy with the broker too. */
const LONGEST_FRAME_MS = 250;

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
  await page.evaluate(() => {
    globalThis.frames = [];
    let last = performance.now();
    const frame = (now) => {
      globalThis.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  // Down to the very first run, page after page.
  const scroller = table;
  const bottom = async () => {
    await scroller.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    return (await table.getAttribute("aria-rowcount")) !== "-1";
  };
  const end = Date.now() + 120_000;
  while (!(await bottom())) assert.ok(Date.now() < end, "the end of the list was not reached");
  assert.ok(Number(await table.getAttribute("aria-rowcount")) > MANY);
  await page.getByRole("row").filter({ hasText: "live-one" }).waitFor();
  assert.ok((await table.getByRole("row").count()) < 100, "only what is on screen exists");

  // Now that all are known: from end to end and back.
  const frames = await scroller.evaluate(async (element) => {
    globalThis.frames.length = 0;
    const steps = 120;
    for (const direction of [1, -1]) {
      for (let step = 0; step <= steps; step += 1) {
        const part = direction > 0 ? 1 - step / steps : step / steps;
        element.scrollTop = part * element.scrollHeight;
        await new Promise((next) => requestAnimationFrame(next));
      }
    }
    return globalThis.frames.toSorted((one, other) => one - other);
  });
  const at = (part) => frames[Math.min(frames.length - 1, Math.floor(part * frames.length))];
  console.log(
    `scrolling ${MANY} rows: frames p50 ${at(0.5).toFixed(0)} ms, p95 ${at(0.95).toFixed(0)} ms, longest ${at(1).toFixed(0)} ms`,
  );
  assert.ok(at(0.95) < LONGEST_FRAME_MS, `95 % of the frames took up to ${at(0.95).toFixed(0)} ms`);

  await page.getByLabel(/^Search/).fill("many-4321");
  await page.getByRole("row").filter({ hasText: "many-4321" }).waitFor();
  assert.match(page.url(), /many-4321/);
  assert.deepEqual(errors, []);
  await close();
});
