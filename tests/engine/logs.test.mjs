// Run logs as hosted QStash writes them: with less in them than those of this package's broker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkflowEngine } from "@repo/orchestration/server";
import { site } from "./support.mjs";

const T = 1_700_000_000_000;
const step = (members) => ({
  ...{ stepId: 1, stepType: "Run", callType: "step", messageId: "msg", retries: 0, concurrent: 1, headers: {} },
  ...{ state: "STEP_SUCCESS", createdAt: T },
  ...members,
});
const sequential = (members) => ({ type: "sequential", steps: [step(members)] });
const answer = (members) => JSON.stringify({ error: "Error", message: "no", stack: "at", ...members });
const tried = (time, body = answer({})) => ({
  error: "detected a non-2xx status code",
  body,
  headers: {},
  status: 500,
  time,
});

/** An engine whose broker answers with one run. */
async function told(t, run) {
  const { url, answers } = await site(t);
  answers(async () =>
    Response.json({
      runs: [
        {
          ...{ workflowRunId: "wfr_1", workflowUrl: "https://app.test/api/flows/order%20now?x=1", labels: ["a", "b"] },
          ...{ workflowRunCreatedAt: T, workflowState: "RUN_STARTED", steps: [] },
          ...run,
        },
      ],
    }),
  );
  const config = { baseUrl: url, qstashToken: "token" };
  const engine = createWorkflowEngine({
    env: {},
    url: "https://app.test/api/flows",
    providers: [{ name: "hosted", type: "upstash-workflow", config }],
  });
  return engine.getExecution("wfr_1");
}

test("a run that has completed", async (t) => {
  const run = await told(t, {
    workflowState: "RUN_SUCCESS",
    workflowRunCompletedAt: T + 9_000,
    workflowRunResponse: '{"ok":true}',
    steps: [
      sequential({ stepId: 0, stepType: "Initial", stepName: "init", out: '{"secret":1}' }),
      sequential({ stepName: "text", out: '"5"', createdAt: T + 100, retries: 2 }),
      sequential({ stepName: "short", stepType: "SleepFor", sleepFor: 1.5, createdAt: T + 200 }),
      sequential({ stepName: "long", stepType: "SleepFor", sleepFor: "1h30m", createdAt: T + 300 }),
      sequential({ stepName: "until", stepType: "SleepUntil", sleepUntil: T / 1000 + 5, createdAt: T + 2_000 }),
      sequential({ stepName: "ship", stepType: "Invoke", out: '{"body":"{\\"done\\":1}","isFailed":false}' }),
      {
        type: "parallel",
        steps: [
          step({ stepName: "left", concurrent: 2, out: "1" }),
          step({ stepName: "side", stepType: "SleepFor", sleepFor: 2, concurrent: 2, createdAt: T + 6_000 }),
        ],
      },
    ],
  });
  const { steps, ...facts } = run;
  assert.deepEqual(facts, {
    workflowRunId: "wfr_1",
    workflowId: "order now",
    provider: "hosted",
    status: "completed",
    startedAt: T,
    completedAt: T + 9_000,
    durationMs: 9_000,
    labels: ["a", "b"],
    output: { ok: true },
  });
  assert.deepEqual(
    steps.map(({ name, attempts, startedAt, completedAt, output }) => [
      ...[name, attempts, output, startedAt && startedAt - T],
      completedAt - T,
    ]),
    [
      ["text", 3, "5", undefined, 100],
      ["short", 1, undefined, 200, 1_700],
      ["long", 1, undefined, 300, 5_400_300],
      ["until", 1, undefined, 2_000, 5_000],
      ["ship", 1, { body: { done: 1 }, isFailed: false }, undefined, 0],
      ["left", 1, 1, undefined, 0],
      ["side", 1, undefined, 4_000, 6_000],
    ],
  );
});

test("a step that is tried again, and one that has failed", async (t) => {
  const next = { messageId: "msg_2", stepName: "charge", state: "STEP_RETRY", retries: 1 };
  const errors = [tried(T + 10), tried(T + 20, answer({ error: "RangeError", message: "too much" }))];
  const retrying = await told(t, { steps: [{ type: "next", steps: [{ ...next, errors }] }] });
  const error = { name: "RangeError", message: "too much", status: 500 };
  assert.deepEqual([retrying.status, retrying.error], ["running", undefined]);
  assert.deepEqual(retrying.steps, [
    { name: "charge", type: "Run", status: "retrying", attempts: 2, startedAt: T + 10, error },
  ]);

  const failed = await told(t, {
    workflowState: "RUN_FAILED",
    workflowRunCompletedAt: T + 30,
    steps: [{ type: "next", steps: [{ ...next, state: "STEP_FAILED", errors }] }],
  });
  assert.deepEqual([failed.status, failed.error], ["failed", error]);
  const [step] = failed.steps;
  assert.deepEqual([step.status, step.attempts, step.completedAt], ["failed", 2, T + 20]);
});

test("why a run has failed, wherever that is told", async (t) => {
  const reason = async (members) => (await told(t, { workflowState: "RUN_FAILED", ...members })).error;
  const failureFunction = { failResponse: answer({ message: "by its function" }), failStatus: 489 };
  assert.deepEqual(await reason({ failureFunction }), { name: "Error", message: "by its function", status: 489 });
  const next = (body) => [{ type: "next", steps: [{ state: "STEP_FAILED", retries: 0, errors: [tried(T, body)] }] }];
  assert.deepEqual(await reason({ steps: next("Bad gateway") }), { message: "Bad gateway", status: 500 });
  assert.deepEqual(await reason({ steps: next("") }), { message: "detected a non-2xx status code", status: 500 });
  assert.deepEqual(await reason({ steps: next("[1]") }), { message: "detected a non-2xx status code", status: 500 });
  assert.deepEqual(await reason({}), { message: "the broker does not tell why the run failed" });
});

test("a run that has begun, and one that has not", async (t) => {
  const init = sequential({ stepId: 0, stepType: "Initial", stepName: "init" });
  const next = { type: "next", steps: [{ messageId: "msg", state: "STEP_PROGRESS", retries: 0 }] };
  assert.equal((await told(t, { steps: [init, next] })).status, "pending");
  assert.equal((await told(t, { steps: [init, sequential({ stepName: "one", out: "1" }), next] })).status, "running");
  const { status, labels, output } = await told(t, { workflowState: "RUN_SUCCESS", labels: undefined, label: "a" });
  assert.deepEqual([status, labels, output], ["completed", ["a"], undefined]);
});
