import { OrchestrationError } from "@repo/orchestration";
import { Client as QstashClient, Receiver } from "@repo/orchestration/client";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";

import { order } from "./order.ts";

const { PORT = "3000", UPSTASH_WORKFLOW_URL } = Bun.env;
const INBOX = `${UPSTASH_WORKFLOW_URL}/inbox`;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: PORT,
  routes: {
    "/api/order": { POST: order.POST },

    "/orders": {
      POST: async (request) => {
        const url = `${UPSTASH_WORKFLOW_URL}/api/order`;
        return Response.json(await new WorkflowClient().trigger({ url, body: await request.json() }), { status: 202 });
      },
    },

    "/reminders": {
      POST: async (request) => {
        const message = { url: INBOX, body: await request.json(), delay: 1 };
        return Response.json(await new QstashClient().publishJSON(message), { status: 202 });
      },
    },

    "/inbox": {
      POST: async (request) => {
        const body = await request.text();
        try {
          await new Receiver().verify({ signature: request.headers.get("upstash-signature") ?? "", body, url: INBOX });
        } catch (error) {
          if (!(error instanceof OrchestrationError)) throw error;
          return Response.json({ error: error.code }, { status: 401 });
        }
        return Response.json({ read: JSON.parse(body) });
      },
    },
  },
});

console.log(`listening at ${server.url}`);
