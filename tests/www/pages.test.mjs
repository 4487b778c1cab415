// Each page, in both themes and two sizes: accessible, without an error on the console, small, and photographed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Client } from "@repo/orchestration/workflows";
import { assertAccessible, screenshot, settled, visit } from "./lib/browser.mjs";
import { seed } from "./lib/seed.mjs";
import { eventually, openStage } from "./lib/stage.mjs";

/** What the first view of the list of runs may load. */
const FIRST_LOAD_BYTES = 200 * 1024;
const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844, hasTouch: true } };
const THEMES = ["light", "dark"];

let stage;
let addresses;

before(async () => {
  stage = await openStage();
  await seed({ broker: stage.broker, endpoints: stage.endpoints.url });
  addresses = await pages(stage.broker);
});

after(() => stage?.close());

/** The address of each page, with data. */
async function pages({ url, token }) {
  const client = new Client({ baseUrl: url, token });
  const ended = async (workflow, state) => {
    const { runs } = await client.logs({ count: 100, state });
    return runs.find(({ workflowUrl }) => workflowUrl.endsWith(workflow))?.workflowRunId;
  };
  const succeeded = await eventually(() => ended("order", "RUN_SUCCESS"), "an order succeeds");
  const failed = await eventually(() => ended("broken", "RUN_FAILED"), "a run fails");
  const waiting = await ended("approval", "RUN_STARTED");
  const logs = await fetch(`${url}/v2/logs?count=50`, { headers: { authorization: `Bearer ${token}` } });
  const { logs: entries, events = entries } = await logs.json();
  return {
    overview: "/",
    runs: "/runs",
    "run-succeeded": `/run?id=${succeeded}`,
    "run-failed": `/run?id=${failed}`,
    "run-waiting": `/run?id=${waiting}`,
    "run-unknown": "/run?id=wfr_nobody",
    messages: "/messages",
    message: `/message?id=${events[0].messageId}`,
    logs: "/logs",
    dlq: "/dlq",
    queues: "/queues",
    "url-groups": "/url-groups",
    schedules: "/schedules",
    "flow-control": "/flow-control",
    keys: "/keys",
    playground: "/playground",
    samples: "/samples",
    "not-found": "/nothing-here",
  };
}

describe("pages", { concurrency: 2 }, () => {
  for (const theme of THEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      describe(`${theme}, ${size}`, () => {
        let opened;
        before(async () => {
          // The browser tells a page of status 404 as an error; those two are asked for.
          opened = await stage.browser.open({ ...viewport, theme, tolerate: /status of 404/ });
        });
        after(() => opened?.close());

        test("every page", async (t) => {
          for (const [name, address] of Object.entries(addresses)) {
            await t.test(name, async () => {
              const { page, errors } = opened;
              errors.length = 0;
              await visit(page, stage.app.url + address);
              await screenshot(page, `${name}-${size}-${theme}`);
              await assertAccessible(page, name);
              const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
              assert.ok(sideways <= 0, `${name} is ${sideways} px wider than the window`);
              assert.deepEqual(errors, [], `${name} has errors on its console`);
            });
          }
        });
      });
    }
  }
});

test("the first view of the runs loads at most 200 KB of scripts", async () => {
  const { page, close } = await stage.browser.open();
  const sizes = new Map();
  page.on("request", (request) => {
    if (request.resourceType() === "script") sizes.set(request.url(), 0);
  });
  await visit(page, `${stage.app.url}/runs`);
  await page.getByRole("table", { name: "Runs" }).waitFor();
  // What is loaded ahead for other pages counts too.
  await page.evaluate(() => new Promise((idle) => requestIdleCallback(idle)));
  for (const url of sizes.keys()) {
    const script = Buffer.from(await (await fetch(url)).arrayBuffer());
    sizes.set(url, gzipSync(script, { level: 9 }).length);
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  await close();
  assert.ok(sizes.size > 3, `expected the scripts of an app, saw ${sizes.size}`);
  assert.ok(
    total <= FIRST_LOAD_BYTES,
    `${total} bytes in ${sizes.size} scripts: ${JSON.stringify([...sizes], null, 1)}`,
  );
  console.log(`first view of /runs: ${(total / 1024).toFixed(1)} KB of scripts, gzip`);
});

test("the theme can be chosen, and is there before the first paint next time", async () => {
  const { page, close } = await stage.browser.open({ theme: "light" });
  await visit(page, `${stage.app.url}/runs`);
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), "light");
  await page.getByRole("button", { name: /^Theme: system/ }).click();
  await page.getByRole("button", { name: /^Theme: light/ }).click();
  assert.equal(await theme(), "dark");
  await page.reload();
  assert.equal(await theme(), "dark");
  await settled(page);
  await close();
});
