// The playground's replay: runs that a real broker recorded, played once more by the engine in memory.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client as Qstash } from "@repo/orchestration/client";
import { startBroker } from "@repo/orchestration/server";
import { Client, serve } from "@repo/orchestration/workflows";

import { codeOf, outlineOf, RETURN } from "../../www/lib/playground/outline.ts";
import { replay } from "../../www/lib/playground/replay.ts";
import { startEndpoints } from "./lib/endpoints.mjs";
import { eventually } from "./lib/stage.mjs";

let broker;
let endpoints;
let client;
const sdk = { serve, Client: Qstash };

before(async () => {
  broker = await startBroker({ port: 0, db: ":memory:" });
  endpoints = await startEndpoints({ broker });
  client = new Client({ baseUrl: broker.url, token: broker.token });
});
after(async () => {
  await endpoints.stop();
  await broker.stop(0);
});

/** Starts a run, and resolves with its log once it `isThere`. */
async function recorded(path, body, isThere) {
  const { workflowRunId } = await client.trigger({ url: endpoints.url + path, body, retries: 1, retryDelay: "10" });
  return until(workflowRunId, isThere);
}

const until = (workflowRunId, isThere) =>
  eventually(async () => {
    const { runs } = await client.logs({ workflowRunId });
    return runs[0] && isThere(runs[0]) ? runs[0] : undefined;
  }, `the log of ${workflowRunId}`);

const hasEnded = ({ workflowState }) => workflowState !== "RUN_STARTED";

const namesOf = ({ outline }, ids) =>
  ids.map((id) =>
    id === RETURN ? "return" : outline.groups.flatMap(({ steps }) => steps).find((it) => it.stepId === id)?.stepName,
  );

test("plays that overlap do not disturb one another, and leave fetch as it was", async () => {
  const { fetch } = globalThis;
  const run = await recorded("/workflows/order", { items: ["a"], pause: 1 }, hasEnded);
  const alone = await replay(run, sdk);
  const [one, failed, other] = await Promise.allSettled([replay(run, sdk), replay("no run", sdk), replay(run, sdk)]);
  assert.equal(failed.status, "rejected");
  for (const { value } of [one, other]) {
    assert.deepEqual(
      value.invocations.map(({ cause, status, sent }) => [cause, status, sent.length]),
      alone.invocations.map(({ cause, status, sent }) => [cause, status, sent.length]),
    );
  }
  assert.equal(globalThis.fetch, fetch);
});

