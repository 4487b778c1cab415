// The main way through the dashboard, in a browser, against a real broker: start, watch, cancel, take up, notify, schedule.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client as Qstash } from "@repo/orchestration/client";
import { Client } from "@repo/orchestration/workflows";
import { visit } from "./lib/browser.mjs";
import { eventually, openStage } from "./lib/stage.mjs";

let stage;
let client;

before(async () => {
  stage = await openStage();
  const { url: baseUrl, token } = stage.broker;
  client = new Client({ baseUrl, token });
});

after(() => stage?.close());

const trigger = (workflow, body, options) =>
  client.trigger({ url: `${stage.endpoints.url}/workflows/${workflow}`, body, ...options });

const runOf = async (id) => (await client.logs({ workflowRunId: id })).runs[0];

/** A page at an address of the app; it fails the test if anything is told on its console. */
async function open(t, address, options) {
  const { page, errors, close } = await stage.browser.open(options);
  t.after(close);
  await visit(page, stage.app.url + address);
  await page.locator('[data-connection="live"]').waitFor();
  return { page, quiet: () => assert.deepEqual(errors, []) };
}

const openRun = (t, id) => open(t, `/run?id=${encodeURIComponent(id)}`);
const state = (page, name) => page.locator(`[data-run-state="${name}"]`).waitFor();
/** The row of a step in the timeline, once it is in a state. */
const step = (page, name, is) =>
  page.getByRole("list", { name: "Steps" }).locator(`[data-state="${is}"]`).filter({ hasText: name }).waitFor();

test("a sample is started on its page, and its timeline moves without a reload", async (t) => {
  const { page, quiet } = await open(t, "/samples");
  await page.getByLabel("Failed payments").fill("2");
  await page.getByRole("button", { name: "Place the order" }).click();
  const id = await eventually(
    async () => (await client.logs({ label: "sample-order" })).runs[0]?.workflowRunId,
    "a run",
  );
  await page.goto(`${stage.app.url}/run?id=${id}`);
  await state(page, "RUN_STARTED");
  await step(page, "reserve", "done");
  await step(page, "wait for the parcel service", "sleeping");
  await step(page, "ship", "done");
  await state(page, "RUN_SUCCESS");
  // The bank refused twice: each time the run slept before it tried again.
  const steps = page.getByRole("list", { name: "Steps" });
  assert.equal(await steps.getByRole("button", { name: /: charge, sleep,.* Done/ }).count(), 2);
  assert.equal(await steps.getByRole("button", { name: /: charge, step,.* Done/ }).count(), 1);
  quiet();
});

test("the details of a step hide its secrets until they are asked for", async (t) => {
  const { workflowRunId } = await trigger("order", { items: ["lamp"], password: "hunter2" });
  await eventually(async () => (await runOf(workflowRunId)).workflowState === "RUN_SUCCESS", "the order ends");
  const { page, quiet } = await openRun(t, workflowRunId);
  await page
    .getByRole("list", { name: "Steps" })
    .getByRole("button", { name: /check risk/ })
    .click();
  const details = page.getByRole("region", { name: "Step" });
  await details.getByText('"score": 12').waitFor();
  assert.ok(!(await page.content()).includes("sk_live_51H8xQ2eZvKYlo2C9a8b7c6d"));
  await details.getByRole("button", { name: "Reveal secrets" }).first().click();
  await details.getByText("sk_live_51H8xQ2eZvKYlo2C9a8b7c6d").waitFor();
  assert.match(page.url(), /[?&]step=/);
  quiet();
});

test("the error of a run hides its secrets wherever it is told", async (t) => {
  const { workflowRunId } = await trigger("leaky", {}, { retries: 0 });
  await eventually(async () => (await runOf(workflowRunId)).workflowState === "RUN_FAILED", "the run fails");
  const { page, quiet } = await openRun(t, workflowRunId);
  const hidden = async (where) => {
    await page.getByText("postgres://app:[masked").first().waitFor();
    assert.ok(!(await page.content()).includes("hunter2"), where);
  };
  await hidden("the run");
  await page.getByRole("list", { name: "Steps" }).locator('[data-state="failed"]').first().click();
  await page
    .getByRole("region", { name: "Step" })
    .getByText(/postgres:..app:.masked/)
    .first()
    .waitFor();
  await hidden("its step");
  await page.getByRole("tab", { name: "Requests" }).click();
  for (const request of await page.getByRole("list", { name: "Requests" }).locator("summary").all())
    await request.click();
  await page
    .getByRole("list", { name: "Requests" })
    .getByText(/postgres:..app:.masked/)
    .first()
    .waitFor();
  await hidden("its requests");
  await visit(page, `${stage.app.url}/`);
  const failed = page.locator("section").filter({ has: page.getByRole("heading", { name: "Failed runs" }) });
  await failed
    .getByRole("link", { name: /workflows.leaky/ })
    .first()
    .waitFor();
  assert.ok(!(await page.content()).includes("hunter2"), "the overview");
  quiet();
});

