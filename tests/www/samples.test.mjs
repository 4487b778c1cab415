/** The samples in the built app against a broker: each is started as its page does, and driven to its end. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inflateSync } from "node:zlib";
import { Client } from "@repo/orchestration/client";
import { startBroker } from "@repo/orchestration/server";
import { startApp } from "./lib/app.mjs";
import { eventually } from "./lib/stage.mjs";

const LIMIT_MS = 30_000;
const RUNTIMES = ["nodejs", "edge"];
/** The broker's clock is late, so that a test can turn it on: what it signs stays good for five minutes. */
const LATE_MS = 200_000;

describe("samples", () => {
  let broker;
  let app;
  let late = LATE_MS;

  before(async () => {
    broker = await startBroker({ port: 0, db: ":memory:", now: () => Date.now() - late });
    app = await startApp({ broker });
  });
  after(async () => {
    await app?.stop();
    await broker?.stop(0);
  });

  const send = (path, { method = "POST", headers = {}, body } = {}) =>
    fetch(app.url + path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });

  async function start(sample, input, runtime = "nodejs") {
    const answer = await send("/api/samples/start", { body: { sample, input, runtime } });
    const { workflowRunId, error } = await answer.json();
    assert.equal(answer.status, 202, error);
    return workflowRunId;
  }

  async function read(path) {
    const answer = await fetch(app.url + path);
    assert.equal(answer.status, 200, path);
    return answer.json();
  }

  const runOf = async (id) => (await read(`/api/broker/v2/workflows/logs?workflowRunId=${id}`)).runs[0];
  const linesOf = async (id) => (await read("/api/samples/ledger")).filter(({ workflowRunId }) => workflowRunId === id);
  const kindsOf = async (id) => (await linesOf(id)).map(({ kind }) => kind);

  /** The run and its output, once it has ended. */
  async function ended(id, state = "RUN_SUCCESS") {
    const run = await until(async () => {
      const found = await runOf(id);
      return found && found.workflowState !== "RUN_STARTED" ? found : undefined;
    });
    assert.equal(run.workflowState, state, JSON.stringify(run.steps));
    return { run, output: run.workflowRunResponse ? JSON.parse(run.workflowRunResponse) : undefined };
  }

  const until = (look) => eventually(look, String(look), LIMIT_MS);

  /** Where a sample is served. */
  const pathOf = (sample, runtime) => `/api/samples/${runtime === "edge" ? "edge/" : ""}${sample}`;

  for (const runtime of RUNTIMES) {
    test(`order: what fails is tried again, and everything happens once (${runtime})`, async () => {
      const before = await read("/api/samples/stock");
      const id = await start("order", { item: "chair", quantity: 3, failures: 2 }, runtime);
      const { run, output } = await ended(id);
      assert.equal(new URL(run.workflowUrl).pathname, pathOf("order", runtime));
      assert.equal(run.label, "sample-order");
      assert.equal(output.amount, 270);
      assert.equal(stepsOf(run).filter(({ stepName }) => stepName === "charge").length, 3);
      const lines = await linesOf(id);
      assert.deepEqual(lines.map(({ kind }) => kind).toSorted(), ["invoice", "parcel", "payment"]);
      assert.equal(lines.find(({ kind }) => kind === "payment").amount, 270);
      assert.equal(lines.at(-1).kind, "parcel");
      assert.equal((await read("/api/samples/stock")).chair, before.chair - 3);
    });

    test(`approval: somebody approves, or rejects (${runtime})`, async () => {
      const ids = await Promise.all(
        [1, 2].map((amount) => start("approval", { purpose: "Paper", amount, patience: "7d" }, runtime)),
      );
      // One while it waits, one perhaps before.
      await until(async () => stepsOf(await runOf(ids[0])).some(isWaiting));
      for (const [index, workflowRunId] of ids.entries()) {
        const body = { workflowRunId, isApproved: index === 0, by: "Ann" };
        assert.equal((await send("/api/samples/decide", { body })).status, 204);
      }
      assert.deepEqual((await ended(ids[0])).output, { outcome: "approved", by: "Ann" });
      assert.deepEqual((await ended(ids[1])).output, { outcome: "rejected", by: "Ann" });
      assert.deepEqual(await kindsOf(ids[0]), ["expense", "refund"]);
      assert.deepEqual(await kindsOf(ids[1]), ["expense", "rejection"]);
    });

    test(`report: it can be made at once (${runtime})`, async () => {
      const id = await start("report", {}, runtime);
      const { run, output } = await ended(id);
      assert.equal(new URL(run.workflowUrl).pathname, pathOf("report", runtime));
      const file = await fetch(`${app.url}/api/samples/files?run=${id}&name=${output.name}`);
      assert.equal((await file.arrayBuffer()).byteLength, output.bytes);
    });

    test(`images: thumbnails are made, as many at a time as the flow control allows (${runtime})`, async () => {
      const most = async (parallelism) => {
        const id = await start("images", { pictures: 6, width: 64, parallelism }, runtime);
        const { run, output } = await ended(id);
        const { thumbnails } = output;
        assert.equal(new URL(run.workflowUrl).pathname, pathOf("images", runtime));
        assert.deepEqual(
          thumbnails.map(({ name }) => name),
          [1, 2, 3, 4, 5, 6].map((number) => `thumbnail-${number}.png`),
        );
        return {
          id,
          // The number under way grows only when one begins.
          most: Math.max(...thumbnails.map(({ from: at }) => thumbnails.filter((it) => isUnderWay(it, at)).length)),
        };
      };
      const two = await most(2);
      assert.ok(two.most <= 2, `${two.most} at a time`);
      const six = await most(6);
      assert.ok(six.most > 2, `without that limit only ${six.most} at a time`);

      const pictures = await Promise.all(
        [1, 2].map(async (number) => {
          const answer = await fetch(`${app.url}/api/samples/files?run=${two.id}&name=thumbnail-${number}.png`);
          assert.equal(answer.headers.get("content-type"), "image/png");
          return pixelsOf(Buffer.from(await answer.arrayBuffer()));
        }),
      );
      for (const { width, height, colours } of pictures) {
        assert.deepEqual([width, height], [64, 48]);
        assert.ok(colours > 50, `a picture of ${colours} colours`);
      }
      assert.notEqual(pictures[0].sum, pictures[1].sum);
    });

    test(`webhook: a signed one starts a run, a forged one does not (${runtime})`, async () => {
      const id = await start("webhook", { title: "Data lost after an update", forged: false }, runtime);
      const { run, output } = await ended(id);
      assert.equal(new URL(run.workflowUrl).pathname, pathOf("webhook/intake", runtime));
      assert.equal(run.label, "sample-webhook");
      assert.equal(output.priority, "high");
      assert.match((await linesOf(id))[0].text, /^#\d+ Data lost after an update \(high\)$/);

      const runs = async () => (await read("/api/broker/v2/workflows/logs?label=sample-webhook")).runs.length;
      const count = await runs();
      const body = { sample: "webhook", runtime, input: { title: "Forged", forged: true } };
      const forged = await send("/api/samples/start", { body });
      assert.equal(forged.status, 403);
      assert.equal((await forged.json()).code, "SignatureInvalid");
      const unsigned = await send(pathOf("webhook/triggers/github", runtime), { body: { action: "opened" } });
      assert.equal(unsigned.status, 401);
      assert.equal(await runs(), count);
    });

    test(`AI pipeline: the broker calls the model, again when it is refused (${runtime})`, async () => {
      const text =
        "Rivers carry water. Rivers and lakes hold fresh water for towns.\n\nTrains run on rails. Rails are made of steel.";
      const refusals = async () => {
        const { logs } = await read("/api/broker/v2/logs?count=500");
        const refused = logs.filter(
          ({ url, responseStatus }) => url.endsWith("/completions") && responseStatus === 429,
        );
        return new Set(refused.map(({ messageId }) => messageId));
      };
      const former = await refusals();
      const id = await start("ai", { text, latency: 20, refusals: 1 }, runtime);
      const { run, output } = await ended(id);
      assert.equal(new URL(run.workflowUrl).pathname, pathOf("ai", runtime));
      assert.deepEqual(output.paragraphs, ["Rivers and lakes hold fresh water for towns.", "Rails are made of steel."]);
      assert.ok(output.paragraphs.includes(output.summary));
      assert.equal((await linesOf(id))[0].text, output.summary);
      assert.equal(stepsOf(run).filter(({ stepType }) => stepType === "Call").length, 3);
      assert.equal((await refusals()).difference(former).size, 3);
    });

    test(`trip: what was booked is cancelled, the last first (${runtime})`, async () => {
      const before = await read("/api/samples/stock");
      const id = await start("trip", { to: "Oslo", travellers: 16 }, runtime);
      const { run } = await ended(id, "RUN_FAILED");
      assert.equal(new URL(run.workflowUrl).pathname, pathOf("trip", runtime));
      await until(async () => (await kindsOf(id)).includes("apology"));
      assert.deepEqual(await kindsOf(id), [
        "flight booked",
        "hotel booked",
        "hotel cancelled",
        "flight cancelled",
        "apology",
      ]);
      assert.deepEqual(await read("/api/samples/stock"), before);

      const booked = await start("trip", { to: "Oslo", travellers: 4 }, runtime);
      assert.deepEqual((await ended(booked)).output, { booked: ["flight", "hotel", "car"] });
      assert.equal((await read("/api/samples/stock")).car, before.car - 1);
    });
  }

  test("approval: nobody decides in time", async () => {
    const id = await start("approval", { purpose: "Pens", amount: 3, patience: "1m" });
    await until(async () => stepsOf(await runOf(id)).some(isWaiting));
    late -= 61_000;
    broker.wake();
    assert.deepEqual((await ended(id)).output, { outcome: "expired" });
    assert.deepEqual(await kindsOf(id), ["expense", "expired"]);
  });

  test("report: the schedule starts it, and it counts what is in the ledger", async () => {
    const order = await start("order", { item: "lamp", quantity: 1, failures: 0 });
    await ended(order);
    const made = await send("/api/samples/schedule", { body: { cron: "* * * * *" } });
    assert.equal(made.status, 201, await made.text());
    const again = await send("/api/samples/schedule", { body: { cron: "*/1 * * * *" } });
    const { scheduleId } = await again.json();
    const client = new Client({ baseUrl: broker.url, token: broker.token });
    assert.deepEqual(
      (await client.schedules.list()).map(({ scheduleId, cron }) => [scheduleId, cron]),
      [["sample-report", "*/1 * * * *"]],
    );
    assert.equal(scheduleId, "sample-report");
    const reports = async () => (await read("/api/broker/v2/workflows/logs?label=sample-report")).runs;
    const former = new Set((await reports()).map(({ workflowRunId }) => workflowRunId));

    late -= 61_000;
    broker.wake();
    const run = await until(async () => (await reports()).find(({ workflowRunId }) => !former.has(workflowRunId)));
    const { output } = await ended(run.workflowRunId);
    const report = await (
      await fetch(`${app.url}/api/samples/files?run=${run.workflowRunId}&name=${output.name}`)
    ).text();
    const rows = new Map(report.split("\n").map((row) => [row.split(",")[0], row.split(",").slice(1).map(Number)]));
    const payments = (await read("/api/samples/ledger")).filter(({ kind }) => kind === "payment");
    assert.deepEqual(rows.get("payment"), [payments.length, payments.reduce((sum, { amount }) => sum + amount, 0)]);

    assert.equal((await send("/api/samples/schedule", { method: "DELETE" })).status, 204);
    assert.deepEqual(await client.schedules.list(), []);
  });

  test("report: a cron expression that can't be read is refused", async () => {
    const answer = await send("/api/samples/schedule", { body: { cron: "every night" } });
    assert.equal(answer.status, 502);
    assert.match((await answer.json()).error, /cron/i);
  });

  test("nobody else can start, deliver or write", async () => {
    const foreign = { origin: "https://elsewhere.test" };
    for (const path of ["start", "decide", "schedule"]) {
      const answer = await send(`/api/samples/${path}`, { headers: foreign, body: {} });
      assert.equal(answer.status, 403, path);
    }
    const samples = ["order", "approval", "report", "images", "ai", "trip", "webhook/intake"];
    const routes = RUNTIMES.flatMap((runtime) => samples.map((sample) => pathOf(sample, runtime)));
    for (const route of routes) {
      const answer = await send(route, { body: { quantity: 1 } });
      assert.equal(answer.status, 401, `${route}: ${await answer.text()}`);
    }
    for (const service of ["ledger", "stock", "files?run=wfr_1&name=a.png", "model/v1/chat/completions"]) {
      const answer = await send(`/api/samples/${service}`, { headers: { authorization: "Bearer guessed" }, body: {} });
      assert.equal(answer.status, 401, service);
    }
  });

  test("input that does not fit is refused, and says what was expected", async () => {
    const refusals = [
      [{ sample: "orders" }, /expected a sample: order, approval/],
      [{ sample: "report", runtime: "deno" }, /expected the runtime nodejs or edge/],
      [{ sample: "order", input: { quantity: 0 } }, /Quantity: expected a whole number from 1 to 50/],
      [{ sample: "order", input: { colour: "red" } }, /the input has no colour/],
      [{ sample: "approval", input: { patience: "1h" } }, /expected one of/],
      ["[]", /expected an object/],
    ];
    for (const [body, expected] of refusals) {
      const answer = await send("/api/samples/start", { body });
      assert.equal(answer.status, 400);
      assert.match((await answer.json()).error, expected);
    }
  });

  test("the ledger begins anew", async () => {
    assert.ok((await read("/api/samples/ledger")).length > 0);
    assert.equal((await send("/api/samples/ledger", { method: "DELETE" })).status, 204);
    assert.deepEqual(await read("/api/samples/ledger"), []);
    assert.equal((await read("/api/samples/stock")).car, 3);
  });
});

