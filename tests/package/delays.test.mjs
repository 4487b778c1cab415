/** What the client tells of the broker's waits. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { parseDuration, retryDelays } from "@repo/orchestration/client";

const DAY_MS = 86_400_000;

test("delays are what the expression says, bounded as the broker bounds them", async () => {
  assert.deepEqual(await retryDelays("1000 * pow(2, retried)", 4), [1000, 2000, 4000, 8000]);
  assert.deepEqual(await retryDelays("1000 - 1000 * retried", 3), [1000, 0, 0]);
  assert.deepEqual(await retryDelays("pow(10, 9) * (1 + retried)", 1), [DAY_MS]);
  assert.deepEqual(await retryDelays("sqrt(-1)", 1), [12_000]);
  assert.deepEqual(await retryDelays("1", 0), []);
});

test("without an expression they are the broker's own", async () => {
  assert.deepEqual(await retryDelays(undefined, 5), [12_000, 148_000, 1_808_000, 22_026_000, DAY_MS]);
});

test("an expression that can't be read is an error with its place", async () => {
  for (const [expression, reason] of [
    ["1000 * tries", "unknown name 'tries' at character 8"],
    ["2 ^ 3", "unexpected '^' at character 3"],
    ["", "ends too early"],
  ]) {
    await assert.rejects(retryDelays(expression, 1), ({ name, code, message }) => {
      assert.deepEqual([name, code], ["QstashError", "InvalidExpression"]);
      return message.includes(reason);
    });
  }
});

test("durations", async () => {
  assert.equal(await parseDuration("3d2h"), 3 * DAY_MS + 2 * 3_600_000);
  await assert.rejects(parseDuration("3 days"), { name: "QstashError", code: "InvalidDuration" });
});
