/** Masking of values: every type, nothing changed, nothing left. The forms of secrets are those of tests/vectors/masking.json. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import vm from "node:vm";

import { OrchestrationError } from "@repo/orchestration";
import { isSecretName, maskSensitiveData, maskText } from "@repo/orchestration/shared/utils/data-masking";

const MASK = "[masked]";
/** An API key, made up; split so that no scanner takes this file for a leak. */
const KEY = ["sk_live", "Fake0Example1Key2"].join("_");
const MAIL = "jane@example.com";
const MASKED_KEY = "[masked key]";

/** Masks a value that may not change by it. */
function mask(value, options) {
  const before = inspect(value, { depth: 20, showHidden: true });
  const copy = maskSensitiveData(value, options);
  assert.equal(inspect(value, { depth: 20, showHidden: true }), before, "the value has changed");
  return copy;
}

/** Everything that can be seen of a value. */
const shown = (value) =>
  `${inspect(value, { depth: 20 })} ${attempt(() => JSON.stringify(value))} ${String(value?.stack)}`;

function attempt(work) {
  try {
    return work();
  } catch (error) {
    return error.message;
  }
}

test("the example of the package's description", () => {
  const userData = { id: 7, name: "Anna", apiKey: "abc", session: { token: "xyz" }, note: `uses ${KEY}` };
  assert.deepEqual(mask(userData), {
    ...{ id: 7, name: "Anna", apiKey: MASK, session: { token: MASK }, note: `uses ${MASKED_KEY}` },
  });
});

describe("by name", () => {
  test("whatever a secret name holds is hidden, with everything below", () => {
    const value = {
      password: "hunter2",
      token: 12345,
      pin_code: 7n,
      secrets: ["first", ["second"], { any: "third", at: new Date(0), not: null, on: true }],
      credentials: { user: "anna", extra: new Map([["fourth", new Set(["fifth"])]]), get: () => "sixth" },
      cookie: new URL("https://a.test/seventh"),
      apiKeys: new Uint8Array([1, 2, 3]),
      Authorization: undefined,
    };
    const copy = mask(value);
    assert.deepEqual(copy, {
      password: MASK,
      token: MASK,
      pin_code: MASK,
      secrets: [MASK, [MASK], { any: MASK, at: MASK, not: null, on: true }],
      credentials: { user: MASK, extra: new Map([[MASK, new Set([MASK])]]), get: MASK },
      cookie: MASK,
      apiKeys: MASK,
      Authorization: undefined,
    });
  });

  test("names that only sound like it are kept", () => {
    const value = { passwordPolicy: "long", maxTokens: 5, nextPageToken: "p2", author: "anna", tokenType: "x" };
    assert.deepEqual(mask(value), value);
  });

  test("names in lists of names and values", () => {
    assert.deepEqual(
      mask({
        headers: [
          ["x-api-key", "abc"],
          ["accept", "text/html"],
        ],
        har: [
          { name: "Cookie", value: "abc" },
          { key: "password", value: 5 },
          { name: "Accept", value: "text/html" },
        ],
        rawHeaders: ["Host", "a.test", "X-Auth-Token", "abc"],
        pair: ["password", "token"],
      }),
      {
        headers: [
          ["x-api-key", MASK],
          ["accept", "text/html"],
        ],
        har: [
          { name: "Cookie", value: MASK },
          { key: "password", value: MASK },
          { name: "Accept", value: "text/html" },
        ],
        rawHeaders: ["Host", "a.test", "X-Auth-Token", MASK],
        pair: ["password", "token"],
      },
    );
  });

  test("a name that is a secret itself is masked, and two of them stay two", () => {
    const value = { [KEY]: 1, [`${KEY}4`]: 2, [MASKED_KEY]: 3, plain: 4 };
    assert.deepEqual(mask(value), { [`${MASKED_KEY} 2`]: 1, [`${MASKED_KEY} 3`]: 2, [MASKED_KEY]: 3, plain: 4 });
    const map = new Map([
      [MAIL, 1],
      ["joe@example.com", 2],
    ]);
    assert.deepEqual(
      mask(map),
      new Map([
        ["[masked email]", 1],
        ["[masked email] 2", 2],
      ]),
    );
    assert.deepEqual(mask(new Set([MAIL, "joe@example.com"])), new Set(["[masked email]", "[masked email] 2"]));
  });
});

