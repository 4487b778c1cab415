"use strict";

const { createServer } = require("node:http");
const { json } = require("node:stream/consumers");

const { verifySignatureExpress } = require("@repo/orchestration/client/express");
const { Client: QstashClient } = require("@repo/orchestration/client");
const { Client: WorkflowClient } = require("@repo/orchestration/workflows");

const order = require("./order.js");

const { PORT = "3000", UPSTASH_WORKFLOW_URL } = process.env;

const ROUTES = {
  "POST /api/order": order,

  "POST /orders": async (request, response) => {
    const run = await new WorkflowClient().trigger({
      url: `${UPSTASH_WORKFLOW_URL}/api/order`,
      body: await json(request),
    });
    send(response, 202, run);
  },

  "POST /reminders": async (request, response) => {
    const body = await json(request);
    send(response, 202, await new QstashClient().publishJSON({ url: `${UPSTASH_WORKFLOW_URL}/inbox`, body, delay: 1 }));
  },

  "POST /inbox": verifySignatureExpress((request, response) => send(response, 200, { read: request.body })),
};

function send(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, UPSTASH_WORKFLOW_URL);
  const route = ROUTES[`${request.method} ${pathname}`];
  try {
    if (route) await route(request, response);
    else send(response, 404, { error: "NotFound" });
  } catch (error) {
    console.error(error);
    if (response.headersSent) response.destroy();
    else send(response, 500, { error: error.code ?? "Internal" });
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening at http://127.0.0.1:${PORT}`));
