// Runs by a cron expression, on a clock that the test turns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defineWorkflow } from "@repo/orchestration/server";
import { broker, served } from "./support.mjs";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test("a schedule starts a run each time, pauses, goes on, is replaced and removed", async (t) => {
  const start = Date.UTC(2030, 0, 1, 0, 30);
  t.mock.timers.enable({ apis: ["Date"], now: start });
  const written = [];
  const report = defineWorkflow("report", (context) =>
    context.run("write", () => written.push([context.requestPayload, new Date().getUTCHours()])),
  );
  const { running, config } = await broker(t, { now: () => Date.now() });
  const { engine, url } = await served(t, {
    workflows: [report],
    providers: [{ name: "own", type: "upstash-workflow", config }],
  });
  const turnTo = async (moment) => {
    t.mock.timers.setTime(moment);
    running.wake();
    await running.idle();
  };
  const schedule = { cron: "0 * * * *", scheduleId: "hourly", input: { kind: "5" }, label: "cron" };
  assert.deepEqual(await engine.scheduleWorkflow("report", schedule), { scheduleId: "hourly" });
  assert.deepEqual(await engine.listSchedules(), [
    {
      scheduleId: "hourly",
      workflowId: "report",
      provider: "own",
      cron: "0 * * * *",
      isPaused: false,
      createdAt: start,
      nextRunAt: start + 30 * MINUTE,
    },
  ]);
  // Of somebody else.
  await engine.provider().client.schedules.create({ destination: `${url}/other`, cron: "0 0 1 1 *" });
  assert.equal((await engine.listSchedules()).length, 1);

  await turnTo(start + 29 * MINUTE);
  assert.deepEqual(written, []);
  await turnTo(start + 30 * MINUTE);
  await turnTo(start + 30 * MINUTE + HOUR);
  const input = { kind: "5" };
  assert.deepEqual(written, [
    [input, 1],
    [input, 2],
  ]);
  const { runs } = await engine.listExecutions({ workflowId: "report", label: "cron" });
  assert.deepEqual(
    runs.map(({ status, output }) => [status, output]),
    [
      ["completed", 2],
      ["completed", 1],
    ],
  );
  assert.equal((await engine.listSchedules())[0].lastRunAt, start + 30 * MINUTE + HOUR);

  await engine.pauseSchedule("hourly");
  assert.equal((await engine.listSchedules())[0].isPaused, true);
  await turnTo(start + 4 * HOUR);
  assert.equal(written.length, 2);
  await engine.resumeSchedule("hourly");
  await turnTo(start + 5 * HOUR);
  assert.deepEqual(written.at(-1), [input, 5]);

  await engine.scheduleWorkflow("report", { cron: "15 6 * * *", scheduleId: "hourly" });
  await turnTo(start + 6 * HOUR);
  assert.deepEqual(written.at(-1), [undefined, 6]);
  await engine.unscheduleWorkflow("hourly");
  assert.deepEqual(await engine.listSchedules(), []);
  const total = written.length;
  await turnTo(start + 48 * HOUR);
  assert.equal(written.length, total);
});

test("a schedule has the retries and delays of its workflow, unless it says otherwise", async (t) => {
  const patient = defineWorkflow("patient", async () => {}, { retries: 5, retryDelay: "1000 * retried" });
  const { engine } = await served(t, { workflows: [patient] });
  await engine.scheduleWorkflow(patient, { cron: "0 * * * *", scheduleId: "a" });
  await engine.scheduleWorkflow(patient, { cron: "0 * * * *", scheduleId: "b", retries: 1, retryDelay: "500" });
  const { schedules } = engine.provider().client;
  const told = ({ retries, retryDelayExpression }) => [retries, retryDelayExpression];
  assert.deepEqual(told(await schedules.get("a")), [5, "1000 * retried"]);
  assert.deepEqual(told(await schedules.get("b")), [1, "500"]);
});

test("what can't be scheduled is refused", async (t) => {
  const schema = { parse: (value) => value ?? Promise.reject(new Error("an input is needed")) };
  const { engine } = await served(t, { workflows: [defineWorkflow("report", async () => {}, { schema })] });
  await assert.rejects(engine.scheduleWorkflow("report", { cron: "0 * * * *" }), { code: "ValidationFailed" });
  await assert.rejects(engine.scheduleWorkflow("report", { cron: "never", input: 1 }), { code: "BrokerRefused" });
  await assert.rejects(engine.scheduleWorkflow("unknown", { cron: "0 * * * *" }), { code: "NotFound" });
  assert.deepEqual(await engine.listSchedules(), []);
});
