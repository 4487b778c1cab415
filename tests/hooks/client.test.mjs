/** `createWorkflowClient` without React: every route, and everything that can go wrong on the way. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";

import { createWorkflowClient, WorkflowApiError } from "@repo/orchestration/client/next";

import { refuse, reply, startApi } from "./api.mjs";

/** A client of an API of its own. */
async function connect(t, options) {
  const api = await startApi();
  t.after(() => api.close());
  return { api, client: createWorkflowClient({ baseUrl: api.baseUrl, ...options }) };
}

async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

describe("the client", () => {
  test("every route", async (t) => {
    const { api, client } = await connect(t);
    const started = { workflowRunId: "wfr_1", workflowId: "a/b c", provider: "embedded" };
    assert.deepEqual(await client.listWorkflows(), [{ workflowId: "order", provider: "embedded" }]);
    assert.deepEqual(await client.startWorkflow("a/b c", [1], { label: ["x", "y"], provider: "second" }), started);
    assert.equal((await client.getRun("wfr_1")).status, "pending");
    assert.deepEqual(await client.getHistory("wfr_1"), []);
    const { runs } = await client.listRuns({ workflowId: "a/b c", status: "pending", count: 1, cursor: undefined });
    assert.equal(runs[0].workflowRunId, "wfr_1");
    assert.deepEqual([await client.cancelRun("wfr_1"), await client.cancelRun("wfr_1")], [true, false]);
    assert.equal(await client.notify("paid/7", { amount: 3 }, { workflowRunId: "wfr_1" }), 2);
    assert.equal(await client.createSchedule({ workflowId: "order", cron: "* * * * *", scheduleId: "scd" }), "scd");
    await client.pauseSchedule("scd");
    assert.equal((await client.listSchedules())[0].isPaused, true);
    await client.resumeSchedule("scd");
    await client.deleteSchedule("scd");
    assert.deepEqual(await client.listSchedules(), []);
    assert.equal((await client.getMetrics()).since, 1);
    assert.equal((await client.getHealth()).status, "unhealthy", "answered with 503, and an answer all the same");
    assert.deepEqual(
      api.requests.map(({ method, path, provider, body }) => [method, path, provider ?? "-", body ?? "-"]),
      [
        ["GET", "/workflows", "-", "-"],
        ["POST", "/workflows/a%2Fb%20c/runs", "second", { input: [1], label: ["x", "y"] }],
        ["GET", "/runs/wfr_1", "-", "-"],
        ["GET", "/runs/wfr_1/history", "-", "-"],
        ["GET", "/runs?workflowId=a%2Fb+c&status=pending&count=1", "-", "-"],
        ["POST", "/runs/wfr_1/cancel", "-", "-"],
        ["POST", "/runs/wfr_1/cancel", "-", "-"],
        ["POST", "/events/paid%2F7", "-", { data: { amount: 3 }, workflowRunId: "wfr_1" }],
        ["POST", "/schedules", "-", { workflowId: "order", cron: "* * * * *", scheduleId: "scd" }],
        ["POST", "/schedules/scd/pause", "-", "-"],
        ["GET", "/schedules", "-", "-"],
        ["POST", "/schedules/scd/resume", "-", "-"],
        ["DELETE", "/schedules/scd", "-", "-"],
        ["GET", "/schedules", "-", "-"],
        ["GET", "/metrics", "-", "-"],
        ["GET", "/health", "-", "-"],
      ],
    );
  });

  test("errors have the API's code; those of proxies one by their status", async (t) => {
    const { api, client } = await connect(t);
    const page = (response, status, headers = {}) => {
      response.writeHead(status, { "content-type": "text/html", ...headers }).end("<h1>Gateway</h1>");
      return true;
    };
    const cases = [
      [(response) => refuse(response, 400, "ValidationFailed"), ["ValidationFailed", 400, false, undefined]],
      [(response) => refuse(response, 501, "Unsupported"), ["Unsupported", 501, false, undefined]],
      [(response) => refuse(response, 503, "CircuitOpen", { "retry-after": "7" }), ["CircuitOpen", 503, true, 7000]],
      [(response) => refuse(response, 429, "RateLimited", { "retry-after": "0" }), ["RateLimited", 429, true, 0]],
      [(response) => page(response, 401), ["Unauthorized", 401, false, undefined]],
      [(response) => page(response, 404), ["NotFound", 404, false, undefined]],
      [(response) => page(response, 502, { "retry-after": "soon" }), ["ApiAnswer", 502, true, undefined]],
      [(response) => reply(response, 418, { error: "short and stout" }), ["ApiAnswer", 418, false, undefined]],
      [(response) => reply(response, 500, null), ["ApiAnswer", 500, true, undefined]],
      [(response) => page(response, 200), ["ApiAnswer", undefined, false, undefined]],
      [(response) => reply(response, 200, null), ["ApiAnswer", undefined, false, undefined]],
      [(response) => response.destroy(), ["ApiUnreachable", undefined, true, undefined]],
    ];
    for (const [answer, expected] of cases) {
      api.intercept = (_, response) => answer(response) || true;
      for (const call of [() => client.getRun("wfr_1"), () => client.listSchedules()]) {
        const error = await call().then(assert.fail, (thrown) => thrown);
        assert.ok(error instanceof WorkflowApiError, String(error));
        assert.deepEqual([error.code, error.status, error.retryable, error.retryAfterMs], expected);
      }
    }
    api.intercept = (_, response) => refuse(response, 403, "Forbidden");
    await assert.rejects(client.getHealth(), { code: "Forbidden", message: "refused: Forbidden" });
    api.intercept = (_, response) =>
      refuse(response, 503, "CircuitOpen", { "retry-after": new Date(Date.now() + 60_000).toUTCString() });
    const { retryAfterMs } = await client.getRun("wfr_1").catch((error) => error);
    assert.ok(retryAfterMs > 50_000 && retryAfterMs <= 60_000, String(retryAfterMs));
  });

  test("what can't be sent is refused before it is", async (t) => {
    const { api, client } = await connect(t);
    const cycle = {};
    cycle.self = cycle;
    await assert.rejects(client.startWorkflow("order", cycle), { code: "NotSerializable" });
    await assert.rejects(client.startWorkflow("order", 1n), { code: "NotSerializable" });
    for (const id of ["", ".", "..", undefined, 7])
      await assert.rejects(async () => client.getRun(id), { code: "InvalidRequest", name: "WorkflowApiError" });
    for (const baseUrl of ["api", "//elsewhere.test/api", "ftp://a.test"])
      assert.throws(() => createWorkflowClient({ baseUrl }), { code: "InvalidConfiguration" });
    for (const pollIntervalMs of [0, -1, Number.NaN])
      assert.throws(() => createWorkflowClient({ pollIntervalMs }), { code: "InvalidConfiguration" });
    assert.equal(api.requests.length, 0);
  });

  test("a signal and the time limit end a request", async (t) => {
    const { api, client } = await connect(t, { timeoutMs: 50 });
    api.intercept = () => true;
    await assert.rejects(client.getRun("wfr_1"), { code: "ApiTimeout", retryable: true });
    const controller = new AbortController();
    const outcome = assert.rejects(client.getRun("wfr_2", { signal: controller.signal }), { code: "Aborted" });
    controller.abort();
    await outcome;
    await assert.rejects(client.getRun("wfr_3", { signal: AbortSignal.abort() }), {
      code: "Aborted",
      retryable: false,
    });
    assert.deepEqual(
      api.requests.filter(({ path }) => path === "/runs/wfr_3"),
      [],
    );
  });

  test("headers, credentials and fetch are the caller's; the base URL may end with a slash", async () => {
    const seen = [];
    const client = createWorkflowClient({
      baseUrl: "/elsewhere/",
      headers: async () => [["authorization", "Bearer t"]],
      credentials: "include",
      fetch: async (url, init) => {
        seen.push([url, init.credentials, init.cache, Object.fromEntries(init.headers)]);
        return Response.json({ cancelled: true });
      },
    });
    await client.cancelRun("wfr_1", { keepalive: true });
    const headers = { accept: "application/json", authorization: "Bearer t" };
    assert.deepEqual(seen, [["/elsewhere/runs/wfr_1/cancel", "include", "no-store", headers]]);
    await createWorkflowClient({ fetch: async (url) => seen.push(url) && Response.json({}) }).getRun("wfr_1");
    assert.equal(seen[1], "/api/orchestration/runs/wfr_1");
  });

  test("headers that can't be had are an error, not a request", async (t) => {
    const { api, client } = await connect(t, { headers: () => Promise.reject(new Error("signed out")) });
    await assert.rejects(client.getRun("wfr_1"), { name: "WorkflowApiError", code: "ApiUnreachable" });
    assert.equal(api.requests.length, 0);
  });
});

