// The timeline of a run: what its log says, as rows of segments on an axis.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axisOf, hasIdle } from "../../www/lib/timeline/axis.ts";
import { timelineOf } from "../../www/lib/timeline/model.ts";

const URL = "https://app.test/order";
const THIRD = "https://third.test/";
const T = 1_800_000_000_000;

/** A run's log and its entries in the log of messages, told one after the other; times are milliseconds from its start. */
class Story {
  events = [];
  groups = [];
  run = { workflowRunId: "wfr_1", workflowUrl: URL, workflowState: "RUN_STARTED", workflowRunCreatedAt: T };

  constructor() {
    this.message("init", 0);
    this.group("sequential", this.step("init", 0, { stepId: 0, stepType: "Initial", messageId: "init" }));
  }

  event(messageId, at, state, more = {}) {
    this.events.unshift({ messageId, time: T + at, state, url: URL, ...more });
    return this;
  }

  message(messageId, at, more = {}) {
    return this.event(messageId, at, "CREATED", { createdAt: T + at, nextDeliveryTime: T + at, ...more });
  }

  delivery(messageId, from, to, more = {}) {
    this.event(messageId, from, "ACTIVE", more);
    return to === undefined ? this : this.event(messageId, to, "DELIVERED", { responseStatus: 200, ...more });
  }

  failure(messageId, from, to, nextAt, more = {}) {
    this.event(messageId, from, "ACTIVE", more);
    this.event(messageId, to, "ERROR", { responseStatus: 500, error: "the destination answered 500", ...more });
    if (nextAt !== undefined) this.event(messageId, to, "RETRY", { nextDeliveryTime: T + nextAt, ...more });
    return this;
  }

  step(name, createdAt, more = {}) {
    const base = {
      stepName: name,
      stepType: "Run",
      callType: "step",
      state: "STEP_SUCCESS",
      concurrent: 1,
      attempts: 1,
      retries: 0,
    };
    const { startedAt, ...rest } = more;
    return {
      ...base,
      createdAt: T + createdAt,
      ...(startedAt === undefined ? {} : { startedAt: T + startedAt }),
      ...rest,
    };
  }

  group(type, ...steps) {
    this.groups.push({ type, steps });
    return this;
  }

  ended(state, at, more = {}) {
    Object.assign(this.run, { workflowState: state, workflowRunCompletedAt: T + at, ...more });
    return this;
  }

  timeline(events = this.events) {
    return timelineOf({ ...this.run, steps: this.groups }, events);
  }
}

/** `work 10-30`, `sleep 30-…`. */
const drawn = ({ segments }) =>
  segments.map(({ kind, from, to }) => `${kind} ${from - T}-${to === undefined ? "…" : to - T}`).join(", ");
const rows = (timeline) => timeline.rows.map((row) => [row.name || row.kind, row.state, drawn(row)]);

test("one step after the other", () => {
  const story = new Story()
    .delivery("init", 10, 35)
    .message("m1", 30)
    .delivery("m1", 32, 60)
    .message("m2", 55)
    .delivery("m2", 56, 70)
    .group("sequential", new Story().step("first", 30, { stepId: 1, messageId: "m1", startedAt: 10 }))
    .group("sequential", new Story().step("second", 55, { stepId: 2, messageId: "m2", startedAt: 32 }))
    .ended("RUN_SUCCESS", 68);
  const timeline = story.timeline();
  assert.deepEqual(rows(timeline), [
    ["first", "done", "queue 0-10, work 10-30"],
    ["second", "done", "queue 30-32, work 32-55"],
  ]);
  const [first] = timeline.rows;
  assert.deepEqual(
    [first.key, first.kind, first.startedAt - T, first.endedAt - T, first.tries],
    ["1", "run", 10, 30, 1],
  );
  assert.deepEqual([timeline.from - T, timeline.to - T], [0, 68]);
  assert.deepEqual(first.messageIds, ["init", "m1"]);
});

