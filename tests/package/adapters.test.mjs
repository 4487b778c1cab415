/** What adapters do besides the wire: the platform in the context, settings of bindings, bodies as frameworks leave them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import { verifySignatureH3 } from "@repo/orchestration/client/h3";
import { createWorkflow, serve, serveMany } from "@repo/orchestration/workflows";
import * as astro from "@repo/orchestration/workflows/astro";
import * as cloudflare from "@repo/orchestration/workflows/cloudflare";
import * as expressAdapter from "@repo/orchestration/workflows/express";
import * as h3Adapter from "@repo/orchestration/workflows/h3";
import * as hono from "@repo/orchestration/workflows/hono";
import * as nextjs from "@repo/orchestration/workflows/nextjs";
import * as reactRouter from "@repo/orchestration/workflows/react-router";
import * as solidjs from "@repo/orchestration/workflows/solidjs";
import * as svelte from "@repo/orchestration/workflows/svelte";
import * as tanstack from "@repo/orchestration/workflows/tanstack";
import express from "express";
import { createApp, createRouter, readBody, toNodeListener } from "h3";
import { Hono } from "hono";

import { CURRENT_KEY, NEXT_KEY, resume, signed } from "../differential/delivery.mjs";
import { startRecorder } from "../differential/recorder.mjs";

const KEYS = { QSTASH_CURRENT_SIGNING_KEY: CURRENT_KEY, QSTASH_NEXT_SIGNING_KEY: NEXT_KEY };
const URL_OF_APP = "https://app.test/api/order";

let recorder;
let env;
before(async () => {
  recorder = await startRecorder();
  env = { QSTASH_URL: recorder.url, QSTASH_TOKEN: "token-of-the-environment" };
});
after(() => recorder.close());

const request = ({ url, method, headers, body } = resume()) => new Request(url, { method, headers, body });

describe("context.platform", () => {
  /** For each adapter: hands a delivery over, with `given` as what its framework has for the workflow. */
  const ADAPTERS = {
    "plain requests": (route, options) => serve(route, options).POST(request()),
    nextjs: (route, options) => nextjs.serve(route, options).POST(request()),
    cloudflare: (route, options, given) => cloudflare.serve(route, options).fetch(request(), given.env, given),
    "cloudflare, Pages": (route, options, given) =>
      cloudflare.serve(route, options).fetch({ request: request(), ...given }),
    hono: (route, options, given) =>
      new Hono()
        .use(async (c, next) => {
          c.set("user", given.user);
          await next();
        })
        .post("*", hono.serve(route, options))
        .fetch(request(), given.env),
    svelte: (route, options, given) =>
      svelte.serve(route, options).POST({ request: request(), url: new URL(URL_OF_APP), locals: given }),
    solidjs: (route, options, given) => solidjs.serve(route, options).POST({ request: request(), locals: given }),
    astro: (route, options, given) => astro.serve(route, options).POST({ request: request(), locals: given }),
    tanstack: (route, options, given) => tanstack.serve(route, options).POST({ request: request(), context: given }),
    "react-router": (route, options, given) =>
      reactRouter.serve(route, options)({ request: request(), context: given }),
    express: (route, options, given) => {
      const app = express().use((req, _res, next) => {
        req.user = given.user;
        next();
      });
      return sent(app.use(expressAdapter.serve(route, options)));
    },
    "nextjs, Pages Router": (route, options, given) =>
      sent((req, res) => {
        req.user = given.user;
        return nextjs.servePagesRouter(route, options).handler(req, res);
      }),
    h3: (route, options, given) =>
      sent(
        toNodeListener(
          createApp().use((event) => {
            event.context.user = given.user;
            return h3Adapter.serve(route, options).handler(event);
          }),
        ),
      ),
  };
  /** Where the workflow finds the user. */
  const USER = {
    "plain requests": ({ headers }) => headers.get("upstash-message-id"),
    nextjs: ({ headers }) => headers.get("upstash-message-id"),
    cloudflare: ({ env: bindings, ctx, request: own }) => own instanceof Request && ctx.user && bindings.USER,
    "cloudflare, Pages": ({ env: bindings, ctx }) => ctx.user && bindings.USER,
    hono: (c) => c.get("user") === c.var.user && c.env.USER,
    svelte: ({ locals }) => locals.user,
    solidjs: ({ locals }) => locals.user,
    astro: ({ locals }) => locals.user,
    tanstack: ({ context }) => context.user,
    "react-router": ({ context }) => context.user,
    express: ({ req, res }) => res.req === req && req.user,
    "nextjs, Pages Router": ({ req, res }) => res.req === req && req.user,
    h3: (event) => event.context.user,
  };

  for (const [name, deliver] of Object.entries(ADAPTERS)) {
    test(name, async () => {
      recorder.reset();
      const seen = [];
      const user = USER[name];
      const route = async (context, second) => {
        await context.run("look", () => void seen.push(user(context.platform), second === context.platform));
      };
      const bindings = { ...env, USER: "ann" };
      const response = await deliver(route, { env, url: URL_OF_APP }, { user: "ann", env: bindings });
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual(seen, [/plain|^nextjs$/.test(name) ? "msg_h0" : "ann", name === "astro"]);
      assert.equal(recorder.requests.length, 1);
    });
  }
});

