/**
 * Adapters in their frameworks, each as a function from what a module exports to `serve` as the driver calls it.
 * What listens in Node does so on one server: both packages see the same address.
 */
import { once } from "node:events";
import { createServer } from "node:http";

import express from "express";
import { createApp, toNodeListener } from "h3";
import { Hono } from "hono";

import { WORKFLOW_URL } from "./delivery.mjs";

let listener;
const server = createServer(async (request, response) => {
  try {
    await listener(request, response);
  } catch {
    response.writeHead(500).end();
  }
});

const CONNECTION = /^(host|connection|keep-alive|content-length|transfer-encoding)$/;

/** Ends the server. */
export const stop = () => server.close();

/** Hands requests to a listener of Node's `http`; answers come back with the headers that the workflow gave them. */
function through(makeListener) {
  return async (request) => {
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    listener = makeListener();
    const { pathname, search } = new URL(request.url);
    const { method } = request;
    // What belongs to a connection comes back with a run whose first request was forwarded with all its headers.
    const headers = [...request.headers].filter(([name]) => !CONNECTION.test(name));
    const body = method === "GET" ? undefined : await request.arrayBuffer();
    const origin = `http://127.0.0.1:${server.address().port}`;
    const response = await fetch(origin + pathname + search, {
      method,
      headers,
      body,
      signal: AbortSignal.timeout(5000),
    });
    return onlyOwnHeaders(response);
  };
}

async function onlyOwnHeaders(response) {
  const { status } = response;
  const headers = [...response.headers].filter(([name]) => name.startsWith("upstash-") || name === "retry-after");
  return new Response(await response.arrayBuffer(), {
    status,
    headers: [...headers, ["content-type", "text/plain;charset=UTF-8"]],
  });
}

/** What Next.js makes of Node's request and response for an API route, its parser included. */
export function pagesListener(handler) {
  return async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    req.headers["x-forwarded-proto"] ??= "http";
    req.body = /json/.test(req.headers["content-type"] ?? "") && text ? JSON.parse(text) : text;
    Object.assign(res, {
      status: (code) => Object.assign(res, { statusCode: code }),
      json: (value) => res.end(JSON.stringify(value)),
    });
    await handler(req, res);
  };
}

const parsers = () => [express.json({ strict: false, limit: "50mb" }), express.text({ limit: "50mb" })];
/** The URL that QStash knows: that of the server on loopback is another. */
const known = (options) => ({ url: WORKFLOW_URL, ...options });

/** For each framework: its entry, the handler of a served workflow, and the same of `serveMany`. */
export const FRAMEWORKS = {
  nextjs: ({ serve, serveMany }) => ({
    one: (...args) => serve(...args).POST,
    many: (...args) => serveMany(...args).POST,
  }),
  "nextjs, Pages Router": ({ servePagesRouter, serveManyPagesRouter }) => ({
    one: (route, options) => {
      const { handler } = servePagesRouter(route, known(options));
      return through(() => pagesListener(handler));
    },
    many: (...args) => {
      const { handler } = serveManyPagesRouter(...args);
      return through(() => pagesListener(handler));
    },
  }),
  cloudflare: ({ serve, serveMany }) => ({
    one: (...args) => {
      const { fetch } = serve(...args);
      return (request) => fetch(request, {}, {});
    },
    many: (...args) => {
      const { fetch } = serveMany(...args);
      return (request) => fetch({ request, env: {} });
    },
  }),
  hono: ({ serve, serveMany }) => ({
    one: (...args) => inHono(serve(...args)),
    many: (...args) => inHono(serveMany(...args)),
  }),
  express: ({ serve, serveMany }) => ({
    one: (route, options) => {
      const app = express().use(parsers(), serve(route, known(options)));
      return through(() => app);
    },
    many: (...args) => {
      const app = express().use(parsers(), serveMany(...args));
      return through(() => app);
    },
  }),
  h3: ({ serve, serveMany }) => ({
    one: (route, options) => inH3(serve(route, known(options)).handler),
    many: (...args) => inH3(serveMany(...args).handler),
  }),
  svelte: ({ serve, serveMany }) => ({
    one: (...args) => withEvent(serve(...args).POST),
    many: (...args) => withEvent(serveMany(...args).POST),
  }),
  solidjs: ({ serve, serveMany }) => ({
    one: (...args) => withEvent(serve(...args).POST),
    many: (...args) => withEvent(serveMany(...args).POST),
  }),
  astro: ({ serve, serveMany }) => ({
    one: (...args) => withEvent(serve(...args).POST),
    many: (...args) => withEvent(serveMany(...args).POST),
  }),
  tanstack: ({ serve, serveMany }) => ({
    one: (...args) => withEvent(serve(...args).POST),
    many: (...args) => withEvent(serveMany(...args).POST),
  }),
  "react-router": ({ serve, serveMany }) => ({
    one: (...args) => withEvent(serve(...args)),
    many: (...args) => withEvent(serveMany(...args)),
  }),
};

function inHono(handler) {
  const app = new Hono().all("*", handler);
  return (request) => app.fetch(request);
}

/** `x-forwarded-proto` is what the official adapter asks for. */
function inH3(handler) {
  const app = toNodeListener(createApp().use(handler));
  return through(() => (req, res) => {
    req.headers["x-forwarded-proto"] ??= "http";
    return app(req, res);
  });
}

const withEvent = (handler) => (request) =>
  handler({ request, url: new URL(request.url), locals: {}, params: {}, context: {} });

/** The entry that exports a framework's adapter. */
export const entryOf = (framework) => framework.split(",")[0];
