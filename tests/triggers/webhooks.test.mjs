// Webhooks of third parties: the signatures of their documentation, forged ones, and replays.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { webhookTrigger } from "@repo/orchestration/triggers";
import { codeOf, echo, ended, served, urlOf } from "./support.mjs";

const SECRET = "sentinel-0123456789";
const NOW = 1_700_000_000;
const now = () => NOW * 1000;
const sign = (text, { secret = SECRET, hash = "sha256", encoding = "hex" } = {}) =>
  createHmac(hash, secret).update(text).digest(encoding);

/** Answers a request by a trigger alone; what it starts is in `starts`. */
function pulling(options) {
  const starts = [];
  const trigger = webhookTrigger({ name: "hook", workflow: "build", now, ...options });
  const start = async (input, { workflowRunId }) => {
    starts.push([input, workflowRunId]);
    return { workflowRunId: `wfr_${workflowRunId}`, workflowId: "build", provider: "own" };
  };
  const pull = (body, headers, method = "POST") =>
    trigger.handle(new Request("https://app.test/hook", { method, body: method === "GET" ? null : body, headers }), {
      start,
    });
  return { trigger, starts, pull };
}

const rejects = (promise, code) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.code, code);
    assert.doesNotMatch(`${error.message}${error.stack}${JSON.stringify(error)}`, /sentinel/);
    return true;
  });

describe("the examples of their documentation", () => {
  const slackBody =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const examples = [
    {
      preset: "github",
      secret: "It's a Secret to Everybody",
      body: "Hello, World!",
      headers: {
        "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      },
      id: /^hook-[0-9a-f]{32}$/,
    },
    {
      preset: "slack",
      secret: "8f742231b10e8888abcd99yyyzzz85a5",
      body: slackBody,
      at: 1531420618,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
      },
      id: /^hook-[0-9a-f]{32}$/,
    },
    {
      preset: "svix",
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      body: '{"test": 2432232314}',
      at: 1614265330,
      headers: {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      },
      id: "hook-msg_p5jXN8AQM9LWM0D4loKWxJek",
    },
  ];
  for (const { preset, secret, body, headers, at = NOW, id } of examples)
    test(preset, async () => {
      const { pull, starts } = pulling({ preset, secret, now: () => at * 1000 });
      const answer = await pull(body, headers);
      assert.equal(answer.status, 202);
      const [[, runId]] = starts;
      if (id instanceof RegExp) assert.match(runId, id);
      else assert.equal(runId, id);
      await rejects(pull(`${body} `, headers), "SignatureInvalid");
      await rejects(
        pulling({ preset, secret: "whsec_b3RoZXI=", now: () => at * 1000 }).pull(body, headers),
        "SignatureInvalid",
      );
    });
});

/** Each sender's way to sign a body. */
const SENDERS = {
  github: (body, secret) => ({ "x-hub-signature-256": `sha256=${sign(body, { secret })}`, "x-github-delivery": "d-1" }),
  stripe: (body, secret, at = NOW) => ({
    "stripe-signature": `t=${at},v1=${"0".repeat(64)},v1=${sign(`${at}.${body}`, { secret })},v0=x`,
  }),
  resend: (body, secret, at = NOW) => ({
    "svix-id": "d-1",
    "svix-timestamp": String(at),
    "svix-signature": `v1a,x v1,AAAA v1,${sign(`d-1.${at}.${body}`, { secret: Buffer.from(secret.slice(6), "base64"), encoding: "base64" })}`,
  }),
  "standard-webhooks": (body, secret, at = NOW) => ({
    "webhook-id": "d-1",
    "webhook-timestamp": String(at),
    "webhook-signature": `v1,${sign(`d-1.${at}.${body}`, { secret: Buffer.from(secret.slice(6), "base64"), encoding: "base64" })}`,
  }),
  slack: (body, secret, at = NOW) => ({
    "x-slack-request-timestamp": String(at),
    "x-slack-signature": `v0=${sign(`v0:${at}:${body}`, { secret })}`,
  }),
  shopify: (body, secret) => ({
    "x-shopify-hmac-sha256": sign(body, { secret, encoding: "base64" }),
    "x-shopify-webhook-id": "d-1",
  }),
};
const WITHOUT_MOMENT = ["github", "shopify"];

