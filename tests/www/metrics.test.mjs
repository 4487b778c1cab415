// What the overview counts: quantiles from histograms, and metrics from logs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { duration, span } from "../../www/lib/format.ts";
import { bucketOf, timeLabels } from "../../www/lib/metrics/axis.ts";
import { failingEndpoints } from "../../www/lib/metrics/failing.ts";
import { LATENCY_BOUNDS, metricsOf } from "../../www/lib/metrics/logs.ts";
import {
  errorShareOf,
  isBeyond,
  isEmpty,
  levelsOf,
  minutesOf,
  quantileOf,
  rateOf,
  totalOf,
} from "../../www/lib/metrics/series.ts";

describe("quantiles", () => {
  const bounds = [10, 20, 40];

  test("are interpolated within their bucket", () => {
    assert.equal(quantileOf(bounds, [0, 10, 0, 0], 0.5), 15);
    assert.equal(quantileOf(bounds, [10, 0, 0, 0], 0.5), 5);
    assert.equal(quantileOf(bounds, [50, 0, 50, 0], 0.5), 10);
    assert.equal(quantileOf(bounds, [50, 0, 50, 0], 0.75), 30);
    assert.equal(quantileOf(bounds, [1, 0, 0, 0], 1), 10);
  });

  test("of what exceeds the last bound are that bound", () => {
    const value = quantileOf(bounds, [1, 0, 0, 99], 0.5);
    assert.equal(value, 40);
    assert.ok(isBeyond(bounds, value));
    assert.ok(!isBeyond(bounds, 39));
  });

  test("of nothing are unknown", () => {
    assert.equal(quantileOf(bounds, [0, 0, 0, 0], 0.99), undefined);
    assert.equal(quantileOf(bounds, [], 0.99), undefined);
  });

  test("never fall as the share grows", () => {
    const counts = [3, 0, 7, 2];
    const values = Array.from({ length: 101 }, (_, at) => quantileOf(bounds, counts, at / 100));
    assert.deepEqual(
      values,
      values.toSorted((one, other) => one - other),
    );
  });
});

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const event = (state, messageId, ago, more = {}) => ({
  state,
  messageId,
  time: NOW - ago,
  url: `https://app.test/${messageId}`,
  ...more,
});
const run = (workflowState, ago, ended) => ({
  workflowState,
  workflowRunCreatedAt: NOW - ago,
  ...(ended === undefined ? {} : { workflowRunCompletedAt: NOW - ended }),
});
const counted = (logged, now = NOW) =>
  metricsOf({ events: [], runs: [], activeRuns: [], isComplete: true, ...logged }, 60 * MINUTE, 60, now);

