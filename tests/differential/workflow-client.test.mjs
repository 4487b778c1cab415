/** The calls of the workflow client: the same call on the official package and on ours sends the same request and gives the same result. */
import assert from "node:assert/strict";
import { after, before, describe, mock, test } from "node:test";
import * as ours from "@repo/orchestration/workflows";
import * as official from "@upstash/workflow";

import { differences, report } from "./compare.mjs";
import { normalise } from "./normalise.mjs";
import { startRecorder } from "./recorder.mjs";
import { REFUSED_BY_BOTH, REFUSED_BY_OURS, WORKFLOW_CALLS } from "./workflow-client-calls.mjs";

const REFUSALS = [400, 401, 404, 412, 500];
const URL = "https://app.test/flow";
/** How the clients are set up, each with what it adds to a test's name. */
const SETTINGS = [
  ["", {}],
  [", headers for every message", { headers: { "x-bypass": "secret", "x-user": "all" } }],
];

let recorder;
before(async () => {
  recorder = await startRecorder();
});
after(() => recorder.close());

const connected = ({ Client }, config = {}) =>
  new Client({ baseUrl: recorder.url, token: "token", retry: false, ...config });

describe("the same requests and results", () => {
  for (const [name, { call, answer }] of Object.entries(WORKFLOW_CALLS)) {
    for (const [settings, config] of SETTINGS) {
      test(`${name}${settings}`, async () => {
        const expected = await recordingOf(official, config, call, answer);
        const actual = await recordingOf(ours, config, call, answer);
        const found = differences(expected, actual);
        assert.deepEqual(found, [], report(found, { expected: "reference", actual: "ours" }));
      });
    }
  }
});

describe("the same refusals by the broker", () => {
  // The official client logs them.
  before(() => mock.method(console, "error", () => {}));
  after(() => mock.restoreAll());

  const calls = ["trigger: payload", "cancel: one", "notify: object", "waiters", "logs", "dlq list", "dlq resume: one"];
  for (const name of calls) {
    test(name, async () => {
      for (const status of REFUSALS) {
        const told = [];
        for (const workflow of [official, ours]) {
          recorder.reset({ any: { status, body: { error: "told by the broker" } } });
          const error = await thrownBy(() => WORKFLOW_CALLS[name].call(connected(workflow)));
          assert.match(error.message, /told by the broker/);
          told.push([error.name, error.status, recorder.take().length]);
        }
        assert.deepEqual(told[1], told[0]);
      }
    });
  }
});

describe("mistakes", () => {
  for (const [name, call] of Object.entries(REFUSED_BY_BOTH)) {
    test(`both refuse: ${name}`, async () => {
      await refused(official, call);
      await refused(ours, call);
    });
  }
  for (const [name, call] of Object.entries(REFUSED_BY_OURS)) {
    test(`ours refuses: ${name}`, async () => {
      const error = await refused(ours, call);
      assert.ok(error instanceof ours.QstashError, String(error));
    });
  }

  /** Nothing was sent, and the error says why. */
  async function refused(workflow, call) {
    recorder.reset({ any: { body: {} } });
    const error = await thrownBy(() => call(connected(workflow)));
    assert.ok(error instanceof Error && error.message.length > 10, String(error));
    assert.deepEqual(recorder.take(), []);
    return error;
  }
});

describe("beyond the official client", () => {
  test("all pages of the log, each fetched when it is needed", async () => {
    const found = [];
    recorder.reset({ any: { body: { runs: [{ workflowRunId: "wfr_a" }, { workflowRunId: "wfr_b" }], cursor: "c1" } } });
    for await (const { workflowRunId } of connected(ours).iterateLogs({ count: 2, filter: { label: "x" } })) {
      found.push(workflowRunId);
      if (found.length === 2) recorder.answers = { any: { body: { runs: [{ workflowRunId: "wfr_c" }] } } };
    }
    assert.deepEqual(found, ["wfr_a", "wfr_b", "wfr_c"]);
    assert.deepEqual(
      recorder.take().map(({ path }) => path),
      ["", "cursor=c1&"].map((page) => `/v2/workflows/events?groupBy=workflowRunId&${page}count=2&label=x`),
    );
  });

  test("all failed runs", async () => {
    recorder.reset({ any: { body: { messages: [{ dlqId: "1-0" }], cursor: "" } } });
    const found = [];
    for await (const { dlqId } of connected(ours).dlq.iterate()) found.push(dlqId);
    assert.deepEqual(found, ["1-0"]);
  });

  test("a signal ends every call", async () => {
    const options = { signal: AbortSignal.abort(new Error("no longer wanted")) };
    const client = connected(ours);
    recorder.reset({ any: { body: {} } });
    for (const call of [
      () => client.trigger({ url: URL }, options),
      () => client.cancel("wfr_a", options),
      () => client.notify({ eventId: "paid" }, options),
      () => client.getWaiters({ eventId: "paid" }, options),
      () => client.logs({}, options),
      () => client.iterateLogs({}, options).next(),
      () => client.dlq.list({}, options),
      () => client.dlq.iterate({}, options).next(),
      () => client.dlq.resume("1-0", options),
      () => client.dlq.restart({ dlqId: "1-0" }, options),
      () => client.dlq.retryFailureFunction({ dlqId: "1-0" }, options),
      () => client.dlq.delete("1-0", options),
    ]) {
      assert.equal((await thrownBy(call)).message, "no longer wanted");
    }
    assert.deepEqual(recorder.take(), []);
  });

  test("a run that was not started does not pass for one that was", async () => {
    recorder.reset({ batch: { body: [{ messageId: "msg_1" }, { error: "over the plan" }] } });
    const runs = [{ url: URL }, { url: URL, workflowRunId: "second" }];
    const error = await thrownBy(() => connected(ours).trigger(runs));
    assert.match(error.message, /wfr_second: over the plan/);
  });
});

test("every name that the official package exports is there, except what is not offered yet", () => {
  const missing = Object.keys(official).filter((name) => !(name in ours));
  const later = ["WorkflowContext", "WorkflowMiddleware", "loggingMiddleware"];
  assert.deepEqual(
    missing.filter((name) => !later.includes(name)),
    [],
  );
  assert.deepEqual(ours.StepTypes, official.StepTypes);
});

async function recordingOf(workflow, config, call, answer) {
  recorder.reset(answer === undefined ? {} : { any: { body: answer } });
  const result = await call(connected(workflow, config));
  const requests = recorder.take().map((request) => ({ ...request, path: sorted(request.path) }));
  const response = { status: 200, headers: [], body: JSON.stringify(result) ?? "" };
  const [seen] = normalise({ origin: recorder.url, exchanges: [{ requests, response }] });
  return JSON.parse(JSON.stringify({ requests: seen.requests, result: seen.response.body }));
}

/** The order of different parameters means nothing; that of one parameter's values is kept. */
function sorted(path) {
  const [place, query] = path.split("?");
  if (query === undefined) return path;
  const parameters = query.split("&").map((parameter, index) => [parameter.split("=")[0], index, parameter]);
  parameters.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : i - j));
  return `${place}?${parameters.map(([, , parameter]) => parameter).join("&")}`;
}

async function thrownBy(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}