describe("samples of an app with a login, far from its broker", () => {
  let broker;
  let app;
  before(async () => {
    broker = await startBroker({ port: 0, db: ":memory:" });
    const env = { DASHBOARD_LOGIN: "on", QSTASH_URL: "https://qstash.example", QSTASH_NEXT_SIGNING_KEY: undefined };
    app = await startApp({ broker, env });
  });
  after(async () => {
    await app?.stop();
    await broker?.stop(0);
  });

  test("only who has signed in may start and read", async () => {
    for (const [path, method] of [
      ["start", "POST"],
      ["start", "GET"],
      ["decide", "POST"],
      ["schedule", "POST"],
      ["schedule", "DELETE"],
      ["ledger", "GET"],
      ["ledger", "DELETE"],
      ["stock", "GET"],
      ["files", "GET"],
    ]) {
      const answer = await fetch(`${app.url}/api/samples/${path}`, { method });
      assert.equal(answer.status, 401, `${method} ${path}`);
    }
  });

  test("the page is told what keeps deliveries away", async () => {
    const login = await fetch(`${app.url}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: broker.token }),
    });
    const cookie = login.headers.get("set-cookie").split(";")[0];
    const { problems } = await (await fetch(`${app.url}/api/samples/start`, { headers: { cookie } })).json();
    assert.match(problems.join("\n"), /set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY/);
    assert.match(
      problems.join("\n"),
      /qstash\.example .* can’t reach this app at http:\/\/localhost:\d+: set UPSTASH_WORKFLOW_URL/,
    );
  });
});

const stepsOf = (run) => (run?.steps ?? []).flatMap(({ steps }) => steps);

const isWaiting = ({ stepType }) => stepType === "Wait";

const isUnderWay = ({ from, to }, at) => from <= at && at < to;

/** Size and colours of a PNG of 8-bit RGB without filters. */
function pixelsOf(png) {
  assert.equal(png.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const data = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12)
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const rows = inflateSync(Buffer.concat(data));
  assert.equal(rows.length, height * (width * 3 + 1));
  const colours = new Set();
  let sum = 0;
  for (let row = 0; row < height; row += 1)
    for (let column = 0; column < width; column += 1) {
      const colour = rows.readUIntBE(row * (width * 3 + 1) + 1 + column * 3, 3);
      colours.add(colour);
      sum += colour;
    }
  return { width, height, colours: colours.size, sum };
}
