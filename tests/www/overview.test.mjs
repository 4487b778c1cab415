// The overview and the playground in a browser: numbers, charts, the first run, and what the core says of what is typed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client } from "@repo/orchestration/client";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";
import { assertAccessible, screenshot, visit } from "./lib/browser.mjs";
import { eventually, openStage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

/** Looks at `address`, does `act`, and holds the page to what every page is held to. */
async function on(address, act, options) {
  const { page, errors, close } = await stage.browser.open(options);
  try {
    await visit(page, stage.app.url + address);
    await act(page);
    await assertAccessible(page, address);
    assert.deepEqual(errors, []);
  } finally {
    await close();
  }
}
const textOf = (page, selector) => page.locator(selector).textContent();

describe("the overview", () => {
  test("of a broker that has seen nothing tells how to use it, then shows what comes", () =>
    on("/", async (page) => {
      await page.getByText('QSTASH_CURRENT_SIGNING_KEY="').waitFor();
      const lines = await textOf(page, "[data-first-run]");
      const { url, token } = stage.broker;
      for (const line of [`QSTASH_URL="${url}"`, `QSTASH_TOKEN="${token}"`, "QSTASH_CURRENT_SIGNING_KEY="])
        assert.ok(lines.includes(line), line);
      await screenshot(page, "overview-first-run");
      await assertAccessible(page, "the first run");

      const client = new Client({ baseUrl: url, token });
      await client.publish({ url: `${stage.endpoints.url}/answers/200`, body: "one" });
      await client.publish({ url: `${stage.endpoints.url}/answers/503`, body: "two", retries: 0 });
      await page.locator("figure canvas").first().waitFor();
      await eventually(
        async () => (await textOf(page, '[data-figure="Dead letters"]')) === "1",
        "the dead letter is counted",
      );
      await page.locator('[data-health="degraded"]').getByText("1 message was given up").waitFor();
      await page.getByRole("link", { name: "/answers/503" }).waitFor();
      assert.equal(await page.locator("[data-first-run]").count(), 0);
    }));

  test("each chart is a table, too, and its crosshair moves by keys", () =>
    on("/?range=15min", async (page) => {
      const figure = page.locator("figure").first();
      await figure.getByRole("img").focus();
      await page.keyboard.press("ArrowLeft");
      const legend = figure.locator("figcaption + *, div").filter({ hasText: /\d\d:\d\d/ });
      await legend.first().waitFor();
      await page.keyboard.press("Escape");
      await figure.getByRole("button", { name: "Deliveries: show as a table" }).click();
      assert.equal(await figure.locator("canvas").count(), 0);
      const cells = await figure.locator("tbody td").allInnerTexts();
      assert.ok(cells.length >= 4, cells.join());
      await assertAccessible(page, "a chart as a table");
      await figure.getByRole("button", { name: "Deliveries: show as a chart" }).click();
      await figure.locator("canvas").waitFor();
    }));

  test("the range is in the address, and is chosen by arrow keys", () =>
    on("/?range=6h", async (page) => {
      await page.getByRole("radio", { name: "6 h" }).focus();
      await page.keyboard.press("ArrowRight");
      await page.waitForURL(/range=24h/);
      assert.ok(await page.getByRole("radio", { name: "24 h" }).isChecked());
    }));

  test("a chart is drawn anew for the other theme, and not for other data", () =>
    on("/", async (page) => {
      const canvas = page.locator("figure canvas").first();
      await canvas.evaluate((node) => {
        node.dataset.first = "yes";
      });
      const read = page.waitForResponse(/\/v2\/metrics/);
      await new Client({ baseUrl: stage.broker.url, token: stage.broker.token }).publish({
        url: `${stage.endpoints.url}/answers/200?another`,
      });
      await eventually(async () => (await textOf(page, '[data-figure="Dead letters"]')) === "1", "the page lives");
      await read;
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      assert.equal(await canvas.getAttribute("data-first"), "yes");
      await page.getByRole("button", { name: /^Theme/ }).click();
      await eventually(async () => (await canvas.getAttribute("data-first")) === null, "the chart is drawn anew");
    }));
});

describe("the playground", () => {
  const outcomes = (page) =>
    page.locator("[data-check]").evaluateAll((rows) => rows.map(({ dataset }) => [dataset.check, dataset.outcome]));
  const failed = async (page) =>
    (await outcomes(page)).filter(([, outcome]) => outcome === "failed").map(([check]) => check);

  test("a signature is explained while it is typed", () =>
    on("/playground", async (page) => {
      await page.getByRole("button", { name: "Make an example" }).click();
      await page.locator('[data-valid="true"]').waitFor();
      assert.equal((await outcomes(page)).length, 9);
      await page.getByLabel("Body", { exact: true }).fill("another");
      await page.getByLabel("URL", { exact: true }).fill("https://other.example/");
      await page.locator('[data-check="subject"][data-outcome="failed"]').waitFor();
      assert.deepEqual(await failed(page), ["subject", "body"]);
      await page.getByLabel("Current signing key").fill("sig_other");
      await page.locator('[data-check="key"][data-outcome="failed"]').waitFor();
      assert.deepEqual(await failed(page), ["key", "subject", "body"]);
      await screenshot(page, "playground-signature");
    }));

  test("what a broker has signed is accepted, by the next key too", () =>
    on("/playground", async (page) => {
      await page.getByRole("button", { name: "Make an example" }).click();
      const current = await page.getByLabel("Current signing key").inputValue();
      await page.getByLabel("Current signing key").fill("sig_of_another_broker");
      await page.getByLabel("Next signing key").fill(current);
      await page.getByText("Made with the next key").waitFor();
    }));

  test("cron, delays and durations are told, and kept in the address", () =>
    on("/playground?tab=times", async (page) => {
      const delays = page.locator("[data-delays] tbody tr");
      await eventually(async () => (await delays.count()) === 8, "the delays are there");
      assert.match(await delays.nth(3).textContent(), /^3\s*8\.0 s\s*15 s$/);
      await page.getByLabel("Expression").nth(1).fill("1000 * tries");
      await page.getByText("unknown name 'tries' at character 8").waitFor();
      await page.getByLabel("Expression").nth(1).fill("500");
      await page.waitForURL(/delay=500/);
      await page.getByLabel("Duration", { exact: true }).fill("1w");
      await page.getByText("604,800 seconds: 7 d").waitFor();
      await page.getByLabel("Expression").first().fill("*/5 * * * *");
      await page
        .locator("[data-cron-preview]")
        .getByText(/every 5 minutes/i)
        .waitFor();
      await screenshot(page, "playground-times");
    }));

  test("a recorded history is stepped through by keys", () =>
    on("/playground?tab=history", async (page) => {
      const at = page.locator("[data-at]");
      await at.waitFor();
      await page.getByRole("button", { name: "Forth (right arrow)" }).focus();
      for (let step = 1; step < 4; step += 1) {
        await page.keyboard.press("ArrowRight");
        await page.locator(`[data-at="${step}"]`).waitFor();
      }
      await page.waitForURL(/at=3/);
      await page.locator('[aria-label="The function"] [aria-current="step"]').getByText("check risk").waitFor();
      await page.keyboard.press("End");
      await page.getByText("the function returns").waitFor();
      await screenshot(page, "playground-history");
    }));

  test("a run of the broker is played", async () => {
    const { url, token } = stage.broker;
    const client = new WorkflowClient({ baseUrl: url, token });
    const { workflowRunId } = await client.trigger({
      url: `${stage.endpoints.url}/workflows/fan-out`,
      body: { width: 2 },
    });
    const hasEnded = async () => (await client.logs({ workflowRunId })).runs[0]?.workflowState === "RUN_SUCCESS";
    await eventually(hasEnded, "the run ends");
    await on(`/playground?tab=history&run=${workflowRunId}`, async (page) => {
      await page.getByText("resize image 2").first().waitFor();
      await page.getByRole("button", { name: "Last invocation (End)" }).click();
      await page.getByText("It sends 1 request").waitFor();
    });
  });
});
