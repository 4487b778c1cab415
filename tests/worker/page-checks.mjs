// What the dashboard's files are on every host of the broker.

import assert from "node:assert/strict";
import { ask, BROWSER, ESCAPES, FILES } from "./pages.mjs";

const SAFETY = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
};
const pick = (headers) => Object.fromEntries(Object.keys(SAFETY).map((name) => [name, headers[name]]));

/** Pages at their paths, other files by their names, each with its headers. */
export async function pagesAreServed(url) {
  for (const [path, name, type, caching] of [
    ["/", "index.html", "text/html; charset=utf-8", "no-cache"],
    ["/runs", "runs.html", "text/html; charset=utf-8", "no-cache"],
    ["/runs?id=1", "runs.html", "text/html; charset=utf-8", "no-cache"],
    ["/runs/", "runs.html", "text/html; charset=utf-8", "no-cache"],
    ["/runs.txt?_rsc=1", "runs.txt", "text/plain; charset=utf-8", "no-cache"],
    ["/icon.svg", "icon.svg", "image/svg+xml", "no-cache"],
    ["/_next/static/chunks/app-0123.js", null, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
    ["/_next/static/media/face-4567.woff2", null, "font/woff2", "public, max-age=31536000, immutable"],
  ]) {
    const expected = FILES[name ?? path.slice(1)];
    const { status, headers, text } = await ask(url, path, { headers: BROWSER });
    assert.deepEqual([status, text], [200, expected], path);
    assert.deepEqual([headers["content-type"], headers["cache-control"]], [type, caching], path);
    assert.deepEqual(pick(headers), SAFETY, path);
    const head = await ask(url, path, { method: "HEAD", headers: BROWSER });
    assert.deepEqual([head.status, head.text, head.headers["content-type"]], [200, "", type], path);
  }
}

/** The API keeps its paths, whoever asks; programs get JSON where there is no file. */
export async function theApiIsFirst(url, token) {
  for (const path of ["/v2/keys", "/v2/runs", "/llm/v1/models"]) {
    const { status, headers } = await ask(url, path, { headers: BROWSER });
    assert.deepEqual([status, headers["content-type"]], [401, "application/json"], path);
  }
  const keys = await ask(url, "/v2/keys", { headers: { ...BROWSER, authorization: `Bearer ${token}` } });
  assert.equal(keys.status, 200);
  assert.equal(JSON.parse((await ask(url, "/health", { headers: BROWSER })).text).status, "ok");
  const index = await ask(url, "/", { headers: { accept: "application/json" } });
  assert.equal(JSON.parse(index.text).name, "orchestration");
  const post = await ask(url, "/runs", { method: "POST", headers: BROWSER });
  assert.deepEqual([post.status, post.headers["content-type"]], [404, "application/json"]);
}

/** What neither knows. */
export async function whatIsNowhereIsNotFound(url) {
  const page = await ask(url, "/nowhere", { headers: BROWSER });
  assert.deepEqual([page.status, page.text], [404, FILES["404.html"]]);
  assert.deepEqual(pick(page.headers), SAFETY);
  for (const path of ["/nowhere", "/_next/static/chunks/gone-1.js", "/_next/static", "/_next"]) {
    const { status, headers } = await ask(url, path, { headers: { accept: "*/*" } });
    assert.deepEqual([status, headers["content-type"]], [404, "application/json"], path);
  }
}

/** No way of writing a path leads out of the folder. */
export async function nothingLeadsOut(url, more = []) {
  for (const path of [...ESCAPES, ...more]) {
    const { status, text } = await ask(url, path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(text, /a secret/, path);
  }
}

/** A page acts with the token; its browser tells the origin, by whatever name it was opened. */
export async function actionsOfThePagePass(url, token) {
  const { port } = new URL(url);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
    const headers = {
      host,
      origin: `http://${host}`,
      "sec-fetch-site": "same-origin",
      authorization: `Bearer ${token}`,
      "upstash-delay": "1h",
    };
    const posted = await ask(url, "/v2/publish/https://app.invalid/", { method: "POST", headers, body: "{}" });
    assert.equal(posted.status, 200, posted.text);
    const { messageId } = JSON.parse(posted.text);
    const deleted = await ask(url, `/v2/messages/${messageId}`, { method: "DELETE", headers });
    assert.equal(deleted.status, 200, deleted.text);
  }
}
