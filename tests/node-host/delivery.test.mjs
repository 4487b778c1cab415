// What endpoints get from the broker on Node, byte for byte, and what it makes of what they answer.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import dns from "node:dns";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { embedded, folder, receiverOf, server, until } from "./support.mjs";

/** A server that speaks for itself: `handle` gets the socket and what came first, in Latin-1. */
async function raw(t, handle) {
  const requests = [];
  const sockets = new Set();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head < 0 || text.length < head + 4 + length) return;
      const request = text.slice(0, head + 4 + length);
      text = text.slice(request.length);
      requests.push(request);
      handle(socket, request, requests.length);
    });
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return { url: `http://127.0.0.1:${listener.address().port}`, requests };
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Publishes over the API, with header values as they are. */
async function publish(on, url, { method = "POST", headers = {}, body } = {}) {
  const sent = await on.api(`/v2/publish/${url}`, {
    method: "POST",
    headers: { "upstash-method": method, "upstash-retries": "0", ...headers },
    ...(body === undefined ? {} : { body }),
  });
  assert.equal(sent.status, 200, await sent.clone().text());
  return (await sent.json()).messageId;
}

/** The last event of a message, once nothing is under way. */
async function outcome(on, messageId) {
  await on.broker.idle();
  const events = await on.events(messageId);
  return events.find(({ state }) => !["CREATED", "ACTIVE"].includes(state));
}

test("every method is sent with and without a body, and the signature is good", async (t) => {
  const on = await embedded(t);
  const endpoint = await raw(t, (socket) => socket.write(OK));
  const receiver = receiverOf(on.broker);
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    for (const body of ["", "bytes"]) {
      await publish(on, `${endpoint.url}/m?x=1`, { method, body });
      await on.broker.idle();
      const request = endpoint.requests.at(-1);
      const [head, received] = request.split("\r\n\r\n");
      assert.match(head, new RegExp(`^${method} /m\\?x=1 HTTP/1.1\r\n`));
      assert.equal(received, body, method);
      assert.doesNotMatch(head, /transfer-encoding/i);
      const signature = /upstash-signature: (\S+)/i.exec(head)[1];
      assert.equal(await receiver.verify({ signature, body, url: `${endpoint.url}/m?x=1` }), true);
    }
  }
});

test("a body of a megabyte of random bytes arrives as it was sent, and so does a callback's", async (t) => {
  const on = await embedded(t);
  const { url, requests } = await server(t, ({ url: path }) => ({ body: path === "/big" ? "x".repeat(100_000) : "" }));
  const body = randomBytes(1024 * 1024);
  await publish(on, `${url}/big`, {
    body,
    headers: { "content-type": "application/octet-stream", "upstash-callback": `${url}/told` },
  });
  await on.broker.idle();
  const [big, told] = requests;
  const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
  assert.equal(hash(big.body), hash(body));
  assert.equal(big.headers["content-type"], "application/octet-stream");
  const { status, body: answer } = JSON.parse(told.body);
  assert.deepEqual([status, Buffer.from(answer, "base64").length], [200, 100_000]);
});

test("header values are Latin-1, a byte a character, in both directions", async (t) => {
  const on = await embedded(t);
  const endpoint = await raw(t, (socket) =>
    socket.write(
      Buffer.from(
        "HTTP/1.1 200 OK\r\nX-Answer: na\xefve\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 0\r\n\r\n",
        "latin1",
      ),
    ),
  );
  const messageId = await publish(on, endpoint.url, { headers: { "upstash-forward-x-name": "Zo\xeb \xa7" } });
  const event = await outcome(on, messageId);
  assert.match(endpoint.requests[0], /\r\nX-Name: Zo\xeb \xa7\r\n/i);
  assert.deepEqual(event.responseHeaders["X-Answer"], ["na\xefve"]);
  assert.deepEqual(event.responseHeaders["X-Two"], ["1", "2"]);
});

test("a redirect is an answer", async (t) => {
  const on = await embedded(t);
  const { url, requests } = await server(t, () => ({ status: 302, headers: { location: "/elsewhere" } }));
  const event = await outcome(on, await publish(on, `${url}/here`));
  assert.deepEqual([event.responseStatus, requests.length], [302, 1]);
});

test("an answer is read up to the limit, and what never ends is not waited for", async (t) => {
  const on = await embedded(t, { limits: { responseBytes: 1000 } });
  const endless = await raw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const timer = setInterval(() => socket.write(`100\r\n${"y".repeat(256)}\r\n`), 1);
    socket.on("close", () => clearInterval(timer));
  });
  const event = await outcome(on, await publish(on, endless.url));
  assert.equal(event.responseStatus, 200);
  assert.equal(event.responseBody, "y".repeat(1000));
});

