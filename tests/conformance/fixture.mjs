// What a check works with: clients, endpoints on the loopback, and patience.

import assert from "node:assert/strict";
import { server, until } from "../worker/support.mjs";

const PATIENCE_MS = 20_000;
let number = 0;

/**
 * @param {import("node:test").TestContext} t
 * @param {import("./hosts.mjs").Host} host
 * @param {import("./hosts.mjs").Broker} broker  may be shared with other checks
 * @param {typeof import("./sdks.mjs").official} sdk
 * @param {number} [limit]  how long to wait for anything
 */
export function fixture(t, host, broker, sdk, limit) {
  const { Qstash, Receiver, Workflow, serve, serveMany } = sdk;
  const { url, token, keys } = broker;
  const settings = { baseUrl: url, token, retry: false };
  const qstash = new Qstash(settings);
  const workflow = new Workflow(settings);
  const receiver = new Receiver({ currentSigningKey: keys.current, nextSigningKey: keys.next });

  /** The first truthy result of `look`. */
  const eventually = (look, patience = PATIENCE_MS) => until(look, Math.min(patience, limit ?? patience));

  /** A request with the token; a body that is no text is sent as JSON. */
  const api = (method, path, { headers = {}, body } = {}) =>
    fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      body: body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    });

  /** The JSON of an answer that must have this status. */
  const json = async (status, method, path, init) => {
    const answer = await api(method, path, init);
    const text = await answer.text();
    assert.equal(answer.status, status, `${method} ${path}: ${text}`);
    return JSON.parse(text);
  };

  /** The sentence of an answer that must be an error: `{"error": …}` and nothing else. */
  const refused = async (status, method, path, init) => {
    const answer = await json(status, method, path, init);
    assert.deepEqual(Object.keys(answer), ["error"]);
    assert.ok(answer.error.length > 10 && !answer.error.includes(token), answer.error);
    return answer.error;
  };

  /** A status that must be 2xx. */
  const done = async (method, path, init) => {
    const answer = await api(method, path, init);
    const text = await answer.text();
    assert.equal(answer.status, 200, `${method} ${path}: ${text}`);
  };

  const endpoint = (handler = () => {}) => server(t, handler);
  const handled = (handler) => server(t, bridge(handler));
  const serving = { qstashClient: qstash, receiver };

  return {
    url,
    token,
    keys,
    caller: host.caller,
    qstash,
    workflow,
    receiver,
    api,
    json,
    refused,
    done,
    until: eventually,
    endpoint,

    /** Another broker, with settings of its own. */
    async another(settings) {
      const other = await host.start(settings);
      t.after(() => other.stop());
      return fixture(t, host, other, sdk, limit);
    },

    /** A name that no other check has. */
    name: (prefix) => `${prefix}-${process.pid}-${++number}`,

    /** `serve` behind an endpoint. */
    serve: (route, options = {}) => handled(serve(route, { ...serving, ...options }).handler),

    /** `serveMany` behind an endpoint: each workflow at its name. */
    serveMany(workflows) {
      const { fetch: handler } = serveMany(workflows, serving);
      return handled((request) => handler(request, {}));
    },

    /** The states of a message, oldest first, once the last is `state`. */
    states: (messageId, state) =>
      eventually(async () => {
        const { logs } = await qstash.logs({ filter: { messageId } });
        return logs[0]?.state === state && logs.map((log) => log.state).reverse();
      }),

    /** The dead letter of a message, once there is one. */
    letter: (messageId) =>
      eventually(async () => (await qstash.dlq.listMessages({ filter: { messageId } })).messages[0]),

    /** The log of a run, once it has ended. */
    ended: (workflowRunId) =>
      eventually(async () => {
        const { runs } = await workflow.logs({ filter: { workflowRunId } });
        return runs.find((run) => run.workflowState !== "RUN_STARTED");
      }),

    /** The result of a run that must succeed. */
    async result(workflowRunId) {
      const run = await this.ended(workflowRunId);
      assert.equal(run.workflowState, "RUN_SUCCESS", JSON.stringify(run));
      return run.workflowRunResponse && JSON.parse(run.workflowRunResponse);
    },
  };
}

/** A handler of requests as that of a server. */
function bridge(handler) {
  return async ({ method, url, headers, body }) => {
    const response = await handler(new Request(`http://${headers.host}${url}`, { method, headers, body }));
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: Object.fromEntries(response.headers), body: bytes };
  };
}
