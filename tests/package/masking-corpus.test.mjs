/** The corpus of tests/vectors/masking.json, which Rust reads too: tests/masking.rs. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";

import { maskSensitiveData, maskText } from "@repo/orchestration/shared/utils/data-masking";

const { samples, values } = JSON.parse(await readFile(new URL("../vectors/masking.json", import.meta.url), "utf8"));
/** So much of a secret may be left that nobody can tell it from anything else. */
const REST = 8;

/** What is wrong with a text in which the secrets should be masked; nothing if all is well. */
function complaint({ secrets, keeps = [] }, masked) {
  for (const secret of secrets.map((parts) => parts.join(""))) {
    for (let begin = 0; begin <= Math.max(0, secret.length - REST); begin += 1) {
      const left = secret.slice(begin, begin + REST);
      // What is kept on purpose may look like a part of the secret.
      if (masked.includes(left) && !keeps.some((kept) => kept.includes(left))) return `'${left}' is left: ${masked}`;
    }
  }
  const lost = keeps.find((kept) => !masked.includes(kept));
  return lost === undefined ? undefined : `'${lost}' is lost: ${masked}`;
}

/** Masks every sample of a kind in some way, and tells what is wrong. */
function complaints(kind, mask) {
  const found = samples
    .filter((sample) => sample.kind === kind)
    .map((sample) => {
      const input = sample.input.join("");
      const masked = mask(input);
      const wrong = kind === "secret" ? complaint(sample, masked) : masked === input ? undefined : masked;
      return wrong && `${sample.name}: ${wrong}`;
    });
  assert.ok(found.length >= 150, `${found.length} samples`);
  return found.filter((wrong) => wrong !== undefined);
}

for (const [where, mask] of [
  ["in a text", maskText],
  ["in a value", (input) => maskSensitiveData({ log: [{ message: input }] }).log[0].message],
  ["in an error", (input) => maskSensitiveData(new Error(input)).message],
]) {
  describe(where, () => {
    test("no secret survives", () => assert.deepEqual(complaints("secret", mask), []));
    test("nothing harmless is masked", () => assert.deepEqual(complaints("harmless", mask), []));
  });
}

test("values are walked through as in Rust", () => {
  for (const { name, value, masked } of values) assert.deepEqual(maskSensitiveData(value), masked, name);
  assert.ok(values.length > 10);
});
