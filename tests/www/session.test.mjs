// Who may see the dashboard: the app's server keeps the token, the browser only a proof of having known it.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { startApp } from "./lib/app.mjs";
import { settled } from "./lib/browser.mjs";
import { openStage } from "./lib/stage.mjs";

let stage;

before(async () => {
  stage = await openStage({ env: { DASHBOARD_LOGIN: "on", DASHBOARD_TOKEN: "the dashboard's own token" } });
});

after(() => stage?.close());

/** `fetch` sends the host of the URL, and normalizes its path. */
function raw(app, path, { method = "GET", headers = {}, body = "" } = {}) {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      resolve({ status: answer.statusCode, text });
    });
    sent.on("error", reject).end(body);
  });
}

const proxied = (path, init) => fetch(`${stage.app.url}/api/broker${path}`, init);

async function signIn(token, headers = {}) {
  const answer = await fetch(`${stage.app.url}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ token }),
  });
  return { answer, cookie: answer.headers.get("set-cookie") ?? "" };
}

test("logs in and out", async () => {
  const { page, errors, close } = await stage.browser.open({ tolerate: /status of 401/ });
  await page.goto(`${stage.app.url}/queues`);
  await page.getByLabel("Token").fill("something else");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("that is not the token of this dashboard").waitFor();
  assert.equal(await page.getByLabel("Token").getAttribute("aria-invalid"), "true");

  await page.getByLabel("Token").fill("the dashboard's own token");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Queues" }).waitFor();
  await page.locator('[data-connection="live"]').waitFor();
  const storage = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  );
  assert.ok(!storage.includes("own token") && !storage.includes(stage.broker.token), storage);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test("an address with the token signs in, and doesn't keep it", async () => {
  const { page, close } = await stage.browser.open();
  await page.goto(`${stage.app.url}/runs#token=${encodeURIComponent("the dashboard's own token")}`);
  await settled(page);
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  assert.equal(await page.evaluate(() => location.href), `${stage.app.url}/runs`);
  await close();
});

test("a session that ends while a page is open asks to sign in again", async () => {
  const { page, close } = await stage.browser.open({ tolerate: /./ });
  await page.goto(`${stage.app.url}/runs#token=${encodeURIComponent("the dashboard's own token")}`);
  await page.locator('[data-connection="live"]').waitFor();
  await page.context().clearCookies();
  await page.getByRole("link", { name: "Schedules" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await close();
});

test("the broker is behind the session", async () => {
  assert.equal((await proxied("/v2/queues")).status, 401);
  assert.equal((await proxied("/v2/changes")).status, 401);
  const { answer, cookie } = await signIn("the dashboard's own token");
  assert.equal(answer.status, 200);
  assert.match(cookie, /; HttpOnly/i);
  assert.match(cookie, /; SameSite=strict/i);
  const session = { cookie: cookie.split(";")[0] };
  const queues = await proxied("/v2/queues", { headers: session });
  assert.deepEqual(await queues.json(), []);
  assert.equal((await proxied("/v2/queues", { headers: { cookie: `${session.cookie}x` } })).status, 401);
  const later = session.cookie.replace(/=(\d+)/, (_, expiry) => `=${Number(expiry) + 1000}`);
  assert.equal((await proxied("/v2/queues", { headers: { cookie: later } })).status, 401, "a longer life is forged");
});

test("pages of other sites can't act", async () => {
  const { cookie } = await signIn("the dashboard's own token");
  const headers = { cookie: cookie.split(";")[0], origin: "https://elsewhere.example" };
  const put = { method: "POST", body: JSON.stringify({ queueName: "q", parallelism: 2 }) };
  assert.equal((await proxied("/v2/queues", { ...put, headers })).status, 403);
  assert.equal((await signIn("the dashboard's own token", { origin: headers.origin })).answer.status, 403);
  assert.equal((await proxied("/v2/queues", { ...put, headers: { ...headers, origin: stage.app.url } })).status, 200);
});

test("a destination leads nowhere but to its place in the broker's API", async () => {
  const { cookie } = await signIn("the dashboard's own token");
  const post = { method: "POST", headers: { cookie: cookie.split(";")[0], "content-type": "text/plain" }, body: "x" };
  const published = await raw(stage.app, "/api/broker/v2/publish/https%3A%2F%2Fx.example%2Fa%3Fb=c", post);
  assert.equal(published.status, 200, published.text);
  for (const path of [
    "publish/https%3A%2F%2Fx.example%2F..%2F..%2F..%2F..%2Fsecret",
    "publish/https%3A%2F%2Fx.example%2F..%2F..%2F..%2F..%2Fv2%2Fqueues",
    "publish/https%3A%2F%2Fx.example%2F..%2Fother.example%2F",
    "publish/https%3A%2F%2F..%2F..%2F..%2Fqueues",
    "publish/https%3A%2F%2Fx.example%5C..%5C..%5C..%5C..%5Csecret",
    "publish/https%3A%2F%2Fx.example%2F%252e%252e%2F%252e%252e%2F%252e%252e%2Fqueues",
    "%2e%2e/secret",
  ]) {
    const { status, text } = await raw(stage.app, `/api/broker/v2/${path}`, post);
    assert.ok(status === 400 || status === 404, `${path}: ${status} ${text}`);
  }
});

test("an app without a login is not reached by the name of a site", async (t) => {
  const asked = async (login, headers) => {
    const app = await startApp({ broker: stage.broker, env: { DASHBOARD_LOGIN: login } });
    t.after(() => app.stop());
    const paths = ["/api/session", "/api/address", "/api/broker/v2/queues"];
    return Promise.all(
      headers.map(async (each) => {
        const answers = await Promise.all(paths.map((path) => raw(app, path, { headers: each })));
        return [...new Set(answers.map(({ status }) => status))];
      }),
    );
  };
  const foreign = [
    { host: "site.example" },
    { host: "site.example:3000" },
    { host: "localhost", "x-forwarded-host": "site.example" },
  ];
  const local = [{ host: "localhost" }, { host: "127.0.0.1:3000" }, { host: "[::1]:3000" }, { host: "app.localhost" }];
  assert.deepEqual(await asked("off", [...foreign, ...local]), [
    ...foreign.map(() => [403]),
    ...local.map(() => [200]),
  ]);
  assert.deepEqual(await asked("elsewhere", foreign.slice(0, 1)), [[200]]);
});

test("an app that no broker was named to says what to set", async (t) => {
  const nothing = { environment: { PATH: process.env.PATH } };
  const app = await startApp({ broker: nothing, env: { DASHBOARD_LOGIN: "on" }, isConfigured: false });
  t.after(() => app.stop());
  for (const path of ["/api/session", "/api/address", "/api/broker/v2/queues"]) {
    const { status, text } = await raw(app, path);
    assert.equal(status, 503, path);
    assert.deepEqual(JSON.parse(text).code, "InvalidConfiguration");
    assert.match(text, /QSTASH_TOKEN/);
  }
  const { page, close } = await stage.browser.open({ tolerate: /status of 503/ });
  await page.goto(`${app.url}/runs`);
  await page
    .getByText(/set QSTASH_TOKEN/)
    .first()
    .waitFor();
  await close();
});

test("pages are sent with headers that keep them to themselves", async () => {
  const { headers } = await fetch(`${stage.app.url}/runs`);
  assert.match(headers.get("content-security-policy"), /frame-ancestors 'none'/);
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
});
