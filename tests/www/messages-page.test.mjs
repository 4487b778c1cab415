// Messages, the log and the dead letters in a browser: publish, look, cancel, retry, resume, one and many.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Client as Qstash } from "@repo/orchestration/client";
import { Client } from "@repo/orchestration/workflows";
import { assertAccessible, settled, visit } from "./lib/browser.mjs";
import { eventually, openStage } from "./lib/stage.mjs";

let stage;
let qstash;
let opened;
let page;

before(async () => {
  stage = await openStage();
  qstash = new Qstash({ baseUrl: stage.broker.url, token: stage.broker.token });
  // What a test makes fail on purpose is an error on the console of the browser too.
  opened = await stage.browser.open({ tolerate: /status of (400|404|500|503)/ });
  page = opened.page;
});

after(async () => {
  await opened?.close();
  await stage?.close();
});

beforeEach(() => {
  opened.errors.length = 0;
});

const open = (address) => visit(page, stage.app.url + address);
const button = (name) => page.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");
const rows = (label) => page.getByRole("table", { name: label }).locator("[data-id]");
const answers = (path) => `${stage.endpoints.url}/answers/${path}`;

async function deadLetters(label) {
  const all = [];
  let cursor;
  do {
    const page = await qstash.dlq.listMessages({ count: 100, cursor, filter: { label } });
    all.push(...page.messages);
    ({ cursor } = page);
  } while (cursor);
  return all;
}

/** Messages that have failed for good. */
async function giveUp(count, label) {
  for (let number = 1; number <= count; number += 1) {
    await qstash.publishJSON({ url: answers("500?body=boom"), body: { number }, retries: 0, label });
  }
  const given = async () => (await deadLetters(label)).length;
  await eventually(async () => (await given()) >= count, "the messages are given up");
}

test("publishes a message, watches it arrive, and masks its body until it is asked for", async () => {
  await open("/messages");
  await button("Publish a message").first().click();
  await button("Publish").click();
  await dialog().getByText("Give a URL.").waitFor();
  assert.equal(await dialog().getByLabel("Destination").getAttribute("aria-invalid"), "true");

  await dialog().getByLabel("Destination").fill(answers("200"));
  await dialog().getByLabel("Body").fill('{"order": 7, "password": "hunter2"}');
  await dialog().getByLabel("Labels").fill("by-hand, first");
  await dialog().getByLabel("Headers").fill("X-Tenant: acme");
  await button("Publish").click();
  await page.waitForURL(/\/message\?id=msg_/);
  await page.locator("main h1 ~ div").getByText("Delivered").waitFor();
  await settled(page);

  const body = page.getByLabel("Body", { exact: true });
  await body.getByText('"order": 7').waitFor();
  assert.ok(!(await page.locator("main").textContent()).includes("hunter2"));
  await button("Reveal secrets").first().click();
  await body.getByText("hunter2").waitFor();
  await page.getByLabel("Headers", { exact: true }).getByText("acme").waitFor();
  await assertAccessible(page, "a message");

  await button("Publish again").click();
  await dialog().getByLabel("Body").fill('{"order": 8}');
  const former = page.url();
  await button("Publish").click();
  await page.waitForURL((url) => url.href.includes("/message?id=msg_") && url.href !== former);
  await page.getByLabel("Body", { exact: true }).getByText('"order": 8').waitFor();
  assert.deepEqual(opened.errors, []);
});

test("shows what the broker says to a message that it refuses", async () => {
  await open("/messages");
  await button("Publish a message").first().click();
  await dialog().getByLabel("To", { exact: true }).selectOption("group");
  await dialog().getByLabel("URL group").fill("nobody");
  await button("Publish").click();
  const alert = dialog().getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.textContent(), /nobody/);
});

test("cancels what was picked, then all that fit the filter, and nothing else", async () => {
  for (let number = 1; number <= 5; number += 1) {
    const label = number <= 3 ? "later" : "much-later";
    await qstash.publishJSON({ url: answers("200"), body: { number }, delay: "1h", label });
  }
  await open("/messages?state=WAITING&label=later");
  await rows("Messages").nth(2).waitFor();
  assert.equal(await rows("Messages").count(), 3);
  for (const at of [0, 1]) await rows("Messages").nth(at).getByRole("checkbox").check();
  await page.getByText("2 messages picked").waitFor();
  await button("Cancel").click();
  await dialog().getByText("Cancel 2 messages?").waitFor();
  await button("Cancel 2 messages").click();
  await dialog().getByText("Done: 2 messages canceled.").waitFor();
  assert.equal(await dialog().getByRole("progressbar").getAttribute("aria-valuenow"), "2");
  await button("Close").last().click();
  await eventually(async () => (await rows("Messages").count()) === 1, "one is left in the list");

  await button("Cancel what fits…").click();
  await button("Cancel 1 message").click();
  await dialog().getByText("Done: 1 message canceled.").waitFor();
  await button("Close").last().click();
  await page.getByText("No message fits the filter.").waitFor();

  await open("/messages?state=WAITING&label=much-later");
  await rows("Messages").nth(1).waitFor();
  assert.deepEqual(opened.errors, []);
});