describe("settings of bindings", () => {
  const bindings = () => ({ QSTASH_URL: recorder.url, QSTASH_TOKEN: "token-of-the-binding", ...KEYS });
  const route = async (context) => {
    await context.run("a", () => context.env.QSTASH_TOKEN);
  };
  const DELIVERIES = {
    cloudflare: (given) => cloudflare.serve(route).fetch(request(given), bindings(), {}),
    hono: (given) => new Hono().post("*", hono.serve(route)).fetch(request(given), bindings()),
    svelte: (given) =>
      svelte.serve(route).POST({ request: request(given), url: new URL(given.url), platform: { env: bindings() } }),
    "serveMany of cloudflare": (given) => {
      const { fetch } = cloudflare.serveMany({ order: cloudflare.createWorkflow(route) });
      return fetch(request(given), bindings(), {});
    },
  };
  for (const [name, deliver] of Object.entries(DELIVERIES)) {
    test(name, async () => {
      recorder.reset();
      assert.equal((await deliver(signed(resume()))).status, 200);
      assert.match(recorder.requests[0].body, /token-of-the-binding/);
      assert.equal((await deliver(resume())).status, 401, "the keys are those of the bindings too");
    });
  }

  test("a Worker that hands over something else is told so", async () => {
    await assert.rejects(async () => cloudflare.serve(route).fetch(request()), /arguments of a Worker/);
  });
});

describe("signed bodies in Node, as parsers leave them", () => {
  const route = async (context) => {
    await context.run("a", () => 1);
  };
  const served = () => expressAdapter.serve(route, { env: { ...env, ...KEYS }, url: URL_OF_APP });
  const APPS = {
    "no parser": () => express().use(served()),
    "express.json": () => express().use(express.json(), served()),
    "express.raw": () => express().use(express.raw({ type: "*/*" }), served()),
    "mounted on a path": () => express().use("/api/order", served()),
    "a post route": () => express().post("/api/order", served()),
    "the Pages Router without parser": () => (req, res) =>
      nextjs.servePagesRouter(route, { env: { ...env, ...KEYS }, url: URL_OF_APP }).handler(req, res),
    h3: () =>
      toNodeListener(
        createApp().use(
          createRouter().post(
            "/api/order",
            h3Adapter.serve(route, { env: { ...env, ...KEYS }, url: URL_OF_APP }).handler,
          ),
        ),
      ),
    "h3, read before": () =>
      toNodeListener(
        createApp().use(async (event) => {
          await readBody(event);
          return h3Adapter.serve(route, { env: { ...env, ...KEYS }, url: URL_OF_APP }).handler(event);
        }),
      ),
  };
  for (const [name, app] of Object.entries(APPS)) {
    test(name, async () => {
      recorder.reset();
      const response = await sent(app(), signed(resume([], { payload: '"é\\u00e9"' })));
      assert.equal(response.status, 200, await response.text());
      assert.equal((await sent(app(), { ...signed(resume()), body: "[]" })).status, 403);
    });
  }
});

describe("events of h3 2, whose req is a request", () => {
  const event = (given) => ({ req: request(given), url: new URL(given.url) });

  test("a workflow", async () => {
    recorder.reset();
    const seen = [];
    const route = async (context) => {
      await context.run("a", () => void seen.push(context.platform.url.href));
    };
    const { handler } = h3Adapter.serve(route, { env: { ...env, ...KEYS } });
    assert.equal((await handler(event(signed(resume())))).status, 200);
    assert.deepEqual(seen, [URL_OF_APP]);
    assert.equal((await handler(event(resume()))).status, 401);
    assert.equal((await handler(event({ url: URL_OF_APP, method: "GET" }))).status, 405);
  });

  test("a message, whose body the handler reads again", async () => {
    const handler = verifySignatureH3(async ({ req }) => req.text(), { env: KEYS });
    assert.equal(await handler(event(signed(resume()))), resume().body);
    assert.equal((await handler(event(resume()))).status, 403);
    const read = event(signed(resume()));
    await read.req.text();
    await assert.rejects(handler(read), /parsed before it was verified/);
  });
});

test("serveMany for plain requests, in all shapes of serve", async () => {
  recorder.reset();
  const seen = [];
  const workflow = (name) =>
    createWorkflow(async (context) => void (await context.run(name, () => void seen.push(name))));
  const { handler, POST, fetch } = serveMany({ one: workflow("one"), two: workflow("two") }, { env });
  const of = (name) => request({ ...resume(), url: `https://app.test/w/${name}?q=1` });
  await handler(of("one"));
  await POST(of("two"));
  await fetch(of("one"), {}, {});
  await fetch({ request: of("two"), env: {} });
  assert.deepEqual(seen, ["one", "two", "one", "two"]);
  const unknown = await handler(of("three"));
  assert.deepEqual([unknown.status, /'three'/.test(await unknown.text())], [404, true]);
});

/** Sends a delivery to a listener of Node's `http`. */
async function sent(listener, { url, method, headers, body } = resume()) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { pathname } = new URL(url);
    const response = await fetch(`http://127.0.0.1:${server.address().port}${pathname}`, { method, headers, body });
    return new Response(await response.arrayBuffer(), response);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
