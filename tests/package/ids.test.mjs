/** Ids: their forms, their order, and that nobody guesses them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { createWorkflowRunId, nanoid, uuidV4, uuidV7 } from "@repo/orchestration";

const MANY = 20_000;
const many = (make, count = MANY) => Array.from({ length: count }, make);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([47])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("UUIDs", () => {
  test("have the version and the variant of RFC 9562", () => {
    for (const [make, version] of [
      [uuidV4, "4"],
      [uuidV7, "7"],
    ])
      for (const id of many(() => make(), 1_000)) assert.equal(UUID.exec(id)?.[1], version, id);
    const variants = new Set(many(() => uuidV4()[19], 1_000));
    assert.deepEqual([...variants].sort(), ["8", "9", "a", "b"]);
  });

  test("of version 7 begin with the time, and later ones sort behind", () => {
    // The time of RFC 9562's example, A.6.
    assert.equal(uuidV7(1645557742000).slice(0, 14), "017f22e2-79b0-");
    assert.equal(uuidV7(0).slice(0, 14), "00000000-0000-");
    const times = [0, 1, 999, 1_000, 2 ** 32, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
    const ids = times.map((time) => uuidV7(time));
    assert.deepEqual([...ids].sort(), ids);
    const before = Date.now();
    const stamped = Number.parseInt(uuidV7().replace("-", "").slice(0, 12), 16);
    assert.ok(stamped >= before && stamped <= Date.now());
    assert.equal(new Set(many(() => uuidV7(5), 1_000)).size, 1_000);
  });

  test("of version 7 need a time that they can hold", () => {
    for (const now of [-1, Number.NaN, 2 ** 48, Number.POSITIVE_INFINITY, "5", null, new Date()])
      assert.throws(() => uuidV7(now), {
        name: "ConfigurationError",
        code: "InvalidConfiguration",
        message: /2\^48 - 1/,
      });
  });
});

describe("nanoid", () => {
  test("has 21 characters that can stand in a URL, or as many of those that are asked for", () => {
    for (const id of many(() => nanoid(), 1_000)) assert.match(id, /^[\w-]{21}$/);
    for (const size of [1, 2, 64, 65, 1_024]) assert.equal(nanoid(size).length, size);
    assert.match(nanoid(1_000, "ab"), /^(?=.*a)(?=.*b)[ab]{1000}$/);
  });

  test("refuses other sizes and alphabets", () => {
    for (const given of [
      ...[[0], [-1], [1_025], [Number.NaN], [1.5], ["5"], [null], [2 ** 32 + 5]],
      ...["", "a", "aa", "abca", "äöü"].map((alphabet) => [5, alphabet]),
    ])
      assert.throws(() => nanoid(...given), {
        code: "InvalidConfiguration",
        message: /an id needs a length from 1 to 1024/,
      });
  });

  test("draws every character equally often, whatever the alphabet's length", () => {
    for (const length of [2, 3, 10, 36, 64, 95]) {
      const alphabet = String.fromCharCode(...Array.from({ length }, (_, index) => 32 + index));
      const drawn = new Map([...alphabet].map((letter) => [letter, 0]));
      const size = 500;
      const ids = 200;
      for (const id of many(() => nanoid(size, alphabet), ids))
        for (const letter of id) drawn.set(letter, drawn.get(letter) + 1);
      const expected = (size * ids) / length;
      const square = [...drawn.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // Six standard deviations above the mean of chi-square: once in a hundred million runs or less often.
      const freedom = length - 1;
      assert.ok(square < freedom + 6 * Math.sqrt(2 * freedom) + 30, `${length} letters: ${square}`);
    }
  });
});

test("run ids are wfr_ and 21 characters", () => {
  for (const id of many(() => createWorkflowRunId(), 1_000)) assert.match(id, /^wfr_[\w-]{21}$/);
});

test("no id comes twice", () => {
  for (const make of [() => uuidV4(), () => uuidV7(), () => nanoid(), () => createWorkflowRunId()])
    assert.equal(new Set(many(make)).size, MANY);
});

test("randomness is Web Crypto's, and never Math.random", (t) => {
  t.mock.method(Math, "random", () => assert.fail("Math.random is no source of ids"));
  const drawn = t.mock.method(crypto, "getRandomValues");
  for (const make of [() => uuidV4(), () => uuidV7(), () => nanoid(), () => createWorkflowRunId()]) {
    drawn.mock.resetCalls();
    make();
    assert.ok(drawn.mock.callCount() > 0);
  }
});

test("without Web Crypto there is a clear error, and no id", async () => {
  const program = `
    delete globalThis.crypto;
    const { uuidV4, uuidV7, nanoid, createWorkflowRunId, OrchestrationError } = await import(${JSON.stringify(import.meta.resolve("@repo/orchestration"))});
    for (const make of [uuidV4, uuidV7, nanoid, createWorkflowRunId]) {
      try {
        console.log(make());
      } catch (error) {
        console.log(error instanceof OrchestrationError, error.code, error.message);
      }
    }`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, 4);
  for (const line of lines) assert.match(line, /^true Internal .*(random|Crypto)/i);
});