test("a run is cancelled, after a question", async (t) => {
  const { workflowRunId } = await trigger("sleeper", {});
  const { page, quiet } = await openRun(t, workflowRunId);
  await step(page, "until the report is due", "sleeping");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
  await state(page, "RUN_CANCELED");
  assert.equal((await runOf(workflowRunId)).workflowState, "RUN_CANCELED");
  quiet();
});

test("a failed run tells why, and is resumed from its dead letter", async (t) => {
  const { workflowRunId } = await trigger("once-repaired", {}, { retries: 0 });
  const { page, quiet } = await openRun(t, workflowRunId);
  await state(page, "RUN_FAILED");
  await page.getByText("the door is locked").first().waitFor();
  stage.endpoints.repair();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
  const resumed = await eventually(async () => {
    const { runs } = await client.logs({ workflowUrl: `${stage.endpoints.url}/workflows/once-repaired` });
    return runs.find(({ workflowState }) => workflowState === "RUN_SUCCESS");
  }, "the resumed run succeeds");
  assert.deepEqual(JSON.parse(resumed.workflowRunResponse), { opened: true });
  assert.equal(stage.endpoints.calls("find the key"), 1, "what had a result is not done again");
  quiet();
});

test("an approval is given by notifying its event", async (t) => {
  const { workflowRunId } = await trigger("approval", { who: "dora" });
  const { page, quiet } = await openRun(t, workflowRunId);
  await page.getByRole("list", { name: "What it waits for" }).getByRole("button", { name: "Notify" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Data").fill("{ not json");
  await dialog.getByRole("button", { name: "Notify" }).click();
  assert.equal(await dialog.getByLabel("Data").getAttribute("aria-invalid"), "true");
  await dialog.getByLabel("Data").fill('{ "approved": true, "by": "eve" }');
  await dialog.getByRole("button", { name: "Notify" }).click();
  await state(page, "RUN_SUCCESS");
  assert.deepEqual(JSON.parse((await runOf(workflowRunId)).workflowRunResponse), { approved: true, by: "eve" });
  quiet();
});

test("a run is started again with another input", async (t) => {
  const { workflowRunId } = await trigger("fan-out", { width: 2 }, { label: "small" });
  await eventually(async () => (await runOf(workflowRunId)).workflowState === "RUN_SUCCESS", "the first run ends");
  const { page, quiet } = await openRun(t, workflowRunId);
  await page.getByRole("button", { name: "Run again" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Input").fill('{ "width": 3 }');
  await dialog.getByRole("button", { name: "Start a new run" }).click();
  await page.waitForURL((url) => url.pathname === "/run" && url.searchParams.get("id") !== workflowRunId);
  await state(page, "RUN_SUCCESS");
  const again = await runOf(new URL(page.url()).searchParams.get("id"));
  assert.equal(JSON.parse(again.workflowRunResponse), 3);
  assert.equal(again.label, "small");
  quiet();
});

test("a schedule is created, with its next times shown before", async (t) => {
  const { page, quiet } = await open(t, "/schedules");
  await page.getByRole("button", { name: "Create a schedule" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Id", { exact: true }).fill("weekly");
  await dialog.getByLabel("Cron", { exact: true }).fill("0 4 * * MON");
  await dialog
    .getByText(/Monday/)
    .first()
    .waitFor();
  await dialog.getByLabel("Destination").fill(`${stage.endpoints.url}/answers/200`);
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("row").filter({ hasText: "weekly" }).waitFor();
  const { url: baseUrl, token } = stage.broker;
  const schedule = await new Qstash({ baseUrl, token }).schedules.get("weekly");
  assert.match(schedule.cron, /0 4 \* \* MON$/);
  quiet();
});

test("a failing step is reached and read with the keyboard alone", async (t) => {
  const { workflowRunId } = await trigger("broken", {}, { workflowRunId: "by-keyboard", retries: 0 });
  await eventually(async () => (await runOf(workflowRunId)).workflowState === "RUN_FAILED", "the run fails");
  const { page, quiet } = await open(t, "/messages");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("wfr_by-keyboard");
  const row = page.getByRole("row").filter({ hasText: "Failed" }).filter({ hasText: "/workflows/broken" });
  await row.waitFor();
  await page.getByRole("row").nth(2).waitFor({ state: "detached" });
  await row.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await state(page, "RUN_FAILED");
  const failing = page.getByRole("list", { name: "Steps" }).locator('[data-state="failed"]').first();
  await failing.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Step" }).getByText("insufficient funds").first().waitFor();
  quiet();
});