describe("options", () => {
  test("keys: more names, as texts in any spelling and as patterns", () => {
    const value = {
      internalCode: "a",
      internal_code: "b",
      "Internal-Code": "c",
      xInternalCode: "d",
      ssnHint: "e",
      f: "f",
    };
    assert.deepEqual(mask(value, { keys: ["internal code", /^SSN/i, /^x/g] }), {
      ...{ internalCode: MASK, internal_code: MASK, "Internal-Code": MASK, xInternalCode: MASK, ssnHint: MASK, f: "f" },
    });
    // A global pattern remembers where it was.
    const twice = [{ xa: "1" }, { xb: "2" }, { xc: "3" }];
    assert.deepEqual(mask(twice, { keys: [/^x/g] }), [{ xa: MASK }, { xb: MASK }, { xc: MASK }]);
    assert.deepEqual(mask({ f: "f", password: "g" }), { f: "f", password: MASK });
  });

  test("allow: names whose texts are shown, also below a secret; members of theirs have names of their own", () => {
    const value = {
      email: MAIL,
      emails: [MAIL, { token: "a", mail: MAIL }],
      credentials: { user: "anna", id: 5 },
      password: "p",
      when: new Date(5),
      site: new URL("https://a:b@c.test/"),
    };
    assert.deepEqual(mask(value, { allow: ["email", "emails", "USER", /^id$/, "site"] }), {
      email: MAIL,
      emails: [MAIL, { token: MASK, mail: "[masked email]" }],
      credentials: { user: "anna", id: 5 },
      password: MASK,
      when: new Date(5),
      site: new URL("https://a:b@c.test/"),
    });
  });

  test("mask: what stands for secrets, within texts too", () => {
    const value = { password: "a", note: `${MAIL} has ${KEY}`, url: new URL("https://a:b@c.test/") };
    const copy = mask(value, { mask: "***" });
    assert.deepEqual(copy, { password: "***", note: "*** has ***", url: new URL("https://a:***@c.test/") });
    const headers = mask(new Headers({ "x-api-key": "a" }), { mask: "●" });
    assert.equal(shown(headers).includes("●"), true);
  });

  test("maxDepth: what is deeper is left out", () => {
    assert.deepEqual(mask({ a: { b: { c: { d: 1 } } }, e: [[["x"]]] }, { maxDepth: 2 }), {
      ...{ a: { b: "[too deep]" }, e: ["[too deep]"] },
    });
  });

  test("wrong ones are refused", () => {
    for (const options of [
      { maxDepth: 0 },
      { maxDepth: 1001 },
      { maxDepth: Number.NaN },
      { mask: 5 },
      { keys: "password" },
      { keys: [5] },
      { allow: {} },
    ])
      assert.throws(() => maskSensitiveData({}, options), { name: "ConfigurationError", code: "InvalidConfiguration" });
  });
});

