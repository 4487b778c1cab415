import { createServer } from "node:http";

import { Client, Receiver } from "@repo/orchestration/client";
import { createWorkflowApi } from "@repo/orchestration/server/next";

import { listener } from "./http.js";
import { engine, order } from "./workflows.js";

const { PORT = "3000", UPSTASH_WORKFLOW_URL } = process.env;
const json = (value, status) => Response.json(value, { status });

/** What customers may do; schedules and figures are for nobody here. */
const PUBLIC = ["runs:start", "runs:read", "events:notify"];

const workflows = engine.serve();
const api = createWorkflowApi({ engine, authorize: (_request, { action }) => PUBLIC.includes(action) });

const ROUTES = {
  "POST /orders": async (request) => json(await engine.executeWorkflow(order, await request.json()), 202),

  "POST /reminders": async (request) =>
    json(
      await new Client().publishJSON({ url: `${UPSTASH_WORKFLOW_URL}/inbox`, body: await request.json(), delay: 1 }),
      202,
    ),

  "POST /inbox": async (request) => {
    const body = await request.text();
    const signature = request.headers.get("upstash-signature") ?? "";
    try {
      await new Receiver().verify({ signature, body, url: `${UPSTASH_WORKFLOW_URL}/inbox` });
    } catch (error) {
      return json({ error: error.code }, 401);
    }
    return json({ read: JSON.parse(body) });
  },
};

const server = createServer(
  listener((request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/workflows/")) return workflows.POST(request);
    if (pathname.startsWith("/api/orchestration/")) return api.handler(request);
    return ROUTES[`${request.method} ${pathname}`]?.(request) ?? json({ error: "NotFound" }, 404);
  }),
);
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening at http://127.0.0.1:${PORT}`));