describe("metrics from logs", () => {
  // Newest first, as the logs are.
  const events = [
    event("ERROR", "late", 5_000, { nextDeliveryTime: NOW - 90_000 }),
    event("ACTIVE", "late", 5_020),
    event("CREATED", "scheduled", 10_000, { notBefore: NOW + MINUTE }),
    event("ACTIVE", "busy", 20_000),
    event("CREATED", "busy", 21_000),
    event("DELIVERED", "done", 30 * MINUTE),
    event("ACTIVE", "done", 30 * MINUTE + 120),
    event("CREATED", "done", 30 * MINUTE + 200),
    event("FAILED", "gone", 40 * MINUTE),
    event("ERROR", "gone", 40 * MINUTE + 1),
    event("CREATED", "before", 61 * MINUTE + 1, { notBefore: NOW - 5 }),
  ];
  const cancelled = [
    event("CANCELED", "one", 3 * MINUTE),
    event("CANCELED", "two", 3 * MINUTE + 1),
    event("CREATED", "two", 9 * MINUTE),
    event("CREATED", "one", 8 * MINUTE),
  ];

  test("count what happened where it happened", () => {
    const { series, bucketMs, from } = counted({ events });
    assert.equal(series.length, 60);
    assert.equal(bucketMs, MINUTE);
    assert.ok(series.every(({ at }, index) => at === from + index * MINUTE && at % MINUTE === 0));
    const { accepted, delivered, errors, failed, latency } = totalOf(series);
    assert.deepEqual({ accepted, delivered, errors, failed }, { accepted: 3, delivered: 1, errors: 2, failed: 1 });
    const bucket = series.find(({ delivered }) => delivered === 1);
    assert.ok(bucket.at <= NOW - 30 * MINUTE && NOW - 30 * MINUTE < bucket.at + MINUTE);
    // 120 ms and 20 ms; the attempt that began before the log does has no duration.
    const at = (milliseconds) => LATENCY_BOUNDS.findIndex((bound) => milliseconds <= bound);
    assert.equal(latency[at(120)], 1);
    assert.equal(latency[at(20)], 1);
    assert.equal(
      latency.reduce((sum, count) => sum + count),
      2,
    );
  });

  test("tell what has not ended, and what is overdue", () => {
    const { backlog, health } = counted({ events });
    assert.deepEqual(backlog, {
      waiting: 3,
      due: 2,
      held: 0,
      active: 1,
      oldestDueAt: NOW - 90_000,
      oldestAt: NOW - 61 * MINUTE - 1,
    });
    assert.equal(health.status, "degraded");
    assert.deepEqual(
      health.reasons.map(({ code, count, since }) => [code, count, since]),
      [["overdue", 1, NOW - 90_000]],
    );
    assert.deepEqual(counted({}).health, { status: "ok", reasons: [] });
  });

  test("tell of what was canceled, and since when it had waited", () => {
    const { series } = counted({ events: cancelled });
    assert.deepEqual(
      series.filter(({ canceled }) => canceled > 0).map(({ canceled, oldestEndedAt }) => [canceled, oldestEndedAt]),
      [[2, NOW - 9 * MINUTE]],
    );
    assert.ok(!isEmpty(counted({ events: cancelled.slice(0, 1) })));
    const levels = levelsOf(counted({ events: cancelled }));
    assert.deepEqual(
      levels.slice(-11).map(({ backlog }) => backlog),
      [0, 1, 2, 2, 2, 2, 2, 0, 0, 0, 0],
    );
  });

  test("count runs by their ends", () => {
    const runs = [
      run("RUN_STARTED", 1000),
      run("RUN_STARTED", 9000),
      run("RUN_SUCCESS", 2 * MINUTE, MINUTE),
      run("RUN_FAILED", 120 * MINUTE, 3000),
      run("RUN_CANCELED", 5000, 1),
    ];
    // One of those that go on began before what was read.
    const activeRuns = [run("RUN_STARTED", 1000), run("RUN_STARTED", 9000), run("RUN_STARTED", 90 * MINUTE)];
    const metrics = counted({ runs, activeRuns, deadLetters: 2 });
    const { runsStarted, runsSucceeded, runsFailed, runsCanceled } = totalOf(metrics.series);
    assert.deepEqual([runsStarted, runsSucceeded, runsFailed, runsCanceled], [4, 1, 1, 1]);
    assert.deepEqual(metrics.runs, { active: 3, oldestActiveAt: NOW - 90 * MINUTE });
    assert.equal(metrics.deadLetters, 2);
  });

  test("count from where the entries begin, if not all were read", () => {
    const few = events.slice(0, 5);
    assert.equal(counted({ events: few, isComplete: false }).countedFrom, NOW - 21_000);
    const whole = counted({ events: few });
    assert.equal(whole.countedFrom, whole.from);
    // One attempt in 21 seconds.
    assert.equal(
      rateOf(counted({ events: few, isComplete: false }), ({ errors }) => errors).toFixed(2),
      (60 / 21).toFixed(2),
    );
  });

  test("of nothing are empty", () => {
    assert.ok(isEmpty(counted({})));
    assert.ok(!isEmpty(counted({ deadLetters: 1 })));
    assert.ok(!isEmpty(counted({ events })));
  });
});

