// The known answers, put to the official `Receiver` of @upstash/qstash and to Web Crypto.
//
// Both directions: what the native test proves to be what `sign` writes (`sign` in signature.json) is verified by the
// official receiver; what Web Crypto made (`verify`) is judged by both receivers, and every difference is listed below.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Receiver } from "@upstash/qstash";

const vectorFile = (name) => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));
const { verify, sign } = JSON.parse(readFileSync(vectorFile("signature.json"), "utf8"));

/** Where our receiver refuses what the official one accepts, and why. */
const STRICTER = {
  "algorithm HS384": "HS256 only: a receiver that lets the token choose is what RFC 8725 §2.1 warns of",
  "algorithm HS512": "HS256 only, as above",
  "a padded MAC": "RFC 7515 §2: no padding; one token, one spelling",
  "a padded header": "RFC 7515 §2, as above",
  "a header in the alphabet of base64": "RFC 7515 §2: base64url",
  "a MAC with bits after its end": "RFC 4648 §3.5: one token, one spelling",
  "a blank at the end": "white space is no base64url",
  "a line break at the end": "white space is no base64url",
  "a blank inside the payload": "white space is no base64url",
  "a header that names its algorithm twice": "RFC 7515 §4: two readers must not see two algorithms",
  "a payload that names a claim twice": "RFC 7519 §4: two readers must not see two claims",
  "a payload with a byte order mark": "RFC 8259 §8.1: JSON has none",
  "a header with critical extensions": "RFC 7515 §4.1.11: extensions that are not understood are refused",
  "another type of token": "RFC 8725 §3.11: a token made for something else is not a signature",
  "a token of more than 16 KiB": "work on foreign input is bounded",
  "no expiry": "a signature that never ends can be replayed for ever",
  "no subject, and none asked for": "every broker writes one",
  "an id that is a number": "RFC 7519 §4.1.7: a text",
  "an expiry larger than any number": "not a number that JSON readers agree on",
  "a body claim padded twice": "RFC 4648 §4: 32 bytes have one padding character",
};

/** Where our receiver accepts what the official one refuses, and why. */
const WIDER = {
  "the URL as a URL parser writes it": "hosts hand in parsed URLs; both name the same resource (RFC 3986 §6.2)",
  "the URL without its fragment": "a fragment is never sent, so no host can hand it in",
  "UTF-8 with a byte order mark": "a body is bytes; the official receiver is handed text, from which the mark is gone",
  "UTF-16 with a byte order mark": "a body is bytes; read as UTF-8 it becomes another",
  "Latin-1": "a body is bytes, as above",
  "invalid UTF-8": "a body is bytes, as above",
  "every byte value": "a body is bytes, as above",
};

/** What the official receiver says at the vector's time; its body is text, as `Request.text()` hands it out. */
async function official(vector) {
  const receiver = new Receiver({
    currentSigningKey: vector.keys.current,
    nextSigningKey: vector.keys.next ?? vector.keys.current,
  });
  mock.timers.enable({ apis: ["Date"], now: vector.now });
  try {
    await receiver.verify({
      signature: vector.token,
      body: new TextDecoder().decode(bodyOf(vector)),
      url: vector.url ?? undefined,
      clockTolerance: vector.tolerance / 1000,
    });
    return "ok";
  } catch (error) {
    return String(error);
  } finally {
    mock.timers.reset();
  }
}

function bodyOf({ body_base64, body_repeat = 1 }) {
  const once = Buffer.from(body_base64, "base64");
  return Buffer.concat(Array.from({ length: body_repeat }, () => once));
}

test("signature.json is what its generator writes", () => {
  execFileSync(process.execPath, [vectorFile("generate-signature.mjs"), "--check"]);
});

test("the official receiver gives the same verdicts, except for what is listed", async () => {
  const stricter = [];
  const wider = [];
  for (const vector of verify) {
    const verdict = await official(vector);
    if (verdict === "ok" && vector.expect !== "ok") stricter.push(vector.name);
    if (verdict !== "ok" && vector.expect === "ok") wider.push(vector.name);
  }
  assert.deepEqual(stricter.sort(), Object.keys(STRICTER).sort());
  assert.deepEqual(wider.sort(), Object.keys(WIDER).sort());
});

test("the official receiver accepts what we sign, and nothing else", async () => {
  for (const { key, claims, token, body_base64 } of sign) {
    const vector = {
      token,
      body_base64,
      keys: { current: key },
      url: claims.sub,
      now: claims.iat * 1000,
      tolerance: 0,
    };
    assert.equal(await official(vector), "ok");
    assert.notEqual(await official({ ...vector, keys: { current: "sig_other" } }), "ok");
    assert.notEqual(await official({ ...vector, body_base64: btoa("other") }), "ok");
    assert.notEqual(await official({ ...vector, url: "https://other.example" }), "ok");
    assert.notEqual(await official({ ...vector, now: claims.exp * 1000 }), "ok");
  }
});

test("Web Crypto verifies the MAC and the body of what we sign", async () => {
  for (const { key, token, body_base64 } of sign) {
    const [header, payload, mac] = token.split(".");
    const secret = await crypto.subtle.importKey("raw", Buffer.from(key), { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]);
    const signed = Buffer.from(`${header}.${payload}`);
    assert.ok(await crypto.subtle.verify("HMAC", secret, Buffer.from(mac, "base64url"), signed));
    const digest = await crypto.subtle.digest("SHA-256", Buffer.from(body_base64, "base64"));
    assert.equal(JSON.parse(Buffer.from(payload, "base64url")).body, Buffer.from(digest).toString("base64url"));
  }
});