describe("types", () => {
  test("primitives", () => {
    for (const value of [
      undefined,
      null,
      true,
      0,
      -5.5,
      Number.NaN,
      10n,
      "",
      "hello",
      Symbol.iterator,
      1_700_000_000_000,
    ])
      assert.equal(mask(value), value);
    assert.equal(mask(`x ${KEY}`), `x ${MASKED_KEY}`);
    assert.equal(mask(4111111111111111), "[masked card]");
    assert.equal(mask(4111111111111111n), "[masked card]");
    assert.equal(mask(4111111111111112), 4111111111111112);
    assert.equal(mask(Symbol(KEY)).description, MASKED_KEY);
  });

  test("functions are described", () => {
    const named = () => KEY;
    named.token = KEY;
    assert.equal(mask(named), "[Function: named]");
    assert.deepEqual(mask([class Order {}, () => 1]), ["[Function: Order]", "[Function]"]);
    assert.equal(mask(Object.defineProperty(() => 1, "name", { value: KEY })), `[Function: ${MASKED_KEY}]`);
  });

  test("objects without a prototype, with symbols and with strange names", () => {
    const bare = Object.assign(Object.create(null), { token: "a", plain: "b" });
    const copy = mask(bare);
    assert.equal(Object.getPrototypeOf(copy), null);
    assert.deepEqual({ ...copy }, { token: MASK, plain: "b" });
    const password = Symbol("password");
    assert.equal(mask({ [password]: "a" })[password], MASK);
    const parsed = mask(JSON.parse('{"__proto__":{"token":"a"},"constructor":"b","toString":"c"}'));
    assert.deepEqual(Object.keys(parsed), ["__proto__", "constructor", "toString"]);
    assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
    assert.deepEqual(Object.getOwnPropertyDescriptor(parsed, "__proto__").value, { token: MASK });
  });

  test("what is not enumerable is not copied", () => {
    const value = Object.defineProperty({ a: 1 }, "hidden", { value: KEY });
    assert.deepEqual(Object.getOwnPropertyNames(mask(value)), ["a"]);
  });

  test("arrays, with holes, and long ones that are nothing but holes", () => {
    const holes = ["a", "b", KEY];
    delete holes[1];
    const copy = mask(holes);
    assert.equal(1 in copy, false);
    assert.deepEqual([copy.length, copy[0], copy[2]], [3, "a", MASKED_KEY]);
    const sparse = [];
    sparse[4_000_000_000] = KEY;
    const started = performance.now();
    assert.equal(maskSensitiveData(sparse)[4_000_000_000], MASKED_KEY);
    assert.ok(performance.now() - started < 1_000);
  });

  test("maps and sets, names among their keys", () => {
    const inner = { token: "a" };
    const value = new Map([
      ["password", "a"],
      ["plain", KEY],
      [inner, new Set([KEY, 1, inner])],
    ]);
    const copy = mask(value);
    assert.ok(copy instanceof Map);
    assert.equal(copy.get("password"), MASK);
    assert.equal(copy.get("plain"), MASKED_KEY);
    const [masked] = [...copy.keys()].slice(2);
    assert.deepEqual(masked, { token: MASK });
    assert.deepEqual([...copy.get(masked)], [MASKED_KEY, 1, masked]);
  });

  test("errors: message, stack, cause, members, and the errors of an aggregate", () => {
    class CallFailed extends Error {
      name = "CallFailed";
      constructor(message, options) {
        super(message, options);
        this.config = { headers: { authorization: "abc" }, url: `https://x.test/?token=${KEY}` };
      }
    }
    const cause = Object.assign(new TypeError(`{"credentials":{"value":"zebra"}}`), {
      code: "E_MAIL",
      password: "zebra",
    });
    const error = new CallFailed(`GET with ${KEY}\nand ${MAIL}`, { cause });
    const copy = mask(error);
    assert.ok(copy instanceof CallFailed && copy instanceof Error && inspect(copy).startsWith("CallFailed"));
    assert.equal(copy.message, `GET with ${MASKED_KEY}\nand [masked email]`);
    assert.equal(copy.name, "CallFailed");
    assert.match(copy.stack, /with \[masked key\]\nand \[masked email\]\n\s+at .*masking\.test\.mjs/);
    assert.deepEqual(copy.config.headers, { authorization: MASK });
    assert.equal(copy.cause.message, `{"credentials":{"value":"${MASK}"}}`);
    assert.deepEqual({ ...copy.cause }, { code: "E_MAIL", password: MASK });
    assert.doesNotMatch(shown(copy), /zebra|Fake0|jane/);
    assert.deepEqual(Object.keys(copy), Object.keys(error));

    const all = mask(new AggregateError([error, KEY], `both ${KEY}`));
    assert.ok(all instanceof AggregateError);
    assert.equal(all.errors[0].message, copy.message);
    assert.equal(all.errors[1], MASKED_KEY);
    assert.doesNotMatch(shown(all), /zebra|Fake0|jane/);

    const told = mask(new Error('[["password","zebra"]]'));
    assert.match(told.stack, /^Error: \[\["password","\[masked\]"\]\]\n/);

    const hidden = mask({ secret: new Error("zebra", { cause: new Error("zebra") }) }).secret;
    assert.equal(hidden.message, MASK);
    assert.doesNotMatch(shown(hidden), /zebra/);
  });

  test("errors of this package, of the web and of other realms", () => {
    const own = mask(new OrchestrationError(`no ${KEY}`, "NotFound"));
    assert.deepEqual(JSON.parse(JSON.stringify(own)), {
      ...{ name: "OrchestrationError", code: "NotFound", message: `no ${MASKED_KEY}`, retryable: false },
    });
    const abort = mask(new DOMException(`no ${KEY}`, "AbortError"));
    assert.deepEqual([abort.name, abort.message], ["AbortError", `no ${MASKED_KEY}`]);
    const foreign = mask(vm.runInNewContext(`Object.assign(new Error(${JSON.stringify(KEY)}), { token: "zebra" })`));
    assert.equal(foreign.message, MASKED_KEY);
    assert.doesNotMatch(shown(foreign), /zebra|Fake0/);
  });

  test("dates and patterns are copied; a pattern of a secret is a text", () => {
    const value = { at: new Date(5), pattern: /a+/gi, secret: [/a/, new Date(5)], leaky: new RegExp(KEY) };
    const copy = mask(value);
    assert.deepEqual(copy, { at: new Date(5), pattern: /a+/gi, secret: [MASK, MASK], leaky: MASKED_KEY });
    assert.notEqual(copy.at, value.at);
  });

  test("bytes are counted", () => {
    const { buffer } = new Uint8Array(4);
    assert.deepEqual(
      mask([
        Buffer.from(KEY),
        new Float64Array(2),
        buffer,
        new DataView(buffer),
        new Blob([KEY]),
        new File([KEY], KEY),
      ]),
      [
        `[Uint8Array: ${KEY.length} bytes]`,
        "[Float64Array: 16 bytes]",
        "[ArrayBuffer: 4 bytes]",
        "[DataView: 4 bytes]",
        `[Blob: ${KEY.length} bytes]`,
        `[File: ${KEY.length} bytes]`,
      ],
    );
  });

  test("what can't be read is named", () => {
    assert.deepEqual(
      mask([Promise.resolve(KEY), new WeakMap(), (function* () {})(), new Map().keys(), new ReadableStream()]),
      [...["[Promise]", "[WeakMap]", "[Generator]", "[Map Iterator]", "[ReadableStream]"]],
    );
  });

  test("boxed primitives", () => {
    const [text, number, flag, big, symbol] = mask([
      ...[Object(KEY), Object(4111111111111111), Object(true), Object(5n), Object(Symbol(KEY))],
    ]);
    assert.deepEqual(
      [text, number, flag, big],
      [Object(MASKED_KEY), Object("[masked card]"), Object(true), Object(5n)],
    );
    assert.equal(symbol.description, MASKED_KEY);
  });

  test("instances keep their prototype, and nothing of it is asked", () => {
    class Account {
      #key = "private";
      token = "a";
      plain = "b";
      get key() {
        return this.#key;
      }
      set plain2(_) {
        assert.fail("a setter was called");
      }
      [inspect.custom]() {
        return this.#key;
      }
    }
    const account = new Account();
    Object.defineProperty(account, "plain2", { value: "c", enumerable: true });
    const copy = mask(account);
    assert.ok(copy instanceof Account);
    assert.deepEqual({ ...copy }, { token: MASK, plain: "b", plain2: "c" });
    assert.match(inspect(copy), /^Account \{ token: '\[masked\]', plain: 'b', plain2: 'c' \}$/);
  });

  test("what tells itself as JSON is what it tells", () => {
    class Money {
      #amount = 5;
      toJSON() {
        return { amount: this.#amount, token: "zebra", self: this };
      }
    }
    const money = new Money();
    const told = { amount: 5, token: MASK, self: "[circular]" };
    assert.deepEqual(mask([money, money]), [told, told]);
    const failing = { toJSON: () => assert.fail("no"), token: "a", plain: "b" };
    assert.deepEqual(mask(failing), { toJSON: "[Function: toJSON]", token: MASK, plain: "b" });
  });
});

describe("URLs and requests", () => {
  const shownUrl = (url) => decodeURIComponent(mask(new URL(url)).href);

  test("URLs: user, path, parameters, fragment", () => {
    assert.equal(shownUrl("https://a.test:8080/b?c=d+e&f=%20#g"), "https://a.test:8080/b?c=d+e&f= #g");
    assert.equal(shownUrl("https://me:hunter2@a.test/"), `https://me:${MASK}@a.test/`);
    assert.equal(shownUrl(`https://${KEY}@a.test/`), `https://${MASKED_KEY}@a.test/`);
    assert.equal(shownUrl("https://a.test/?api_key=abc&x=1"), `https://a.test/?api_key=${MASK}&x=1`);
    assert.equal(shownUrl("https://a.test/?q=jane%40example.com"), "https://a.test/?q=[masked+email]");
    assert.equal(shownUrl("https://a.test/users/jane%40example.com"), "https://a.test/users/[masked email]");
    assert.equal(shownUrl("https://a.test/#access_token=zebra&x=1").includes("zebra"), false);
    assert.equal(shownUrl("postgres://app:hunter2@db.test/x"), `postgres://app:${MASK}@db.test/x`);
    assert.equal(shownUrl(`mailto:${MAIL}`), "mailto:[masked email]");
    assert.ok(mask(new URL("https://a.test/")) instanceof URL);
  });

  test("parameters, headers and forms", () => {
    assert.equal(mask(new URLSearchParams("token=a&x=1&token=b")).getAll("token").join(), `${MASK},${MASK}`);
    const headers = mask(new Headers({ Authorization: "Bearer abc", Accept: "text/html", "X-Note": KEY }));
    assert.ok(headers instanceof Headers);
    assert.deepEqual(Object.fromEntries(headers), { accept: "text/html", authorization: MASK, "x-note": MASKED_KEY });
    const cookies = new Headers([
      ["set-cookie", "a=b"],
      ["set-cookie", "c=d"],
    ]);
    assert.deepEqual(mask(cookies).getSetCookie(), [MASK, MASK]);
    const form = new FormData();
    form.append("password", "a");
    form.append("file", new Blob(["abc"]), "b.txt");
    assert.deepEqual(
      [...mask(form)],
      [
        ["password", MASK],
        ["file", "[File: 3 bytes]"],
      ],
    );
  });

  test("requests and responses are described, their bodies untouched", () => {
    const headers = { authorization: "Bearer abc", accept: "text/html" };
    const request = new Request("https://a.test/?token=abc", { method: "POST", headers, body: KEY });
    assert.deepEqual(
      { ...mask(request) },
      {
        ...{ method: "POST", url: "https://a.test/?token=[masked value]" },
        headers: { accept: "text/html", authorization: MASK, "content-type": "text/plain;charset=UTF-8" },
      },
    );
    assert.equal(request.bodyUsed, false);
    const response = new Response(KEY, { status: 201, headers: { "set-cookie": "a=b" } });
    const copy = mask(response);
    assert.equal(copy.status, 201);
    assert.equal(copy.headers["set-cookie"], MASK);
    assert.match(inspect(copy), /^Object \[Response\]/);
  });
});

describe("texts", () => {
  test("JSON within a text is walked through, in the spelling that it has", () => {
    const value = { credentials: { user: "zebra", list: ["zebra"] }, plain: 1 };
    const hidden = { credentials: { user: MASK, list: [MASK] }, plain: 1 };
    assert.equal(mask(JSON.stringify(value)), JSON.stringify(hidden));
    assert.equal(mask(JSON.stringify(JSON.stringify(value))), JSON.stringify(JSON.stringify(hidden)));
    assert.deepEqual(mask({ body: ` ${JSON.stringify([value])}\n` }), { body: JSON.stringify([hidden]) });
    const spelt = `{ "id": 12345678901234567890, "password": "zebra" }`;
    assert.equal(mask(spelt), spelt.replace("zebra", "[masked value]"));
    for (const harmless of ['{ "id": 12345678901234567890 }', "[1,2", '{"a":', '"quoted"', "{}", "[not json]"])
      assert.equal(mask(harmless), harmless);
  });

  test("what is masked stays as it is when it is masked again", () => {
    const value = {
      ...{ password: "a", note: `${MAIL} ${KEY}`, url: new URL("https://a:b@c.test/?token=d"), card: 4111111111111111 },
      ...{ body: '{"cvv":123,"secrets":["zebra"]}', error: new Error(KEY), [KEY]: new Headers({ cookie: "a" }) },
    };
    const once = mask(value);
    assert.equal(shown(mask(once)), shown(once));
  });

  test("what is too plain to be looked at is nothing to the rules", () => {
    const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let state = 1;
    const draw = (most) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % most;
    };
    const word = (length) => Array.from({ length }, () => letters[draw(letters.length)]).join("");
    const prefixes = ["AKIA", "AIza", "token", "password", "SK", "dapi", "bot", "eyJ", "secret", "user"];
    for (let turn = 0; turn < 5_000; turn += 1) {
      const words = Array.from({ length: 1 + draw(10) }, () =>
        draw(3) === 0 ? (prefixes[draw(prefixes.length)] + word(15)).slice(0, 15) : word(1 + draw(15)),
      );
      const digits = String(draw(2 ** 32)).padStart(1 + draw(12), "4");
      for (const text of [
        words.join(" "),
        digits.slice(0, 12),
        randomUUID(),
        new Date(draw(2 ** 32) * 1_000).toISOString(),
      ])
        if (!/bearer|basic/i.test(text)) assert.equal(maskText(text), text);
    }
    for (const text of ["Bearer AbcDefGhiJkl", "sent Basic AbcDefGhiJkl"]) assert.notEqual(mask(text), text);
  });

  test("maskText and isSecretName", () => {
    assert.equal(maskText(`a ${KEY} b`), `a ${MASKED_KEY} b`);
    assert.equal(maskText("hello"), "hello");
    assert.deepEqual([isSecretName("X-Api-Key"), isSecretName("maxTokens")], [true, false]);
  });
});

