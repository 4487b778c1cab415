/** Functions and route handlers behind a rate limit. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { clientAddress, createRateLimiter, withRateLimit } from "@repo/orchestration";

const rule = { limit: 2, window: "1h", algorithm: "fixed-window", redis: false };
const from = (address, headers = {}) =>
  new Request("https://app.test/", { headers: { ...(address && { "x-forwarded-for": address }), ...headers } });

describe("a route handler", () => {
  test("tells the limit in its answers, and refuses with a problem", async () => {
    let served = 0;
    const handler = withRateLimit(async () => {
      served += 1;
      return Response.json({ ok: true }, { headers: { "x-own": "1" } });
    }, rule);
    const first = await handler(from("9.9.9.9"));
    const { headers } = first;
    assert.deepEqual(
      [first.status, headers.get("x-own"), headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")],
      [200, "1", "2", "1"],
    );
    await handler(from("9.9.9.9"));
    const refused = await handler(from("9.9.9.9"));
    const retryAfter = Number(refused.headers.get("retry-after"));
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("content-type"), "application/problem+json");
    assert.equal(refused.headers.get("ratelimit-remaining"), "0");
    const body = await refused.json();
    assert.deepEqual(
      [body.type, body.title, body.status, body.error, body.retryAfter],
      ["about:blank", "Too Many Requests", 429, "RateLimited", retryAfter],
    );
    assert.ok(retryAfter > 0 && retryAfter <= 3600);
    assert.equal(served, 2);
    assert.equal((await handler(from("8.8.8.8"))).status, 200, "another client");
  });

  test("keeps its other arguments, and answers whose headers are fixed", async () => {
    const handler = withRateLimit((_request, { params }) => Response.redirect(`https://app.test/${params.id}`), rule);
    const answer = await handler(from("9.9.9.9"), { params: { id: 7 } });
    assert.deepEqual(
      [answer.status, answer.headers.get("location"), answer.headers.get("ratelimit-remaining")],
      [302, "https://app.test/7", "1"],
    );
  });

  test("callers without an address share a limit", async () => {
    const handler = withRateLimit(() => new Response("ok"), rule);
    const statuses = [];
    for (const request of [from(), from("unknown"), from("_hidden")]) statuses.push((await handler(request)).status);
    assert.deepEqual(statuses, [200, 200, 429]);
  });

  test("answers 503 when the calls can't be counted, and does not say why", async () => {
    const redis = { url: "http://127.0.0.1:9", token: "t0ken" };
    const handler = withRateLimit(() => new Response("ok"), { ...rule, redis });
    const answer = await handler(from("9.9.9.9"));
    const text = await answer.text();
    assert.deepEqual([answer.status, JSON.parse(text).error], [503, "ProviderUnavailable"]);
    assert.ok(!text.includes("127.0.0.1"));
    const open = withRateLimit(() => new Response("ok"), { ...rule, redis, failOpen: true, onError() {} });
    assert.equal((await open(from("9.9.9.9"))).status, 200);
  });

  test("counts for whom it is told to", async () => {
    const identifier = async (request) => request.headers.get("x-user");
    const handler = withRateLimit(() => new Response("ok"), { ...rule, identifier, cost: () => 2 });
    const statuses = [];
    for (const user of ["ada", "ada", "alan"])
      statuses.push((await handler(from("9.9.9.9", { "x-user": user }))).status);
    assert.deepEqual(statuses, [200, 429, 200]);
  });

  test("refuses by an answer whatever a client sends as its identifier", async () => {
    const identifier = (request) => request.headers.get("x-user");
    const handler = withRateLimit(() => new Response("ok"), { ...rule, identifier });
    const long = "k".repeat(600);
    const statuses = [];
    for (const headers of [
      {},
      { "x-user": "" },
      {},
      ...[`${long}a`, `${long}b`, `${long}b`, `${long}b`].map((user) => ({ "x-user": user })),
    ])
      statuses.push((await handler(from("9.9.9.9", headers))).status);
    assert.deepEqual(statuses, [200, 200, 429, 200, 200, 200, 429]);
  });
});

describe("any other function", () => {
  test("rejects with the limit's facts", async () => {
    const double = withRateLimit((number) => number * 2, { limit: 1, window: 60_000, redis: false });
    assert.equal(await double(4), 8);
    await assert.rejects(double(4), (error) => {
      assert.deepEqual(
        [error.name, error.code, error.retryable, error.limit, error.remaining],
        ["RateLimitError", "RateLimited", true, 1, 0],
      );
      assert.ok(error.retryAfterMs > 0 && error.resetAt > Date.now());
      return true;
    });
  });

  test("shares a limiter", async () => {
    const limiter = createRateLimiter(rule);
    const send = withRateLimit((mail) => mail.to, { limiter, identifier: (mail) => mail.to });
    const any = withRateLimit(() => "called", limiter);
    assert.deepEqual([await send({ to: "ada" }), await send({ to: "ada" }), await any()], ["ada", "ada", "called"]);
    await assert.rejects(send({ to: "ada" }), { code: "RateLimited" });
    assert.equal((await limiter.check("ada")).success, false);
  });

  test("needs an identifier if it asks for one, of any length", async () => {
    const send = withRateLimit((mail) => mail.to, { ...rule, identifier: (mail) => mail.to });
    for (const to of ["", undefined, null, 7])
      await assert.rejects(send({ to }), { code: "InvalidConfiguration", message: /identifier/ });
    assert.equal((await send({ to: "a".repeat(5000) })).length, 5000);
  });

  test("has to be one", () => {
    assert.throws(() => withRateLimit({ name: "step" }, rule), { code: "InvalidConfiguration" });
    assert.throws(() => withRateLimit(() => 1, { limit: 0, window: "1s" }), { code: "InvalidConfiguration" });
  });
});

test("of addresses, only those that proxies have written are believed", () => {
  const of = (text, proxies) => clientAddress(from(text), proxies);
  for (const [text, expected, proxies] of [
    ["9.9.9.9", "9.9.9.9"],
    ["1.1.1.1, 9.9.9.9", "9.9.9.9"],
    ["1.1.1.1, 9.9.9.9, 10.0.0.1", "9.9.9.9", 2],
    ["9.9.9.9:5123", "9.9.9.9"],
    ["::ffff:9.9.9.9", "9.9.9.9"],
    ["::ffff:102:304", "1.2.3.4"],
    ["[::FFFF:c0a8:1]:443", "192.168.0.1"],
    ["0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"],
    ["::ffff:0:102:304", "0:0:0:0::/64"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["[2001:0db8::1]:443", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["unknown", undefined],
    ["300.1.1.1", undefined],
    ["1.1.1.1, ", undefined],
    ["9.9.9.9", undefined, 2],
    [undefined, undefined],
  ])
    assert.equal(of(text, proxies), expected, text);
});
