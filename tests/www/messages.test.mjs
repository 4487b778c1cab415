// Messages as the dashboard reads them from the log, which tells events, newest first.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { draftOf, listOf } from "../../www/lib/broker/draft.ts";
import { attemptsOf, isCancelable, messagesOf } from "../../www/lib/broker/messages.ts";
import { bytesOfBase64, size, textOfBase64 } from "../../www/lib/bytes.ts";
import { headersError, optionalSpanError, parseHeaders, secondsOf } from "../../www/lib/checks.ts";

const T = 1_800_000_000_000;

/** An entry of the log. */
const entry = (messageId, state, seconds, more = {}) => ({
  messageId,
  state,
  time: T + seconds * 1_000,
  url: "https://example.com/hook",
  createdAt: T,
  maxRetries: 3,
  retried: 0,
  ...more,
});

describe("the list", () => {
  test("a message is told by its newest entry, and stands where that is", () => {
    const log = [
      entry("msg_b", "DELIVERED", 9, { responseStatus: 200 }),
      entry("msg_a", "RETRY", 8, { nextDeliveryTime: T + 60_000 }),
      entry("msg_a", "ERROR", 8, { responseStatus: 503, error: "the destination answered 503" }),
      entry("msg_b", "ACTIVE", 7),
      entry("msg_a", "ACTIVE", 6),
      entry("msg_b", "CREATED", 1),
      entry("msg_a", "CREATED", 0),
    ];
    const rows = messagesOf(log).map(({ messageId, state, tries, responseStatus, nextDeliveryTime }) => {
      return { messageId, state, tries, responseStatus, nextDeliveryTime };
    });
    assert.deepEqual(rows, [
      { messageId: "msg_b", state: "DELIVERED", tries: 1, responseStatus: 200, nextDeliveryTime: undefined },
      { messageId: "msg_a", state: "RETRY", tries: 1, responseStatus: 503, nextDeliveryTime: T + 60_000 },
    ]);
  });

  test("an older page adds no row for a message that is known, only what is missing of it", () => {
    const first = [entry("msg_a", "ACTIVE", 5, { createdAt: undefined })];
    const older = [entry("msg_a", "CREATED", 2, { createdAt: undefined }), entry("msg_z", "CREATED", 1)];
    const rows = messagesOf([...first, ...older]);
    assert.deepEqual(
      rows.map(({ messageId, state, createdAt }) => [messageId, state, createdAt]),
      [
        ["msg_a", "ACTIVE", T + 2_000],
        ["msg_z", "CREATED", T],
      ],
    );
  });

  test("what has not begun has no try and is due when it says", () => {
    const [row] = messagesOf([entry("msg_a", "CREATED", 0, { nextDeliveryTime: T + 10_800_000 })]);
    assert.deepEqual([row.tries, row.nextDeliveryTime], [0, T + 10_800_000]);
    const [older] = messagesOf([entry("msg_a", "CREATED", 0, { notBefore: T + 5_000 })]);
    assert.equal(older.nextDeliveryTime, T + 5_000);
  });

  test("what has ended, and what a run needs, can't be canceled", () => {
    const cancelable = (state, more) => isCancelable(messagesOf([entry("msg_a", state, 1, more)])[0]);
    for (const state of ["CREATED", "ACTIVE", "RETRY", "ERROR"]) assert.equal(cancelable(state), true, state);
    for (const state of ["DELIVERED", "FAILED", "CANCELED", "CANCEL_REQUESTED"]) {
      assert.equal(cancelable(state), false, state);
    }
    assert.equal(cancelable("CREATED", { workflowRunId: "wfr_1" }), false);
  });
});

