/** The `verifySignature…` wrappers: beside the official ones, and in the frameworks themselves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { SignatureError, verifySignatureRequest } from "@repo/orchestration/client";
import { verifySignatureCloudflare } from "@repo/orchestration/client/cloudflare";
import { verifySignatureExpress } from "@repo/orchestration/client/express";
import { verifySignatureH3 } from "@repo/orchestration/client/h3";
import { verifySignatureHono } from "@repo/orchestration/client/hono";
import * as ourNext from "@repo/orchestration/client/nextjs";
import { verifySignatureNuxt } from "@repo/orchestration/client/nuxt";
import { verifySignatureSolidjs } from "@repo/orchestration/client/solidjs";
import { verifySignatureSvelte } from "@repo/orchestration/client/svelte";
import * as officialH3 from "@upstash/qstash/h3";
import * as officialNext from "@upstash/qstash/nextjs";
import * as officialSolid from "@upstash/qstash/solidjs";
import * as officialSvelte from "@upstash/qstash/svelte";
import express from "express";
import { createApp, createRouter, eventHandler, readBody, toNodeListener } from "h3";
import { Hono } from "hono";

import { CURRENT_KEY, NEXT_KEY, signed } from "../differential/delivery.mjs";

const URL_OF_APP = "https://app.test/api/hook?a=1";
const KEYS = { currentSigningKey: CURRENT_KEY, nextSigningKey: NEXT_KEY };
const SETTINGS = { QSTASH_CURRENT_SIGNING_KEY: CURRENT_KEY, QSTASH_NEXT_SIGNING_KEY: NEXT_KEY };
const BODY = '{ "order": "é",\n "n": 1.0 }';

const delivery = ({ url = URL_OF_APP, body = BODY, type = "application/json" } = {}) => ({
  url,
  method: "POST",
  headers: { "content-type": type },
  body,
});
const request = ({ url, method, headers, body }) => new Request(url, { method, headers, body });

/** Requests that every wrapper gets, and whether the broker signed them. */
const CASES = {
  "current key": signed(delivery()),
  "next key": signed(delivery(), { key: NEXT_KEY }),
  "no signature": delivery(),
  "wrong key": signed(delivery(), { key: "sig_of_somebody_else" }),
  tampered: { ...signed(delivery()), body: "{}" },
  "not a token": { ...delivery(), headers: { "upstash-signature": "x.y" } },
};

describe("beside the official wrappers", () => {
  /** A wrapper in the form `(handler, request) => answer`; the handler tells what it read. */
  const WRAPPERS = {
    verifySignatureAppRouter: (modules) => async (given) => {
      const wrapped = modules.next.verifySignatureAppRouter(async (r, p) => Response.json([await r.text(), p]), KEYS);
      return wrapped(given, { id: "7" });
    },
    verifySignatureEdge: (modules) => async (given) =>
      modules.next.verifySignatureEdge(async (r, event) => Response.json([await r.text(), event]), KEYS)(
        given,
        "event",
      ),
    verifySignatureSvelte: (modules) => async (given) =>
      modules.svelte.verifySignatureSvelte(
        async (event) => new Response(await event.request.text()),
        KEYS,
      )({
        request: given,
      }),
    verifySignatureSolidjs: (modules) => async (given) =>
      modules.solid.verifySignatureSolidjs(
        async (event) => new Response(await event.request.text()),
        KEYS,
      )({
        request: given,
      }),
  };
  const official = { next: officialNext, svelte: officialSvelte, solid: officialSolid };
  const ours = {
    next: ourNext,
    svelte: { verifySignatureSvelte },
    solid: { verifySignatureSolidjs },
  };

  for (const [name, wrapper] of Object.entries(WRAPPERS)) {
    for (const [title, given] of Object.entries(CASES)) {
      test(`${name}: ${title}`, async () => {
        const theirs = await reaction(wrapper(official)(request(given)));
        const own = await reaction(wrapper(ours)(request(given)));
        if (theirs.error) {
          // The official wrappers reject, which frameworks answer with 500.
          assert.match(own.text, /^invalid signature: /);
          assert.equal(own.status, 403);
        } else assert.deepEqual(own, theirs);
      });
    }
  }

  for (const [title, given] of Object.entries(CASES)) {
    test(`verifySignature of the Pages Router: ${title}`, async () => {
      const handler = (req, res) => res.status(200).json([req.body, typeof req.body]);
      const theirs = await pages(officialNext.verifySignature(handler, KEYS), given);
      const own = await pages(ourNext.verifySignature(handler, { ...KEYS, baseUrl: "https://app.test" }), given);
      if (theirs.error) assert.match(`${own.status} ${own.text}`, /^400 invalid signature: /);
      else assert.deepEqual(own, theirs);
    });
  }

  test("verifySignatureH3: the official one never believes a body and answers 200; ours does, and answers 403", async () => {
    const handler = async (event) => ({ read: await readBody(event) });
    const answers = async (wrapper, more) => {
      const app = createApp().use("/api/hook", wrapper(handler, { ...KEYS, ...more }));
      return serving(toNodeListener(app), async (origin) => [
        await send(origin, CASES["current key"]),
        await send(origin, CASES["no signature"]),
      ]);
    };
    const [theirs, theirMissing] = await answers(officialH3.verifySignatureH3);
    assert.equal(theirs.status, 500);
    assert.deepEqual([theirMissing.status, JSON.parse(theirMissing.text).status], [200, 403]);
    const [own, ownMissing] = await answers(verifySignatureH3, { baseUrl: "https://app.test" });
    assert.deepEqual([own.status, JSON.parse(own.text)], [200, { read: JSON.parse(BODY) }]);
    assert.deepEqual([ownMissing.status, ownMissing.text], [403, JSON.parse(theirMissing.text).body]);
  });
});

