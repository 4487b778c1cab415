/** The HTTP API: routes, answers, who may do what. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OrchestrationError } from "@repo/orchestration";
import { createWorkflowApi } from "@repo/orchestration/server/next";

import { ask, engineDouble, RUN } from "./support.mjs";

/** No body. */
const NONE = undefined;
const open = { authorize: () => true };

describe("the HTTP API", () => {
  test("each route asks the engine for one thing", async () => {
    const { engine, told } = engineDouble();
    const api = createWorkflowApi({ engine, ...open });
    const started = { workflowRunId: "wfr_1", workflowId: "order", provider: "main" };
    for (const [line, body, status, answer, asked] of [
      ["GET /workflows", NONE, 200, { workflows: [{ workflowId: "order", provider: "main" }] }],
      [
        ...["POST /workflows/order/runs", { input: { id: 7 }, workflowRunId: "own", label: ["a", "b"], delay: "10s" }],
        ...[202, started],
        ["executeWorkflow", "order", { id: 7 }, { workflowRunId: "own", label: ["a", "b"], delay: "10s" }],
      ],
      [
        "POST /workflows/order/runs?provider=other",
        undefined,
        202,
        started,
        ["executeWorkflow", "order", undefined, { provider: "other" }],
      ],
      [
        ...[
          "GET /runs?workflowId=order&status=failed&label=vip&cursor=c&count=5",
          undefined,
          200,
          { runs: [RUN], cursor: "next" },
        ],
        ["listExecutions", { workflowId: "order", status: "failed", label: "vip", cursor: "c", count: 5 }, {}],
      ],
      ["GET /runs/wfr_1", NONE, 200, RUN, ["getExecution", "wfr_1", {}]],
      ["GET /runs/wfr_1/history", NONE, 200, { steps: RUN.steps }, ["getExecution", "wfr_1", {}]],
      ["POST /runs/wfr_1/cancel", NONE, 200, { cancelled: true }, ["cancelExecution", "wfr_1", {}]],
      [
        ...["POST /events/paid%2F7", { data: { amount: 5 }, workflowRunId: "wfr_1" }, 200, { notified: 2 }],
        ["notify", { eventId: "paid/7", data: { amount: 5 }, workflowRunId: "wfr_1" }, {}],
      ],
      ["GET /schedules", NONE, 200, { schedules: [] }, ["listSchedules", {}]],
      [
        ...[
          "POST /schedules",
          { workflowId: "order", cron: "* * * * *", input: 0, scheduleId: "s" },
          201,
          { scheduleId: "scd_1" },
        ],
        ["scheduleWorkflow", "order", { cron: "* * * * *", scheduleId: "s", input: 0 }, {}],
      ],
      ["DELETE /schedules/s", NONE, 204, "", ["unscheduleWorkflow", "s", {}]],
      ["POST /schedules/s/pause", NONE, 204, "", ["pauseSchedule", "s", {}]],
      ["POST /schedules/s/resume", NONE, 204, "", ["resumeSchedule", "s", {}]],
      ["GET /metrics", NONE, 200, { since: 0, workflows: [] }],
      ["GET /health", NONE, 200, { status: "healthy", providers: [] }, ["healthCheck", {}]],
    ]) {
      const [gotStatus, got] = await ask(api, line, { body });
      assert.deepEqual([gotStatus, got], [status, answer], line);
      assert.deepEqual(told.splice(0), asked ? [asked] : [], line);
    }
  });

  test("metrics come as Prometheus reads them, an unhealthy engine answers 503", async () => {
    const health = { status: "unhealthy", providers: [] };
    const { engine } = engineDouble({ healthCheck: async () => health });
    const api = createWorkflowApi({ engine, ...open });
    const [, text, { headers }] = await ask(api, "GET /metrics", { headers: { accept: "text/plain" } });
    assert.equal(text, "# TYPE runs counter\n");
    assert.match(headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
    assert.deepEqual((await ask(api, "GET /health")).slice(0, 2), [503, health]);
  });

  test("what can't be read is refused with a code and asks nobody", async () => {
    const { engine, told } = engineDouble();
    const api = createWorkflowApi({ engine, ...open });
    for (const [line, body, status, code, message] of [
      ["GET /nothing", NONE, 404, "NotFound", /no \/nothing/],
      ["GET /", NONE, 404, "NotFound", /no \//],
      ["DELETE /runs/wfr_1", NONE, 405, "MethodNotAllowed", /GET, not DELETE/],
      ["POST /workflows/order/runs", "{", 400, "InvalidRequest", /JSON/],
      ["POST /workflows/order/runs", [1], 400, "InvalidRequest", /object/],
      ["POST /workflows/order/runs", { inputs: 1 }, 400, "InvalidRequest", /'inputs'; there are: input/],
      ["POST /workflows/order/runs", { workflowRunId: 1 }, 400, "InvalidRequest", /'workflowRunId' has to be a text/],
      ["POST /workflows/order/runs", { label: [1] }, 400, "InvalidRequest", /'label'/],
      ["POST /workflows/order/runs", { delay: {} }, 400, "InvalidRequest", /'delay'/],
      ["POST /schedules", { workflowId: "order" }, 400, "InvalidRequest", /'cron'/],
      ["GET /runs?status=done", NONE, 400, "InvalidRequest", /'status' has to be one of pending/],
      ["GET /runs?count=0", NONE, 400, "InvalidRequest", /'count'/],
      ["GET /runs/%E0%A4%A", NONE, 400, "InvalidRequest", /percent-encoded/],
    ]) {
      const [gotStatus, got] = await ask(api, line, { body });
      assert.deepEqual([gotStatus, got.error], [status, code], line);
      assert.match(got.message, message);
    }
    assert.deepEqual(told, []);
    const [status, { error }] = await ask(api, "GET /runs/wfr_2");
    assert.deepEqual([status, error], [404, "NotFound"]);
    assert.equal((await ask(api, "GET /runs", { base: "/elsewhere" }))[0], 404);
  });

  test("the engine's errors become answers; of foreign ones nothing is told", async () => {
    const failing = (error) => engineDouble({ listExecutions: () => Promise.reject(error) }).engine;
    const own = createWorkflowApi({
      engine: failing(new OrchestrationError("away", "BrokerUnreachable", true)),
      ...open,
    });
    const [status, body] = await ask(own, "GET /runs");
    assert.ok(status >= 500);
    assert.deepEqual(body, { error: "BrokerUnreachable", message: "away" });
    const foreign = createWorkflowApi({ engine: failing(new Error("password=hunter2")), ...open });
    const [, told] = await ask(foreign, "GET /runs");
    assert.deepEqual(told, { error: "Internal", message: "the request could not be answered" });
  });

  test("it is closed in production unless somebody authorizes", async () => {
    const { engine } = engineDouble();
    const before = process.env.NODE_ENV;
    const closed = createWorkflowApi({ engine });
    try {
      for (const [mode, status] of [
        ["production", 403],
        [undefined, 403],
        ["development", 200],
        ["test", 200],
      ]) {
        if (mode === undefined) delete process.env.NODE_ENV;
        else process.env.NODE_ENV = mode;
        assert.equal((await ask(closed, "GET /runs"))[0], status, mode);
      }
    } finally {
      if (before === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = before;
    }
  });

  test("authorize is told what is asked, and decides", async () => {
    const { engine, told } = engineDouble();
    const asked = [];
    let verdict = false;
    const authorize = async (request, { action, target }) => {
      asked.push([request.headers.get("cookie"), action, target]);
      return verdict;
    };
    const api = createWorkflowApi({ engine, authorize });
    const headers = { cookie: "session=1" };
    assert.deepEqual((await ask(api, "POST /runs/wfr_1/cancel", { headers })).slice(0, 1), [403]);
    assert.deepEqual(asked, [["session=1", "runs:cancel", "wfr_1"]]);
    verdict = new Response("who are you?", { status: 401 });
    assert.deepEqual((await ask(api, "GET /health")).slice(0, 2), [401, "who are you?"]);
    for (const other of ["yes", null, undefined, {}, 1]) {
      verdict = other;
      assert.equal((await ask(api, "GET /runs"))[0], 403, `${other}: only true is yes`);
    }
    assert.deepEqual(told, []);
    verdict = true;
    assert.equal((await ask(api, "GET /runs"))[0], 200);
  });

  test("pages of other origins change nothing", async () => {
    const { engine, told } = engineDouble();
    const api = createWorkflowApi({ engine, ...open, allowedOrigins: ["https://admin.test"] });
    const status = async (headers) => (await ask(api, "POST /runs/wfr_1/cancel", { headers }))[0];
    assert.equal(await status({ origin: "https://evil.test" }), 403);
    assert.equal(await status({ origin: "null" }), 403);
    assert.equal(told.length, 0);
    assert.equal(await status({ origin: "https://app.test" }), 200);
    assert.equal(await status({ origin: "https://public.test", host: "public.test" }), 200);
    assert.equal(await status({ origin: "https://admin.test" }), 200);
    assert.equal(await status({}), 200);
    assert.equal((await ask(api, "GET /runs", { headers: { origin: "https://evil.test" } }))[0], 200);
  });

  test("pages of allowed origins may read and change, and are asked for by browsers", async () => {
    const { engine } = engineDouble();
    const api = createWorkflowApi({ engine, ...open, allowedOrigins: ["https://admin.test"] });
    const asked = (origin) => ask(api, "OPTIONS /runs/wfr_1/cancel", { headers: { origin } });
    const [status, , { headers }] = await asked("https://admin.test");
    assert.equal(status, 204);
    assert.equal(headers.get("access-control-allow-origin"), "https://admin.test");
    assert.equal(headers.get("access-control-allow-credentials"), "true");
    assert.match(headers.get("access-control-allow-methods"), /POST/);
    assert.match(headers.get("access-control-allow-headers"), /content-type/);
    const refused = await asked("https://evil.test");
    assert.deepEqual([refused[0], refused[2].headers.get("access-control-allow-origin")], [403, null]);
    for (const [origin, allowed] of [
      ["https://admin.test", "https://admin.test"],
      ["https://evil.test", null],
    ]) {
      const [, , { headers }] = await ask(api, "GET /runs", { headers: { origin } });
      assert.equal(headers.get("access-control-allow-origin"), allowed);
    }
  });

  test("what fails unexpectedly is logged, masked; of settings strangers hear nothing", async (t) => {
    const log = t.mock.method(console, "error", () => {});
    const { engine } = engineDouble();
    const api = createWorkflowApi({
      engine,
      authorize: () => Promise.reject(new Error("no db at postgres://a:hunter2secret@db")),
    });
    assert.deepEqual((await ask(api, "GET /runs")).slice(0, 1), [500]);
    const [line] = log.mock.calls[0].arguments;
    assert.match(line, /\/api\/orchestration\/runs: Error: no db/);
    assert.ok(!line.includes("hunter2secret"), line);
    const unset = new OrchestrationError("QSTASH_TOKEN is missing", "InvalidConfiguration");
    const lacking = createWorkflowApi({
      ...open,
      engine: engineDouble({ listExecutions: () => Promise.reject(unset) }).engine,
    });
    const [, body] = await ask(lacking, "GET /runs");
    assert.deepEqual([body.error, /TOKEN/.test(body.message)], ["InvalidConfiguration", false]);
    assert.match(log.mock.calls[1].arguments[0], /QSTASH_TOKEN is missing/);
    const away = new OrchestrationError("fetch http://u:hunter2secret@host failed", "BrokerUnreachable");
    const leaking = createWorkflowApi({
      ...open,
      engine: engineDouble({ listExecutions: () => Promise.reject(away) }).engine,
    });
    assert.ok(!JSON.stringify((await ask(leaking, "GET /runs"))[1]).includes("hunter2secret"));
  });

  test("a body is read as far as a broker would take it", async () => {
    const { engine, told } = engineDouble();
    const api = createWorkflowApi({ engine, ...open });
    const [status, { error }] = await ask(api, "POST /workflows/order/runs", { body: { input: "x".repeat(5 << 20) } });
    assert.deepEqual([status, error, told], [413, "PayloadTooLarge", []]);
  });

  test("who asks too often is refused, and is told for how long", async () => {
    const { engine, told } = engineDouble();
    const now = () => 1_000;
    const rateLimit = { limit: 2, window: "1m", algorithm: "fixed-window", redis: false, now };
    const api = createWorkflowApi({ engine, ...open, rateLimit });
    const asked = async (address) => {
      const [status, body, { headers }] = await ask(api, "GET /runs", { headers: { "x-forwarded-for": address } });
      return [status, body.error, headers.get("ratelimit-remaining"), headers.get("retry-after")];
    };
    assert.deepEqual(await asked("192.0.2.1"), [200, undefined, "1", null]);
    assert.deepEqual(await asked("192.0.2.1"), [200, undefined, "0", null]);
    assert.deepEqual(await asked("192.0.2.1"), [429, "RateLimited", "0", "59"]);
    assert.deepEqual(await asked("192.0.2.2"), [200, undefined, "1", null]);
    assert.equal(told.length, 3);
  });

  test("another base path", async () => {
    const { engine } = engineDouble();
    const api = createWorkflowApi({ engine, ...open, basePath: "/flows/" });
    assert.equal((await ask(api, "GET /runs", { base: "/flows" }))[0], 200);
    assert.equal((await ask(api, "GET /runs"))[0], 404);
    assert.throws(() => createWorkflowApi({}), { code: "InvalidConfiguration" });
  });
});