test("tries in vain, and the times between", () => {
  const story = new Story()
    .failure("init", 10, 20, 120)
    .failure("init", 120, 150, 350)
    .delivery("init", 350, 370)
    .message("m1", 365)
    .delivery("m1", 366, 380)
    .group(
      "sequential",
      new Story().step("flaky", 365, { stepId: 1, messageId: "m1", startedAt: 350, attempts: 3, retries: 2 }),
    )
    .ended("RUN_SUCCESS", 379);
  const [row] = story.timeline().rows;
  assert.equal(drawn(row), "queue 0-10, failed 10-20, gap 20-120, failed 120-150, gap 150-350, work 350-365");
  assert.equal(row.tries, 3);
  assert.deepEqual(
    row.attempts.map(({ outcome, status }) => [outcome, status]),
    [
      ["failed", 500],
      ["failed", 500],
      ["succeeded", 200],
    ],
  );
});

test("a step that will be tried again", () => {
  const story = new Story().failure("init", 10, 20, 5_000).group("next", {
    messageId: "init",
    stepName: "charge",
    state: "STEP_RETRY",
    retries: 1,
    nextDeliveryTime: T + 5_000,
  });
  const timeline = story.timeline();
  assert.deepEqual(rows(timeline), [["charge", "retrying", "queue 0-10, failed 10-20, gap 20-…"]]);
  assert.deepEqual([timeline.rows[0].until - T, timeline.to], [5_000, undefined]);
  // Without the log of its message, errors tell when tries ended.
  const next = { messageId: "init", state: "STEP_RETRY", retries: 1, errors: [{ time: T + 20, status: 500 }] };
  const without = new Story().group("next", next).timeline([]);
  assert.deepEqual(rows(without), [["next", "retrying", "gap 0-20, failed 20-20, gap 20-…"]]);
});

test("a sleep that is over, one that lasts, and one among others", () => {
  const over = new Story()
    .delivery("init", 10, 25)
    .message("m1", 20, { nextDeliveryTime: T + 1_020, notBefore: T + 1_020 })
    .delivery("m1", 1_022, 1_030)
    .group(
      "sequential",
      new Story().step("nap", 20, { stepId: 1, messageId: "m1", startedAt: 10, stepType: "SleepFor", sleepFor: 1 }),
    )
    .ended("RUN_SUCCESS", 1_029);
  assert.deepEqual(rows(over.timeline()), [["nap", "done", "queue 0-10, queue 10-20, sleep 20-1022"]]);

  const asleep = new Story()
    .delivery("init", 10, 25)
    .message("m1", 20, { nextDeliveryTime: T + 86_400_000, notBefore: T + 86_400_000 })
    .group(
      "sequential",
      new Story().step("nap", 20, {
        stepId: 1,
        messageId: "m1",
        startedAt: 10,
        stepType: "SleepFor",
        sleepFor: "1d",
        state: "STEP_PROGRESS",
      }),
    )
    .group("next", { messageId: "m1", state: "STEP_PROGRESS", retries: 0, nextDeliveryTime: T + 86_400_000 });
  const timeline = asleep.timeline();
  assert.deepEqual(rows(timeline), [["nap", "sleeping", "queue 0-10, queue 10-20, sleep 20-…"]]);
  assert.equal(timeline.rows[0].until - T, 86_400_000);

  const branch = { stepType: "SleepFor", sleepFor: 1, concurrent: 2 };
  const parallel = new Story()
    .delivery("init", 10, 25)
    .message("p1", 20, { nextDeliveryTime: T + 1_020, notBefore: T + 1_020 })
    .message("p2", 20)
    .delivery("p2", 21, 40)
    .message("m2", 35)
    .group(
      "parallel",
      new Story().step("nap", 20, { ...branch, stepId: 1, messageId: "p1", state: "STEP_PROGRESS", startedAt: 10 }),
      new Story().step("work", 35, { stepId: 2, messageId: "m2", concurrent: 2, startedAt: 21 }),
    )
    .group(
      "next",
      { messageId: "p1", state: "STEP_PROGRESS", retries: 0, nextDeliveryTime: T + 1_020 },
      { messageId: "m2", state: "STEP_PROGRESS", retries: 0 },
    );
  assert.deepEqual(rows(parallel.timeline()), [
    ["nap", "sleeping", "sleep 20-…"],
    ["work", "done", "queue 20-21, work 21-35"],
  ]);
  parallel.delivery("p1", 1_021, 1_030);
  parallel.groups.splice(1);
  parallel.group(
    "parallel",
    new Story().step("nap", 1_028, { ...branch, stepId: 1, messageId: "m1", startedAt: 1_021 }),
    new Story().step("work", 35, { stepId: 2, messageId: "m2", concurrent: 2, startedAt: 21 }),
  );
  assert.equal(drawn(parallel.timeline().rows[0]), "sleep 20-1021");
});