describe("in the frameworks", () => {
  const config = { ...KEYS, trustProxy: false, baseUrl: "https://app.test" };

  /** An application for each framework, whose handler answers with what it read as JSON. */
  const APPS = {
    "Express, no parser": () => expressApp([]),
    "Express, express.raw": () => expressApp([express.raw({ type: "*/*" })]),
    "Express, express.text": () => expressApp([express.text({ type: "*/*" })]),
    "Express, a router that is mounted": () => {
      const router = express.Router().post("/hook", verifySignatureExpress(told, config));
      return express().use("/api", router);
    },
    "Express, as middleware": () => {
      const guard = verifySignatureExpress((_req, _res, next) => next(), config);
      return express().use(guard).post("/api/hook", told);
    },
    "h3 in Node": () =>
      toNodeListener(
        createApp().use(
          createRouter().post(
            "/api/hook",
            verifySignatureNuxt(async (event) => ({ read: await readBody(event) }), config),
          ),
        ),
      ),
    "h3, a body that was read before": () =>
      toNodeListener(
        createApp()
          .use(eventHandler(async (event) => void (await readBody(event))))
          .use(
            "/api/hook",
            verifySignatureH3(async (event) => ({ read: await readBody(event) }), config),
          ),
      ),
  };
  const told = (req, res) => res.json({ read: typeof req.body === "string" ? JSON.parse(req.body) : req.body });
  const expressApp = (parsers) => express().post("/api/hook", ...parsers, verifySignatureExpress(told, config));

  for (const [framework, app] of Object.entries(APPS)) {
    test(framework, async () => {
      await serving(app(), async (origin) => {
        for (const [title, given] of Object.entries(CASES)) {
          const { status, text } = await send(origin, given);
          assert.equal(status, title.endsWith("key") && title !== "wrong key" ? 200 : 403, `${title}: ${text}`);
          if (status === 200) assert.deepEqual(JSON.parse(text).read, JSON.parse(BODY));
        }
      });
    });
  }

  test("Express, express.json: what is written again as it was signed is believed, the rest says why not", async () => {
    const app = express()
      .use(express.json(), express.urlencoded())
      .post("/api/hook", verifySignatureExpress(told, config));
    await serving(app, async (origin) => {
      const compact = await send(origin, signed(delivery({ body: '{"a":1}' })));
      assert.deepEqual([compact.status, compact.text], [200, '{"read":{"a":1}}']);
      for (const given of [delivery(), delivery({ body: "a=1", type: "application/x-www-form-urlencoded" })]) {
        const { status, text } = await send(origin, signed(given));
        assert.deepEqual([status, text.includes("the body was parsed before it was verified")], [403, true], text);
      }
    });
  });

  describe("Hono", () => {
    const app = new Hono();
    app.post(
      "/api/hook",
      verifySignatureHono(async (c) => c.json({ read: await c.req.json() }), config),
    );
    app.use("/read/*", async (c, next) => {
      await c.req.json();
      await next();
    });
    app.post(
      "/read/hook",
      verifySignatureHono(async (c) => c.json({ read: await c.req.json() }), config),
    );
    app.post(
      "/env/hook",
      verifySignatureHono((c) => c.text("ok"), { baseUrl: "https://app.test" }),
    );

    for (const [title, given] of Object.entries(CASES)) {
      test(title, async () => {
        const response = await app.fetch(request(given));
        assert.equal(response.status, ["current key", "next key"].includes(title) ? 200 : 403);
      });
    }

    test("a body that a middleware has read", async () => {
      const given = signed(delivery({ url: "https://app.test/read/hook" }));
      const response = await app.fetch(request(given));
      assert.deepEqual([response.status, await response.json()], [200, { read: JSON.parse(BODY) }]);
    });

    test("keys of the bindings", async () => {
      const given = signed(delivery({ url: "https://app.test/env/hook" }));
      assert.equal((await app.fetch(request(given), SETTINGS)).status, 200);
      assert.equal((await app.fetch(request(given), { ...SETTINGS, QSTASH_CURRENT_SIGNING_KEY: "x" })).status, 403);
    });
  });

  describe("Cloudflare", () => {
    const handler = verifySignatureCloudflare(async (first) => new Response(await (first.request ?? first).text()));

    test("a Worker, keys of the bindings", async () => {
      const response = await handler(request(CASES["current key"]), SETTINGS, {});
      assert.deepEqual([response.status, await response.text()], [200, BODY]);
      assert.equal((await handler(request(CASES["wrong key"]), SETTINGS, {})).status, 403);
    });

    test("a Pages function", async () => {
      const context = (given) => ({ request: request(given), env: SETTINGS });
      assert.equal((await handler(context(CASES["current key"]))).status, 200);
      assert.equal((await handler(context(CASES.tampered))).status, 403);
    });

    test("the keys of a region", async () => {
      const env = { ...SETTINGS, QSTASH_REGION: "EU_CENTRAL_1", US_EAST_1_QSTASH_CURRENT_SIGNING_KEY: "sig_us" };
      const { headers, ...rest } = signed(delivery(), { key: "sig_us" });
      const from = (region) => request({ ...rest, headers: { ...headers, "upstash-region": region } });
      assert.equal((await handler(from("US-EAST-1"), env, {})).status, 200);
      assert.equal((await handler(from("EU-CENTRAL-1"), env, {})).status, 403);
    });

    test("without keys nothing is believed: the settings are at fault, not the request", async () => {
      await assert.rejects(handler(request(CASES["current key"]), {}, {}), { code: "EmptyKeySet" });
    });
  });

  test("SvelteKit on Cloudflare, keys of the platform", async () => {
    const handler = verifySignatureSvelte(async () => new Response("ok"));
    assert.equal((await handler({ request: request(CASES["current key"]), platform: { env: SETTINGS } })).status, 200);
  });

  test("a body that is read before is the application's mistake", async () => {
    const given = request(CASES["current key"]);
    await given.json();
    const handler = verifySignatureRequest(async () => new Response(), KEYS);
    await assert.rejects(handler(given), (error) => {
      assert.ok(error instanceof SignatureError);
      return /^the body was parsed before it was verified/.test(error.message);
    });
  });
});

