// The HTTP side of the broker on Node: what it takes, limits and refuses before the API itself is asked.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { embedded, folder, server } from "./support.mjs";

/** Sends bytes as they are; resolves with all that comes until the connection is closed. */
async function speak({ broker }, ...parts) {
  const socket = connect(broker.port, "127.0.0.1");
  let text = "";
  socket.on("data", (bytes) => (text += bytes.toString("latin1")));
  socket.on("error", () => {});
  const closed = once(socket, "close");
  for (const part of parts) {
    if (typeof part === "function") await part(() => text);
    else socket.write(part);
  }
  await closed;
  return text;
}

const head = (on, line, ...headers) =>
  [line, "Host: 127.0.0.1", `Authorization: Bearer ${on.token}`, "Connection: close", ...headers, "", ""].join("\r\n");

test("a destination in the path is taken as it came", async (t) => {
  const on = await embedded(t);
  const { url, requests } = await server(t, () => ({}));
  const authority = url.slice("http://".length);
  for (const path of ["/a//b", "/a/%2e%2e/b%2Fc", "/x?y=1&z=%20+", "/p?u=http://q.test/r?s"]) {
    const sent = await speak(on, head(on, `POST /v2/publish/http://${authority}${path} HTTP/1.1`));
    assert.match(sent, /^HTTP\/1\.1 200 /, sent);
    await on.broker.idle();
    const { messageId } = JSON.parse(sent.split("\r\n\r\n")[1]);
    const [event] = await on.events(messageId);
    assert.equal(new URL(event.url).search, new URL(url + path).search);
    assert.equal(requests.at(-1).url, new URL(url + path).pathname + new URL(url + path).search);
  }
});

test("the absolute form of a request is understood, and a Host that is none refused", async (t) => {
  const on = await embedded(t);
  assert.match(await speak(on, head(on, "GET http://elsewhere.test/v2/keys HTTP/1.1")), /^HTTP\/1\.1 200 /);
  const refused = await speak(on, "GET /v2/keys HTTP/1.1\r\nHost: a/b?c\r\nConnection: close\r\n\r\n");
  assert.match(refused, /^HTTP\/1\.1 400 [\s\S]*\{"error":".*Host.*"\}$/);
});

test("the caller's address is the socket's, whatever the caller says", async (t) => {
  const on = await embedded(t);
  const { url, requests } = await server(t, () => ({}));
  const answer = await on.api(`/v2/publish/${url}`, { method: "POST", headers: { "upstash-caller-ip": "6.6.6.6" } });
  const { messageId } = await answer.json();
  await on.broker.idle();
  const log = await on.json(`/v2/logs?messageId=${messageId}`);
  assert.ok(log.logs.length > 0);
  assert.doesNotMatch(JSON.stringify(log), /6\.6\.6\.6/);
  assert.equal(requests[0].headers["upstash-caller-ip"], "127.0.0.1");
});

