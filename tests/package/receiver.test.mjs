/** The package's `Receiver`, put to the known answers about signatures. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { mock, test } from "node:test";

import { Receiver } from "@repo/orchestration/server";

const { verify } = JSON.parse(await readFile(new URL("../vectors/signature.json", import.meta.url), "utf8"));

// Loaded before the clock stands still.
await new Receiver({ currentSigningKey: "sig" }).verify({ signature: "", body: "" }).catch(() => {});

for (const vector of verify) {
  test(vector.name, async () => {
    assert.equal(await verdictOf(vector, bodyOf(vector)), vector.expect);
  });
}

test("a body as text is its UTF-8", async () => {
  const utf8 = verify.filter((vector) => isUtf8(bodyOf(vector)));
  assert.ok(utf8.length > 10);
  for (const vector of utf8) {
    assert.equal(
      await verdictOf(vector, new TextDecoder("utf-8", { ignoreBOM: true }).decode(bodyOf(vector))),
      vector.expect,
    );
  }
});

test("a receiver without keys refuses", async () => {
  await assert.rejects(new Receiver({ currentSigningKey: "" }).verify({ signature: "x", body: "" }), {
    code: "EmptyKeySet",
  });
});

test("an explanation comes to the same, and shows what was signed", async () => {
  const told = { refused: 0, claims: 0, next: 0 };
  for (const vector of verify) {
    const { checks, isValid, claims, signedBy } = await at(vector.now, () => explained(vector));
    const first = checks.find(({ outcome }) => outcome === "failed");
    assert.equal(first?.code ?? "ok", vector.expect, vector.name);
    assert.equal(isValid, vector.expect === "ok", vector.name);
    assert.deepEqual(checks.map(({ check }) => check).join(" "), CHECKS, vector.name);
    for (const { outcome, message } of checks) assert.equal(message !== undefined, outcome === "failed");
    told.refused += isValid ? 0 : 1;
    told.claims += claims?.iss === "Upstash" ? 1 : 0;
    told.next += signedBy === "next" ? 1 : 0;
  }
  for (const [what, count] of Object.entries(told)) assert.ok(count > 0, what);
});

const CHECKS = "form algorithm key issuer claims subject expiry notBefore body";

function explained({ keys, url, tolerance, token, ...vector }) {
  const receiver = new Receiver({ currentSigningKey: keys.current, ...(keys.next && { nextSigningKey: keys.next }) });
  const options = { signature: token, clockTolerance: tolerance / 1000, url: url ?? undefined };
  return receiver.explain({ ...options, body: bodyOf(vector) });
}

/** `ok`, or the error's code. */
async function verdictOf({ keys, now, url, tolerance, token }, body) {
  const receiver = new Receiver({ currentSigningKey: keys.current, ...(keys.next && { nextSigningKey: keys.next }) });
  const options = { signature: token, body, clockTolerance: tolerance / 1000, url: url ?? undefined };
  try {
    assert.equal(await at(now, () => receiver.verify(options)), true);
    return "ok";
  } catch (error) {
    assert.equal(error.name, "SignatureError");
    return error.code;
  }
}

async function at(now, act) {
  mock.timers.enable({ apis: ["Date"], now });
  try {
    return await act();
  } finally {
    mock.timers.reset();
  }
}

function bodyOf({ body_base64, body_repeat = 1 }) {
  const once = Buffer.from(body_base64, "base64");
  return Buffer.concat(Array.from({ length: body_repeat }, () => once));
}

function isUtf8(bytes) {
  return Buffer.from(bytes.toString("utf8"), "utf8").equals(bytes);
}