describe("the course of the backlog", () => {
  const bucket = (index, more) => ({
    at: index * MINUTE,
    accepted: 0,
    delivered: 0,
    errors: 0,
    failed: 0,
    canceled: 0,
    ...more,
  });
  const metrics = (series, backlog, more) => ({
    bucketMs: MINUTE,
    from: 0,
    countedFrom: 0,
    to: series.length * MINUTE - 15_000,
    backlog: { waiting: 0, active: 0, ...backlog },
    series: series.map((each, index) => bucket(index, each)),
    ...more,
  });
  const both = (of) => levelsOf(of).map(({ backlog, oldestMs }) => [backlog, oldestMs]);

  test("keeps what was canceled where it was", () => {
    const course = both(
      metrics([{}, { accepted: 50 }, {}, { canceled: 50, oldestEndedAt: 70_000 }, {}], { waiting: 0 }),
    );
    assert.deepEqual(course, [
      [0, null],
      [50, 50_000],
      [50, 110_000],
      [0, null],
      [0, null],
    ]);
  });

  test("ends with what is there now, at the time of the answer", () => {
    const series = [{ accepted: 1 }, { accepted: 2, errors: 1 }, { delivered: 1, failed: 1, oldestEndedAt: 2_000 }];
    assert.deepEqual(both(metrics(series, { waiting: 0, active: 1, oldestAt: 90_000 })), [
      [1, 58_000],
      [3, 118_000],
      [1, 75_000],
    ]);
  });

  test("tells of no time that the log has forgotten", () => {
    const series = [{}, {}, { delivered: 1, oldestEndedAt: 30_000 }, {}];
    const course = both(metrics(series, { waiting: 1, oldestAt: 10_000 }, { countedFrom: 61_000 }));
    assert.deepEqual(course, [
      [null, null],
      [2, 110_000],
      [1, 170_000],
      [1, 215_000],
    ]);
  });
});

describe("an axis of time", () => {
  test("a bucket goes on until the next one begins", () => {
    const at = [0, 100, 200];
    const nearest = (moment) => Math.round(moment / 100);
    for (const [moment, index] of [
      [0, 0],
      [49, 0],
      [60, 0],
      [99, 0],
      [100, 1],
      [199, 1],
      [200, 2],
    ])
      assert.equal(bucketOf(at, nearest(moment), moment), index, `${moment}`);
    assert.equal(bucketOf(at, 2, 299), 2);
  });

  test("no two marks have the same name", () => {
    const midnight = new Date(2026, 2, 4).getTime();
    const HOUR = 60 * MINUTE;
    for (const step of [10_000, MINUTE, HOUR, 3 * HOUR, 12 * HOUR, 24 * HOUR]) {
      const marks = Array.from({ length: 6 }, (_, index) => midnight + (index - 2) * step);
      const labels = timeLabels(marks, step);
      const named = labels.filter(Boolean);
      assert.equal(new Set(named).size, named.length, `${step}: ${labels}`);
      assert.ok(named.length >= 3, `${step}: ${labels}`);
      assert.match(labels[2], /4/);
      assert.doesNotMatch(labels[2], /:/);
      if (step < 12 * HOUR) assert.match(labels[3], step < MINUTE ? /^\d\d:\d\d:\d\d$/ : /^\d\d:\d\d$/);
    }
  });
});

test("durations are rounded before their unit is chosen", () => {
  for (const [milliseconds, text] of [
    [0, "0 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [1_000, "1.0 s"],
    [9_999, "9.9 s"],
    [61_000, "1 min 1 s"],
  ])
    assert.equal(duration(milliseconds), text);
  assert.deepEqual([0, 30_000, 90_000, 5_400_000, 108_000_000].map(span), ["0", "30 s", "1.5 min", "1.5 h", "1.25 d"]);
});

test("the share of failed attempts", () => {
  assert.equal(errorShareOf({ delivered: 3, errors: 1 }), 0.25);
  assert.equal(errorShareOf({ delivered: 0, errors: 0 }), undefined);
});

test("the last bucket counts as long as it has lasted", () => {
  const metrics = { to: NOW, bucketMs: MINUTE };
  assert.equal(minutesOf(metrics, { at: NOW - 5 * MINUTE }), 1);
  assert.equal(minutesOf(metrics, { at: NOW - 30_000 }), 0.5);
});

test("endpoints that fail, the worst first", () => {
  const failure = (url, ago, more = {}) => ({ state: "ERROR", messageId: "m", time: NOW - ago, url, ...more });
  const log = [
    failure("https://a.test/", 1, { responseStatus: 503 }),
    failure("https://b.test/", 2, { error: "refused" }),
    { ...failure("https://b.test/", 3), state: "FAILED" },
    failure("https://b.test/", 4),
    { ...failure("https://c.test/", 5), state: "DELIVERED" },
  ];
  assert.deepEqual(failingEndpoints(log, 5), [
    { url: "https://b.test/", errors: 2, lastAt: NOW - 2, lastError: "refused" },
    { url: "https://a.test/", errors: 1, lastAt: NOW - 1, lastStatus: 503 },
  ]);
  assert.equal(failingEndpoints(log, 1).length, 1);
});
