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

  test("what waits has a course, which keeps what was canceled", () =>
    on("/?range=15min", async (page) => {
      // What was canceled after it had waited for twenty buckets, 15 seconds each.
      await page.route(/\/v2\/metrics/, async (route) => {
        const answer = await route.fetch();
        const metrics = await answer.json();
        const { series } = metrics;
        for (const bucket of series) Object.assign(bucket, { accepted: 0, delivered: 0, failed: 0, canceled: 0 });
        Object.assign(series[20], { accepted: 7 });
        Object.assign(series[40], { canceled: 7, oldestEndedAt: series[20].at });
        metrics.backlog = { waiting: 1, due: 0, held: 0, active: 1, oldestAt: metrics.from - 60_000 };
        await route.fulfill({ response: answer, json: metrics });
      });
      await page.reload();
      const levels = async (name) => {
        await page.getByRole("button", { name: `${name}: show as a table` }).click();
        const region = page.getByRole("region", { name: `${name}, as a table` });
        return (await region.locator("tbody td:nth-child(2)").allInnerTexts()).toReversed();
      };
      await page.locator("figure canvas").nth(5).waitFor();
      const backlog = await levels("Backlog");
      assert.deepEqual(
        [0, 19, 20, 39, 40, 59].map((index) => backlog[index]),
        ["2", "2", "9", "9", "2", "2"],
      );
      const oldest = await levels("Oldest message");
      assert.deepEqual([oldest[0], oldest[20]], ["1 min 15 s", "6 min 15 s"]);
    }));

  test("an error rate of 0 % is a number", () =>
    on("/?range=15min", async (page) => {
      await page.route(/\/v2\/metrics/, async (route) => {
        const answer = await route.fetch();
        const metrics = await answer.json();
        for (const [index, bucket] of metrics.series.entries())
          Object.assign(bucket, { delivered: index === 30 ? 4 : 0, errors: 0 });
        await route.fulfill({ response: answer, json: metrics });
      });
      await page.reload();
      await page.locator("figure canvas").nth(5).waitFor();
      for (const [name, rows] of [
        ["Error rate", ["0 %"]],
        ["Deliveries", ["4"]],
      ]) {
        await page.getByRole("button", { name: `${name}: show as a table` }).click();
        const cells = page.getByRole("region", { name: `${name}, as a table` }).locator("tbody td:nth-child(2)");
        assert.deepEqual(
          (await cells.allInnerTexts()).filter((text) => text !== "0"),
          rows,
          name,
        );
      }
    }));

  test("the whole of a bar tells of its bucket", () =>
    on("/?range=15min", async (page) => {
      const figure = page.locator("figure").first();
      const over = await figure.locator(".u-over").boundingBox();
      const time = figure.getByText(/^\d\d:\d\d:\d\d – \d\d:\d\d:\d\d$/);
      const told = [];
      // The plot is 60 buckets wide; edges of pixels are left out.
      for (const part of [0.1, 0.4, 0.6, 0.9]) {
        await page.mouse.move(over.x + ((30 + part) * over.width) / 60, over.y + over.height / 2);
        told.push(await time.textContent());
      }
      assert.equal(new Set(told).size, 1, told.join());
      await page.mouse.move(over.x + (31.1 * over.width) / 60, over.y + over.height / 2);
      assert.notEqual(await time.textContent(), told[0]);
      await page.mouse.move(0, 0);
      await figure.getByRole("img").focus();
      const byKeys = [];
      for (let step = 0; step < 3; step += 1) {
        await page.keyboard.press("ArrowLeft");
        byKeys.push((await time.textContent()).split(" – "));
      }
      assert.deepEqual(
        byKeys.slice(1).map(([, end]) => end),
        byKeys.slice(0, 2).map(([begin]) => begin),
      );
    }));

  test("what is known stays until another range is known", () =>
    on("/?range=1h", async (page) => {
      await new Client({ baseUrl: stage.broker.url, token: stage.broker.token }).publish({
        url: `${stage.endpoints.url}/answers/200?known`,
      });
      const canvas = page.locator("figure canvas");
      await canvas.first().waitFor();
      const charts = await canvas.count();
      let answer;
      const held = new Promise((go) => {
        answer = go;
      });
      await page.route(/\/v2\/metrics\?.*window=86400000/, async (route) => {
        await held;
        await route.continue();
      });
      await page.locator("label").filter({ hasText: "24 h" }).click();
      await page.locator('[aria-busy="true"]').waitFor();
      assert.equal(await canvas.count(), charts);
      answer();
      await page.locator('[aria-busy="false"]').waitFor();
      assert.equal(await canvas.count(), charts);
    }));

  test("of a broker without metrics tells what the logs amount to, and where they end", () =>
    on(
      "/?range=15min",
      async (page) => {
        const answer = (json) => (route) => route.fulfill({ json });
        const asked = [];
        await page.route(/\/v2\/metrics/, (route) => route.fulfill({ status: 404, json: { error: "not found" } }));
        await page.route(
          /\/v2\/dlq/,
          answer({ messages: Array.from({ length: 100 }, (_, n) => ({ dlqId: `${n}` })), cursor: "more" }),
        );
        await page.route(/\/v2\/workflows\/logs/, (route) => {
          const query = new URL(route.request().url()).searchParams;
          asked.push(query);
          const isActive = query.get("state") === "RUN_STARTED" && !query.has("fromDate");
          const run = { workflowRunId: "wfr_1", workflowUrl: "https://app.test/", workflowState: "RUN_STARTED" };
          const runs = isActive ? [{ ...run, workflowRunCreatedAt: Date.now() - 3_600_000 }] : [];
          return route.fulfill({ json: { runs } });
        });
        await page.reload();
        await page.getByText("This broker tells no metrics of its own").waitFor();
        assert.equal(await textOf(page, '[data-figure="Dead letters"]'), "100+");
        assert.equal(await textOf(page, '[data-figure="Runs active"]'), "1");
        assert.match(await textOf(page, 'dl div:has([data-figure="Backlog"])'), /waiting, of this time/);
      },
      { tolerate: /404/ },
    ));

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
