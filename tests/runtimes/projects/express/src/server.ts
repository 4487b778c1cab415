import { Client as QstashClient } from "@repo/orchestration/client";
import { verifySignatureExpress } from "@repo/orchestration/client/express";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";
import express, { type Request, type Response } from "express";

import { type Order, order } from "./order.js";

const { PORT = "3000", UPSTASH_WORKFLOW_URL } = process.env;

const app = express();

// Before the parser: a signature is that of the bytes.
app.post(
  "/inbox",
  verifySignatureExpress((request: Request, response: Response) => response.json({ read: request.body })),
);

app.use(express.json());
app.post("/api/order", order);

app.post("/orders", async (request: Request<object, unknown, Order>, response) => {
  const url = `${UPSTASH_WORKFLOW_URL}/api/order`;
  response.status(202).json(await new WorkflowClient().trigger({ url, body: request.body }));
});

app.post("/reminders", async (request, response) => {
  const url = `${UPSTASH_WORKFLOW_URL}/inbox`;
  response.status(202).json(await new QstashClient().publishJSON({ url, body: request.body, delay: 1 }));
});

app.listen(Number(PORT), "127.0.0.1", () => console.log(`listening at http://127.0.0.1:${PORT}`));
