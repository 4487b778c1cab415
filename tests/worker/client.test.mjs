// Our own client on our own broker: both ends of the wire are this package's.

import assert from "node:assert/strict";
import test from "node:test";
import { Client, QstashError } from "@repo/orchestration/client";
import { developmentBindings } from "../../scripts/workerd.mjs";
import { broker, server, TOKEN, until } from "./support.mjs";

/** A broker, and our client for it. */
async function connected(t) {
  const { url } = await broker(t);
  return new Client({ baseUrl: url, token: TOKEN });
}

test("messages, the log and dead letters, page by page", async (t) => {
  const client = await connected(t);
  const endpoint = await server(t, ({ url }) => (url === "/fails" ? { status: 500, body: "no" } : {}));
  const results = await client.batchJSON([
    { url: `${endpoint.url}/works`, body: { a: "é" }, label: ["one", "two"] },
    { url: `${endpoint.url}/fails`, body: 1, retries: 0 },
    { url: `${endpoint.url}/fails`, body: 2, retries: 0 },
  ]);
  const ids = results.map(({ messageId }) => messageId);
  const letters = await until(async () => {
    const found = await Array.fromAsync(client.dlq.iterateMessages({ count: 1 }));
    return found.length === 2 && found;
  });
  assert.deepEqual(letters.map(({ messageId }) => messageId).sort(), ids.slice(1).sort());
  assert.equal(letters[0].responseBody, "no");

  const delivered = await until(async () => {
    const found = await Array.fromAsync(client.iterateLogs({ filter: { label: "two" }, count: 1 }));
    return found[0]?.state === "DELIVERED" && found;
  });
  assert.deepEqual(
    delivered.map(({ state, messageId }) => [state, messageId]),
    ["DELIVERED", "ACTIVE", "CREATED"].map((state) => [state, ids[0]]),
  );

  for (const { dlqId } of letters) assert.deepEqual(await client.dlq.delete(dlqId), { deleted: 1 });
  assert.deepEqual(await Array.fromAsync(client.dlq.iterateMessages()), []);
});

test("waiting messages are shown and cancelled", async (t) => {
  const client = await connected(t);
  const { messageId } = await client.publish({ url: "https://app.test/later", delay: "1d", body: "é", label: "one" });
  const message = await client.messages.get(messageId);
  assert.deepEqual([message.body, message.url, message.labels], ["é", "https://app.test/later", ["one"]]);
  await client.messages.delete(messageId);
  await assert.rejects(client.messages.get(messageId), (error) => {
    return error instanceof QstashError && error.status === 404 && error.code === "BrokerRefused";
  });
});

test("the signing keys are the broker's", async (t) => {
  const client = await connected(t);
  const settings = developmentBindings();
  assert.deepEqual(await client.keys.get(), {
    current: settings.QSTASH_CURRENT_SIGNING_KEY,
    next: settings.QSTASH_NEXT_SIGNING_KEY,
  });
});
