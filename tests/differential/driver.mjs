/** Runs a scenario on an implementation and returns what could be seen from outside. */
import { inspect } from "node:util";

import { startRecorder } from "./recorder.mjs";

export const TOKEN = "token-of-the-tests";

/**
 * @typedef {object} Implementation
 * @property {string} name
 * @property {Function} serve   `serve(routeFunction, options)` → `{ handler(Request): Promise<Response> }`
 * @property {Function} Client  QStash client, for the option `qstashClient`
 * @property {Function} Receiver  for the option `receiver`
 * @property {Function} WorkflowNonRetryableError
 * @property {Function} WorkflowRetryAfterError
 * @property {Function} WorkflowMiddleware  for the option `middlewares`
 * @property {object} loggingMiddleware
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {(tools: Tools) => (context: any) => Promise<unknown>} route
 * @property {(tools: Tools) => object} [options]  options of `serve`, besides `env`
 * @property {Record<string, string>} [env]        added to QSTASH_URL and QSTASH_TOKEN
 * @property {object[]} [deliveries]               see `delivery.mjs`; each is handed over once, in order
 * @property {object} [conversation]               the first delivery; what the endpoint sends is delivered to it until it falls silent
 * @property {boolean} [engineText]  the reference lets an error of the JavaScript engine or of a library through here, whose
 *   name and text vary between versions: only its status and headers are compared
 *
 * @typedef {Implementation & { trace: (...values: unknown[]) => void, qstashUrl: string, token: string }} Tools
 *   `trace` records what the workflow saw. Call it inside step functions or after the first step only:
 *   an implementation may run what precedes the first step more than once.
 */

/** @param {Scenario} scenario @param {Implementation} implementation */
export async function run(scenario, implementation) {
  const recorder = await startRecorder();
  const restoreConsole = muteConsole();
  try {
    const endpoint = endpointOf(scenario, implementation, recorder);
    const exchanges = [];
    if (scenario.conversation) {
      await converse(scenario.conversation, endpoint, exchanges);
    }
    for (const delivery of scenario.deliveries ?? []) exchanges.push(await endpoint(delivery));
    return { origin: recorder.url, exchanges };
  } finally {
    restoreConsole();
    await recorder.close();
  }
}

function endpointOf(scenario, implementation, recorder) {
  let traced = [];
  const tools = {
    ...implementation,
    qstashUrl: recorder.url,
    token: TOKEN,
    trace: (...values) => {
      traced.push(values.map(shown).join(" "));
    },
  };
  const { handler } = implementation.serve(scenario.route(tools), {
    env: { QSTASH_URL: recorder.url, QSTASH_TOKEN: TOKEN, ...scenario.env },
    // Ours sends refused requests again, which `tests/package/transport.test.mjs` is about.
    qstashClient: { retry: false },
    ...scenario.options?.(tools),
  });
  return async (delivery) => {
    traced = [];
    recorder.answers = delivery.answers ?? {};
    const response = await answerOf(handler, delivery);
    return { delivery, requests: recorder.take(), response, trace: traced };
  };
}

async function answerOf(handler, { url, method, headers, body }) {
  try {
    const response = await handler(new Request(url, { method, headers, body }));
    return { status: response.status, headers: [...response.headers.entries()], body: await response.text() };
  } catch (error) {
    return { thrown: `${error.name}: ${error.message}` };
  }
}

const MOST_DELIVERIES = 50;

/** Plays QStash: every message the endpoint sends joins the history and is delivered, in order of sending. */
async function converse(first, endpoint, exchanges) {
  const history = [];
  const queue = [first];
  while (queue.length > 0) {
    if (exchanges.length >= MOST_DELIVERIES) throw new Error(`no end after ${MOST_DELIVERIES} deliveries`);
    const exchange = await endpoint(queue.shift());
    exchanges.push(exchange);
    for (const request of exchange.requests) {
      if (request.path !== "/v2/batch") continue;
      for (const item of JSON.parse(request.body)) queue.push(deliveryOf(item, history));
    }
  }
}

/** The delivery QStash makes of an accepted batch item. */
function deliveryOf(item, history) {
  const messageId = `msg_c${history.length}`;
  history.push({ messageId, body: Buffer.from(item.body ?? "", "utf8").toString("base64"), callType: "step" });
  const headers = {};
  for (const [name, value] of Object.entries(item.headers)) {
    const lower = name.toLowerCase();
    if (lower.startsWith("upstash-forward-")) headers[lower.slice("upstash-forward-".length)] = value;
    else if (lower.startsWith("upstash-workflow-") || lower === "content-type") headers[lower] = value;
  }
  const own = { "user-agent": "Upstash-QStash", "upstash-message-id": messageId, "upstash-retried": "0" };
  return { url: item.destination, method: "POST", headers: { ...headers, ...own }, body: JSON.stringify(history) };
}

const shown = (value) =>
  typeof value === "string"
    ? JSON.stringify(value)
    : inspect(value, { depth: null, breakLength: Infinity, compact: true });

function muteConsole() {
  const kept = { log: console.log, warn: console.warn, error: console.error, info: console.info, debug: console.debug };
  for (const name of Object.keys(kept)) console[name] = () => {};
  return () => Object.assign(console, kept);
}