describe("streams", () => {
  test("a run at every change, until it ends", async (t) => {
    const { api, client } = await connect(t);
    api.put("wfr_1");
    const seen = [];
    for await (const run of client.streamRun("wfr_1")) {
      seen.push(run.status);
      if (run.status === "running") api.put("wfr_1", { status: "completed" });
    }
    assert.deepEqual(seen, ["running", "completed"]);
  });

  test("whoever stops early, or aborts, closes the connection", async (t) => {
    const { api, client } = await connect(t);
    api.put("wfr_1");
    for await (const _ of client.streamRun("wfr_1")) break;
    const controller = new AbortController();
    await assert.rejects(
      async () => {
        for await (const _ of client.streamRun("wfr_1", { signal: controller.signal })) controller.abort();
      },
      { code: "Aborted" },
    );
    while (api.streams.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.deepEqual(
      api.requests.map(({ isCut }) => isCut),
      [true, true],
    );
  });

  test("a refusal has its code; a stream that is cut, and one that holds no JSON, too", async (t) => {
    const { api, client } = await connect(t);
    await assert.rejects(collect(client.streamRun("wfr_1")), { code: "NotFound", status: 404 });
    api.intercept = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: run\ndata: {}\n\n", () => response.destroy());
      return true;
    };
    await assert.rejects(collect(client.streamRun("wfr_1")), { code: "ApiUnreachable" });
    api.intercept = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end("event: run\ndata: nonsense\n\n");
      return true;
    };
    await assert.rejects(collect(client.streamRun("wfr_1")), { code: "ApiAnswer" });
    api.intercept = (_, response) => reply(response, 200, {});
    await assert.rejects(collect(client.streamRun("wfr_1")), { code: "StreamUnsupported" });
  });

  test("a stream that is silent for a minute is given up; comments keep it", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let send;
    const body = new ReadableStream({
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text));
      },
    });
    const client = createWorkflowClient({
      fetch: async (_, { signal }) => {
        signal.addEventListener("abort", () => body.cancel().catch(() => {}));
        const response = new Response(body.pipeThrough(new TransformStream(), { signal }));
        response.headers.set("content-type", "text/event-stream");
        return response;
      },
    });
    const gone = new EventTarget();
    const outcome = collect(client.streamRun("wfr_1")).catch((error) => {
      gone.error = error;
      gone.dispatchEvent(new Event("end"));
    });
    for (let minute = 0; minute < 3; minute += 1) {
      send(": still here\n\n");
      await new Promise((resolve) => setImmediate(resolve));
      t.mock.timers.tick(59_000);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(gone.error, undefined);
    }
    const end = once(gone, "end");
    t.mock.timers.tick(1_000);
    await end;
    await outcome;
    assert.deepEqual([gone.error.code, gone.error.retryable], ["ApiTimeout", true]);
  });

  test("events are the same however the bytes are cut", async () => {
    const text = [
      "\uFEFF: a comment\r\n",
      'event: run\r\ndata: {"note": "á\u{1F600}",\r\ndata: "status": "running"}\r\nid: 7\r\nretry: 10\r\n\r\n',
      'event: other\ndata: {"status": "never told"}\n\n',
      'event:run\rdata:{"status":"completed"}\r\r',
      "event: end\ndata\n\n",
      'event: run\ndata: {"status": "after the end"}\n\n',
    ].join("");
    const bytes = new TextEncoder().encode(text);
    const expected = [{ note: "á\u{1F600}", status: "running" }, { status: "completed" }];
    for (const size of [1, 2, 3, 5, 7, 64, bytes.length]) {
      const body = new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      const headers = { "content-type": "text/event-stream; charset=utf-8" };
      const client = createWorkflowClient({ fetch: async () => new Response(body, { headers }) });
      assert.deepEqual(await collect(client.streamRun("wfr_1")), expected, `chunks of ${size}`);
    }
  });
});
