// The page of the samples in a browser: start, decide, schedule, be refused, read the source.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible, visit } from "./lib/browser.mjs";
import { openStage } from "./lib/stage.mjs";

describe("the page of the samples", () => {
  let stage;
  let opened;
  let page;

  before(async () => {
    stage = await openStage();
    opened = await stage.browser.open({ tolerate: /status of (403|502)/ });
    page = opened.page;
  });
  after(async () => {
    await opened?.close();
    await stage?.close();
  });

  const show = (sample) => visit(page, `${stage.app.url}/samples?sample=${sample}`);
  const runs = () => page.getByRole("region", { name: "Runs" });
  const press = (name) => page.getByRole("button", { name }).click();

  test("an order is placed, followed to its end, and its run is a click away", async () => {
    await show("order");
    await page.getByLabel("Quantity").fill("4");
    await page.getByLabel("Failed payments").fill("0");
    await page.getByLabel("Runtime").selectOption("edge");
    await press("Place the order");
    await runs().getByText("Succeeded").waitFor();
    assert.deepEqual(
      await runs()
        .getByRole("rowheader")
        .allTextContents()
        .then((all) => all.toSorted()),
      ["invoice", "parcel", "payment"],
    );
    assert.equal(await runs().getByRole("cell", { name: "4 × lamp" }).count(), 3);
    await runs().getByText("Edge", { exact: true }).waitFor();
    await runs().getByRole("link", { name: /^wfr_/ }).click();
    await page.waitForURL(/\/run\?id=wfr_/);
  });

  test("what does not fit is told at the field, and nothing is sent", async () => {
    await show("order");
    const sent = [];
    page.on("request", (request) => sent.push(request.method()));
    await page.getByLabel("Quantity").fill("many");
    await press("Place the order");
    await page.getByText("expected a whole number from 1 to 50").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "quantity");
    assert.ok(!sent.includes("POST"));
    await page.getByLabel("Quantity").fill("1");
    await Promise.all([
      page.waitForResponse((answer) => answer.url().endsWith("/api/samples/start")),
      press("Place the order"),
    ]);
    assert.ok(sent.includes("POST"));
  });

  test("an approval waits for a decision", async () => {
    await show("approval");
    await press("Ask for approval");
    await press("Approve");
    await runs().getByText("Succeeded").waitFor();
    await runs().getByRole("rowheader", { name: "refund" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
    await press("Ask for approval");
    await press("Reject");
    await runs().getByRole("rowheader", { name: "rejection" }).waitFor();
  });

  test("the report is scheduled, run and unscheduled", async () => {
    await show("report");
    await page.getByLabel("Cron").fill("every night");
    await page.locator("[name=cron][aria-invalid]").waitFor();
    assert.ok(await page.getByRole("button", { name: "Create the schedule" }).isDisabled());
    await page.getByLabel("Cron").fill("30 2 * * *");
    await press("Create the schedule");
    await page.getByText("30 2 * * *").waitFor();
    await press("Run it now");
    await runs()
      .getByRole("link", { name: /^report-.*\.csv$/ })
      .waitFor();
    await press("Delete the schedule");
    await page.getByRole("button", { name: "Create the schedule" }).waitFor();
  });

  test("pictures come as they are made", async () => {
    await show("images");
    await page.getByLabel("Pictures").fill("3");
    await press("Make thumbnails");
    await runs().getByRole("img", { name: "thumbnail-3.png" }).waitFor();
    const width = await runs()
      .getByRole("img", { name: "thumbnail-3.png" })
      .evaluate(async (image) => image.decode().then(() => image.naturalWidth));
    assert.equal(width, 160);
  });

  test("a forged webhook is refused, and the page says so", async () => {
    await show("webhook");
    await page.getByLabel("Sign with a wrong secret").check();
    await press("Send a signed webhook");
    await page
      .getByText(/the webhook was refused with 403/)
      .first()
      .waitFor();
    assert.equal(await runs().getByRole("listitem").count(), 0);
    assert.equal(await page.getByRole("button", { name: "Sign in" }).count(), 0);
  });

  test("every sample shows its source, and is accessible", async () => {
    for (const sample of ["order", "approval", "report", "images", "webhook", "ai", "trip"]) {
      await show(sample);
      const source = page.getByRole("region", { name: `samples/${sample}/workflow.ts` });
      assert.match(await source.textContent(), /context\.(run|api)\b/);
      assert.ok((await source.locator("span").count()) > 20, "it is coloured");
      await page.getByRole("tab", { name: "client.ts" }).click();
      await page.getByRole("region", { name: `samples/${sample}/client.ts` }).waitFor();
      await page.getByRole("tab", { name: "edge route.ts" }).click();
      const route = page.getByRole("region", { name: `app/api/samples/edge/${sample}/` });
      assert.match(await route.textContent(), /runtime = "edge"/);
      assert.equal(await page.getByLabel("Runtime").count(), 1);
      await assertAccessible(page, sample);
    }
    assert.deepEqual(opened.errors, []);
  });
});