for (const [preset, signed] of Object.entries(SENDERS))
  describe(preset, () => {
    const body = JSON.stringify({ id: "evt_1", event_id: "evt_1", n: 7 });
    const secret = `whsec_${Buffer.from(SECRET).toString("base64")}`;
    const other = `whsec_${Buffer.from("another").toString("base64")}`;
    const headers = { "content-type": "application/json", ...signed(body, secret) };

    test("each of several secrets counts, asked for by a function too", async () => {
      for (const given of [secret, [other, secret], () => secret, async () => [other, secret]]) {
        const { pull, starts } = pulling({ preset, secret: given });
        assert.equal((await pull(body, headers)).status, 202);
        const [[input, runId]] = starts;
        assert.deepEqual([starts.length, input], [1, JSON.parse(body)]);
        if (WITHOUT_MOMENT.includes(preset)) assert.match(runId, /^hook-[0-9a-f]{32}$/);
        else assert.equal(runId, `hook-${preset === "stripe" || preset === "slack" ? "evt_1" : "d-1"}`);
      }
    });

    test("what is forged starts nothing", async () => {
      const { pull, starts } = pulling({ preset, secret });
      await rejects(pull(body.replace("7", "8"), headers), "SignatureInvalid");
      await rejects(pull(body, { ...headers, ...signed(body, other) }), "SignatureInvalid");
      await rejects(pull(body, { "content-type": "application/json" }), "SignatureMissing");
      for (const name of Object.keys(signed(body, secret)))
        if (/sign|hmac/.test(name)) await rejects(pull(body, { ...headers, [name]: "@garbage" }), "SignatureMalformed");
      await rejects(pull(body, {}, "GET"), "MethodNotAllowed");
      assert.deepEqual(starts, []);
    });

    test("without a secret nothing is accepted", async () => {
      for (const given of [undefined, "", [], [""], () => undefined])
        await rejects(pulling({ preset, secret: given }).pull(body, headers), "InvalidConfiguration");
    });

    if (!WITHOUT_MOMENT.includes(preset))
      test("a signature is good for some minutes only", async () => {
        const { pull, starts } = pulling({ preset, secret });
        const at = (moment) => pull(body, { ...headers, ...signed(body, secret, moment) });
        await rejects(at(NOW - 301), "SignatureExpired");
        await rejects(at(NOW + 301), "SignatureNotYetValid");
        assert.equal((await at(NOW - 300)).status, 202);
        assert.equal((await at(NOW + 300)).status, 202);
        const strict = pulling({ preset, secret, toleranceSeconds: 10 });
        await rejects(strict.pull(body, { ...headers, ...signed(body, secret, NOW - 11) }), "SignatureExpired");
        assert.equal(starts.length, 2);
      });
  });

describe("a captured delivery", () => {
  /** The ids of the runs that these requests start. */
  const ids = async (options, ...requests) => {
    const { pull, starts } = pulling({ secret: SECRET, ...options });
    for (const [body, headers] of requests) assert.equal((await pull(body, headers)).status, 202);
    return starts.map(([, id]) => id);
  };
  const same = ([first, ...others]) => typeof first === "string" && others.every((id) => id === first);

  test("is the same one, however its signature is written", async () => {
    const own = { signature: { header: "x-sign", timestampHeader: "x-time" } };
    const hex = sign(`${NOW}.text`);
    const signed = (value) => ["text", { "x-sign": value, "x-time": String(NOW) }];
    assert.ok(same(await ids(own, signed(hex), signed(hex.toUpperCase()))));
    const slack = { "x-slack-request-timestamp": String(NOW) };
    const mac = sign(`v0:${NOW}:text`);
    const [lower, upper] = [mac, mac.toUpperCase()].map((value) => [
      "text",
      { ...slack, "x-slack-signature": `v0=${value}` },
    ]);
    assert.ok(same(await ids({ preset: "slack" }, lower, upper)));
    const stripe = (list) => ["text", { "stripe-signature": `t=${NOW},${list}` }];
    const fields = [`v1=${hex}`, `v1=00,v1=${hex}`, `v1=${hex},v1=00`, `v1=${hex.toUpperCase()}`];
    assert.ok(same(await ids({ preset: "stripe" }, ...fields.map(stripe))));
    const later = ["text", { "x-sign": sign(`${NOW + 1}.text`), "x-time": String(NOW + 1) }];
    assert.ok(!same(await ids(own, signed(hex), later)));
  });

  test("does not take the id of another where ids are not signed", async () => {
    const delivery = (body, id) => [body, { ...SENDERS.github(body, SECRET), "x-github-delivery": id }];
    const [first, again, foreign] = await ids(
      { preset: "github" },
      delivery("text", "d-1"),
      delivery("text", "d-1"),
      delivery("other", "d-1"),
    );
    assert.equal(first, again);
    assert.notEqual(first, foreign);
  });

  test("with another id is a new one, unless the body says what is the same", async () => {
    for (const preset of WITHOUT_MOMENT) {
      const header = preset === "github" ? "x-github-delivery" : "x-shopify-webhook-id";
      const delivery = (body, id) => [body, { ...SENDERS[preset](body, SECRET), [header]: id }];
      const sent = [delivery("text", "d-1"), delivery("text", "d-2"), delivery("other", "d-1")];
      assert.equal(new Set(await ids({ preset }, ...sent)).size, 3);
      const [first, again, foreign] = await ids({ preset, deduplicateByBody: true }, ...sent);
      assert.match(first, /^hook-[0-9a-f]{32}$/);
      assert.deepEqual([first === again, first === foreign], [true, false]);
    }
  });
});

