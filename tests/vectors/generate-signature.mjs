// Writes signature.json, the known answers about signatures. Every token is made with Web Crypto (`crypto.subtle`),
// so the file doesn't depend on the code that it tests. Inputs are fixed: the same file comes out each time.
//
//   node tests/vectors/generate-signature.mjs           writes the file
//   node tests/vectors/generate-signature.mjs --check   fails if the file is not what would be written
import { readFile, writeFile } from "node:fs/promises";

const CURRENT = "sig_current_3Kq9vYt7NfLw2XcR8sHb";
const NEXT = "sig_next_7Zp4mQd6JgVk1WtB5nCx";
const OTHER = "sig_other_9Hs2rTf8LxMv3QaE6uYd";
const NOW = 1_700_000_000;
const URL_ = "https://example.com/api/workflow?tenant=7&plan=a%20b";
const JSON_BODY = bytes('{"orderId":"o-1","items":[1,2,3],"note":"größer ≥ 3 €"}');

function bytes(text) {
  return new TextEncoder().encode(text);
}

function base64url(data) {
  return Buffer.from(typeof data === "string" ? bytes(data) : data).toString("base64url");
}

async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

async function hmac(key, text, hash = "SHA-256") {
  const secret = await crypto.subtle.importKey("raw", bytes(key), { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, bytes(text)));
}

const HEADER = { alg: "HS256", typ: "JWT" };

/** The claims of a good delivery of `body` to `URL_` at `NOW`; `undefined` in `changes` removes a claim. */
async function claims(body = JSON_BODY, changes = {}) {
  const hash = base64url(await sha256(body));
  return { iss: "Upstash", sub: URL_, exp: NOW + 300, nbf: 0, iat: NOW, jti: "jwt_1", body: hash, ...changes };
}

/** Joins and signs parts that are already encoded. */
async function seal(header, payload, key = CURRENT, hash) {
  return `${header}.${payload}.${base64url(await hmac(key, `${header}.${payload}`, hash))}`;
}

/** `header` and `payload` are objects, or text or bytes that stand in their place. */
function token(payload, { header = HEADER, key, hash } = {}) {
  const encode = (part) =>
    base64url(typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part));
  return seal(encode(header), encode(payload), key, hash);
}

const WEB_CRYPTO = "Web Crypto";
const verify = [];

/** Adds one known answer. Times are milliseconds; a body may be repeated. */
function add(name, expect, made, options = {}) {
  const { source = WEB_CRYPTO, body = JSON_BODY, repeat = 1, url = URL_, now = NOW * 1000, tolerance = 0 } = options;
  const { current = CURRENT, next = NEXT } = options;
  if (verify.some((vector) => vector.name === name)) throw new Error(`two vectors are called '${name}'`);
  verify.push({
    name,
    source,
    token: made,
    keys: { current, next },
    body_base64: Buffer.from(body).toString("base64"),
    body_repeat: repeat,
    url,
    now,
    tolerance,
    expect,
  });
}

const good = await token(await claims());
const [goodHeader, goodPayload, goodMac] = good.split(".");

