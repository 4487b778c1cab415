import { serve } from "@hono/node-server";
import { Client as QstashClient } from "@repo/orchestration/client";
import { verifySignatureHono } from "@repo/orchestration/client/hono";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";
import { type Context, Hono } from "hono";

import { type Order, workflows } from "./workflows.js";

const { PORT = "3000", UPSTASH_WORKFLOW_URL } = process.env;

const app = new Hono();

app.post("/workflows/*", workflows);

app.post("/orders", async (c) => {
  const url = `${UPSTASH_WORKFLOW_URL}/workflows/order`;
  return c.json(await new WorkflowClient().trigger({ url, body: await c.req.json<Order>() }), 202);
});

app.post("/reminders", async (c) => {
  const url = `${UPSTASH_WORKFLOW_URL}/inbox`;
  return c.json(await new QstashClient().publishJSON({ url, body: await c.req.json(), delay: 1 }), 202);
});

app.post(
  "/inbox",
  verifySignatureHono(async (c: Context) => c.json({ read: await c.req.json() })),
);

serve({ fetch: app.fetch, port: Number(PORT), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`listening at http://127.0.0.1:${port}`);
});