test("calls of third parties, with their tries", () => {
  const call = { stepType: "Call", callUrl: THIRD, callMethod: "POST" };
  const story = new Story().delivery("init", 10, 25).message("c1", 20, { url: THIRD });
  story.failure("c1", 21, 40, 140, { url: THIRD });
  story.group(
    "sequential",
    new Story().step("charge", 20, {
      ...call,
      stepId: 1,
      messageId: "t1",
      startedAt: 20,
      callType: "toCallback",
      state: "STEP_PROGRESS",
    }),
  );
  story.group("next", { messageId: "c1", state: "STEP_RETRY", retries: 1, nextDeliveryTime: T + 140 });
  assert.deepEqual(
    rows(story.timeline()),
    [["charge", "retrying", "failed 21-40, gap 40-…"]].map(([a, b, c]) => [a, b, `queue 20-21, ${c}`]),
  );

  story.groups.splice(1);
  story.delivery("c1", 140, 200, { url: THIRD }).message("back", 200).delivery("back", 201, 215).message("m1", 210);
  story.group(
    "sequential",
    new Story().step("charge", 210, {
      ...call,
      stepId: 1,
      messageId: "m1",
      startedAt: 20,
      attempts: 2,
      callResponseStatus: 200,
    }),
  );
  story.group("next", { messageId: "m1", state: "STEP_PROGRESS", retries: 0 });
  assert.deepEqual(rows(story.timeline()), [
    ["charge", "done", "queue 20-21, failed 21-40, gap 40-140, work 140-200, queue 200-210"],
    ["next", "queued", "queue 210-…"],
  ]);
});

test("what a run waits for: an event, another run", () => {
  const story = new Story().delivery("init", 10, 25);
  const wait = {
    stepId: 1,
    messageId: "w1",
    startedAt: 20,
    stepType: "Wait",
    callType: "toCallback",
    state: "STEP_PROGRESS",
  };
  story.group(
    "sequential",
    new Story().step("approval", 20, { ...wait, waitEventId: "ok", waitTimeoutDeadline: T + 60_000 }),
  );
  const [row] = story.timeline().rows;
  assert.deepEqual([row.kind, row.state, row.until - T, drawn(row)], ["wait", "waiting", 60_000, "wait 20-…"]);

  story.groups.splice(1);
  story.message("m1", 500);
  story.group(
    "sequential",
    new Story().step("approval", 500, { ...wait, messageId: "m1", callType: "step", state: "STEP_SUCCESS" }),
  );
  story.group(
    "sequential",
    new Story().step("child", 520, { ...wait, stepId: 2, messageId: "i1", startedAt: 520, stepType: "Invoke" }),
  );
  assert.deepEqual(rows(story.timeline()), [
    ["approval", "done", "wait 20-500"],
    ["child", "waiting", "wait 520-…"],
  ]);
});

test("branches side by side, one of which is still at it", () => {
  const story = new Story()
    .delivery("init", 10, 25)
    .message("p1", 20)
    .message("p2", 20)
    .message("p3", 20)
    .delivery("p1", 21, 45)
    .failure("p2", 21, 50, 1_050)
    .message("m1", 40)
    .group(
      "parallel",
      new Story().step("a", 40, { stepId: 1, messageId: "m1", concurrent: 3, startedAt: 21 }),
      new Story().step("b", 20, { stepId: 2, messageId: "p2", concurrent: 3, startedAt: 10, state: "STEP_PROGRESS" }),
      new Story().step("c", 20, { stepId: 3, messageId: "p3", concurrent: 3, startedAt: 10, state: "STEP_PROGRESS" }),
    )
    .group(
      "next",
      { messageId: "p2", state: "STEP_RETRY", retries: 1, nextDeliveryTime: T + 1_050 },
      { messageId: "p3", state: "STEP_PROGRESS", retries: 0 },
      { messageId: "m1", state: "STEP_PROGRESS", retries: 0 },
    );
  const timeline = story.timeline();
  // Two deliveries began at the same time: the one with as many tries is the step's.
  assert.deepEqual(rows(timeline), [
    ["a", "done", "queue 20-21, work 21-40"],
    ["b", "retrying", "queue 20-21, failed 21-50, gap 50-…"],
    ["c", "queued", "queue 20-…"],
  ]);
  assert.deepEqual(
    timeline.rows.map(({ branch }) => branch),
    [0, 1, 2].map((index) => ({ group: 0, index, size: 3 })),
  );
});