describe("attempts", () => {
  test("each is told with its time, its answer and the wait after it", () => {
    const log = [
      entry("msg_a", "CREATED", 0),
      entry("msg_a", "ACTIVE", 1),
      entry("msg_a", "ERROR", 3, { responseStatus: 503, error: "the destination answered 503", responseBody: "busy" }),
      entry("msg_a", "RETRY", 3, { responseStatus: 503, nextDeliveryTime: T + 15_000 }),
      entry("msg_a", "ACTIVE", 15, { retried: 1 }),
      entry("msg_a", "DELIVERED", 16, { retried: 1, responseStatus: 200, responseBody: "fine" }),
    ];
    for (const entries of [log, log.toReversed()]) {
      const attempts = attemptsOf(entries).map(({ answer, ...rest }) => ({ ...rest, body: answer?.responseBody }));
      assert.deepEqual(attempts, [
        {
          number: 1,
          startedAt: T + 1_000,
          endedAt: T + 3_000,
          outcome: "failed",
          responseStatus: 503,
          error: "the destination answered 503",
          nextDeliveryTime: T + 15_000,
          body: "busy",
        },
        {
          number: 2,
          startedAt: T + 15_000,
          endedAt: T + 16_000,
          outcome: "delivered",
          responseStatus: 200,
          error: undefined,
          nextDeliveryTime: undefined,
          body: "fine",
        },
      ]);
    }
  });

  test("the last of a message that is given up is one attempt, though two entries tell of it", () => {
    const attempts = attemptsOf([
      entry("msg_a", "ACTIVE", 1, { retried: 3 }),
      entry("msg_a", "ERROR", 2, { retried: 3, responseStatus: 500, responseBody: "boom" }),
      entry("msg_a", "FAILED", 2, { retried: 3, responseStatus: 500 }),
    ]);
    assert.equal(attempts.length, 1);
    assert.deepEqual([attempts[0].number, attempts[0].outcome, attempts[0].answer.responseBody], [4, "failed", "boom"]);
  });

  test("one that is under way has no end, one that was canceled has no answer", () => {
    const [running] = attemptsOf([entry("msg_a", "ACTIVE", 1)]);
    assert.deepEqual([running.outcome, running.endedAt], ["underway", undefined]);
    const [canceled] = attemptsOf([entry("msg_a", "ACTIVE", 1), entry("msg_a", "CANCELED", 4)]);
    assert.deepEqual([canceled.outcome, canceled.endedAt, canceled.answer], ["canceled", T + 4_000, undefined]);
    assert.deepEqual(attemptsOf([entry("msg_a", "CREATED", 1), entry("msg_a", "CANCELED", 4)]), []);
  });

  test("of one whose beginning the log no longer has, the end is told", () => {
    const attempts = attemptsOf([
      entry("msg_a", "RETRY", 3, { responseStatus: 503, nextDeliveryTime: T + 9_000 }),
      entry("msg_a", "ACTIVE", 9, { retried: 1 }),
    ]);
    assert.deepEqual(
      attempts.map(({ number, startedAt, endedAt, outcome }) => [number, startedAt, endedAt, outcome]),
      [
        [1, undefined, T + 3_000, "failed"],
        [2, T + 9_000, undefined, "underway"],
      ],
    );
  });
});

describe("publishing again", () => {
  test("keeps what was said of the message, and leaves out what belonged to that one request", () => {
    const draft = draftOf({
      url: "https://example.com/hook",
      method: "PUT",
      header: {
        "Content-Type": ["text/plain"],
        "X-Tenant": ["acme"],
        Authorization: ["Bearer of-the-destination"],
        "Upstash-Label": ["nightly"],
      },
      queueName: "mails",
      maxRetries: 5,
      labels: ["a", "b"],
      flowControlKey: "api",
      parallelism: 2,
      rate: 10,
      period: 60,
    });
    assert.equal(draft.headers, "X-Tenant: acme\nAuthorization: Bearer of-the-destination");
    const { target, queue, method, contentType, retries, flowKey, parallelism, rate, period } = draft;
    assert.deepEqual(
      [target, queue, method, contentType, retries, flowKey, parallelism, rate, period],
      ["queue", "mails", "PUT", "text/plain", "5", "api", "2", "10", "60s"],
    );
    assert.deepEqual(listOf(draft.labels), ["a", "b"]);
  });

  test("asks again for what the broker hides, and goes on hiding it", () => {
    const hash = "REDACTED:0a1b2c";
    const header = { Authorization: [`Bearer ${hash}`], "X-Key": [hash], "X-Tenant": ["acme"] };
    const draft = draftOf({ url: "https://example.com/hook", header }, hash);
    assert.equal(draft.headers, "Authorization: \nX-Key: \nX-Tenant: acme");
    assert.equal(draft.body, "");
    assert.equal(draft.redact, "body, header[X-Key]");
    assert.match(headersError(draft.headers), /Authorization has no value/);
    assert.deepEqual(parseHeaders("X-Tag: a\nx-tag: b\nX-Tenant: acme"), { "X-Tag": "a, b", "X-Tenant": "acme" });
  });
});

describe("what is typed and shown", () => {
  test("spans of time", () => {
    assert.deepEqual(["90s", "10m", "1d12h", " 2h "].map(secondsOf), [90, 600, 129_600, 7_200]);
    for (const text of ["10", "ten minutes", "1.5h", "h", "-1m"]) assert.equal(secondsOf(text), undefined, text);
    assert.equal(optionalSpanError(""), undefined);
    assert.match(optionalSpanError("soon"), /30s/);
  });

  test("bodies that are text, bytes, or redacted", () => {
    assert.equal(textOfBase64(Buffer.from("Grüße").toString("base64")), "Grüße");
    assert.equal(textOfBase64(Buffer.from([0xff, 0xfe]).toString("base64")), undefined);
    assert.equal(bytesOfBase64("REDACTED:8f434346"), undefined);
    assert.deepEqual([812, 4_096, 12_000_000].map(size), ["812 B", "4.1 kB", "12 MB"]);
  });
});
