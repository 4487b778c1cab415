/** How requests travel: sent again, ended, refused. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";

import {
  Client,
  OrchestrationError,
  QstashChatRatelimitError,
  QstashDailyRatelimitError,
  QstashError,
  QstashRatelimitError,
} from "@repo/orchestration/client";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";

const OK = { body: [{ messageId: "msg_1" }] };
const LOST = "lost";

let baseUrl;
let server;
/** Answers in order, the last one for ever; `LOST` breaks the connection. */
let script = [];
let received = [];

before(async () => {
  server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push(Buffer.concat(chunks).toString());
    const answer = script.length > 1 ? script.shift() : script[0];
    if (answer === LOST) return request.socket.destroy();
    if (answer === undefined) return; // Never answers.
    response.writeHead(answer.status ?? 200, answer.headers).end(JSON.stringify(answer.body ?? {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  baseUrl = `http://127.0.0.1:${server.address().port}`;
});
beforeEach(() => {
  received = [];
});
after(() => {
  server.close();
  server.closeAllConnections();
});

const AT_ONCE = { backoff: () => 1 };
const connected = (retry = AT_ONCE) => new Client({ baseUrl, token: "token", retry });
const message = (more = {}) => ({ url: "https://app.test/hook", body: "text", ...more });

describe("a failed request is sent again", () => {
  const tries = (name, answers, expected, options = {}, retry = AT_ONCE) =>
    test(name, async () => {
      script = answers;
      const sent = connected(retry).publish(message(options));
      await (typeof expected === "number" ? sent : assert.rejects(sent, QstashError));
      const count = typeof expected === "number" ? expected : expected.fails;
      assert.deepEqual(received, Array(count).fill("text"));
    });
  const status = (status, headers) => ({ status, headers, body: { error: "told" } });

  tries("when the connection breaks", [LOST, LOST, OK], 3);
  tries("at most as often as `retries` says", [LOST], { fails: 3 }, {}, { ...AT_ONCE, retries: 2 });
  tries("five times if nothing is said", [LOST], { fails: 6 });
  tries("not with `retry: false`", [LOST], { fails: 1 }, {}, false);
  tries("after a burst limit", [status(429, { "retry-after": "0" }), OK], 2);
  tries("not after a daily limit", [status(429, { "ratelimit-limit": "10" })], { fails: 1 });
  tries(
    "not when the wait is beyond the budget",
    [status(429, { "retry-after": "1" })],
    { fails: 1 },
    {},
    { budget: 900 },
  );
  tries("after a 5xx if it has a deduplication id", [status(503), OK], 2, { deduplicationId: "once" });
  tries("not after a 5xx if it could arrive twice", [status(503)], { fails: 1 });
  tries("not after what can't become better", [status(501)], { fails: 1 }, { deduplicationId: "once" });
  tries("not after a refusal", [status(400)], { fails: 1 });

  test("waits as the caller says", async () => {
    script = [LOST, LOST, OK];
    const asked = [];
    await connected({ backoff: (count) => asked.push(count) }).publish(message());
    assert.deepEqual(asked, [0, 1]);
  });

  test("a stream is sent once", async () => {
    script = [LOST];
    await assert.rejects(connected().publish(message({ body: new Blob(["streamed"]).stream() })), QstashError);
    script = [OK];
    await connected().publish(message({ body: new Blob(["streamed"]).stream() }));
    assert.deepEqual(received, ["streamed", "streamed"]);
  });

  test("the start of a run, whose id is its deduplication", async () => {
    script = [{ status: 502 }, LOST, OK];
    const client = new WorkflowClient({ baseUrl, token: "token", retry: AT_ONCE });
    await client.trigger({ url: "https://app.test/flow" });
    assert.equal(new Set(received).size, 1);
    assert.equal(received.length, 3);
  });
});

describe("a refusal is an error of its class", () => {
  const caught = async (answer) => {
    script = [answer];
    let thrown;
    await assert.rejects(connected(false).publish(message()), (error) => {
      thrown = error;
      return true;
    });
    return thrown;
  };

  test("burst limit", async () => {
    const headers = { "burst-ratelimit-limit": "100", "burst-ratelimit-remaining": "0", "burst-ratelimit-reset": "17" };
    const error = await caught({ status: 429, headers });
    assert.ok(error instanceof QstashRatelimitError && error instanceof QstashError);
    assert.deepEqual(
      { ...error },
      { ...described("QstashRatelimitError", "RateLimited", 429), limit: "100", remaining: "0", reset: "17" },
    );
    assert.equal(error.message, 'Exceeded burst rate limit. {"limit":"100","remaining":"0","reset":"17"}');
  });

  test("limit without a word about it", async () => {
    const error = await caught({ status: 429 });
    assert.deepEqual([error.name, error.limit, error.reset], ["QstashRatelimitError", null, null]);
  });

  test("daily limit", async () => {
    const headers = { "ratelimit-limit": "1000", "ratelimit-remaining": "0", "ratelimit-reset": "18" };
    const error = await caught({ status: 429, headers });
    assert.ok(error instanceof QstashDailyRatelimitError);
    assert.deepEqual([error.limit, error.remaining, error.reset, error.status], ["1000", "0", "18", 429]);
  });

  test("limit of a language model", async () => {
    const names = [
      "limit-requests",
      "limit-tokens",
      "remaining-requests",
      "remaining-tokens",
      "reset-requests",
      "reset-tokens",
    ];
    const headers = Object.fromEntries(names.map((name, index) => [`x-ratelimit-${name}`, String(index + 1)]));
    const { limitRequests, limitTokens, remainingRequests, remainingTokens, resetRequests, resetTokens, ...error } =
      await caught({ status: 429, headers });
    assert.deepEqual(error, described("QstashChatRatelimitError", "ChatRateLimited", 429));
    assert.deepEqual(
      [limitRequests, limitTokens, remainingRequests, remainingTokens, resetRequests, resetTokens],
      ["1", "2", "3", "4", "5", "6"],
    );
    assert.equal(new QstashChatRatelimitError({ "limit-requests": "7" }).limitRequests, "7");
  });

  test("anything else tells its status and the broker's sentence", async () => {
    const error = await caught({ status: 404, body: { error: "no such group" } });
    assert.deepEqual([error.name, error.code, error.status], ["QstashError", "BrokerRefused", 404]);
    assert.match(error.message, /404: no such group/);
  });

  test("a broker that can't be reached", async () => {
    const error = await caught(LOST);
    assert.deepEqual([error.code, error.status], ["BrokerUnreachable", undefined]);
    assert.ok(error.cause instanceof Error && error instanceof OrchestrationError);
  });

  test("the classes can be made as the official ones are", () => {
    assert.deepEqual([new QstashError("told", 400).status, new QstashError("told").status], [400, undefined]);
    assert.equal(new QstashRatelimitError({ limit: "1", remaining: "0", reset: null }).limit, "1");
  });

  const described = (name, code, status) => ({ name, code, status, retryable: true });
});

describe("a signal ends a call", () => {
  const reason = new Error("no longer wanted");

  test("before it begins", async () => {
    script = [OK];
    await assert.rejects(connected().publish(message(), { signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(received, []);
  });

  test("while the broker takes its time", async () => {
    script = [];
    const controller = new AbortController();
    const sent = connected().publish(message(), { signal: controller.signal });
    while (received.length === 0) await new Promise(setImmediate);
    controller.abort(reason);
    await assert.rejects(sent, reason);
    assert.equal(received.length, 1);
  });

  test("while it waits for the next try", async () => {
    script = [LOST];
    const controller = new AbortController();
    const retry = { backoff: () => setImmediate(() => controller.abort(reason)) && 20_000 };
    await assert.rejects(connected(retry).publish(message(), { signal: controller.signal }), reason);
    assert.equal(received.length, 1);
  });

  test("by a timeout", async () => {
    script = [];
    const sent = connected().batch([message()], { signal: AbortSignal.timeout(20) });
    await assert.rejects(sent, { name: "TimeoutError" });
  });
});