test("a body over the limit is answered 413, also one that is announced, and the broker goes on", async (t) => {
  const on = await embedded(t, { limits: { bodyBytes: 1000 } });
  const { url } = await server(t, () => ({}));
  const status = async (bytes) =>
    (await on.api(`/v2/publish/${url}`, { method: "POST", body: "x".repeat(bytes) })).status;
  assert.deepEqual([await status(1000), await status(1001), await status(1_000_000)], [200, 413, 413]);

  const announced = await speak(
    on,
    head(on, `POST /v2/publish/${url} HTTP/1.1`, "Content-Length: 100000000", "Expect: 100-continue"),
  );
  assert.match(announced, /^HTTP\/1\.1 413 /, announced);
  assert.match(announced, /\{"error":"[^"]+"\}$/);
  assert.equal(await status(10), 200);
});

test("Expect: 100-continue is answered before the body is sent", async (t) => {
  const on = await embedded(t);
  const { url } = await server(t, () => ({}));
  const text = await speak(
    on,
    head(on, `POST /v2/publish/${url} HTTP/1.1`, "Content-Length: 4", "Expect: 100-continue"),
    async (seen) => {
      while (!seen().includes("100 Continue")) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    "body",
  );
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

test("HEAD is GET without its body, OPTIONS and unknown methods are told what there is", async (t) => {
  const on = await embedded(t);
  const get = await on.api("/v2/keys");
  const headOf = await on.api("/v2/keys", { method: "HEAD" });
  assert.deepEqual([headOf.status, await headOf.text()], [200, ""]);
  assert.equal(headOf.headers.get("content-type"), get.headers.get("content-type"));
  assert.equal((await fetch(on.url, { method: "HEAD" })).status, 200);
  const options = await on.api("/v2/keys", { method: "OPTIONS" });
  assert.deepEqual([options.status, options.headers.get("allow")], [405, "GET"]);
  assert.equal((await fetch(on.url, { method: "OPTIONS" })).status, 405);
  const unknown = await speak(on, head(on, "PROPFIND /v2/keys HTTP/1.1"));
  assert.match(unknown, /^HTTP\/1\.1 400 [\s\S]*expected one of the methods/);
});

test("what is no HTTP, and headers that are too long, get an answer in JSON", async (t) => {
  const on = await embedded(t);
  const long = await speak(on, head(on, "GET /v2/keys HTTP/1.1", `X-Long: ${"x".repeat(300_000)}`));
  assert.match(long, /^HTTP\/1\.1 431 [\s\S]*\{"error":"[^"]+"\}$/);
  const none = await speak(on, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
  assert.match(none, /^HTTP\/1\.1 400 [\s\S]*\{"error":"[^"]+"\}$/);
  assert.ok((await on.api("/v2/keys")).ok);
});

test("index, health and what is not there", async (t) => {
  const on = await embedded(t);
  const [index, health, nothing] = await Promise.all(["/", "/health", "/nothing"].map((path) => fetch(on.url + path)));
  assert.deepEqual([index.status, health.status, nothing.status], [200, 200, 404]);
  assert.ok((await index.json()).paths["/v2/"]);
  const { status, name, version } = await health.json();
  assert.deepEqual([status, name, typeof version], ["ok", "orchestration", "string"]);
  assert.deepEqual(Object.keys(await nothing.json()), ["error"]);
});

test("a page of another site can't publish with the token that everybody knows", async (t) => {
  const on = await embedded(t);
  const { url } = await server(t, () => ({}));
  const site = (value) => ({ method: "POST", headers: { "sec-fetch-site": value } });
  const status = async (value) => (await on.api(`/v2/publish/${url}`, site(value))).status;
  assert.deepEqual([await status("cross-site"), await status("same-origin")], [403, 200]);
  const shown = await fetch(`${on.url}/`, { headers: { "sec-fetch-site": "cross-site" } });
  assert.equal(shown.status, 200, "a link to the dashboard is none of that");
});

test("a page of another origin can't change anything, whatever the token; webhooks are for every page", async (t) => {
  for (const token of [undefined, "a-token-of-our-own"]) {
    const on = await embedded(t, { token });
    const { url } = await server(t, () => ({}));
    const status = async (path, origin, method = "POST") => {
      const answer = await speak(
        on,
        `${method} ${path} HTTP/1.1\r\nHost: ${new URL(on.url).host}\r\nAuthorization: Bearer ${on.token}\r\n` +
          `Origin: ${origin}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      return Number(answer.split(" ")[1]);
    };
    const publish = `/v2/publish/${url}`;
    assert.equal(await status(publish, on.url), 200);
    for (const origin of ["http://evil.example", "http://127.0.0.1:1", "null", "", `${on.url}.evil.example`])
      assert.equal(await status(publish, origin), 403, origin);
    assert.equal(await status("/v2/queues/none", "http://evil.example", "DELETE"), 403);
    assert.equal(await status("/v2/keys", "http://evil.example", "GET"), 200);
    assert.notEqual(await status("/v2/workflows/hooks/a/b/c", "http://evil.example"), 403);
  }
});

test("a public name does not reach a broker whose token everybody knows", async (t) => {
  const status = async (on, host) => {
    const answer = await speak(
      on,
      `GET /v2/keys HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${on.token}\r\nConnection: close\r\n\r\n`,
    );
    return Number(answer.split(" ")[1]);
  };
  const known = await embedded(t);
  for (const host of [
    "127.0.0.1:1",
    "localhost",
    "app.localhost:8080",
    "[::1]:8080",
    "broker:8080",
    "host.docker.internal",
  ])
    assert.equal(await status(known, host), 200, host);
  for (const host of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"])
    assert.equal(await status(known, host), 403, host);
  const own = await embedded(t, { token: "a-token-of-our-own" });
  assert.equal(await status(own, "broker.example"), 200);
});

test("a token that isn't known makes the broker read nothing of the body", async (t) => {
  const on = await embedded(t);
  const request = (token) =>
    speak(
      on,
      `POST /v2/publish/http://a.test/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n` +
        "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
      async (seen) => {
        while (!seen().includes("HTTP/1.1")) await new Promise((resolve) => setTimeout(resolve, 5));
      },
      "x".repeat(1000),
    );
  assert.match(await request("wrong"), /^HTTP\/1\.1 401 /);
  assert.match(await request(on.token), /^HTTP\/1\.1 100 Continue/);
});

test("a read-only token reads, and does nothing else", async (t) => {
  const on = await embedded(t, { readOnlyToken: "reader" });
  const status = async (path, method = "GET") =>
    (await fetch(on.url + path, { method, headers: { authorization: "Bearer reader" } })).status;
  assert.deepEqual(
    [await status("/v2/events"), await status("/v2/keys"), await status("/v2/publish/http://a.test/", "POST")],
    [200, 403, 403],
  );
});

test("keys that were rotated are those of the broker, also after a restart", async (t) => {
  const db = join(folder(), "broker.db");
  const first = await embedded(t, { db });
  const { next } = await first.json("/v2/keys");
  const rotated = await first.json("/v2/keys/rotate", { method: "POST" });
  assert.equal(rotated.current, next);
  await first.broker.stop(0);
  const { broker } = await embedded(t, { db });
  assert.deepEqual([broker.currentSigningKey, broker.nextSigningKey], [rotated.current, rotated.next]);
});
