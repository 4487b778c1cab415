// What the browser foretells of a cron expression is what the broker does, also where clocks change.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startBroker } from "@repo/orchestration/server";
import { build } from "esbuild";

const TIMES = 3;

/** Expressions, and moments after which something happens to them. */
const CASES = [
  ["* * * * *", "2026-11-14T22:13:20Z"],
  ["*/15 * * * *", "2026-11-14T22:15:00Z"],
  ["3/20 * * * *", "2026-11-14T22:15:00Z"],
  ["10-20/5,50 7 * * *", "2026-11-14T07:16:00Z"],
  ["0 0 29 FEB *", "2097-03-01T00:00:00Z"],
  ["0 9 * jan,Mar-apr mon", "2026-11-14T00:00:00Z"],
  ["0 0 * * FRI-SUN", "2026-11-14T12:00:00Z"],
  ["0 0 * * 7", "2026-11-14T12:00:00Z"],
  ["0 0 * * 1/3", "2026-11-14T12:00:00Z"],
  // Either of the two days, unless one of them begins with a star.
  ["0 0 13 * 5", "2026-11-14T00:00:00Z"],
  ["0 0 */2 * 5", "2026-11-14T00:00:00Z"],
  ["0 0 13 * */5", "2026-11-14T00:00:00Z"],
  ["@weekly", "2026-11-14T22:13:20Z"],
  ["CRON_TZ=Asia/Kolkata @daily", "2026-11-14T22:13:20Z"],
  ["TZ=europe/berlin 0 4 * * *", "2026-11-14T00:00:00Z"],
  // Times that a change of clocks leaves out.
  ["CRON_TZ=America/New_York 30 2 * * *", "2027-03-13T00:00:00Z"],
  ["CRON_TZ=America/New_York 0,30 2,3 * * *", "2027-03-14T00:00:00Z"],
  ["CRON_TZ=America/New_York */30 2 * * *", "2027-03-14T00:00:00Z"],
  ["CRON_TZ=America/New_York 0 * * * *", "2027-03-14T06:00:00Z"],
  ["CRON_TZ=Europe/Berlin 15 2 * * *", "2027-03-27T12:00:00Z"],
  ["CRON_TZ=Australia/Lord_Howe 15 2 * * *", "2027-10-02T00:00:00Z"],
  ["CRON_TZ=America/Santiago 0 0 * * *", "2027-09-04T12:00:00Z"],
  // Times that a change of clocks repeats.
  ["CRON_TZ=America/New_York 30 1 * * *", "2027-11-07T00:00:00Z"],
  ["CRON_TZ=America/New_York 0 1,2 * * *", "2027-11-07T00:00:00Z"],
  ["CRON_TZ=America/New_York */30 1 * * *", "2027-11-07T00:00:00Z"],
  ["CRON_TZ=Europe/Berlin 0 * * * *", "2027-10-30T23:30:00Z"],
  ["CRON_TZ=Europe/Berlin 15 2 * * *", "2027-10-30T12:00:00Z"],
  ["CRON_TZ=Australia/Lord_Howe 15,45 1 * * *", "2027-04-03T12:00:00Z"],
];

/** What both refuse. */
const REFUSED = [
  "* * * *",
  "0 * * * * *",
  "CRON_TZ=Europe/Berlin",
  "CRON_TZ=Mars/Olympus * * * * *",
  "60 * * * *",
  "* * 0 * *",
  "MON * * * *",
  "* * * * MONDAY",
  "*/0 * * * *",
  "5-1 * * * *",
  "1,,2 * * * *",
  "* * L * *",
  "* * * * 5#2",
  "* * ? * *",
  "@every 1h",
  "0 0 30 2 *",
];

let parseCron;
let broker;
let now = Date.now();

before(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../../www/lib/cron.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  ({ parseCron } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
  ));
  broker = await startBroker({ port: 0, db: ":memory:", now: () => now });
});

after(() => broker?.stop(0));

const ask = (path, init = {}) =>
  fetch(broker.url + path, { ...init, headers: { authorization: `Bearer ${broker.token}`, ...init.headers } });

/** Makes a schedule at a moment, and tells its first time. */
async function foretold(cron, at, id) {
  now = at;
  const made = await ask("/v2/schedules/https://example.com/", {
    method: "POST",
    headers: { "upstash-cron": cron, "upstash-schedule-id": id },
  });
  assert.equal(made.status, 200, await made.text());
  const { nextScheduleTime } = await (await ask(`/v2/schedules/${id}`)).json();
  // What is due would be published.
  await ask(`/v2/schedules/${id}`, { method: "DELETE" });
  return nextScheduleTime;
}

test("comes when the broker says", async () => {
  const inOrder = CASES.map(([cron, from]) => [cron, Date.parse(from)]).sort(([, one], [, other]) => one - other);
  for (const [index, [cron, from]] of inOrder.entries()) {
    const expected = [];
    for (let time = from; expected.length < TIMES; ) {
      time = await foretold(cron, time, `case-${index}-${expected.length}`);
      expected.push(new Date(time).toISOString());
    }
    const shown = parseCron(cron)
      .next(from, TIMES)
      .map((time) => new Date(time).toISOString());
    assert.deepEqual(shown, expected, cron);
  }
});

test("is refused where the broker refuses it", async () => {
  for (const cron of REFUSED) {
    assert.throws(() => parseCron(cron), /^Error: Expected /, cron);
    const answer = await ask("/v2/schedules/https://example.com/", {
      method: "POST",
      headers: { "upstash-cron": cron },
    });
    assert.equal(answer.status, 400, cron);
  }
});

test("is told in words", () => {
  for (const [cron, sentence] of [
    ["*/15 * * * *", "Every 15 minutes"],
    ["CRON_TZ=Europe/Berlin 0 4 * * MON-FRI", "At 04:00, Monday through Friday"],
    ["@weekly", "At 00:00, only on Sunday"],
    ["0 18 28 * *", "At 18:00, on day 28 of the month"],
    ["0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"],
  ]) {
    assert.equal(parseCron(cron).sentence, sentence, cron);
  }
  assert.equal(parseCron("CRON_TZ=Europe/Berlin @daily").timeZone, "Europe/Berlin");
  assert.equal(parseCron("@daily", "Asia/Tokyo").timeZone, "Asia/Tokyo");
});