describe("what is odd", () => {
  test("cycles are cycles of the copy, and what is shared is shared", () => {
    const shared = { token: "a" };
    const value = { shared, again: [shared], map: new Map(), error: new Error("x") };
    value.self = value;
    value.map.set("up", value);
    value.error.cause = value.error;
    const copy = mask(value);
    assert.equal(copy.self, copy);
    assert.equal(copy.map.get("up"), copy);
    assert.equal(copy.error.cause, copy.error);
    assert.equal(copy.again[0], copy.shared);
    assert.notEqual(copy.shared, shared);
  });

  test("the same object in a secret's place and elsewhere", () => {
    const shared = { plain: "zebra" };
    assert.deepEqual(mask({ shared, password: shared, again: shared }), {
      ...{ shared, password: { plain: MASK }, again: shared },
    });
  });

  test("getters and proxies that throw", () => {
    const thrower = () => {
      throw new Error(KEY);
    };
    const throwing = new Proxy({}, { get: thrower, ownKeys: thrower, getPrototypeOf: thrower, has: thrower });
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    const value = { bad: throwing, gone: revoked, fine: new Proxy({ token: "a" }, {}), last: "b" };
    Object.defineProperty(value, "getter", { get: thrower, enumerable: true });
    assert.deepEqual(maskSensitiveData(value), {
      ...{ bad: "[unreadable]", gone: "[unreadable]", fine: { token: MASK }, last: "b", getter: "[unreadable]" },
    });
  });

  test("tags that lie", () => {
    for (const tag of ["Map", "URL", "Headers", "Date", "Error", "Request", "String", "Promise"]) {
      const copy = maskSensitiveData(
        new (class Liar {
          token = "zebra";
          get [Symbol.toStringTag]() {
            return tag;
          }
        })(),
      );
      assert.doesNotMatch(shown(copy), /zebra/, tag);
    }
  });

  test("very deep values, and getters without an end", () => {
    let deep = { token: "zebra" };
    for (let level = 0; level < 100_000; level += 1) deep = level % 2 ? { deep } : [deep];
    assert.match(JSON.stringify(maskSensitiveData(deep)), /\[too deep\]/);
    assert.match(JSON.stringify(maskSensitiveData(deep, { maxDepth: 1000 })), /\[too deep\]/);
    const text = `${"[".repeat(100_000)}"zebra"${"]".repeat(100_000)}`;
    assert.doesNotMatch(maskSensitiveData({ secret: text, text }).text, /zebra/);
    class Endless {
      constructor() {
        for (const name of ["a", "b"])
          Object.defineProperty(this, name, { get: () => new Endless(), enumerable: true });
      }
    }
    maskSensitiveData(new Endless());
  });

  test("thousands of names that are masked alike", () => {
    const begun = performance.now();
    const mails = Array.from({ length: 30_000 }, (_, index) => `jane${index}@example.com`);
    const last = "[masked email] 30000";
    const object = maskSensitiveData(Object.fromEntries(mails.map((mail, index) => [mail, index])));
    assert.equal(object[last], 29_999);
    assert.equal(maskSensitiveData(new Map(mails.map((mail, index) => [mail, index]))).get(last), 29_999);
    assert.ok(maskSensitiveData(new Set(mails)).has(last));
    // Each of them would take minutes if it looked at all of those before.
    assert.ok(performance.now() - begun < 20_000);
  });

  test("very wide values", () => {
    const value = Array.from({ length: 100_000 }, (_, index) => ({ id: `order-${index}`, token: "a", state: "done" }));
    const copy = maskSensitiveData(value);
    assert.deepEqual(copy[99_999], { id: "order-99999", token: MASK, state: "done" });
  });
});

