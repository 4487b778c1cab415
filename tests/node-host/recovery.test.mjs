// SIGKILL of the program at any moment, then a new one on the same file: nothing accepted is lost, runs end once.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { dev, receiverOf, SDKS, server, until } from "./support.mjs";

/** An endpoint with the route of `sdk`, on the broker `on`. */
function serving(t, on, sdk, route) {
  const receiver = receiverOf({
    currentSigningKey: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
    nextSigningKey: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
  });
  const { handler } = sdk.serve(route, { qstashClient: on.qstash, receiver, disableTelemetry: true });
  return server(t, async ({ method, url, headers, body }) => {
    const response = await handler(new Request(`http://${headers.host}${url}`, { method, headers, body }));
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    };
  });
}

for (const sdk of SDKS) {
  test(`a run of ${sdk.name} serve goes through every step, side by side too, and is told its result`, async (t) => {
    const on = await dev(t);
    const { url: third } = await server(t, ({ body }) => ({ body: `got ${body}` }));
    const { url } = await serving(t, on, sdk, async (context) => {
      const [one, two] = await Promise.all([context.run("one", () => 1), context.run("two", () => 2)]);
      await context.sleep("nap", 1);
      const { body } = await context.call("third party", { url: third, method: "POST", body: "it" });
      const { eventData, timeout } = await context.waitForEvent("event", context.requestPayload.event, { timeout: 20 });
      return { sum: one + two, body, eventData, timeout };
    });
    const { workflowRunId } = await on.workflow.trigger({ url, body: { event: "ready" } });
    await until(async () => (await on.json("/v2/waiters/ready")).length === 1);
    await on.workflow.notify({ eventId: "ready", eventData: "go" });
    const run = await on.ended(workflowRunId);
    assert.equal(run.workflowState, "RUN_SUCCESS", JSON.stringify(run));
    assert.deepEqual(JSON.parse(run.workflowRunResponse), { sum: 3, body: "got it", eventData: "go", timeout: false });
  });
}

/** An undisturbed run takes about a second and a half. */
const MOMENTS_MS = [0, 30, 80, 160, 400, 1200];

for (const [index, moment] of MOMENTS_MS.entries()) {
  const sdk = SDKS[index % 2];
  test(`killed ${moment} ms after its triggers, three runs of ${sdk.name} serve end, each once`, async (t) => {
    const on = await dev(t);
    const ended = [];
    const ran = [];
    const { url } = await serving(t, on, sdk, async (context) => {
      const id = context.requestPayload;
      await context.run("first", () => ran.push(`${id} first`));
      await Promise.all([
        context.run("left", () => ran.push(`${id} left`)),
        context.run("right", () => ran.push(`${id} right`)),
      ]);
      await context.sleep("nap", 1);
      await context.run("last", () => ran.push(`${id} last`));
      ended.push(id);
    });
    const triggered = await Promise.all(
      ["a", "b", "c"].map((body) => on.workflow.trigger({ url, body, retries: 5, retryDelay: "200" })),
    );
    await pause(moment);
    await on.kill();
    await pause(50);
    await on.restart();
    for (const { workflowRunId } of triggered) {
      const run = await on.ended(workflowRunId, 40_000);
      assert.equal(run.workflowState, "RUN_SUCCESS", JSON.stringify(run));
      assert.equal(run.steps.flatMap(({ steps }) => steps).filter(({ stepName }) => stepName === "last").length, 1);
    }
    assert.deepEqual([...new Set(ended)].sort(), ["a", "b", "c"]);
    for (const id of ["a", "b", "c"]) {
      for (const step of ["first", "left", "right", "last"]) {
        // What the process was doing when it died may be done again: once, by at-least-once delivery.
        const times = ran.filter((entry) => entry === `${id} ${step}`).length;
        assert.ok(times === 1 || times === 2, `${id} ${step} ran ${times} times`);
      }
    }
    const again = ran.length - new Set(ran).size;
    assert.ok(again <= 6, `${again} steps ran again, more than were under way`);
  });
}

test("killed while it accepts messages, it has delivered every one that it had answered, after a restart", async (t) => {
  const on = await dev(t);
  const received = new Set();
  const { url } = await server(t, ({ headers }) => void received.add(headers["upstash-message-id"]));
  const accepted = [];
  let alive = true;
  const publishing = Array.from({ length: 8 }, async () => {
    while (alive) {
      const sent = await on.qstash.publish({ url, body: "x", retries: 3 }).catch(() => undefined);
      if (sent) accepted.push(sent.messageId);
    }
  });
  await until(() => accepted.length > 60);
  await on.kill();
  alive = false;
  await Promise.all(publishing);
  await on.restart();
  await until(() => accepted.every((id) => received.has(id)), 30_000);
  t.diagnostic(`${accepted.length} accepted, ${received.size} delivered`);
});

const { platform } = process;
const FULL_DISK = { skip: platform !== "linux" && `no file size limit can be set from outside on ${platform}` };

test("a full disk is told to whoever sends, and when there is room again nothing is missing", FULL_DISK, async (t) => {
  const on = await dev(t);
  const received = new Set();
  const { url } = await server(t, ({ headers }) => void received.add(headers["upstash-message-id"]));
  const accepted = [];
  const publish = async () => {
    const answer = await on.api(`/v2/publish/${url}`, { method: "POST", body: "x".repeat(10_000) });
    const body = await answer.json();
    if (answer.ok) accepted.push(body.messageId);
    return [answer.status, body];
  };
  await publish();
  // No file of this process may grow any more.
  const limit = (bytes) => execFileSync("prlimit", [`--pid=${on.pid()}`, `--fsize=${bytes}:unlimited`]);
  limit(50_000);
  const [status, body] = await publish();
  assert.equal(status, 500);
  assert.match(body.error, /^the database failed: /);
  limit("unlimited");
  assert.equal((await publish())[0], 200);
  await until(() => accepted.every((id) => received.has(id)), 20_000);
  assert.equal(accepted.length, 2);
});