test("a timeout is absolute: neither a slow head nor a slow body extends it", async (t) => {
  const on = await embedded(t);
  const silent = await raw(t, () => {});
  const dripping = await raw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const timer = setInterval(() => socket.write("z"), 50);
    socket.on("close", () => clearInterval(timer));
  });
  for (const { url } of [silent, dripping]) {
    const began = Date.now();
    const event = await outcome(on, await publish(on, url, { headers: { "upstash-timeout": "1s" } }));
    const took = Date.now() - began;
    assert.match(event.error ?? event.responseBody, /did not answer within 1 s/);
    assert.ok(took >= 990 && took < 5000, `${took} ms`);
  }
});

test("what can't be reached is a failed try that says why", async (t) => {
  const on = await embedded(t);
  const broken = await raw(t, (socket) => socket.destroy());
  const cut = await raw(t, (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  const garbage = await raw(t, (socket) => socket.end("SSH-2.0-OpenSSH\r\n\r\n"));
  for (const url of [broken.url, cut.url, garbage.url, "http://nowhere.invalid/", "http://127.0.0.1:1/"]) {
    const event = await outcome(on, await publish(on, url));
    assert.match(event.error ?? event.responseBody, /^the destination can't be reached: \S/, url);
  }
});

test("a connection is kept for the next delivery; one that the other side closed is never a failed try", async (t) => {
  const on = await embedded(t);
  // Closes each connection a moment after its first answer, without saying so: the next request finds it dead.
  const endpoint = await raw(t, (socket) => {
    if (socket.known) return socket.destroy();
    socket.known = true;
    socket.write(OK);
  });
  for (let count = 1; count <= 5; count += 1) {
    const event = await outcome(on, await publish(on, endpoint.url));
    assert.equal(event.state, "DELIVERED", JSON.stringify(event));
  }
  assert.ok(endpoint.requests.length > 5, "no connection was used again");

  const steady = await raw(t, (socket) => {
    socket.count = (socket.count ?? 0) + 1;
    steady.most = Math.max(steady.most ?? 0, socket.count);
    socket.write(OK);
  });
  for (let count = 0; count < 5; count += 1) await outcome(on, await publish(on, steady.url));
  assert.equal(steady.most, 5, "one connection is enough");
});

test("so many deliveries are under way at once as there are connections", async (t) => {
  const on = await embedded(t, { connections: 3 });
  let current = 0;
  let most = 0;
  const { url, requests } = await server(t, async () => {
    current += 1;
    most = Math.max(most, current);
    await pause(30);
    current -= 1;
  });
  await Promise.all(Array.from({ length: 12 }, () => publish(on, url)));
  await until(() => requests.length === 12);
  await on.broker.idle();
  assert.equal(most, 3);
});

test("localhost is found at either address family", async (t) => {
  const on = await embedded(t);
  const { url } = await server(t, () => ({}));
  const event = await outcome(on, await publish(on, url.replace("127.0.0.1", "localhost")));
  assert.equal(event.state, "DELIVERED");
});

test("where private destinations are refused, a name that leads to one is refused too, without a connection", async (t) => {
  const db = join(folder(), "broker.db");
  const { url, requests } = await server(t, () => ({}));
  const local = url.replace("127.0.0.1", "localhost");
  const allowing = await embedded(t, { db });
  await publish(allowing, url, { headers: { "upstash-delay": "1s" } });
  await allowing.broker.stop(0);

  const on = await embedded(t, { db, privateDestinations: "refuse" });
  for (const destination of [url, local]) {
    const refused = await on.api(`/v2/publish/${destination}`, { method: "POST" });
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).error, /private/);
  }
  // What was accepted before fails without being called.
  const failed = await until(async () => {
    await on.broker.idle();
    const { events } = await on.json("/v2/events");
    return events.find(({ state }) => state === "FAILED" || state === "ERROR");
  });
  assert.match(failed.error, /private/);
  // A public name that resolves to loopback is told by its address.
  const resolve = dns.lookup;
  t.mock.method(dns, "lookup", (name, options, callback) =>
    name === "rebound.example"
      ? callback(null, [{ address: "127.0.0.1", family: 4 }])
      : resolve(name, options, callback),
  );
  const event = await outcome(on, await publish(on, url.replace("127.0.0.1", "rebound.example")));
  assert.match(event.error, /'127\.0\.0\.1' is private/);
  assert.equal(requests.length, 0);
});

test("API destinations go to the addresses of the options", async (t) => {
  const models = await server(t, () => ({ headers: { "content-type": "application/json" }, body: "{}" }));
  const on = await embedded(t, { apis: { llm: `${models.url}/gateway`, email: models.url } });
  const headers = { "upstash-callback": `${models.url}/answered`, "upstash-forward-authorization": "Bearer theirs" };
  await publish(on, "api/llm", { headers, body: "{}" });
  await publish(on, "api/email", { body: "{}" });
  await on.broker.idle();
  const asked = models.requests.map(({ url, headers }) => [url, headers.authorization]).sort();
  assert.deepEqual(asked, [
    ["/answered", undefined],
    ["/emails", undefined],
    ["/gateway/v1/chat/completions", "Bearer theirs"],
  ]);
});