describe("the corpus, wherever a text can stand", async () => {
  const { samples } = JSON.parse(await readFile(new URL("../vectors/masking.json", import.meta.url), "utf8"));
  const secrets = samples.filter(({ kind }) => kind === "secret");
  const harmless = samples.filter(({ kind }) => kind === "harmless");
  const places = {
    "a list of members": (text) => ({ log: [{ message: text, at: 1 }] }),
    "a name": (text) => ({ [text]: 1, [Symbol(text)]: 1 }),
    "a map and a set": (text) => [
      new Map([["note", text]]),
      new Map([[text, 1]]),
      new Map([[{ text }, [text]]]),
      new Set([text]),
    ],
    "an error": (text) =>
      Object.assign(new Error(text, { cause: new TypeError(text) }), { text, errors: [new Error(text)] }),
    "an aggregate": (text) => new AggregateError([new Error(text), text], text),
    "an instance": (text) => Object.assign(new (class Note {})(), { text }),
    JSON: (text) => JSON.stringify({ log: [{ message: text }], at: 1 }),
    "JSON in JSON": (text) => ({ body: JSON.stringify(JSON.stringify({ text })) }),
    "what tells itself": (text) => ({ toJSON: () => ({ text }) }),
    "a box": (text) => [Object(text)],
    "parameters and a form": (text) => [new URLSearchParams({ note: text }), form(text)],
    "a URL": (text) => new URL(`https://a.test/b?note=${encodeURIComponent(text)}`),
    headers: (text) => attempt(() => new Headers({ "x-note": text })),
    "a request": (text) => attempt(() => new Request("https://a.test", { headers: { "x-note": text } })),
    getters: (text) => ({
      get text() {
        return text;
      },
    }),
  };
  for (const [place, put] of Object.entries(places)) {
    test(`${place}: no secret survives`, () => {
      for (const { name, input, secrets: parts, keeps = [] } of secrets) {
        const copy = maskSensitiveData(put(input.join("")));
        const output = [shown(copy), decoded(String(copy)), [...texts(copy)].join("\n")].join("\n");
        for (const secret of parts.map((each) => each.join("")))
          for (let begin = 0; begin <= Math.max(0, secret.length - REST); begin += 1) {
            const left = secret.slice(begin, begin + REST);
            if (keeps.some((kept) => kept.includes(left))) continue;
            assert.ok(!output.includes(left), `${name}: '${left}' is left in ${output}`);
          }
      }
    });

    test(`${place}: nothing harmless is masked`, () => {
      for (const { name, input } of harmless) {
        const text = input.join("");
        // As a name, what ends so is one of a secret.
        if (["a name", "a map and a set"].includes(place) && isSecretName(text)) continue;
        const value = put(text);
        if (place === "a name" || place === "what tells itself" || place === "a request") {
          assert.doesNotMatch(shown(maskSensitiveData(value)), /\[masked/, name);
        } else assert.deepEqual([...texts(maskSensitiveData(value))], [...texts(value)], name);
      }
    });
  }

  test("there are enough samples", () => {
    assert.ok(secrets.length >= 150 && harmless.length >= 150, `${secrets.length} and ${harmless.length}`);
  });
});

/** So much of a secret may be left that nobody can tell it from anything else. */
const REST = 8;

function form(text) {
  const made = new FormData();
  made.append("note", text);
  return made;
}

const decoded = (text) => attempt(() => decodeURIComponent(text.replaceAll("+", " ")));

/** The texts of a value, as they are without any printer's marks. */
function* texts(value, seen = new Set()) {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Error) yield* texts([value.message, value.cause], seen);
  if (value instanceof URL) yield decoded(value.href);
  if (value instanceof String) return yield String(value);
  if (typeof value[Symbol.iterator] === "function") for (const item of value) yield* texts(item, seen);
  else for (const [name, item] of Object.entries(value)) yield* texts([name, item], seen);
}
