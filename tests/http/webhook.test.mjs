/** Webhooks: nothing is looked at before its signature is. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { describe, test } from "node:test";

import { WorkflowNonRetryableError } from "@repo/orchestration";
import { createWorkflowWebhookHandler } from "@repo/orchestration/server/next";

const URL_OF_HOOK = "https://app.test/api/hook";
const [CURRENT, NEXT, OTHER] = ["sig_current", "sig_next", "sig_other"];
const base64 = (text) => Buffer.from(text).toString("base64");

/** A request as the broker sends it. */
function delivery(body, { key = CURRENT, url = URL_OF_HOOK, headers = {}, method = "POST" } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const hash = createHash("sha256").update(text).digest("base64url");
  const claims = {
    iss: "Upstash",
    sub: url,
    exp: now + 300,
    nbf: now - 1,
    iat: now,
    jti: `jwt_${Math.random()}`,
    body: hash,
  };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  const signature = `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  const init = { method, headers: { "upstash-signature": signature, "upstash-message-id": "msg_1", ...headers } };
  return new Request(url, method === "POST" ? { ...init, body: text } : init);
}

function receiving(options = {}) {
  const events = [];
  const onEvent = (event) => void events.push(event);
  const handler = createWorkflowWebhookHandler({ secret: CURRENT, nextSecret: NEXT, onEvent, ...options });
  return { handler, events };
}

describe("a webhook", () => {
  test("tells of a message, signed by the current key or the next", async () => {
    for (const key of [CURRENT, NEXT]) {
      const { handler, events } = receiving();
      const headers = { "upstash-retried": "2", "upstash-schedule-id": "scd_1" };
      const response = await handler(delivery({ orderId: 7 }, { key, headers }));
      assert.deepEqual([response.status, await response.json()], [200, { received: true }]);
      const [{ type, body, rawBody, messageId, retried, scheduleId }] = events;
      assert.deepEqual(
        { type, body, rawBody, messageId, retried, scheduleId },
        {
          type: "message",
          body: { orderId: 7 },
          rawBody: '{"orderId":7}',
          messageId: "msg_1",
          retried: 2,
          scheduleId: "scd_1",
        },
      );
    }
  });

  test("tells of callbacks and failures in plain text", async () => {
    const { handler, events } = receiving();
    const callback = {
      ...{ status: 500, header: { "x-a": ["1"] }, body: base64("it bröke"), retried: 3, maxRetries: 3 },
      ...{ sourceMessageId: "msg_0", url: "https://dest.test/", sourceBody: base64('{"n":1}') },
    };
    await handler(delivery(callback));
    await handler(delivery({ ...callback, dlqId: "1-0", workflowRunId: "wfr_1" }));
    await handler(delivery({ ...callback, status: 200, workflowRunId: "wfr_1" }));
    assert.deepEqual(
      events.map(({ type }) => type),
      ["callback", "failure", "callback"],
    );
    const { answer, sourceMessageId, sourceUrl, sourceBody, dlqId, workflowRunId, maxRetries } = events[1];
    assert.deepEqual(
      { answer, sourceMessageId, sourceUrl, sourceBody, dlqId, workflowRunId, maxRetries },
      {
        answer: { status: 500, headers: { "x-a": ["1"] }, body: "it bröke" },
        ...{ sourceMessageId: "msg_0", sourceUrl: "https://dest.test/", sourceBody: '{"n":1}' },
        ...{ dlqId: "1-0", workflowRunId: "wfr_1", maxRetries: 3 },
      },
    );
  });

  test("refuses what the broker has not signed, and tells nobody", async () => {
    const { handler, events } = receiving();
    const tampered = delivery({ amount: 1 });
    for (const [request, status, code] of [
      [new Request(URL_OF_HOOK, { method: "POST", body: "{}" }), 401, "SignatureMissing"],
      [delivery({}, { key: OTHER }), 403, "SignatureInvalid"],
      [
        new Request(tampered.url, { method: "POST", headers: tampered.headers, body: '{"amount":9}' }),
        403,
        "SignatureInvalid",
      ],
      [new Request("https://app.test/api/other", delivery({})), 403, "SignatureInvalid"],
      [delivery({}, { method: "GET" }), 405, "MethodNotAllowed"],
    ]) {
      const response = await handler(request);
      const { error, message } = await response.json();
      assert.deepEqual([response.status, error], [status, code]);
      assert.ok(![CURRENT, NEXT].some((key) => message.includes(key)), message);
    }
    assert.deepEqual(events, []);
  });

  test("nothing is read of what is not signed, and not more than the limit of what is", async () => {
    const { handler, events } = receiving({ maxBodyBytes: 100 });
    let pulled = 0;
    const body = new ReadableStream(
      { pull: (controller) => controller.enqueue(new Uint8Array(1024 * ++pulled)) },
      { highWaterMark: 0 },
    );
    const unsigned = await handler(new Request(URL_OF_HOOK, { method: "POST", body, duplex: "half" }));
    assert.deepEqual([unsigned.status, pulled], [401, 0]);
    const large = await handler(delivery({ text: "x".repeat(100) }));
    assert.deepEqual([large.status, (await large.json()).error], [413, "PayloadTooLarge"]);
    assert.deepEqual(events, []);
  });

  test("without any key nothing is believed", async () => {
    const events = [];
    const handler = createWorkflowWebhookHandler({
      secret: undefined,
      env: {},
      onEvent: (event) => events.push(event),
    });
    const response = await handler(delivery({}));
    assert.deepEqual([response.status, (await response.json()).error], [500, "EmptyKeySet"]);
    assert.deepEqual(events, []);
    assert.throws(() => createWorkflowWebhookHandler({}), { code: "InvalidConfiguration" });
  });

  test("takes its keys from the settings and from a Worker's bindings", async () => {
    const env = { QSTASH_CURRENT_SIGNING_KEY: CURRENT, QSTASH_NEXT_SIGNING_KEY: NEXT };
    const given = receiving({ secret: undefined, nextSecret: undefined, env });
    assert.equal((await given.handler(delivery({}))).status, 200);
    const bound = receiving({ secret: undefined, nextSecret: undefined });
    assert.equal((await bound.handler(delivery({}), env)).status, 200);
    assert.equal((await bound.handler(delivery({}, { key: OTHER }), env)).status, 403);
  });

  test("an event that fails is delivered again, unless it never can work", async () => {
    const failing = (error) => receiving({ onEvent: () => Promise.reject(error) }).handler(delivery({}));
    const again = await failing(new Error("database=secret is down"));
    assert.equal(again.status, 500);
    assert.ok(!(await again.text()).includes("secret"));
    const never = await failing(new WorkflowNonRetryableError("no such order"));
    assert.deepEqual([never.status, never.headers.get("upstash-nonretryable-error")], [489, "true"]);
    assert.match((await never.json()).message, /no such order/);
  });
});
