// Each page, in both themes and two sizes: accessible, without an error on the console, small, and photographed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "@repo/orchestration/workflows";
import { startApp } from "./lib/app.mjs";
import { assertAccessible, assertSmall, screenshot, settled, visit } from "./lib/browser.mjs";
import { seed } from "./lib/seed.mjs";
import { eventually, openStage } from "./lib/stage.mjs";

const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844, hasTouch: true } };
const THEMES = ["light", "dark"];
const SAMPLES = ["order", "approval", "report", "images", "webhook", "ai", "trip"];
/** Those whose data is not there, which browsers tell as an error. */
const MISSING = new Set(["run-unknown", "not-found"]);

let stage;
let closed;
let empty;
let addresses;

before(async () => {
  stage = await openStage();
  await seed({ broker: stage.broker, endpoints: stage.endpoints.url });
  addresses = await pages(stage.broker);
  closed = await startApp({ broker: stage.broker, env: { DASHBOARD_LOGIN: "on" } });
  empty = await openStage();
});

after(async () => {
  await closed?.stop();
  await empty?.close();
  await stage?.close();
});

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
    "dlq-runs": "/dlq?kind=runs",
    queues: "/queues",
    "url-groups": "/url-groups",
    schedules: "/schedules",
    "flow-control": "/flow-control",
    keys: "/keys",
    playground: "/playground",
    "playground-times": "/playground?tab=times",
    "playground-history": `/playground?tab=history&run=${succeeded}`,
    ...Object.fromEntries(SAMPLES.map((sample) => [`sample-${sample}`, `/samples?sample=${sample}`])),
    "not-found": "/nothing-here",
  };
}

describe("pages", { concurrency: 2 }, () => {
  for (const theme of THEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      describe(`${theme}, ${size}`, () => {
        let opened;
        before(async () => {
          opened = await stage.browser.open({ ...viewport, theme });
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
              const unexpected = errors.filter((text) => !MISSING.has(name) || !/status of 404/.test(text));
              assert.deepEqual(unexpected, [], `${name} has errors on its console`);
            });
          }
        });
      });
    }
  }
});

/** States of pages, in one theme and size each. */
const STATES = {
  "sign-in": { at: () => `${closed.url}/runs`, title: "Sign in" },
  "form-message": { at: () => `${stage.app.url}/messages`, act: (page) => press(page, "Publish a message") },
  "form-schedule": { at: () => `${stage.app.url}/schedules`, act: (page) => press(page, "Create a schedule") },
  "form-queue": { at: () => `${stage.app.url}/queues`, act: (page) => press(page, "Create a queue") },
  schedule: { at: () => `${stage.app.url}/schedules?id=nightly-report`, act: dialog },
  "url-group": { at: () => `${stage.app.url}/url-groups?name=subscribers`, act: dialog },
  "cancel-run": { at: () => stage.app.url + addresses["run-waiting"], act: (page) => press(page, "Cancel") },
  "run-again": { at: () => stage.app.url + addresses["run-succeeded"], act: (page) => press(page, "Run again") },
  "run-requests": { at: () => `${stage.app.url}${addresses["run-failed"]}&view=requests` },
  jump: { at: () => `${stage.app.url}/runs`, act: (page) => page.keyboard.press("Control+k").then(() => dialog(page)) },
  ...Object.fromEntries(
    ["", "runs", "messages", "logs", "dlq", "queues", "url-groups", "schedules", "flow-control"].map((name) => [
      `empty-${name || "overview"}`,
      { at: () => `${empty.app.url}/${name}` },
    ]),
  ),
};
const dialogOf = (page) => page.locator('[role="dialog"]:not([data-type])');
async function dialog(page) {
  await dialogOf(page).first().waitFor();
}
async function press(page, name) {
  await page.getByRole("button", { name, exact: true }).first().click();
  await dialog(page);
}

for (const [theme, size] of [
  ["light", "wide"],
  ["dark", "phone"],
]) {
  test(`forms, dialogs and empty pages: ${theme}, ${size}`, async (t) => {
    for (const [name, { at, act, title }] of Object.entries(STATES)) {
      await t.test(name, async () => {
        const { page, errors, close } = await stage.browser.open({ ...SIZES[size], theme });
        await page.goto(at());
        await settled(page);
        if (title) await page.getByRole("heading", { name: title }).waitFor();
        await act?.(page);
        await settled(page);
        await screenshot(page, `state-${name}-${size}-${theme}`);
        await assertAccessible(page, name);
        assert.deepEqual(errors, [], `${name} has errors on its console`);
        await close();
      });
    }
  });
}

test("the first view of the runs loads at most 200 KB of scripts", async () => {
  const { page, close } = await stage.browser.open();
  await assertSmall(page, `${stage.app.url}/runs`);
  await close();
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