describe("a signature of one's own", () => {
  test("header, prefix, encoding, hash and moment are options", async () => {
    const signature = {
      header: "x-sign",
      prefix: "mac ",
      encoding: "base64",
      hash: "SHA-512",
      timestampHeader: "x-time",
    };
    const { pull, starts } = pulling({ signature, secret: SECRET });
    const value = sign(`${NOW}.text`, { hash: "sha512", encoding: "base64" });
    const headers = { "x-sign": `mac ${value}`, "x-time": String(NOW) };
    assert.equal((await pull("text", headers)).status, 202);
    // Without an id of its own it is known by its signature, for it is signed with its moment.
    await pull("text", headers);
    assert.equal(starts[0][1], starts[1][1]);
    await rejects(pull("text", { ...headers, "x-sign": value }), "SignatureMalformed");
    await rejects(pull("text", { ...headers, "x-time": "soon" }), "SignatureMalformed");
    await rejects(pull("text", { ...headers, "x-time": String(NOW + 1) }), "SignatureInvalid");
  });

  test("two deliveries that nothing tells apart are two", async () => {
    const { pull, starts } = pulling({ signature: { header: "x-sign" }, secret: SECRET });
    await pull("text", { "x-sign": sign("text").toUpperCase() });
    await pull("text", { "x-sign": sign("text") });
    assert.deepEqual(
      starts.map(([, id]) => id),
      [undefined, undefined],
    );
  });

  test("a function verifies by itself, and anything but true refuses", async () => {
    const seen = [];
    const verify = async (request, body) => {
      seen.push([request.method, await request.text(), String.fromCharCode(...body)]);
      return request.headers.get("x-ok") === "1" || (request.headers.has("x-odd") ? "yes" : false);
    };
    const { pull, starts } = pulling({ verify, deliveryId: (request) => request.headers.get("x-id") });
    assert.equal((await pull("text", { "x-ok": "1", "x-id": "seven" })).status, 202);
    await rejects(pull("text", {}), "SignatureInvalid");
    await rejects(pull("text", { "x-odd": "1" }), "SignatureInvalid");
    assert.deepEqual([seen[0], starts], [["POST", "text", "text"], [["text", "hook-seven"]]]);
    const broken = pulling({ verify: () => Promise.reject(new Error("no database")) });
    await assert.rejects(broken.pull("text", {}), /no database/);
  });

  test("one that says nothing of it can't be made", () => {
    for (const options of [{}, { preset: "nobody" }, { preset: "toString" }, { secret: "s" }, { verify: true }])
      assert.throws(() => webhookTrigger({ name: "hook", workflow: "w", ...options }), {
        code: "InvalidConfiguration",
      });
    assert.throws(() => webhookTrigger({ name: "hook", workflow: "w" }), /github, stripe/);
  });
});

test("Slack's question whether somebody is there is answered, once it is verified", async () => {
  const { pull, starts } = pulling({ preset: "slack", secret: SECRET });
  const body = '{"type":"url_verification","challenge":"c"}';
  const answer = await pull(body, { "content-type": "application/json", ...SENDERS.slack(body, SECRET) });
  assert.deepEqual([answer.status, await answer.text(), starts], [200, "c", []]);
  await rejects(pull(body, SENDERS.slack(body, "another")), "SignatureInvalid");
});

test("on an engine: accepted once, however often and by whomever it is sent", async (t) => {
  const { workflow, inputs } = echo("build");
  const hook = webhookTrigger({
    name: "hook",
    workflow,
    preset: "github",
    secret: () => SECRET,
    accept: (_, { headers }) => headers.get("x-github-event") === "push",
    map: ({ ref }) => ({ ref }),
  });
  const { engine } = await served(t, { triggers: [hook] });
  const url = urlOf(engine, "hook");
  const send = (body, headers) =>
    fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  const push = '{"ref":"main","more":1}';
  const headers = { "x-github-event": "push", ...SENDERS.github(push, SECRET) };
  const first = await (await send(push, headers)).json();
  assert.match(first.workflowRunId, /^wfr_hook-[0-9a-f]{32}$/);
  const [again, ping, forged] = [
    await send(push, headers),
    await send(push, { ...headers, "x-github-event": "ping" }),
    await send(push, { ...headers, ...SENDERS.github(push, "another") }),
  ];
  assert.deepEqual([again.status, (await again.json()).workflowRunId], [202, first.workflowRunId]);
  assert.deepEqual([ping.status, await ping.json()], [200, { ignored: true }]);
  assert.deepEqual(await codeOf(forged), [403, "SignatureInvalid"]);
  assert.deepEqual(await codeOf(await send(push, {})), [401, "SignatureMissing"]);
  assert.deepEqual((await ended(engine, first)).output, { ref: "main" });
  await (await send(push, headers)).json();
  assert.deepEqual([(await engine.listExecutions()).runs.length, inputs], [1, [{ ref: "main" }]]);
  await engine.unregister("hook");
  assert.deepEqual(await codeOf(await send(push, headers)), [404, "NotFound"]);
});
