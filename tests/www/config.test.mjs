// Queues, URL groups, schedules, flow-control keys, signing keys: what people do there, and what the broker has then.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Client } from "@repo/orchestration/client";
import { assertAccessible, visit } from "./lib/browser.mjs";
import { eventually, openStage } from "./lib/stage.mjs";

let stage;
let client;
let page;
let errors;
let close;

before(async () => {
  stage = await openStage();
  client = new Client({ baseUrl: stage.broker.url, token: stage.broker.token });
});

after(() => stage?.close());

// The browser tells a refusal of the broker as an error; those are asked for.
beforeEach(async () => {
  ({ page, errors, close } = await stage.browser.open({ tolerate: /status of (400|404)/ }));
});

afterEach(async () => {
  await close();
  assert.deepEqual(errors, []);
});

const open = (path) => visit(page, stage.app.url + path);
const button = (name, within = page) => within.getByRole("button", { name, exact: true });
/** Not a toast, which has that role too. */
const dialog = () => page.locator('[role="dialog"]:not([data-type])');
const row = (name) => page.locator(`[data-id="${name}"]`);
const read = async (path, init) => {
  const answer = await fetch(stage.broker.url + path, {
    ...init,
    headers: { authorization: `Bearer ${stage.broker.token}`, ...init?.headers },
  });
  return answer.json();
};

async function choose(name, action) {
  await button(`Actions for ${name}`).click();
  await page.getByRole("menuitem", { name: action, exact: true }).click();
}

/** The dialog closes once the broker has agreed. */
async function confirm(action) {
  await button(action, dialog()).click();
  await dialog().waitFor({ state: "hidden" });
}

describe("queues", () => {
  test("are made, changed, paused, filled, resumed and deleted", async () => {
    await open("/queues");
    await page.getByText("No queue yet.").waitFor();
    await button("Create a queue").click();
    await dialog().getByLabel("Name").fill("my mails");
    await dialog().getByLabel("Parallelism").fill("0");
    await page.keyboard.press("Enter");
    await dialog().getByText("Letters, digits, “-”, “_” and “.” only, at most 256.").waitFor();
    await dialog().getByText("A whole number from 1 to 10000.").waitFor();
    assert.equal(
      await dialog()
        .getByLabel("Name")
        .evaluate((field) => field === document.activeElement),
      true,
    );
    await assertAccessible(page, "the form of a queue");
    await dialog().getByLabel("Name").fill("mails");
    await dialog().getByLabel("Parallelism").fill("3");
    await dialog().getByLabel("Paused at first").check();
    await page.keyboard.press("Enter");
    await row("mails").getByText("Paused").waitFor();
    assert.partialDeepStrictEqual(await client.queue({ queueName: "mails" }).get(), { parallelism: 3, paused: true });

    await choose("mails", "Change");
    await dialog().getByLabel("Parallelism").fill("5");
    await confirm("Save");
    assert.partialDeepStrictEqual(await client.queue({ queueName: "mails" }).get(), { parallelism: 5, paused: true });

    await choose("mails", "Enqueue a message");
    await dialog().getByLabel("Destination").fill("example.com/task");
    await dialog().getByLabel("Body").fill("{ no json");
    await confirmRefused("Enqueue");
    await dialog().getByText("A URL begins with https:// or http://.").waitFor();
    await dialog().getByText("That is no JSON:").waitFor();
    await dialog().getByLabel("Destination").fill(`${stage.endpoints.url}/answers/200?one=1&two=2`);
    await dialog().getByLabel("Body").fill('{"number":1}');
    await dialog().getByLabel("Headers").fill("X-Tenant: 42");
    await confirm("Enqueue");
    await page.getByText("1 message enqueued").waitFor();
    await eventually(async () => (await client.queue({ queueName: "mails" }).get()).lag === 1, "the message waits");
    const id = (await page.getByText(/^msg_\S+$/).textContent()) ?? "";
    const message = await client.messages.get(id);
    assert.equal(message.url, `${stage.endpoints.url}/answers/200?one=1&two=2`);
    assert.equal(message.body, '{"number":1}');
    assert.deepEqual(message.header?.["X-Tenant"] ?? message.header?.["x-tenant"], ["42"]);

    await choose("mails", "Delete");
    await dialog().getByText("1 message waits in it: it is canceled and never delivered.").waitFor();
    await button("Keep", dialog()).click();
    await dialog().waitFor({ state: "hidden" });
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    assert.equal(await eventually(focused, "the focus goes back"), "Actions for mails");
    await choose("mails", "Resume");
    await row("mails").getByText("Delivering").waitFor();
    await eventually(
      async () => (await client.queue({ queueName: "mails" }).get()).lag === 0,
      "the message is delivered",
    );
    await choose("mails", "Delete");
    await confirm("Delete");
    await page.getByText("No queue yet.").waitFor();
    assert.deepEqual(await client.queue().list(), []);
  });
});