test("after parallel branches only one delivery goes on", () => {
  const branch = { concurrent: 2, startedAt: 21 };
  const story = new Story()
    .delivery("init", 10, 25)
    .message("p1", 20)
    .message("p2", 20)
    .delivery("p1", 21, 45)
    .delivery("p2", 21, 46)
    .message("m1", 40)
    .message("m2", 41)
    .delivery("m1", 42)
    .delivery("m2", 42)
    .group(
      "parallel",
      new Story().step("a", 40, { ...branch, stepId: 1, messageId: "m1" }),
      new Story().step("b", 41, { ...branch, stepId: 2, messageId: "m2" }),
    )
    .group(
      "next",
      { messageId: "m1", state: "STEP_PROGRESS", retries: 0 },
      { messageId: "m2", state: "STEP_PROGRESS", retries: 0 },
    );
  assert.deepEqual(rows(story.timeline()).slice(2), [["next", "running", "queue 40-42, work 42-…"]]);
});

test("a delivery that only has to end is no step", () => {
  const story = new Story()
    .delivery("init", 10)
    .message("m1", 30)
    .delivery("m1", 31)
    .group("sequential", new Story().step("first", 30, { stepId: 1, messageId: "m1", startedAt: 10 }))
    .group(
      "next",
      { messageId: "init", state: "STEP_PROGRESS", retries: 0 },
      { messageId: "m1", state: "STEP_PROGRESS", retries: 0 },
    );
  assert.deepEqual(rows(story.timeline()), [
    ["first", "done", "queue 0-10, work 10-30"],
    ["next", "running", "queue 30-31, work 31-…"],
  ]);
});

test("a run that failed, and the function that was told", () => {
  const errors = [
    { time: T + 20, status: 500 },
    { time: T + 150, status: 500 },
  ];
  const story = new Story()
    .failure("init", 10, 20, 120)
    .failure("init", 120, 150)
    .event("init", 150, "FAILED")
    .message("f1", 150)
    .delivery("f1", 151, 170)
    .group("next", { messageId: "init", stepName: "pay", state: "STEP_FAILED", retries: 1, errors })
    .ended("RUN_FAILED", 150, { failureFunction: { messageId: "f1", state: "CALLBACK_SUCCESS", url: URL } });
  const timeline = story.timeline();
  assert.deepEqual(rows(timeline), [
    ["pay", "failed", "queue 0-10, failed 10-20, gap 20-120, failed 120-150"],
    ["failure", "done", "queue 150-151, work 151-170"],
  ]);
  assert.equal(timeline.to - T, 170);
});

test("steps that a resumed run needs not do again take no time of it", () => {
  const story = new Story()
    .delivery("init", 10, 40)
    .message("m2", 30)
    .delivery("m2", 31, 45)
    .group("sequential", new Story().step("kept", -60_000, { stepId: 1, messageId: "m1", startedAt: -60_030 }))
    .group("sequential", new Story().step("done", 30, { stepId: 2, messageId: "m2", startedAt: 10 }))
    .ended("RUN_SUCCESS", 44);
  const timeline = story.timeline();
  assert.deepEqual(rows(timeline), [
    ["kept", "done", ""],
    ["done", "done", "queue 0-10, work 10-30"],
  ]);
  assert.deepEqual(
    timeline.rows.map(({ isCarried }) => isCarried),
    [true, false],
  );
  assert.equal(timeline.from - T, 0);
});

