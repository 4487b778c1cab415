import { Client as QstashClient } from "@repo/orchestration/client";
import { verifySignatureCloudflare } from "@repo/orchestration/client/cloudflare";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";

import { type Env, type Order, order } from "./order.js";

type Handler = (request: Request, env: Env) => Response | Promise<Response>;

const ROUTES: Record<string, Handler> = {
  "POST /api/order": order.fetch,

  "POST /orders": async (request, env) => {
    const client = new WorkflowClient(settingsOf(env));
    const url = new URL("/api/order", request.url).href;
    return Response.json(await client.trigger({ url, body: (await request.json()) as Order }), { status: 202 });
  },

  "POST /reminders": async (request, env) => {
    const client = new QstashClient(settingsOf(env));
    const url = new URL("/inbox", request.url).href;
    return Response.json(await client.publishJSON({ url, body: await request.json(), delay: 1 }), { status: 202 });
  },

  "POST /inbox": verifySignatureCloudflare(async (request: Request, _env: Env) =>
    Response.json({ read: await request.json() }),
  ),
};

function settingsOf({ QSTASH_URL, QSTASH_TOKEN }: Env) {
  return { baseUrl: QSTASH_URL, token: QSTASH_TOKEN };
}

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    const route = ROUTES[`${request.method} ${new URL(request.url).pathname}`];
    return route ? route(request, env) : Response.json({ error: "NotFound" }, { status: 404 });
  },
};