/** Presses the button of a form with errors. */
const confirmRefused = (action) => button(action, dialog()).click();

test("secrets of destinations and headers are hidden until they are asked for", async () => {
  const secrets = ["sk_live_51H8xQ2eZvKYlo2C9a8b7c6d", "AbCdEf0123456789", "Gh1jKl2mNo3pQr4s"];
  const destination = `${stage.endpoints.url}/answers/200?token=${secrets[1]}`;
  await client.schedules.create({
    scheduleId: "leaky",
    cron: "@yearly",
    destination,
    headers: { authorization: `Bearer ${secrets[0]}` },
    callback: `${stage.endpoints.url}/answers/200?api_key=${secrets[2]}`,
  });
  await client.urlGroups.addEndpoints({ name: "leaky", endpoints: [{ url: destination }] });
  const hidden = async (where) => {
    const shown = await page.content();
    for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} on ${where}`);
  };
  await open("/schedules");
  await row("leaky").waitFor();
  await hidden("the list of schedules");
  await open("/schedules?id=leaky");
  await dialog()
    .getByText(/token=\[?masked|token=\*/i)
    .waitFor();
  await dialog().getByRole("button", { name: "Reveal secrets" }).first().waitFor();
  await hidden("a schedule");
  await dialog().getByRole("button", { name: "Reveal secrets" }).first().click();
  await dialog().getByText(secrets[0]).waitFor();

  await open("/url-groups");
  await row("leaky").getByText("/answers/200").waitFor();
  await hidden("the list of URL groups");
  await open("/url-groups?name=leaky");
  await dialog()
    .getByText(/token=\[?masked|token=\*/i)
    .waitFor();
  await hidden("a URL group");
  await client.schedules.delete("leaky");
  await client.urlGroups.delete("leaky");
});

describe("URL groups", () => {
  test("are made with an endpoint, get more, are published to, and go with the last", async () => {
    await open("/url-groups");
    await button("Create a group").click();
    await dialog().getByLabel("Name of the group").fill("subscribers");
    await dialog().getByLabel("URL", { exact: true }).fill("mail.example.com");
    await page.keyboard.press("Enter");
    await dialog().getByText("A URL begins with https:// or http://.").waitFor();
    await dialog().getByLabel("URL", { exact: true }).fill(`${stage.endpoints.url}/answers/200`);
    await dialog().getByLabel("Name", { exact: true }).fill("mail");
    await confirm("Create");
    await row("subscribers").getByRole("link").click();
    await page.waitForURL(/\?name=subscribers$/);
    await dialog().getByLabel("URL", { exact: true }).fill(`${stage.endpoints.url}/answers/202`);
    await page.keyboard.press("Enter");
    await button(`Remove ${stage.endpoints.url}/answers/202`, dialog()).waitFor();
    await assertAccessible(page, "the endpoints of a group");
    const { endpoints } = await client.urlGroups.get("subscribers");
    assert.deepEqual(
      endpoints.map(({ name, url }) => [name, url]),
      [
        ["mail", `${stage.endpoints.url}/answers/200`],
        [undefined, `${stage.endpoints.url}/answers/202`],
      ],
    );

    await button("Publish a message", dialog()).click();
    await page.getByRole("dialog", { name: "Publish to subscribers" }).getByLabel("Body").fill("{}");
    await page.getByRole("dialog", { name: "Publish to subscribers" }).getByRole("button", { name: "Publish" }).click();
    await page.getByText("2 messages published").waitFor();
    await page.getByRole("dialog", { name: "Publish to subscribers" }).waitFor({ state: "hidden" });

    await button("Remove mail", dialog()).click();
    await page.getByText("Endpoint removed").waitFor();
    await button(`Remove ${stage.endpoints.url}/answers/202`, dialog()).click();
    await button("Remove it and the group").click();
    await page.getByText("No URL group yet.").waitFor();
    assert.deepEqual(await client.urlGroups.list(), []);
  });
});

describe("schedules", () => {
  const DESTINATION = "https://example.com/report?of=sales&by=day";

  test("are made with a preview of their times, edited, run now, paused and deleted", async () => {
    await open("/schedules");
    await button("Create a schedule").click();
    await dialog().getByLabel("Id", { exact: true }).fill("nightly");
    await dialog().getByLabel("Cron").fill("0 25 * * *");
    await dialog().getByText("Expected hours from 0 to 23").waitFor();
    await page.keyboard.press("Enter");
    await dialog().getByText("Give a URL or the name of a URL group.").waitFor();
    assert.equal(await dialog().getByLabel("Cron").getAttribute("aria-invalid"), "true");
    await dialog().getByLabel("Cron").fill("30 3 * * MON-FRI");
    await dialog().getByLabel("Time zone").fill("Europe/Berlin");
    await dialog().getByText("At 03:30, Monday through Friday").waitFor();
    const shown = dialog().locator("[data-cron-preview] tbody tr");
    assert.equal(await shown.count(), 5);
    const first = await shown.first().locator("time").getAttribute("datetime");
    await assertAccessible(page, "the form of a schedule");
    await dialog().getByLabel("Destination").fill(DESTINATION);
    await dialog().getByLabel("Body").fill('{"a":1}');
    await dialog().getByLabel("Headers").fill("X-Tenant: 42");
    await dialog().getByText("Retries, callbacks, queue, flow control").click();
    await dialog().getByLabel("Retries", { exact: true }).fill("1");
    await dialog().getByLabel("Flow-control key").fill("reports");
    await dialog().getByLabel("Parallelism").fill("2");
    await confirm("Create");

    const made = await client.schedules.get("nightly");
    assert.partialDeepStrictEqual(made, {
      cron: "CRON_TZ=Europe/Berlin 30 3 * * MON-FRI",
      destination: DESTINATION,
      body: '{"a":1}',
      method: "POST",
      retries: 1,
      flowControlKey: "reports",
      parallelism: 2,
      isPaused: false,
    });
    // What the browser foretells is what the broker does.
    assert.equal(new Date(made.nextScheduleTime).toISOString(), first);

    await choose("nightly", "Edit");
    assert.equal(await dialog().getByLabel("Cron").inputValue(), "30 3 * * MON-FRI");
    assert.equal(await dialog().getByLabel("Headers").inputValue(), "X-Tenant: 42");
    await dialog().getByLabel("Cron").fill("@daily");
    await dialog().getByLabel("Time zone").fill("");
    await confirm("Save");
    assert.partialDeepStrictEqual(await client.schedules.get("nightly"), {
      cron: "@daily",
      destination: DESTINATION,
      body: '{"a":1}',
      flowControlKey: "reports",
      parallelism: 2,
      header: made.header,
    });

    await row("nightly").getByRole("link").click();
    await dialog().getByText("At 00:00").first().waitFor();
    await assertAccessible(page, "a schedule");
    await button("Pause", dialog()).click();
    await dialog().getByText("Paused: nothing comes at these times until it is resumed.").waitFor();
    assert.equal((await client.schedules.get("nightly")).isPaused, true);
    await button("Edit", dialog()).click();
    const editing = page.getByRole("dialog", { name: "Edit nightly" });
    assert.equal(await editing.getByLabel("Cron").inputValue(), "@daily");
    await page.keyboard.press("Escape");
    await editing.waitFor({ state: "hidden" });
    await dialog().getByText("Paused: nothing comes").waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "hidden" });

    await choose("nightly", "Delete");
    await confirm("Delete");
    await page.getByText("No schedule yet.").waitFor();
    assert.deepEqual(await client.schedules.list(), []);
  });

  test("run now sends the same message, and refuses what the broker hides", async () => {
    const destination = `${stage.endpoints.url}/answers/200`;
    const every = { cron: "0 0 1 1 *", destination, headers: { "x-tenant": "42" } };
    await client.schedules.create({ ...every, scheduleId: "plain", body: "hello", label: "by-hand" });
    await client.schedules.create({ ...every, scheduleId: "hidden", body: "hello", redact: { body: true } });
    await open("/schedules?q=plain");
    await choose("plain", "Run now");
    await confirm("Run now");
    const id = await page.getByText(/^msg_\S+$/).textContent();
    const [entry] = await eventually(async () => {
      const { events } = await read(`/v2/events?messageId=${id}&state=DELIVERED`);
      return events.length > 0 && events;
    }, "it is delivered");
    assert.equal(entry.url, destination);
    assert.equal(Buffer.from(entry.body, "base64").toString(), "hello");
    assert.deepEqual(entry.labels, ["by-hand"]);

    await open("/schedules?q=hidden");
    await choose("hidden", "Run now");
    await page.getByText("The broker hides its body").waitFor();
    await button("Close", dialog().locator("div").last()).click();
    await choose("hidden", "Edit");
    await confirmRefused("Save");
    await dialog().getByText("Enter it again: saving replaces it").waitFor();
    await page.keyboard.press("Escape");
    await Promise.all(["plain", "hidden"].map((schedule) => client.schedules.delete(schedule)));
  });

  test("many are paused, found by their status, and deleted together", async () => {
    for (let number = 1; number <= 8; number += 1) {
      await client.schedules.create({ scheduleId: `job-${number}`, cron: "@yearly", destination: DESTINATION });
    }
    await open("/schedules?q=job-");
    await page.getByRole("checkbox", { name: "Pick all that are loaded" }).check();
    await button("Pause", page.getByRole("toolbar", { name: "Picked" })).click();
    await button("Pause 8 schedules").click();
    await page.getByText("Done: 8 schedules paused.").waitFor();
    assert.ok((await client.schedules.list()).every(({ isPaused }) => isPaused));
    await dialog().getByRole("button", { name: "Close" }).last().click();

    await page.getByRole("combobox", { name: "Status" }).selectOption("active");
    await page.waitForURL(/state=active/);
    await page.getByText("No schedule fits the filter.").waitFor();
    await page.getByRole("combobox", { name: "Status" }).selectOption("paused");
    await page.getByRole("checkbox", { name: "Pick all that are loaded" }).check();
    await button("Delete", page.getByRole("toolbar", { name: "Picked" })).click();
    await button("Delete 8 schedules").click();
    await page.getByText("Done: 8 schedules deleted.").waitFor();
    assert.deepEqual(await client.schedules.list(), []);
  });
});

describe("flow-control keys", () => {
  test("are pinned, paused, resumed and unpinned", async () => {
    await open("/flow-control");
    await button("Pin a key").click();
    await dialog().getByLabel("Key").fill("slow-api");
    await dialog().getByLabel("Period in seconds").fill("60");
    await page.keyboard.press("Enter");
    await dialog().getByText("Give a parallelism, a rate, or both.").waitFor();
    await dialog().getByText("A period needs a rate.").waitFor();
    await dialog().getByLabel("Parallelism").fill("2");
    await dialog().getByLabel("Rate").fill("30");
    await confirm("Pin");
    await row("slow-api").getByText("0/30 per min").waitFor();
    assert.partialDeepStrictEqual(await client.flowControl.get("slow-api"), {
      parallelismMax: 2,
      rateMax: 30,
      ratePeriod: 60,
      isPinnedParallelism: true,
      isPinnedRate: true,
    });
    assert.equal(await page.getByRole("meter", { name: "All deliveries under way" }).count(), 1);

    await choose("slow-api", "Pause");
    await row("slow-api").getByText("Paused").waitFor();
    await choose("slow-api", "Resume");
    await row("slow-api").getByText("Open").waitFor();
    await choose("slow-api", "Begin a new period");
    await page.getByText("A new period has begun").waitFor();
    await choose("slow-api", "Unpin");
    await dialog().getByLabel("Rate: 30 in 60 s").uncheck();
    await confirm("Unpin");
    assert.partialDeepStrictEqual(await client.flowControl.get("slow-api"), {
      isPinnedParallelism: false,
      isPinnedRate: true,
    });
  });
});

describe("signing keys", () => {
  test("are hidden until they are revealed, and rotate", async () => {
    const former = await read("/v2/keys");
    await open("/keys");
    const body = () => page.locator("body").textContent();
    assert.ok(!(await body()).includes(former.current) && !(await body()).includes(former.next));
    await button("Reveal").click();
    await page.locator('[data-key="current"]').getByText(former.current).waitFor();
    await button("Rotate").click();
    await page.getByText("two rotations in a row leave them with no key that counts").waitFor();
    await button("Rotate", dialog()).click();
    await page.getByRole("dialog", { name: "The keys are rotated" }).waitFor();
    const { current, next } = await read("/v2/keys");
    assert.equal(current, former.next);
    await dialog().getByText(`QSTASH_CURRENT_SIGNING_KEY=${current}`).waitFor();
    await dialog().getByText(`QSTASH_NEXT_SIGNING_KEY=${next}`).waitFor();
    await assertAccessible(page, "the rotated keys");
    await button("Done").click();
    await page.locator('[data-key="current"]').getByText(current).waitFor();
  });

  test("a read-only token is told so in a sentence", async () => {
    const sentence = "the token is read-only: it is not enough for the signing keys";
    await page.route("**/v2/keys", (route) => route.fulfill({ status: 403, json: { error: sentence } }));
    errors.length = 0;
    await open("/keys");
    await page.getByText("A read-only token does not show the signing keys.").waitFor();
    assert.equal(await button("Rotate").count(), 0);
    assert.ok(errors.every((error) => error.includes("403")));
    errors.length = 0;
  });
});

describe("the keyboard", () => {
  test("jumps to ids, names and pages, and shows its keys", async () => {
    await client.queue({ queueName: "invoices" }).upsert({ parallelism: 1 });
    await open("/keys");
    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox", { name: /Run, message or dead letter id/ });
    await field.fill("inv");
    await page.getByRole("option", { name: "invoices" }).waitFor();
    await assertAccessible(page, "the jump dialog");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/messages\?queueName=invoices$/);

    await page.keyboard.press("Control+k");
    await field.fill("wfr_some-run");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/run\?id=wfr_some-run$/);

    await page.keyboard.press("Control+k");
    await field.fill("dead");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/dlq$/);

    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).getByText("Jump to an id, a name or a page").waitFor();
    await assertAccessible(page, "the keys");
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "hidden" });
  });
});
