// `POST /v2/publish/{destination}`: what is published is what arrives.

import assert from "node:assert/strict";
import { custom } from "@upstash/qstash";

const one = (on, endpoint) => on.until(() => endpoint.requests[0]);

export default {
  async "a message arrives as it was published, signed"(on) {
    const endpoint = await on.endpoint();
    const url = `${endpoint.url}/hook?a=%20b&c=d`;
    const published = await on.qstash.publish({
      url,
      body: "héllo",
      headers: { "content-type": "text/csv", "X-Own": "kept", Authorization: "Bearer theirs" },
      label: ["blue", "green"],
    });
    assert.match(published.messageId, /^msg_[A-Za-z0-9_-]+$/);
    assert.deepEqual(Object.keys(published), ["messageId"]);
    const { method, url: path, headers, body } = await one(on, endpoint);
    assert.deepEqual([method, path, body.toString()], ["POST", "/hook?a=%20b&c=d", "héllo"]);
    for (const [name, value] of Object.entries({
      "user-agent": "Upstash-QStash",
      "content-type": "text/csv",
      "x-own": "kept",
      authorization: "Bearer theirs",
      "upstash-message-id": published.messageId,
      "upstash-retried": "0",
      "upstash-label": "blue,green",
    })) {
      assert.equal(headers[name], value, name);
    }
    assert.ok(!JSON.stringify(headers).includes(on.token));
    const signature = headers["upstash-signature"];
    assert.ok(await on.receiver.verify({ signature, url, body: body.toString() }));
    await assert.rejects(on.receiver.verify({ signature, url, body: "another" }), /body/);
    await assert.rejects(on.receiver.verify({ signature, url: endpoint.url, body: body.toString() }), /subject|URL/);
  },

  async "the signature is a JWT with the documented claims"(on) {
    const endpoint = await on.endpoint();
    await on.qstash.publishJSON({ url: endpoint.url, body: { a: 1 } });
    const { headers, body, at } = await one(on, endpoint);
    const [head, claims] = headers["upstash-signature"]
      .split(".")
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url")));
    assert.deepEqual(head, { alg: "HS256", typ: "JWT" });
    const hash = await crypto.subtle.digest("SHA-256", body);
    assert.equal(claims.body.replace(/=+$/, ""), Buffer.from(hash).toString("base64url"));
    assert.equal(claims.iss, "Upstash");
    assert.equal(claims.sub, new URL(endpoint.url).href);
    assert.match(claims.jti, /^jwt_/);
    assert.equal(claims.exp, claims.iat + 300);
    assert.ok(claims.nbf <= claims.iat);
    assert.ok(Math.abs(claims.iat - at / 1000) < 10);
  },

  async "the publisher's address reaches the endpoint, messages, logs, dead letters and callbacks"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    const back = await on.endpoint();
    const { address } = on.caller;
    const headers = {
      ...on.caller.headers,
      "upstash-caller-ip": "6.6.6.6",
      "upstash-retries": "0",
      "upstash-callback": back.url,
      "upstash-label": on.name("caller"),
    };
    const publish = (path, init) => on.json(200, "POST", `/v2/publish/${endpoint.url}${path}`, init);
    const { messageId } = await publish("/now", { headers });
    const letter = await on.letter(messageId);
    assert.equal(endpoint.requests[0].headers["upstash-caller-ip"], address);
    assert.deepEqual([letter.callerIP, letter.callerIp], [address, address]);
    const { body } = await on.until(() => back.requests[0]);
    assert.equal(JSON.parse(body).callerIP, address);
    const filter = { callerIp: address, label: headers["upstash-label"] };
    assert.ok((await on.qstash.logs({ filter })).logs.length > 0);
    assert.equal((await on.qstash.dlq.listMessages({ filter })).messages.length, 1);
    const later = await publish("/later", { headers: { ...headers, "upstash-delay": "1d" } });
    const shown = await on.qstash.messages.get(later.messageId);
    assert.deepEqual([shown.callerIP, shown.callerIp], [address, address]);
    assert.deepEqual(await on.qstash.messages.cancel({ filter }), { cancelled: 1 });
  },

  async "bytes arrive untouched"(on) {
    const endpoint = await on.endpoint();
    const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await on.qstash.publish({ url: endpoint.url, body, headers: { "content-type": "application/octet-stream" } });
    assert.deepEqual((await one(on, endpoint)).body, Buffer.from(body));
  },

  async "JSON arrives with its media type"(on) {
    const endpoint = await on.endpoint();
    await on.qstash.publishJSON({ url: endpoint.url, body: { a: [1, "ü"] } });
    const { headers, body } = await one(on, endpoint);
    assert.equal(headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(body), { a: [1, "ü"] });
  },

  async "every method; POST is the default"(on) {
    const endpoint = await on.endpoint();
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", undefined];
    await Promise.all(methods.map((method) => on.qstash.publish({ url: `${endpoint.url}/${method}`, method })));
    await on.until(() => endpoint.requests.length === methods.length);
    const seen = endpoint.requests.map(({ method, url }) => [method, url]).sort();
    assert.deepEqual(seen, methods.map((method) => [method ?? "POST", `/${method}`]).sort());
  },

  async "an empty body stays empty"(on) {
    const endpoint = await on.endpoint();
    await on.qstash.publish({ url: endpoint.url });
    const { body, headers } = await one(on, endpoint);
    assert.equal(body.length, 0);
    assert.ok(await on.receiver.verify({ signature: headers["upstash-signature"], body: "" }));
  },

  async "forwarded headers lose their prefix, however they are spelt; those of the connection are dropped"(on) {
    const endpoint = await on.endpoint();
    const headers = {
      "Upstash-Forward-X-One": "1",
      "upstash-forward-x-two": "2",
      "Upstash-Forward-Host": "evil.test",
      "Upstash-Forward-Content-Length": "1",
      "X-Not-Forwarded": "n",
    };
    await on.json(200, "POST", `/v2/publish/${endpoint.url}`, { headers, body: "body" });
    const seen = await one(on, endpoint);
    assert.equal(seen.headers["x-one"], "1");
    assert.equal(seen.headers["x-two"], "2");
    assert.equal(seen.headers["x-not-forwarded"], undefined);
    assert.equal(seen.headers.host, new URL(endpoint.url).host);
    assert.equal(seen.body.toString(), "body");
  },

  async "the destination may be encoded, and settings may stand in the query"(on) {
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    const destination = encodeURIComponent(`${endpoint.url}/encoded?x=1`);
    const { messageId } = await on.json(200, "POST", `/v2/publish/${destination}?upstash-retries=0&y=2`, {});
    const letter = await on.letter(messageId);
    assert.equal(letter.maxRetries, 0);
    assert.deepEqual(
      endpoint.requests.map(({ url }) => url),
      ["/encoded?x=1&y=2"],
    );
  },

  async "Upstash-Header-Forward forwards every header of the request"(on) {
    const endpoint = await on.endpoint();
    const headers = { "upstash-header-forward": "true", "x-github-event": "push", "content-type": "application/json" };
    await on.json(200, "POST", `/v2/publish/${endpoint.url}`, { headers, body: "{}" });
    const seen = await one(on, endpoint);
    assert.equal(seen.headers["x-github-event"], "push");
    assert.ok(!JSON.stringify(seen.headers).includes(on.token));
  },

  async "an llm provider is called with its own token"(on) {
    const endpoint = await on.endpoint(() => ({ headers: { "content-type": "application/json" }, body: "{}" }));
    const back = await on.endpoint();
    await on.qstash.publishJSON({
      api: { name: "llm", provider: custom({ baseUrl: endpoint.url, token: "sk-theirs" }) },
      body: { model: "m", messages: [] },
      callback: back.url,
    });
    const { url, headers } = await one(on, endpoint);
    assert.equal(url, "/v1/chat/completions");
    assert.equal(headers.authorization, "Bearer sk-theirs");
    await one(on, back);
  },

  async "api/llm and api/email go to the addresses of the settings"(on) {
    const endpoint = await on.endpoint();
    const { json } = await on.another({ apis: { llm: `${endpoint.url}/models`, email: `${endpoint.url}/mail` } });
    const headers = { "Upstash-Forward-Authorization": "Bearer theirs", "Upstash-Callback": `${endpoint.url}/back` };
    await json(200, "POST", "/v2/publish/api/llm", { headers, body: { model: "m" } });
    await json(200, "POST", "/v2/publish/api/email", { headers, body: { to: "t" } });
    await on.until(() => endpoint.requests.length === 4);
    const sent = endpoint.requests.filter(({ url }) => url !== "/back");
    assert.deepEqual(sent.map(({ url }) => url).sort(), ["/mail/emails", "/models/v1/chat/completions"]);
    assert.ok(sent.every((request) => request.headers.authorization === "Bearer theirs"));
  },

  async "delay and not-before hold a message back; not-before wins"(on) {
    const endpoint = await on.endpoint();
    const published = Date.now();
    const notBefore = Math.floor(published / 1000) + 2;
    await on.qstash.publish({ url: `${endpoint.url}/delay`, delay: 1 });
    await on.qstash.publish({ url: `${endpoint.url}/text`, delay: "1s" });
    await on.qstash.publish({ url: `${endpoint.url}/at`, notBefore, delay: "1d" });
    await on.until(() => endpoint.requests.length === 3);
    const at = (path) => endpoint.requests.find(({ url }) => url === path).at;
    assert.ok(at("/delay") - published >= 1000);
    assert.ok(at("/text") - published >= 1000);
    assert.ok(at("/at") >= notBefore * 1000);
  },
};