test("a message that fails tells each attempt with its answer", async () => {
  const { messageId } = await qstash.publishJSON({
    url: answers("503?body=busy"),
    body: {},
    retries: 1,
    retryDelay: "1000",
  });
  await open(`/message?id=${messageId}`);
  await page.locator("main h1 ~ div").getByText("Failed").waitFor();
  const attempts = page.locator("section", { hasText: "Attempts" }).locator("ol > li");
  await eventually(async () => (await attempts.count()) === 2, "two attempts are shown");
  await attempts.nth(0).getByText("then a wait of 1.0 s").waitFor();
  await attempts.nth(0).getByRole("button", { name: "Show the answer" }).click();
  await page.getByLabel("Answer 1", { exact: true }).getByText("busy").waitFor();
  await page.getByRole("link", { name: /^\d+-\d+$/ }).click();
  await page.waitForURL(/\/dlq\?kind=messages&letter=/);
  await dialog().getByText("the destination answered 503").waitFor();
});

test("opens an entry of the log in place; going back closes it", async () => {
  await open("/logs?state=ERROR");
  await rows("Log").first().getByRole("link").click();
  await page.waitForURL(/entry=msg_/);
  await dialog().getByRole("tab", { name: "Headers of the answer" }).click();
  await dialog().getByText("application/json").waitFor();
  await assertAccessible(page, "an entry of the log");
  const address = page.url();
  await page.goBack();
  await dialog().waitFor({ state: "hidden" });
  assert.equal(new URL(page.url()).search, "?state=ERROR");
  await page.goto(address);
  await dialog().getByText("Destination", { exact: true }).waitFor();
  assert.deepEqual(opened.errors, []);
});

test("retries and deletes dead letters; a part that fails is told, and tried again", async () => {
  await qstash.dlq.delete({ all: true }).catch(() => {});
  await giveUp(5, "bulk");
  await open("/dlq?label=bulk");
  await rows("Dead letters: messages").nth(4).waitFor();

  await rows("Dead letters: messages").first().getByRole("link").click();
  await dialog().getByText("boom").first().waitFor();
  await button("Delete").last().click();
  await button("Delete 1 message").click();
  await dialog().getByText("Done: 1 message deleted.").waitFor();
  await button("Close").last().click();
  await eventually(async () => (await rows("Dead letters: messages").count()) === 4, "four are left");

  let isFailing = true;
  let refused;
  await page.route("**/v2/dlq/*", (route) => {
    const id = new URL(route.request().url()).pathname.split("/").at(-1);
    if (route.request().method() !== "DELETE" || !isFailing) return route.fallback();
    refused ??= id;
    if (id !== refused) return route.fallback();
    return route.fulfill({ status: 500, json: { error: "the disk is full" } });
  });
  await page.getByRole("button", { name: "Act on all that fit" }).click();
  await page.getByRole("menuitem", { name: /^Delete/ }).click();
  await button("Delete 4 messages").click();
  await dialog().getByText("Done: 3 messages deleted, 1 failed.").waitFor();
  await dialog().getByText("the disk is full").waitFor();
  await assertAccessible(page, "the outcome of many deletions");
  assert.equal((await deadLetters()).length, 1);
  isFailing = false;
  await button("Delete the 1 left").click();
  await dialog().getByText("Done: 1 message deleted.").waitFor();
  await button("Close").last().click();
  await page.unroute("**/v2/dlq/*");
  await page.getByText("No dead letter fits the filter.").waitFor();

  await giveUp(1, "bulk");
  await rows("Dead letters: messages").first().getByRole("link").click();
  await button("Retry").last().click();
  await button("Retry 1 message").click();
  await dialog().getByText("Done: 1 message published again.").waitFor();
  await dialog().getByRole("link", { name: /^msg_/ }).click();
  await page.waitForURL(/\/message\?id=msg_/);
});

