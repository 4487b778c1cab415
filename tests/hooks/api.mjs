/** The engine's HTTP API as a small server over plain objects, whose ways of failing a test decides. */
import { once } from "node:events";
import { createServer } from "node:http";

export const BASE_PATH = "/api/orchestration";

/** Listens on loopback. `api` is what a test sees and changes. */
export async function startApi() {
  const api = {
    /** Every request: `{ method, path, provider, headers, body, isCut }`; `provider` is not in the path, `isCut` once the client has gone before the end. */
    requests: [],
    runs: new Map(),
    schedules: [],
    streams: new Set(),
    /** Answers in place of the API where it returns true. */
    intercept: (_request, _response) => false,

    /** How often this was asked: `GET /runs/wfr_1`. */
    count: (asked) => api.asked(asked).length,
    asked: (asked) => api.requests.filter(({ method, path }) => `${method} ${path}` === asked),

    /** Adds a run, or changes it; streams tell of it. */
    put(workflowRunId, fields = {}) {
      const known = api.runs.get(workflowRunId) ?? {
        ...{ workflowRunId, workflowId: "order", provider: "embedded", status: "running", startedAt: 1 },
        ...{ labels: [], steps: [] },
      };
      const run = { ...known, ...fields };
      api.runs.set(workflowRunId, run);
      for (const stream of api.streams) if (stream.runId === workflowRunId) tell(stream, run);
      return run;
    },

    /** Ends the streams, as a serverless function does when its time is up. */
    endStreams() {
      for (const { response } of api.streams) response.end();
      api.streams.clear();
    },
    /** Cuts them. */
    cutStreams() {
      for (const { response } of api.streams) response.destroy();
      api.streams.clear();
    },
  };

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { provider, path } = asked(request.url.slice(BASE_PATH.length));
    const entry = {
      method: request.method,
      path,
      provider,
      headers: request.headers,
      body: text === "" ? undefined : JSON.parse(text),
      isCut: false,
    };
    api.requests.push(entry);
    response.on("close", () => {
      entry.isCut = !response.writableFinished;
    });
    if (!api.intercept(entry, response)) answer(api, entry, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  return Object.assign(api, {
    origin: `http://127.0.0.1:${port}`,
    baseUrl: `http://127.0.0.1:${port}${BASE_PATH}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

/** Answers with JSON. */
export function reply(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
  return true;
}

/** Answers as the API does when something is wrong. */
export const refuse = (response, status, error, headers) =>
  reply(response, status, { error, message: `refused: ${error}` }, headers);

function asked(path) {
  const url = new URL(path, "http://api");
  const provider = url.searchParams.get("provider") ?? undefined;
  url.searchParams.delete("provider");
  return { provider, path: url.pathname + url.search };
}

const isFinal = ({ status }) => ["completed", "failed", "cancelled"].includes(status);

function tell({ response, streams, entry }, run) {
  response.write(`event: run\ndata: ${JSON.stringify(run)}\n\n`);
  if (!isFinal(run)) return;
  response.end("event: end\ndata: {}\n\n");
  for (const stream of streams) if (stream.entry === entry) streams.delete(stream);
}

function answer(api, entry, response) {
  const { method, body } = entry;
  const url = new URL(entry.path, "http://api");
  const parts = url.pathname.split("/").slice(1).map(decodeURIComponent);
  const [resource, id, action] = parts;
  const route = [method, resource, parts.length > 1 ? ":id" : "", action ?? ""].join(" ").trim();
  const run = api.runs.get(id);
  const schedule = api.schedules.find(({ scheduleId }) => scheduleId === id);
  const missing = () => refuse(response, 404, "NotFound");

  switch (route) {
    case "GET workflows":
      return reply(response, 200, { workflows: [{ workflowId: "order", provider: "embedded" }] });
    case "POST workflows :id runs": {
      const workflowRunId = body.workflowRunId ?? `wfr_${api.runs.size + 1}`;
      api.put(workflowRunId, { workflowId: id, status: "pending" });
      return reply(response, 202, { workflowRunId, workflowId: id, provider: "embedded" });
    }
    case "GET runs":
      return reply(response, 200, pageOf(api, url.searchParams));
    case "GET runs :id":
      return run ? reply(response, 200, run) : missing();
    case "GET runs :id history":
      return run ? reply(response, 200, { steps: run.steps }) : missing();
    case "GET runs :id events": {
      if (!run) return missing();
      const stream = { runId: id, response, streams: api.streams, entry };
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": hello\n\n");
      response.on("close", () => api.streams.delete(stream));
      api.streams.add(stream);
      return tell(stream, run);
    }
    case "POST runs :id cancel": {
      const cancelled = run !== undefined && !isFinal(run);
      if (cancelled) api.put(id, { status: "cancelled" });
      return reply(response, 200, { cancelled });
    }
    case "POST events :id":
      return reply(response, 200, { notified: 2 });
    case "GET schedules":
      return reply(response, 200, { schedules: api.schedules });
    case "POST schedules": {
      const scheduleId = body.scheduleId ?? `scd_${api.schedules.length + 1}`;
      const { workflowId, cron } = body;
      api.schedules.push({ scheduleId, workflowId, cron, provider: "embedded", isPaused: false, createdAt: 1 });
      return reply(response, 201, { scheduleId });
    }
    case "DELETE schedules :id":
      api.schedules = api.schedules.filter((other) => other !== schedule);
      return reply(response, 204);
    case "POST schedules :id pause":
    case "POST schedules :id resume":
      if (!schedule) return missing();
      api.schedules = api.schedules.map((other) =>
        other === schedule ? { ...other, isPaused: action === "pause" } : other,
      );
      return reply(response, 204);
    case "GET metrics":
      return reply(response, 200, { since: 1, workflows: [{ workflowId: "order", started: api.runs.size }] });
    case "GET health":
      return reply(response, 503, { status: "unhealthy", providers: [] });
    default:
      return missing();
  }
}

function pageOf(api, parameters) {
  const { workflowId, status, label, cursor = "0", count = "20" } = Object.fromEntries(parameters);
  const runs = [...api.runs.values()]
    .reverse()
    .filter(
      (run) =>
        (workflowId === undefined || run.workflowId === workflowId) &&
        (status === undefined || run.status === status) &&
        (label === undefined || run.labels.includes(label)),
    );
  const end = Number(cursor) + Number(count);
  const page = runs.slice(Number(cursor), end);
  return end < runs.length ? { runs: page, cursor: String(end) } : { runs: page };
}
