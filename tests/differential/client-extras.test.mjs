/** What our client offers beyond the official one: more calls, iterators, signals, time zones. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { Client, QstashError } from "@repo/orchestration/client";

import { MISTAKES } from "./client-mistakes.mjs";
import { startRecorder } from "./recorder.mjs";

let recorder;
let client;

before(async () => {
  recorder = await startRecorder();
});
beforeEach(() => {
  recorder.reset();
  client = new Client({ baseUrl: recorder.url, token: "token", retry: false });
});
after(() => recorder.close());

const lines = () => recorder.take().map(({ method, path }) => `${method} ${path}`);
const header = (name) => recorder.take()[0].headers.find(([key]) => key.toLowerCase() === name)?.[1];

/** Answers each request with the next page. */
function pages(...list) {
  recorder.answers = {
    get any() {
      return { body: list.shift() };
    },
  };
}

describe("calls that the official client lacks", () => {
  const keys = { current: "sig_a", next: "sig_b" };
  for (const [name, call, line, answer] of [
    ["keys.get", (client) => client.keys.get(), "GET /v2/keys", keys],
    ["keys.rotate", (client) => client.keys.rotate(), "POST /v2/keys/rotate", keys],
    ["flowControl.list", (client) => client.flowControl.list(), "GET /v2/flowControl", []],
    [
      "flowControl.list with a search",
      (client) => client.flowControl.list({ search: "a b" }),
      "GET /v2/flowControl?search=a+b",
      [{ flowControlKey: "a b" }],
    ],
    ["flowControl.reset", (client) => client.flowControl.reset("k"), "POST /v2/flowControl/k/reset", undefined],
  ]) {
    test(name, async () => {
      recorder.answers = { any: { body: answer ?? {} } };
      const result = await call(client);
      assert.deepEqual(result, answer);
      assert.deepEqual(lines(), [line]);
    });
  }

  test("dlq.get", async () => {
    pages({ dlqId: "1-0", topicName: "group", rate: 3 });
    const letter = await client.dlq.get("1-0");
    assert.deepEqual(letter, { dlqId: "1-0", topicName: "group", rate: 3, urlGroup: "group", ratePerSecond: 3 });
    assert.deepEqual(lines(), ["GET /v2/dlq/1-0"]);
  });

  test("a schedule's time zone", async () => {
    pages({ scheduleId: "scd_1" });
    await client.schedules.create({ destination: "https://a.test", cron: "0 4 * * *", timezone: "Europe/Berlin" });
    assert.equal(header("upstash-cron"), "CRON_TZ=Europe/Berlin 0 4 * * *");
  });
});

describe("iterators", () => {
  test("logs, page after page", async () => {
    pages(
      { events: [{ messageId: "a", topicName: "g" }, { messageId: "b" }], cursor: "1" },
      { events: [], cursor: "2" },
      { events: [{ messageId: "c" }], cursor: "" },
    );
    const found = [];
    for await (const log of client.iterateLogs({ filter: { state: "FAILED" }, count: 2 })) found.push(log);
    assert.deepEqual(
      found.map(({ messageId, urlGroup }) => [messageId, urlGroup]),
      [
        ["a", "g"],
        ["b", undefined],
        ["c", undefined],
      ],
    );
    assert.deepEqual(lines(), [
      "GET /v2/events?count=2&state=FAILED",
      "GET /v2/events?count=2&state=FAILED&cursor=1",
      "GET /v2/events?count=2&state=FAILED&cursor=2",
    ]);
  });

  test("a page is fetched when it is needed", async () => {
    pages({ messages: [{ dlqId: "a" }, { dlqId: "b" }], cursor: "1" }, { messages: [{ dlqId: "c" }] });
    for await (const { dlqId } of client.dlq.iterateMessages()) if (dlqId === "b") break;
    assert.deepEqual(lines(), ["GET /v2/dlq"]);
  });

  test("ids are one page", async () => {
    pages({ messages: [{ dlqId: "a" }], cursor: "1" });
    const found = [];
    for await (const { dlqId } of client.dlq.iterateMessages({ dlqIds: ["a"] })) found.push(dlqId);
    assert.deepEqual(found, ["a"]);
    assert.deepEqual(lines(), ["GET /v2/dlq?dlqIds=a"]);
  });

  test("a cursor that does not move ends in an error", async () => {
    recorder.answers = { any: { body: { events: [{ messageId: "a" }], cursor: "1" } } };
    await assert.rejects(
      async () => {
        for await (const _ of client.iterateLogs());
      },
      (error) => error instanceof QstashError && error.code === "BrokerAnswer",
    );
    assert.equal(recorder.take().length, 2);
  });
});