test("failed runs are apart from messages: deleting all messages leaves them, resuming one starts a run", async () => {
  const workflows = new Client({ baseUrl: stage.broker.url, token: stage.broker.token });
  await workflows.trigger({ url: `${stage.endpoints.url}/workflows/broken`, body: { id: 1 }, retries: 0 });
  await giveUp(1, "other");
  const failedRuns = async () => (await deadLetters()).filter(({ workflowRunId }) => workflowRunId).length;
  await eventually(async () => (await failedRuns()) === 1, "the run fails");

  await open("/dlq");
  await rows("Dead letters: messages").first().waitFor();
  await page.getByRole("button", { name: "Act on all" }).click();
  await page.getByRole("menuitem", { name: /^Delete/ }).click();
  await dialog()
    .getByRole("button", { name: /^Delete \d+ messages?$/ })
    .click();
  await dialog()
    .getByText(/^Done: \d+ messages? deleted\.$/)
    .waitFor();
  await button("Close").last().click();
  assert.equal(await failedRuns(), 1);

  await button("Failed runs").first().click();
  await page.waitForURL(/kind=runs/);
  await rows("Dead letters: failed runs").first().getByRole("link").click();
  await dialog().getByText("PaymentRefused").first().waitFor();
  await button("Resume").last().click();
  await button("Resume 1 failed run").click();
  await dialog().getByText("Done: 1 failed run resumed.").waitFor();
  await dialog().getByRole("link", { name: /^wfr_/ }).click();
  await page.waitForURL(/\/run\?id=wfr_/);
});

test("what is deleted far down in a list leaves it", async () => {
  await giveUp(110, "long");
  await open("/dlq?label=long");
  const table = page.getByRole("table", { name: "Dead letters: messages" });
  await rows("Dead letters: messages").nth(5).waitFor();
  await eventually(async () => {
    await table.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    return (await table.getAttribute("aria-rowcount")) === "111";
  }, "all are listed");
  const last = page.locator('[data-index="109"]');
  const id = await last.getAttribute("data-id");
  await last.getByRole("checkbox").check();
  await button("Delete").click();
  await button("Delete 1 message").click();
  await dialog().getByText("Done: 1 message deleted.").waitFor();
  await button("Close").last().click();
  await page.locator(`[data-id="${id}"]`).waitFor({ state: "detached" });
  assert.equal(await table.getAttribute("aria-rowcount"), "110");
});

test("what is done with many can be stopped, and gone on with; nothing is done twice or lost", async () => {
  await giveUp(24, "stoppable");
  const retried = [];
  await page.route("**/v2/dlq/*", async (route) => {
    if (route.request().method() !== "DELETE") return route.fallback();
    retried.push(route.request().url());
    await new Promise((next) => setTimeout(next, 150));
    return route.fallback();
  });
  await open("/dlq?label=stoppable");
  await rows("Dead letters: messages").nth(9).waitFor();
  await page.getByRole("checkbox", { name: "Pick all that are loaded" }).check();
  await page.getByText("24 messages picked").waitFor();
  await button("Delete").click();
  await button("Delete 24 messages").click();
  await button("Stop").click();
  const outcome = dialog().getByText(/^Stopped: \d+ messages? deleted, \d+ not begun\.$/);
  await outcome.waitFor();
  const [done, left] = (await outcome.textContent()).match(/\d+/g).map(Number);
  assert.equal(done + left, 24);
  assert.ok(done > 0 && left > 0, `${done} were done, ${left} were left`);
  await button(`Delete the ${left} left`).click();
  await dialog()
    .getByText(new RegExp(`^Done: ${left} messages? deleted`))
    .waitFor();
  await button("Close").last().click();
  await page.unroute("**/v2/dlq/*");
  await page.getByText("No dead letter fits the filter.").waitFor();
  assert.equal(new Set(retried).size, 24);
  assert.equal(retried.length, 24);
});

test("a message that waits is found behind hundreds that don't, once somebody asks to look further", async () => {
  const { messageId } = await qstash.publishJSON({ url: answers("200"), body: {}, delay: "2h", label: "far-back" });
  for (let batch = 0; batch < 4; batch += 1) {
    await qstash.batchJSON(Array.from({ length: 100 }, (_, body) => ({ url: answers("200"), body })));
  }
  const isOver = async () => {
    const { logs } = await qstash.logs({ count: 1000, filter: { state: "DELIVERED" } });
    return logs.length >= 400;
  };
  await eventually(isOver, "the others are delivered", 60_000);

  await open("/messages?state=WAITING");
  const row = page.locator(`[data-id="${messageId}"]`);
  let looks = 0;
  for (; looks < 5 && (await row.count()) === 0; looks += 1) {
    await page.getByText(/^It was read back to/).waitFor();
    await button("Look further back").click();
    await eventually(
      async () => (await row.count()) > 0 || (await page.getByText(/^It was read back to/).count()) > 0,
      "it was looked further back",
    );
  }
  await row.waitFor();
  assert.ok(looks > 0, "it was found without being asked to look further");
  assert.deepEqual(opened.errors, []);
});