describe("a run with steps of many kinds", () => {
  let run;
  let replayed;
  before(async () => {
    run = await recorded("/workflows/order", { items: ["a", "b"], pause: 1 }, hasEnded);
    replayed = await replay(run, sdk);
  });

  test("ends with the recorded result, without a note", () => {
    const { invocations, notes } = replayed;
    const last = invocations.at(-1);
    assert.equal(last.sent.at(-1).method, "DELETE");
    assert.deepEqual(last.sent.at(-1).body, JSON.parse(run.workflowRunResponse));
    assert.deepEqual(notes, []);
    assert.ok(invocations.every(({ status }) => status === 200));
  });

  test("each invocation carries the history so far, and replays it", () => {
    const told = replayed.invocations.map((it) => [
      it.cause,
      it.history.length,
      namesOf(replayed, it.replayed).join(),
      namesOf(replayed, it.ran).join(),
    ]);
    assert.deepEqual(told.slice(0, 2), [
      ["the run starts", 1, "", "price the basket"],
      ["“price the basket” has its result", 2, "price the basket", ""],
    ]);
    assert.deepEqual(told.slice(2, 4), [
      ["the branch “reserve stock” was announced", 3, "price the basket", "reserve stock"],
      ["the branch “check risk” was announced", 4, "price the basket", "check risk"],
    ]);
    assert.equal(told.at(-1)[2], "price the basket,reserve stock,check risk,cool off,charge the card");
    assert.ok(told.some(([cause]) => cause === "“cool off” is over, after 1s"));
    assert.ok(told.some(([cause]) => cause === "“charge the card” was answered"));
  });

  test("a function ran exactly once for each step that has one", () => {
    const ran = replayed.invocations.flatMap((it) => namesOf(replayed, it.ran));
    assert.deepEqual(ran.toSorted(), ["check risk", "price the basket", "reserve stock"]);
  });

  test("the history ends as the broker recorded it", () => {
    const results = replayed.invocations
      .at(-1)
      .history.filter(({ value, isPlan }, at) => at > 0 && !isPlan && value.stepId);
    const expected = run.steps.flatMap(({ steps }) => steps).filter(({ stepType }) => stepType !== "Initial");
    assert.deepEqual(
      results.map(({ value }) => [value.stepId, value.stepName, value.stepType, value.concurrent]).toSorted(),
      expected.map((it) => [it.stepId, it.stepName, it.stepType, it.concurrent]).toSorted(),
    );
    for (const { value } of results.filter(({ value }) => value.stepType === "Run")) {
      assert.equal(value.out, expected.find(({ stepId }) => stepId === value.stepId).out);
    }
  });

  test("its outline reads like the function", () => {
    const code = codeOf(outlineOf(run)).map((line) => line.code.trim());
    assert.deepEqual(code.slice(0, 6), [
      "async (context) => {",
      'await context.run("price the basket", …);',
      "await Promise.all([",
      'context.run("reserve stock", …),',
      'context.run("check risk", …),',
      "]);",
    ]);
    assert.match(code.at(-2), /^return \{"reserved":true/);
  });
});

test("a wait gets its event", async () => {
  const waits = ({ steps }) => steps.some(({ steps: [step] }) => step.stepType === "Wait");
  const { workflowRunId } = await recorded("/workflows/approval", { who: "dora" }, waits);
  const waiting = await replay((await client.logs({ workflowRunId })).runs[0], sdk);
  assert.deepEqual(namesOf(waiting, waiting.invocations.at(-1).at), ["approval"]);

  await client.notify({ eventId: "approval-dora", eventData: { approved: true } });
  const { invocations } = await replay(await until(workflowRunId, hasEnded), sdk);
  assert.deepEqual(invocations.at(-1).sent.at(-1).body, { approved: true });
  assert.ok(invocations.some(({ cause }) => cause === "“approval” got its event"));
});

test("a run that failed ends with the invocation that fails", async () => {
  const run = await recorded("/workflows/broken", {}, ({ workflowState }) => workflowState === "RUN_FAILED");
  const { invocations, outline } = await replay(run, sdk);
  assert.equal(invocations.at(-1).status, 500);
  assert.match(invocations.at(-1).answer.message, /refused the payment/);
  assert.equal(outline.unfinished.state, "STEP_FAILED");
});

test("a fan-out: each branch is announced, runs once, and the last result goes on", async () => {
  const run = await recorded("/workflows/fan-out", { width: 3 }, hasEnded);
  const replayed = await replay(run, sdk);
  const ran = replayed.invocations.flatMap((it) => namesOf(replayed, it.ran));
  assert.deepEqual(ran.toSorted(), ["resize image 1", "resize image 2", "resize image 3"]);
  assert.equal(replayed.invocations.at(-1).sent.at(-1).body, 3);
});

test("what is no run is refused with what was expected", async () => {
  for (const value of [null, 1, {}, { runs: [] }, []])
    await assert.rejects(replay(value, sdk), /expected the JSON of a run/);
  await assert.rejects(replay({ steps: [] }, sdk), /Initial step/);
});

test("other requests of the page go their way meanwhile", async () => {
  const before = globalThis.fetch;
  await replay(
    {
      steps: [{ type: "sequential", steps: [{ stepType: "Initial", stepName: "init", stepId: 0 }] }],
      workflowRunResponse: "1",
    },
    sdk,
  );
  assert.equal(globalThis.fetch, before);
});
