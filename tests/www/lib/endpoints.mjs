// Endpoints for looking at the dashboard: workflows with every kind of step, and destinations that answer as they are told.

import { once } from "node:events";
import { createServer } from "node:http";
import { serve } from "@repo/orchestration/workflows";

class PaymentRefused extends Error {
  name = "PaymentRefused";
}

/**
 * Starts the endpoints on a port of 127.0.0.1.
 *
 * @param {object} options
 * @param {import("@repo/orchestration/server").RunningBroker} options.broker
 * @returns {Promise<{url: string, repair: () => void, calls: (name: string) => number, stop: () => Promise<void>}>}
 *   `repair` lets the workflow `once-repaired` succeed, `calls` tells how often a step of it ran
 */
export async function startEndpoints({ broker, port = 0 }) {
  const routes = new Map();
  const server = createServer((incoming, outgoing) => {
    answer(routes, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const options = { env: broker.environment, verbose: false };
  const door = { isLocked: true, calls: {} };
  for (const [path, [workflow, extra]] of Object.entries(workflows(url, door))) {
    routes.set(path, serve(workflow, { ...options, url: url + path, ...extra }).handler);
  }
  return {
    url,
    repair: () => {
      door.isLocked = false;
    },
    calls: (name) => door.calls[name] ?? 0,
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

const workflows = (url, door) => ({
  "/workflows/once-repaired": [
    async (context) => {
      const key = await context.run("find the key", () => {
        door.calls["find the key"] = (door.calls["find the key"] ?? 0) + 1;
        return "brass";
      });
      return context.run("open the door", () => {
        if (door.isLocked) throw new Error("the door is locked");
        return { opened: key === "brass" };
      });
    },
  ],
  "/workflows/order": [
    async (context) => {
      const order = context.requestPayload ?? {};
      const price = await context.run("price the basket", () => ({ cents: 100 * (order.items?.length ?? 1) }));
      const [stock, risk] = await Promise.all([
        context.run("reserve stock", () => ({ reserved: true, warehouse: "north" })),
        context.run("check risk", () => ({ score: 12, apiKey: "sk_live_51H8xQ2eZvKYlo2C9a8b7c6d" })),
      ]);
      await context.sleep("cool off", order.pause ?? 1);
      const receipt = await context.call("charge the card", {
        url: `${url}/answers/200?delay=150`,
        method: "POST",
        body: { ...price, card: "4242 4242 4242 4242" },
        headers: { authorization: "Bearer sk_test_not_a_secret_but_looks_like_one" },
      });
      return { ...stock, ...risk, charged: receipt.status };
    },
  ],
  "/workflows/approval": [
    async (context) => {
      const { who = "anna" } = context.requestPayload ?? {};
      await context.run("ask for approval", () => ({ asked: who }));
      const { eventData, timeout } = await context.waitForEvent("approval", `approval-${who}`, { timeout: "7d" });
      return timeout ? "nobody answered" : context.run("carry it out", () => eventData);
    },
  ],
  "/workflows/flaky": [
    async (context) => {
      const { fails = 2 } = context.requestPayload ?? {};
      await context.run("fetch the rates", () => {
        if (context.headers.get("upstash-retried") < fails) throw new Error("the rates service answered 503");
        return { eur: 1, usd: 1.09 };
      });
      return "done";
    },
    { retries: 3, retryDelay: "1000" },
  ],
  "/workflows/broken": [
    async (context) => {
      await context.run("open the account", () => ({ account: "acc_1" }));
      await context.run("take the payment", () => {
        throw new PaymentRefused("the bank refused the payment: insufficient funds");
      });
    },
    { retries: 1, retryDelay: "500", failureFunction: async ({ failResponse }) => `told the owner: ${failResponse}` },
  ],
  "/workflows/leaky": [
    async (context) => {
      await context.run("read the orders", () => {
        throw new Error("could not connect to postgres://app:hunter2@db.internal/orders");
      });
    },
  ],
  "/workflows/sleeper": [
    async (context) => {
      await context.run("prepare", () => "ready");
      await context.sleep("until the report is due", "3d");
      return context.run("send the report", () => "sent");
    },
  ],
  "/workflows/fan-out": [
    async (context) => {
      const { width = 6 } = context.requestPayload ?? {};
      const parts = await Promise.all(
        Array.from({ length: width }, (_, part) =>
          context.run(`resize image ${part + 1}`, async () => {
            await new Promise((done) => setTimeout(done, 40 * (part + 1)));
            return { part };
          }),
        ),
      );
      return parts.length;
    },
  ],
});

/** `/answers/<status>?delay=<ms>&body=<text>`, or a workflow. */
async function answer(routes, incoming, outgoing) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const url = new URL(incoming.url, `http://${incoming.headers.host}`);
  const handler = routes.get(url.pathname);
  if (!handler) {
    const [, kind, status = "404"] = url.pathname.split("/");
    await new Promise((done) => setTimeout(done, Number(url.searchParams.get("delay") ?? 0)));
    outgoing.writeHead(kind === "answers" ? Number(status) : 404, { "content-type": "application/json" });
    outgoing.end(url.searchParams.get("body") ?? JSON.stringify({ status: Number(status), received: true }));
    return;
  }
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) => values.map((it) => [name, it]));
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
  const response = await handler(new Request(url, { method: incoming.method, headers, body }));
  outgoing.writeHead(response.status, [...response.headers].flat());
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
