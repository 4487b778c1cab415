// Serves the order workflow at POST /api/order. Settings: PORT, and the QSTASH_* that `serve` reads.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { handler } from "./order.ts";

const server = createServer((incoming, outgoing) => {
  // A caller that dies while it is being answered must not take this server along.
  answer(incoming, outgoing).catch((error) => {
    console.error(error);
    outgoing.destroy();
  });
});

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await bytes(incoming);
  if (incoming.method !== "POST" || incoming.url !== "/api/order") {
    outgoing.writeHead(404).end("this server knows POST /api/order only\n");
    return;
  }
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method,
    headers: Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    ),
    body,
  });
  const response = await handler(request);
  outgoing.writeHead(response.status, [...response.headers].flat());
  outgoing.end(new Uint8Array(await response.arrayBuffer()));
}

async function bytes(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a TCP port");
  console.log(`listening at http://127.0.0.1:${address.port}/api/order`);
});
