// Several applications on one broker: each sees and changes what is its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server";
import { scheduleTrigger } from "@repo/orchestration/triggers";
import { broker, ended, served } from "./support.mjs";

const hello = () => defineWorkflow("hello", (context) => context.run("greet", () => `hello ${context.requestPayload}`));
const HOURLY = { cron: "0 * * * *" };

/** Two applications with the same workflow, and one who may see all. */
async function applications(t) {
  const { config } = await broker(t);
  const providers = [{ name: "own", type: "upstash-workflow", config }];
  const mine = await served(t, { workflows: [hello()], providers });
  const theirs = await served(t, { workflows: [hello()], providers });
  const admin = createWorkflowEngine({ providers, env: {}, scope: "account" });
  t.after(() => admin.shutdown());
  return { mine: mine.engine, theirs: theirs.engine, admin, providers, url: mine.url };
}

const ids = (runs) => runs.map(({ workflowRunId }) => workflowRunId).toSorted();

test("runs of another application are neither shown nor listed nor cancelled", async (t) => {
  const { mine, theirs, admin } = await applications(t);
  const own = await mine.executeWorkflow("hello", 1);
  await ended(mine, own);
  const foreign = await theirs.executeWorkflow("hello", 2, { delay: "1d" });
  const { workflowRunId } = foreign;
  assert.equal(await mine.getExecution(workflowRunId), undefined);
  assert.equal(await mine.cancelExecution(workflowRunId), false);
  assert.deepEqual(ids((await mine.listExecutions()).runs), [own.workflowRunId]);
  assert.deepEqual(ids((await mine.listExecutions({ status: "pending" })).runs), []);
  assert.deepEqual(ids((await theirs.listExecutions()).runs), [workflowRunId]);
  assert.equal((await theirs.getExecution(workflowRunId)).status, "pending");

  assert.deepEqual(ids((await admin.listExecutions()).runs), ids([own, foreign]));
  assert.equal((await admin.getExecution(own.workflowRunId)).output, "hello 1");
  assert.equal(await admin.cancelExecution(workflowRunId), true);
  assert.equal((await theirs.getExecution(workflowRunId)).status, "cancelled");
});

test("a run is cancelled by another process of the same application, and by an id of its own", async (t) => {
  const { mine, providers, url } = await applications(t);
  const twin = createWorkflowEngine({ providers, url: `${url}/api/workflows`, env: {} });
  t.after(() => twin.shutdown());
  const started = await mine.executeWorkflow("hello", 1, { delay: "1d", workflowRunId: "order-7" });
  assert.equal(await twin.cancelExecution("order-7"), true);
  assert.equal((await mine.getExecution(started.workflowRunId)).status, "cancelled");
});

test("pages of a shared log are read on until there is something of one's own", async (t) => {
  const { mine, theirs } = await applications(t);
  const { workflowRunId } = await mine.executeWorkflow("hello", 1, { delay: "1d" });
  for (let n = 0; n < 5; n += 1) await theirs.executeWorkflow("hello", n, { delay: "1d" });
  assert.deepEqual(ids((await mine.listExecutions({ count: 2 })).runs), [workflowRunId]);
});

test("schedules of another application are neither listed nor changed nor replaced", async (t) => {
  const { mine, theirs, admin } = await applications(t);
  await theirs.scheduleWorkflow("hello", { ...HOURLY, scheduleId: "nightly" });
  await mine.scheduleWorkflow("hello", { ...HOURLY, scheduleId: "own" });
  for (const call of [
    () => mine.unscheduleWorkflow("nightly"),
    () => mine.pauseSchedule("nightly"),
    () => mine.resumeSchedule("nightly"),
  ])
    await assert.rejects(call, { code: "NotFound", message: /no schedule 'nightly'/ }, String(call));
  const replacing = mine.scheduleWorkflow("hello", { cron: "5 5 * * *", scheduleId: "nightly" });
  await assert.rejects(replacing, { code: "Forbidden", message: /'nightly' belongs to another application/ });
  const trigger = scheduleTrigger({ name: "nightly", workflow: "hello", cron: "5 5 * * *" });
  await mine.register(trigger);
  await assert.rejects(mine.initialize(), { code: "Forbidden" });
  assert.equal(await mine.unregister("nightly"), true);
  const told = async (engine) =>
    (await engine.listSchedules()).map(({ scheduleId, cron, isPaused }) => [scheduleId, cron, isPaused]).toSorted();
  const untouched = ["nightly", HOURLY.cron, false];
  assert.deepEqual(await told(theirs), [untouched]);
  assert.deepEqual(await told(mine), [["own", HOURLY.cron, false]]);
  assert.deepEqual(await told(admin), [untouched, ["own", HOURLY.cron, false]]);

  // One's own are replaced, paused and removed as before, and so is everything by who may.
  await mine.scheduleWorkflow("hello", { cron: "1 * * * *", scheduleId: "own" });
  await mine.pauseSchedule("own");
  await admin.pauseSchedule("nightly");
  assert.deepEqual(await told(admin), [
    ["nightly", HOURLY.cron, true],
    ["own", "1 * * * *", true],
  ]);
  await mine.resumeSchedule("own");
  await mine.unscheduleWorkflow("own");
  await admin.unscheduleWorkflow("nightly");
  assert.deepEqual(await told(admin), []);
});

test("an engine that does not know its address tells so, rather than to read everything", async (t) => {
  const { config } = await broker(t);
  const providers = [{ name: "own", type: "upstash-workflow", config }];
  const engine = createWorkflowEngine({ providers, env: { NODE_ENV: "production" } });
  t.after(() => engine.shutdown());
  for (const call of [
    () => engine.listExecutions(),
    () => engine.getExecution("wfr_1"),
    () => engine.cancelExecution("wfr_1"),
    () => engine.listSchedules(),
    () => engine.pauseSchedule("s"),
  ])
    await assert.rejects(call, { code: "InvalidConfiguration", message: /public address/ }, String(call));
  assert.throws(() => createWorkflowEngine({ scope: "all" }), { code: "InvalidConfiguration", message: /'scope'/ });
});
