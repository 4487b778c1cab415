/**
 * A recording QStash: a loopback HTTP server that keeps every request it
 * receives, verbatim, and gives the answers QStash gives.
 */
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * @typedef {object} RecordedRequest
 * @property {string} method
 * @property {string} path        path and query exactly as sent
 * @property {[string, string][]} headers  in wire order, names in wire case
 * @property {string} body        decoded as UTF-8
 *
 * @typedef {{ status?: number, headers?: Record<string, string>, body?: unknown }} Answer
 *   A string body is sent as it is, anything else as JSON.
 *
 * @typedef {object} Answers      overrides of the default answers
 * @property {Answer} [any]       to every request
 * @property {Answer} [batch]     to `POST /v2/batch`
 * @property {Answer} [publish]   to `POST /v2/publish/<url>`
 * @property {Answer} [wait]      to `POST /v2/wait/<event>`
 * @property {Answer} [notify]    to `POST /v2/notify/…`
 * @property {Answer} [finish]    to `DELETE /v2/workflows/runs/<id>`
 * @property {Record<string, unknown[]>} [runs]  histories by run id, for `GET /v2/workflows/runs/<id>`; a run not listed is a 404
 * @property {Answer} [fetch]     to `GET /v2/workflows/runs/<id>`, whatever the id
 */

/** Starts a recorder on a free loopback port. */
export async function startRecorder() {
  const recorder = new Recorder();
  const server = createServer((request, response) => recorder.receive(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  recorder.url = `http://127.0.0.1:${server.address().port}`;
  recorder.close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return recorder;
}

class Recorder {
  url = "";
  /** @type {RecordedRequest[]} */
  requests = [];
  /** @type {Answers} */
  answers = {};
  #messages = 0;

  /** Removes and returns what was recorded so far. */
  take() {
    return this.requests.splice(0);
  }

  /** Forgets everything, message numbers included, and sets the answers. */
  reset(answers = {}) {
    this.requests = [];
    this.answers = answers;
    this.#messages = 0;
  }

  async receive(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    this.requests.push({ method: request.method, path: request.url, headers: pairs(request.rawHeaders), body });

    const { status = 200, headers = {}, body: answer } = await this.answer(request.method, request.url, body);
    const text = typeof answer === "string" ? answer : JSON.stringify(answer ?? {});
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(text);
  }

  /** @returns {Answer} */
  answer(method, target, body) {
    const { any } = this.answers;
    if (any) return any;
    const { pathname } = new URL(target, this.url);
    if (method === "POST" && pathname === "/v2/batch") {
      return this.answers.batch ?? { body: JSON.parse(body).map(() => ({ messageId: `msg_${++this.#messages}` })) };
    }
    if (method === "POST" && pathname.startsWith("/v2/publish/"))
      return this.answers.publish ?? { body: { messageId: `msg_${++this.#messages}` } };
    if (method === "POST" && pathname.startsWith("/v2/wait/"))
      return this.answers.wait ?? { body: { messageId: "msg_w" } };
    if (method === "POST" && pathname.startsWith("/v2/notify/")) return this.answers.notify ?? { body: [] };
    if (/^\/v2\/(enqueue|queues|topics|schedules|messages|flowControl)\b/.test(pathname)) return { body: {} };
    if (method === "DELETE" && pathname === "/v2/workflows/runs") return { body: { cancelled: 1 } };
    const run = /^\/v2\/workflows\/runs\/([^/]+)$/.exec(pathname)?.[1];
    if (run && method === "DELETE") return this.answers.finish ?? { body: {} };
    if (run && method === "GET") {
      const history = this.answers.runs?.[run];
      return this.answers.fetch ?? (history ? { body: history } : notFound(`workflow run ${run} not found`));
    }
    return notFound(`${method} ${pathname} is not part of this recorder`);
  }
}

const notFound = (error) => ({ status: 404, body: { error } });

function pairs(rawHeaders) {
  const result = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    result.push([rawHeaders[index], rawHeaders[index + 1]]);
  }
  return result;
}
