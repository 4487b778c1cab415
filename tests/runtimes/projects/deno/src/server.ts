import { OrchestrationError } from "@repo/orchestration";
import { Client as QstashClient, Receiver } from "@repo/orchestration/client";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";

import { order } from "./order.ts";

const port = Number(Deno.env.get("PORT") ?? 3000);
const ORIGIN = Deno.env.get("UPSTASH_WORKFLOW_URL");
const INBOX = `${ORIGIN}/inbox`;

type Handler = (request: Request) => Promise<Response>;

const ROUTES: Record<string, Handler> = {
  "POST /api/order": order.POST,

  "POST /orders": async (request) => {
    const run = await new WorkflowClient().trigger({ url: `${ORIGIN}/api/order`, body: await request.json() });
    return Response.json(run, { status: 202 });
  },

  "POST /reminders": async (request) => {
    const message = { url: INBOX, body: await request.json(), delay: 1 };
    return Response.json(await new QstashClient().publishJSON(message), { status: 202 });
  },

  "POST /inbox": async (request) => {
    const body = await request.text();
    try {
      await new Receiver().verify({ signature: request.headers.get("upstash-signature") ?? "", body, url: INBOX });
    } catch (error) {
      if (!(error instanceof OrchestrationError)) throw error;
      return Response.json({ error: error.code }, { status: 401 });
    }
    return Response.json({ read: JSON.parse(body) });
  },
};

Deno.serve({ port, hostname: "127.0.0.1" }, (request) => {
  const route = ROUTES[`${request.method} ${new URL(request.url).pathname}`];
  return route?.(request) ?? Response.json({ error: "NotFound" }, { status: 404 });
});