describe("signals", () => {
  const url = "https://a.test";
  const id = "x";
  const calls = {
    publish: (options) => client.publish({ url }, options),
    publishJSON: (options) => client.publishJSON({ url }, options),
    batch: (options) => client.batch([{ url }], options),
    batchJSON: (options) => client.batchJSON([{ url }], options),
    logs: (options) => client.logs({}, options),
    events: (options) => client.events({}, options),
    iterateLogs: (options) => client.iterateLogs({}, options).next(),
    "queue.upsert": (options) => client.queue({ queueName: id }).upsert({}, options),
    "queue.get": (options) => client.queue({ queueName: id }).get(options),
    "queue.list": (options) => client.queue().list(options),
    "queue.delete": (options) => client.queue({ queueName: id }).delete(options),
    "queue.pause": (options) => client.queue({ queueName: id }).pause(options),
    "queue.resume": (options) => client.queue({ queueName: id }).resume(options),
    "queue.enqueue": (options) => client.queue({ queueName: id }).enqueue({ url }, options),
    "queue.enqueueJSON": (options) => client.queue({ queueName: id }).enqueueJSON({ url }, options),
    "urlGroups.addEndpoints": (options) => client.urlGroups.addEndpoints({ name: id, endpoints: [{ url }] }, options),
    "urlGroups.removeEndpoints": (options) =>
      client.urlGroups.removeEndpoints({ name: id, endpoints: [{ url }] }, options),
    "urlGroups.list": (options) => client.urlGroups.list(options),
    "urlGroups.get": (options) => client.urlGroups.get(id, options),
    "urlGroups.delete": (options) => client.urlGroups.delete(id, options),
    "schedules.create": (options) => client.schedules.create({ destination: url, cron: "* * * * *" }, options),
    "schedules.get": (options) => client.schedules.get(id, options),
    "schedules.list": (options) => client.schedules.list(options),
    "schedules.delete": (options) => client.schedules.delete(id, options),
    "schedules.pause": (options) => client.schedules.pause({ schedule: id }, options),
    "schedules.resume": (options) => client.schedules.resume({ schedule: id }, options),
    "messages.get": (options) => client.messages.get(id, options),
    "messages.cancel": (options) => client.messages.cancel(id, options),
    "messages.cancel, many": (options) => client.messages.cancel({ all: true }, options),
    "messages.delete": (options) => client.messages.delete(id, options),
    "messages.deleteMany": (options) => client.messages.deleteMany([id], options),
    "messages.deleteAll": (options) => client.messages.deleteAll(options),
    "dlq.listMessages": (options) => client.dlq.listMessages({}, options),
    "dlq.iterateMessages": (options) => client.dlq.iterateMessages({}, options).next(),
    "dlq.get": (options) => client.dlq.get(id, options),
    "dlq.delete": (options) => client.dlq.delete(id, options),
    "dlq.delete, many": (options) => client.dlq.delete({ all: true }, options),
    "dlq.deleteMany": (options) => client.dlq.deleteMany({ dlqIds: [id] }, options),
    "dlq.retry": (options) => client.dlq.retry(id, options),
    "flowControl.get": (options) => client.flowControl.get(id, options),
    "flowControl.list": (options) => client.flowControl.list({}, options),
    "flowControl.getGlobalParallelism": (options) => client.flowControl.getGlobalParallelism(options),
    "flowControl.pause": (options) => client.flowControl.pause(id, options),
    "flowControl.resume": (options) => client.flowControl.resume(id, options),
    "flowControl.pin": (options) => client.flowControl.pin(id, { rate: 1 }, options),
    "flowControl.unpin": (options) => client.flowControl.unpin(id, { rate: true }, options),
    "flowControl.resetRate": (options) => client.flowControl.resetRate(id, options),
    "flowControl.reset": (options) => client.flowControl.reset(id, options),
    "keys.get": (options) => client.keys.get(options),
    "keys.rotate": (options) => client.keys.rotate(options),
    "workflow.cancel": (options) => client.workflow.cancel(id, options),
  };

  for (const [name, call] of Object.entries(calls)) {
    test(`${name}: ended before it begins, nothing is sent`, async () => {
      const reason = new Error("enough");
      await assert.rejects(
        async () => call({ signal: AbortSignal.abort(reason) }),
        (error) => error === reason,
      );
      assert.deepEqual(recorder.take(), []);
    });
  }

  test("every call is looked at", () => {
    const resources = { ...client, queue: client.queue() };
    for (const name of ["urlGroups", "schedules", "messages", "dlq", "flowControl", "keys", "workflow"])
      resources[name] = client[name];
    const missing = Object.entries(resources).flatMap(([name, resource]) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(resource))
        .filter((method) => method !== "constructor" && !(`${name}.${method}` in calls))
        .map((method) => `${name}.${method}`),
    );
    assert.deepEqual(missing, []);
  });

  test("a request under way ends", async () => {
    const controller = new AbortController();
    const { promise: begun, resolve: begin } = Promise.withResolvers();
    recorder.answers = {
      get any() {
        begin();
        return new Promise(() => {});
      },
    };
    const call = client.logs({}, { signal: controller.signal });
    await begun;
    controller.abort(new Error("enough"));
    await assert.rejects(call, /enough/);
  });
});

test("a mistake is a rejection, not an exception", async () => {
  const [call] = MISTAKES["a misspelt option"];
  const promise = call(client);
  assert.ok(promise instanceof Promise);
  await assert.rejects(promise, /there is no option 'dely'/);
});