test("a run that was canceled stops where it was", () => {
  const story = new Story()
    .delivery("init", 10, 25)
    .message("m1", 20, { nextDeliveryTime: T + 86_400_000, notBefore: T + 86_400_000 })
    .event("m1", 400, "CANCEL_REQUESTED")
    .event("m1", 400, "CANCELED")
    .group(
      "sequential",
      new Story().step("nap", 20, {
        stepId: 1,
        messageId: "m1",
        startedAt: 10,
        stepType: "SleepFor",
        state: "STEP_PROGRESS",
      }),
    )
    .ended("RUN_CANCELED", 400);
  const timeline = story.timeline();
  assert.deepEqual(rows(timeline), [["nap", "canceled", "queue 0-10, queue 10-20, sleep 20-400"]]);
  assert.equal(timeline.to - T, 400);
});

test("without times of deliveries a step takes the time that its log tells", () => {
  const step = (name, at, more) => new Story().step(name, at, { attempts: undefined, ...more });
  const story = new Story()
    .group("sequential", step("first", 30, { stepId: 1, messageId: "m1" }))
    .group("sequential", step("second", 55, { stepId: 2, messageId: "m2", retries: 2 }))
    .ended("RUN_SUCCESS", 60);
  assert.deepEqual(rows(story.timeline([])), [
    ["first", "done", "work 0-30"],
    ["second", "done", "work 30-55"],
  ]);
  assert.equal(story.timeline([]).rows[1].tries, 3);
});

test("the axis keeps real proportions, unless idle times are made short", () => {
  const day = 86_400_000;
  const span = { from: T, to: T + 3 * day };
  const busy = [
    { from: T, to: T + 50 },
    { from: T + 3 * day - 100, to: T + 3 * day },
  ];
  assert.equal(hasIdle(span, busy), true);
  const real = axisOf(span, busy, false);
  assert.equal(real.placeOf(T + 1.5 * day), 0.5);
  assert.ok(real.placeOf(T + 50) < 0.000001);

  const short = axisOf(span, busy, true);
  assert.deepEqual(
    short.pieces.map(({ isIdle }) => isIdle),
    [false, true, false],
  );
  const [before, idle, after] = short.pieces;
  assert.ok(Math.abs(idle.end - idle.start - 0.16) < 1e-9);
  assert.ok(
    Math.abs((after.end - after.start) / (before.end - before.start) - 2) < 1e-9,
    "busy times keep their proportions",
  );
  assert.equal(short.placeOf(T), 0);
  assert.equal(short.placeOf(T + 3 * day), 1);
  const places = Array.from({ length: 200 }, (_, part) => short.placeOf(T + (part * 3 * day) / 199));
  assert.ok(
    places.every((place, index) => index === 0 || place >= places[index - 1]),
    "later is never further left",
  );
  assert.deepEqual([short.placeOf(T - 5), short.placeOf(T + 9 * day)], [0, 1]);
});

test("an axis without long idle times is left alone, and one of nothing else is whole", () => {
  const span = { from: T, to: T + 1_000 };
  assert.equal(
    hasIdle(span, [
      { from: T, to: T + 400 },
      { from: T + 600, to: T + 1_000 },
    ]),
    false,
  );
  const axis = axisOf({ from: T, to: T + 60_000 }, [], true);
  assert.deepEqual(
    axis.pieces.map(({ start, end }) => [start, end]),
    [[0, 1]],
  );
  assert.equal(axisOf({ from: T, to: T }, [], true).placeOf(T), 0);
});

test("ticks are round and apart", () => {
  const ticks = axisOf({ from: T, to: T + 4_300 }, [], false).ticks(0.1);
  assert.deepEqual(
    ticks.map(({ offset }) => offset),
    [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000],
  );
  const day = 86_400_000;
  const busy = [
    { from: T, to: T + 50 },
    { from: T + 3 * day - 100, to: T + 3 * day },
  ];
  const short = axisOf({ from: T, to: T + 3 * day }, busy, true).ticks(0.1);
  assert.ok(short.every(({ place }, index) => index === 0 || place - short[index - 1].place >= 0.1));
  assert.deepEqual(
    short.map(({ origin }) => origin === 0),
    short.map(({ place }) => place < 0.4),
  );
  assert.ok(short.filter(({ origin }) => origin > 0).length >= 3);
});