// Bodies: bytes, whatever they mean.
const utf16 = new Uint8Array([0xff, 0xfe, ...Buffer.from('{"a":"ü€"}', "utf16le")]);
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
const bodies = [
  ["JSON body", JSON_BODY],
  ["empty body", bytes("")],
  ["form body", bytes("a=1&b=%20")],
  ["JSON with white space around it", bytes(' \n{ "b": 2, "a": 1 }\r\n')],
  ["UTF-8 with a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, ...bytes("{}")])],
  ["UTF-16 with a byte order mark", utf16],
  ["Latin-1", new Uint8Array([0x67, 0x72, 0xfc, 0xdf])],
  ["invalid UTF-8", new Uint8Array([0xc3, 0x28, 0xa0, 0xff])],
  ["every byte value", everyByte],
  ["a single zero byte", new Uint8Array([0])],
];
for (const [name, body] of bodies) add(name, "ok", await token(await claims(body)), { body });

const chunk = bytes("0123456789abcdef");
const large = new Uint8Array(chunk.length * 65_536);
for (let at = 0; at < large.length; at += chunk.length) large.set(chunk, at);
add("a body of 1 MiB", "ok", await token(await claims(large)), { body: chunk, repeat: 65_536 });

// Keys.
const long = `sig_${"0123456789".repeat(20)}`;
add("signed with the next key", "ok", await token(await claims(), { key: NEXT }));
add("no next key", "ok", good, { next: null });
add("a key longer than a block of SHA-256", "ok", await token(await claims(), { key: long }), {
  current: long,
  source: "Web Crypto; RFC 2104 §2 hashes such a key first",
});
add("a key outside ASCII", "ok", await token(await claims(), { key: "schlüssel-€" }), { current: "schlüssel-€" });
add("signed with an unknown key", "SignatureInvalid", await token(await claims(), { key: OTHER }));
add("signed with the next key, which is not known", "SignatureInvalid", await token(await claims(), { key: NEXT }), {
  next: null,
});
add("a key with a letter less", "SignatureInvalid", good, { current: CURRENT.slice(0, -1) });

// Shape.
add("no signature", "SignatureMissing", "");
add("one part", "SignatureMalformed", "abc");
add("two parts", "SignatureMalformed", `${goodHeader}.${goodPayload}`);
add("a dot at the end", "SignatureMalformed", `${good}.`);
add("a dot at the start", "SignatureMalformed", `.${good}`);
add("five parts", "SignatureMalformed", `${good}.${goodMac}.${goodMac}`, { source: "Web Crypto; RFC 7516 §9: a JWE" });
add("two dots and nothing else", "SignatureMalformed", "..");
add("no header", "SignatureMalformed", `.${goodPayload}.${goodMac}`);
add("no payload", "SignatureMalformed", await seal(goodHeader, ""));
add("a blank in front", "SignatureMalformed", ` ${good}`);
add("a blank at the end", "SignatureMalformed", `${good} `);
add("a line break at the end", "SignatureMalformed", `${good}\n`);
add(
  "a blank inside the payload",
  "SignatureMalformed",
  await seal(goodHeader, `${goodPayload.slice(0, 8)} ${goodPayload.slice(8)}`),
);
add("the scheme in front", "SignatureMalformed", `Bearer ${good}`);
add("quotes around it", "SignatureMalformed", `"${good}"`);
add("characters outside ASCII", "SignatureMalformed", `${goodHeader}.${goodPayload}ü.${goodMac}`);
add("a padded MAC", "SignatureMalformed", `${good}=`, { source: "Web Crypto; RFC 7515 §2: no padding" });
add(
  "a padded header",
  "SignatureMalformed",
  await seal(Buffer.from('{"alg":"HS256" }').toString("base64"), goodPayload),
);
const plus = '{"alg":"HS256","typ":"JWT","kid":"~~~???"}';
add("a header in the alphabet of base64url", "ok", await token(await claims(), { header: plus }));
add(
  "a header in the alphabet of base64",
  "SignatureMalformed",
  await seal(Buffer.from(plus).toString("base64"), goodPayload),
  {
    source: "Web Crypto; RFC 7515 §2: base64url",
  },
);
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const slack = alphabet[alphabet.indexOf(goodMac.at(-1)) + 1];
add(
  "a MAC with bits after its end",
  "SignatureMalformed",
  `${goodHeader}.${goodPayload}.${goodMac.slice(0, -1)}${slack}`,
  {
    source: "Web Crypto; RFC 4648 §3.5: the same bytes in another spelling",
  },
);
add("a header that is not JSON", "SignatureMalformed", await token(await claims(), { header: "HS256" }));
add("a header that is an array", "SignatureMalformed", await token(await claims(), { header: '["HS256"]' }));
add("a header with text after it", "SignatureMalformed", await token(await claims(), { header: '{"alg":"HS256"}{}' }));
add(
  "a header that names its algorithm twice",
  "SignatureMalformed",
  await token(await claims(), { header: '{"alg":"none","alg":"HS256"}' }),
  {
    source: "Web Crypto; RFC 7515 §4: names are unique",
  },
);
add("a header without an algorithm", "SignatureMalformed", await token(await claims(), { header: { typ: "JWT" } }));
add(
  "a header whose algorithm is a list",
  "SignatureMalformed",
  await token(await claims(), { header: { alg: ["HS256"] } }),
);
add(
  "a header with critical extensions",
  "SignatureMalformed",
  await token(await claims(), { header: { ...HEADER, b64: true, crit: ["b64"] } }),
  {
    source: "Web Crypto; RFC 7515 §4.1.11",
  },
);
add(
  "an unencoded payload",
  "SignatureMalformed",
  await token(await claims(), { header: { ...HEADER, b64: false, crit: ["b64"] } }),
  {
    source: "Web Crypto; RFC 7797 §7: not for JWTs",
  },
);
add(
  "a header with an unknown critical extension",
  "SignatureMalformed",
  await token(await claims(), { header: { ...HEADER, crit: ["x"], x: 1 } }),
);
add(
  "another type of token",
  "SignatureMalformed",
  await token(await claims(), { header: { alg: "HS256", typ: "at+jwt" } }),
  {
    source: "Web Crypto; RFC 8725 §3.11: explicit types",
  },
);
add("a header without a type", "ok", await token(await claims(), { header: { alg: "HS256" } }));
add(
  "a header in another order, with a key id",
  "ok",
  await token(await claims(), { header: { kid: "k1", typ: "jwt", alg: "HS256" } }),
);
add("a payload that is not JSON", "SignatureMalformed", await token("iss=Upstash"));
add("a payload that is an array", "SignatureMalformed", await token("[]"));
add("a payload that is null", "SignatureMalformed", await token("null"));
add(
  "a payload that is not UTF-8",
  "SignatureMalformed",
  await token(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
);
add("a payload with a byte order mark", "SignatureMalformed", await token(`\ufeff${JSON.stringify(await claims())}`));
add(
  "a payload that names a claim twice",
  "SignatureMalformed",
  await token(JSON.stringify(await claims()).replace("{", `{"exp":${NOW - 1},`)),
  {
    source: "Web Crypto; RFC 7519 §4: names are unique",
  },
);
add("a payload nested too deeply", "SignatureMalformed", await token(`{"x":${"[".repeat(4000)}${"]".repeat(4000)}}`));
add("a payload with white space", "ok", await token(JSON.stringify(await claims(), null, 2)));
const path = (length) => `https://example.com/${"p".repeat(length)}`;
const longest = await claims(JSON_BODY, { sub: path(11_970) });
add("a token of nearly 16 KiB", "ok", await token(longest), { url: longest.sub });
const tooLong = await claims(JSON_BODY, { sub: path(12_100) });
add("a token of more than 16 KiB", "SignatureMalformed", await token(tooLong), { url: tooLong.sub });
if (verify.at(-2).token.length > 16_384 || verify.at(-1).token.length <= 16_384) throw new Error("wrong lengths");

// Algorithm.
const RFC_8725 = "Web Crypto; RFC 8725 §2.1";
add("algorithm none, no MAC", "SignatureAlgorithm", `${base64url('{"alg":"none","typ":"JWT"}')}.${goodPayload}.`, {
  source: RFC_8725,
});
add("algorithm None, no MAC", "SignatureAlgorithm", `${base64url('{"alg":"None","typ":"JWT"}')}.${goodPayload}.`, {
  source: RFC_8725,
});
add(
  "algorithm none, with a good MAC",
  "SignatureAlgorithm",
  await token(await claims(), { header: { alg: "none", typ: "JWT" } }),
  { source: RFC_8725 },
);
add(
  "algorithm HS256 in small letters",
  "SignatureAlgorithm",
  await token(await claims(), { header: { alg: "hs256", typ: "JWT" } }),
);
add(
  "algorithm HS384",
  "SignatureAlgorithm",
  await token(await claims(), { header: { alg: "HS384", typ: "JWT" }, hash: "SHA-384" }),
);
add(
  "algorithm HS512",
  "SignatureAlgorithm",
  await token(await claims(), { header: { alg: "HS512", typ: "JWT" }, hash: "SHA-512" }),
);
add(
  "algorithm RS256, with the MAC of HS256",
  "SignatureAlgorithm",
  await token(await claims(), { header: { alg: "RS256", typ: "JWT" } }),
  { source: RFC_8725 },
);
add(
  "algorithm HS256 with a blank",
  "SignatureAlgorithm",
  await token(await claims(), { header: { alg: "HS256 ", typ: "JWT" } }),
);
add(
  "algorithm none for a token that expired",
  "SignatureAlgorithm",
  `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(await claims(JSON_BODY, { exp: 1 })))}.`,
);

// MAC.
const flipped = Buffer.from(goodMac, "base64url");
flipped[31] ^= 1;
add("a MAC with one bit changed", "SignatureInvalid", `${goodHeader}.${goodPayload}.${base64url(flipped)}`);
add("no MAC", "SignatureInvalid", `${goodHeader}.${goodPayload}.`);
add("half a MAC", "SignatureInvalid", `${goodHeader}.${goodPayload}.${base64url(flipped.subarray(0, 16))}`);
add(
  "a MAC and a byte more",
  "SignatureInvalid",
  `${goodHeader}.${goodPayload}.${base64url([...Buffer.from(goodMac, "base64url"), 0])}`,
);
add("the MAC of HS512 under the name of HS256", "SignatureInvalid", await token(await claims(), { hash: "SHA-512" }));
add(
  "the payload of another token",
  "SignatureInvalid",
  `${goodHeader}.${base64url(JSON.stringify(await claims(bytes("x"))))}.${goodMac}`,
);
add(
  "the header of another token",
  "SignatureInvalid",
  `${base64url('{"typ":"JWT","alg":"HS256"}')}.${goodPayload}.${goodMac}`,
);
add(
  "a wrong key for a token that expired",
  "SignatureInvalid",
  await token(await claims(JSON_BODY, { exp: 1 }), { key: OTHER }),
);

// Claims.
const changed = async (changes, options) => token(await claims(JSON_BODY, changes), options);
add("another issuer", "SignatureClaim", await changed({ iss: "upstash" }));
add("no issuer", "SignatureClaim", await changed({ iss: undefined }));
add("an issuer that is a list", "SignatureClaim", await changed({ iss: ["Upstash"] }));
add("another issuer, another URL", "SignatureClaim", await changed({ iss: "Other", sub: "https://other.example" }));
add("another issuer under the next key", "SignatureClaim", await changed({ iss: "Other" }, { key: NEXT }));
add("another URL", "SignatureSubject", good, { url: "https://example.com/other" });
add("the URL without its query", "SignatureSubject", good, { url: URL_.split("?")[0] });
add("the URL with a slash more", "SignatureSubject", await changed({ sub: "https://example.com/a" }), {
  url: "https://example.com/a/",
});
add("the URL in other letters", "SignatureSubject", await changed({ sub: "https://example.com/A" }), {
  url: "https://example.com/a",
});
const RFC_3986 = "Web Crypto; RFC 3986 §6.2";
for (const [name, expect, sub, url] of [
  ["the URL as a URL parser writes it", "ok", "HTTPS://Example.com:443", "https://example.com/"],
  ["the URL without its fragment", "ok", "https://example.com/a?b=c#d", "https://example.com/a?b=c"],
  ["the URL on another port", "SignatureSubject", "https://example.com/a", "https://example.com:8443/a"],
  ["the URL without TLS", "SignatureSubject", "https://example.com/a", "http://example.com/a"],
  ["the URL of another user", "SignatureSubject", "https://a@example.com/", "https://A@example.com/"],
  [
    "a URL that ends in the right one",
    "SignatureSubject",
    "https://evil.example/https://example.com/a",
    "https://example.com/a",
  ],
]) {
  add(name, expect, await changed({ sub }), { url, source: RFC_3986 });
}
add("an empty URL", "SignatureSubject", good, { url: "" });
add("another URL, and it expired", "SignatureSubject", await changed({ exp: 1 }), { url: "https://example.com/other" });
add("any URL, if none is asked for", "ok", await changed({ sub: "https://anywhere.example" }), { url: null });
add("a URL outside ASCII", "ok", await changed({ sub: "https://example.com/größe" }), {
  url: "https://example.com/größe",
});
add("no subject", "SignatureClaim", await changed({ sub: undefined }));
add("no subject, and none asked for", "SignatureClaim", await changed({ sub: undefined }), { url: null });

const RFC_EXP = "Web Crypto; RFC 7519 §4.1.4";
add("in its last millisecond", "ok", good, { now: (NOW + 300) * 1000 - 1, source: RFC_EXP });
add("at its end", "SignatureExpired", good, { now: (NOW + 300) * 1000, source: RFC_EXP });
add("long after its end", "SignatureExpired", good, { now: (NOW + 86_400) * 1000 });
add("after its end, in the last millisecond of the tolerance", "ok", good, {
  now: (NOW + 310) * 1000 - 1,
  tolerance: 10_000,
});
add("after its end, at the end of the tolerance", "SignatureExpired", good, {
  now: (NOW + 310) * 1000,
  tolerance: 10_000,
});
add("expired before the epoch", "SignatureExpired", await changed({ exp: -5 }));
add("expires at no time that a clock shows", "ok", await changed({ exp: 1e300 }));
add("a fraction of a second is left", "ok", await changed({ exp: NOW + 0.5 }), {
  source: "Web Crypto; RFC 7519 §2: NumericDate",
});
add("no expiry", "SignatureClaim", await changed({ exp: undefined }));
add("an expiry that is a text", "SignatureClaim", await changed({ exp: String(NOW + 300) }));
add("an expiry that is null", "SignatureClaim", await changed({ exp: null }));
add(
  "an expiry larger than any number",
  "SignatureMalformed",
  await token(JSON.stringify(await claims()).replace(/"exp":\d+/, '"exp":1e999')),
);
add("expired under the current key", "SignatureExpired", await changed({ exp: NOW }), { next: CURRENT });
add("expired, and another body", "SignatureExpired", await changed({ exp: NOW - 1 }), { body: bytes("x") });

const RFC_NBF = "Web Crypto; RFC 7519 §4.1.5";
add("good from this second", "ok", await changed({ nbf: NOW }), { source: RFC_NBF });
add("good from the next second", "SignatureNotYetValid", await changed({ nbf: NOW + 1 }), { source: RFC_NBF });
add("a millisecond too early", "SignatureNotYetValid", await changed({ nbf: NOW }), { now: NOW * 1000 - 1 });
add("too early, inside the tolerance", "ok", await changed({ nbf: NOW + 10 }), { tolerance: 10_000 });
add("too early, outside the tolerance", "SignatureNotYetValid", await changed({ nbf: NOW + 11 }), {
  tolerance: 10_000,
});
add("no start", "ok", await changed({ nbf: undefined }));
add("a start before the epoch", "ok", await changed({ nbf: -1 }));
add("a start that is a text", "SignatureClaim", await changed({ nbf: "0" }));
add("no time of signing", "ok", await changed({ iat: undefined }));
add("a time of signing that is a text", "SignatureClaim", await changed({ iat: "now" }));
add("signed in the future", "ok", await changed({ iat: NOW + 3600 }));
add("no id", "ok", await changed({ jti: undefined }));
add("an id that is a number", "SignatureClaim", await changed({ jti: 1 }));
add("a claim that nobody knows", "ok", await changed({ aud: ["x"], extra: { deep: [1, null] } }));

// The body claim.
const DOCS =
  "Web Crypto; claims of the example in qstash/features/security.mdx of Upstash's documentation, another body";
const documented = {
  iss: "Upstash",
  sub: "https://qstash-remote.requestcatcher.com",
  exp: 1656580612,
  nbf: 1656580312,
  iat: 1656580312,
  jti: "jwt_67kxXD6UBAk7DqU6hzuHMDdXFXfP",
  body: `${base64url(await sha256(JSON_BODY))}=`,
};
add("the documentation's example, its body claim padded", "ok", await token(documented), {
  source: DOCS,
  url: documented.sub,
  now: 1656580400_000,
});
const hash = await sha256(JSON_BODY);
add("another body", "SignatureBody", good, { body: bytes('{"orderId":"o-2"}') });
add("a body that was parsed and written again", "SignatureBody", await token(await claims(bytes('{ "a": 1 }'))), {
  body: bytes('{"a":1}'),
});
add("a body where none was signed", "SignatureBody", await token(await claims(bytes(""))), { body: bytes("x") });
add("no body where one was signed", "SignatureBody", good, { body: bytes("") });
add("a line break more", "SignatureBody", good, { body: new Uint8Array([...JSON_BODY, 10]) });
add("no body claim", "SignatureClaim", await changed({ body: undefined }));
add("an empty body claim", "SignatureClaim", await changed({ body: "" }));
add("a body claim that is a number", "SignatureClaim", await changed({ body: 5 }));
add("a body claim of 31 bytes", "SignatureClaim", await changed({ body: base64url(hash.subarray(0, 31)) }));
add("a body claim of 33 bytes", "SignatureClaim", await changed({ body: base64url([...hash, 0]) }));
add("a body claim in hexadecimal", "SignatureClaim", await changed({ body: Buffer.from(hash).toString("hex") }));
const withPlus = bytes("body 5");
const standard = Buffer.from(await sha256(withPlus)).toString("base64");
if (!/[+/]/.test(standard)) throw new Error("this hash reads alike in both alphabets");
add(
  "a body claim in the alphabet of base64",
  "SignatureClaim",
  await token(await claims(withPlus, { body: standard })),
  { body: withPlus },
);
add("a body claim padded twice", "SignatureClaim", await changed({ body: `${base64url(hash)}==` }));

// What `sign` has to write, byte for byte.
const sign = [];
async function addSigned(
  name,
  body,
  { sub = URL_, iat = NOW, nbf = 0, exp = iat + 300, jti = "jwt_1", key = CURRENT } = {},
) {
  const made = await token({ iss: "Upstash", sub, exp, nbf, iat, jti, body: base64url(await sha256(body)) }, { key });
  const body_base64 = Buffer.from(body).toString("base64");
  sign.push({ name, source: WEB_CRYPTO, key, claims: { sub, exp, nbf, iat, jti }, body_base64, token: made });
}
await addSigned("a JSON body", JSON_BODY);
await addSigned("an empty body", bytes(""), { jti: "jwt_2" });
await addSigned("the next key", JSON_BODY, { key: NEXT });
await addSigned("a long key", JSON_BODY, { key: long });
await addSigned("not before now", JSON_BODY, { nbf: NOW });
await addSigned("a URL that JSON has to escape", bytes("x"), { sub: 'https://example.com/"quoted"\\ü' });

const about =
  "Known answers about signatures. Written by generate-signature.mjs; don't edit. Times are milliseconds in `verify`, seconds in `sign`. A body is `body_base64`, decoded, `body_repeat` times.";
const written = `${JSON.stringify({ about, verify, sign }, null, 2)}\n`;
const file = new URL("signature.json", import.meta.url);
if (process.argv.includes("--check")) {
  if ((await readFile(file, "utf8")) !== written) {
    console.error("signature.json is not what its generator writes: run node tests/vectors/generate-signature.mjs");
    process.exit(1);
  }
} else {
  await writeFile(file, written);
}
console.log(`signature.json: ${verify.length} to verify, ${sign.length} to sign`);
