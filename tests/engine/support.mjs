// What the tests of the engine share: a broker in this process, and a server that hands its requests to an engine.

import { createServer } from "node:http";
import { createWorkflowEngine, startBroker } from "@repo/orchestration/server";

/** A broker on a free port, and the settings by which a provider reaches it. */
export async function broker(t, options = {}) {
  const running = await startBroker({ port: 0, db: ":memory:", ...options });
  // What is under way ends before those who answer it do.
  t.after(async () => {
    await Promise.race([running.idle(), new Promise((resolve) => setTimeout(resolve, 300).unref())]);
    await running.stop(0);
  });
  const { url: baseUrl, token: qstashToken, currentSigningKey, nextSigningKey } = running;
  return { running, config: { baseUrl, qstashToken, currentSigningKey, nextSigningKey } };
}

/** A server on the loopback; what answers its requests is said once its address is known. */
export async function site(t) {
  const requests = [];
  let answer = async () => new Response(null, { status: 503 });
  const listener = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method, headers, url } = incoming;
    requests.push(`${method} ${url}`);
    const body = method === "GET" ? null : Buffer.concat(chunks);
    const response = await answer(new Request(`http://${headers.host}${url}`, { method, headers, body }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  await new Promise((listening) => listener.listen(0, "127.0.0.1", listening));
  t.after(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    requests,
    answers(handler) {
      answer = handler;
    },
  };
}

/** An engine that is served; its provider, unless others are given, is a broker of its own with the name `own`. */
export async function served(t, { brokerOptions, ...options } = {}) {
  const on = options.providers ? undefined : await broker(t, brokerOptions);
  const providers = on && [{ name: "own", type: "upstash-workflow", config: on.config }];
  const { url, requests, answers } = await site(t);
  const engine = createWorkflowEngine({ providers, url: `${url}/api/workflows`, env: {}, ...options });
  t.after(() => engine.shutdown());
  answers(engine.serve().handler);
  return { engine, broker: on?.running, url, requests };
}

/** The run at its end. Waits are short here. */
export const ended = (engine, { workflowRunId }, options = {}) =>
  engine.waitForExecution(workflowRunId, { intervalMs: 20, signal: AbortSignal.timeout(20_000), ...options });

/** Resolves when something is so. */
export async function until(look, limit = 15_000) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it is not so after ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