describe("the URL", () => {
  const inner = { ...signed(delivery()), url: "http://127.0.0.1:3000/api/hook?a=1" };
  const verdict = async (config, given) => {
    const handler = verifySignatureRequest(async () => new Response("ok"), { ...KEYS, ...config });
    const response = await handler(request(given));
    return [response.status, await response.text()];
  };

  test("has to be the one that was signed", async () => {
    const [status, text] = await verdict({}, inner);
    assert.equal(status, 403);
    assert.match(text, /made for 'https:\/\/app\.test\/api\/hook'.*option url, baseUrl or trustProxy/);
    assert.equal((await verdict({}, { ...inner, url: "https://app.test/api/other?a=1" }))[0], 403);
  });

  for (const [title, config] of Object.entries({
    url: { url: "https://app.test/api/hook" },
    "url with a query": { url: URL_OF_APP },
    baseUrl: { baseUrl: "https://app.test/" },
    UPSTASH_WORKFLOW_URL: { env: { ...SETTINGS, UPSTASH_WORKFLOW_URL: "https://app.test" } },
    "checkSubject: false": { checkSubject: false },
  })) {
    test(`behind a proxy: ${title}`, async () => assert.deepEqual(await verdict(config, inner), [200, "ok"]));
  }

  test("behind a proxy: trustProxy, which nobody has by default", async () => {
    const forwarded = { "x-forwarded-proto": "https, http", "x-forwarded-host": "app.test" };
    const given = { ...inner, headers: { ...inner.headers, ...forwarded } };
    assert.deepEqual(await verdict({ trustProxy: true }, given), [200, "ok"]);
    assert.equal((await verdict({}, given))[0], 403);
  });
});

/** Status and text of an answer, or that there was none. */
async function reaction(promise) {
  try {
    const response = await promise;
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { error: error.name };
  }
}

/** Calls a handler of the Pages Router: Node's request and response, with what Next.js adds to them. */
async function pages(handler, given) {
  let rejected;
  const listener = (req, res) => {
    Object.assign(res, {
      status: (code) => Object.assign(res, { statusCode: code }),
      send: (text) => res.end(text),
      json: (value) => res.end(JSON.stringify(value)),
    });
    Promise.resolve(handler(req, res)).catch((error) => {
      rejected = error.name;
      res.statusCode = 500;
      res.end();
    });
  };
  const answer = await serving(listener, (origin) => send(origin, given));
  if (rejected) return { error: rejected };
  return { ...answer, text: answer.text.replace(/^"(.*)"$/, "$1") };
}

/** Runs a listener on loopback while `use` works with its origin. */
async function serving(listener, use) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function send(origin, { url, method, headers, body }) {
  const { pathname, search } = new URL(url);
  const response = await fetch(origin + pathname + search, { method, headers, body });
  return { status: response.status, text: await response.text() };
}
