// `/v2/schedules`: messages by cron.

import assert from "node:assert/strict";

/** Cron for a moment that does not come while the checks run. */
const NEVER = "0 0 29 2 *";

export default {
  async "create, get, list, delete"(on) {
    const { schedules } = on.qstash;
    const before = Date.now();
    const { scheduleId } = await schedules.create({
      destination: "https://app.test/cron",
      cron: NEVER,
      body: "héllo",
      method: "PUT",
      headers: { "x-own": "1", "content-type": "text/plain" },
      retries: 5,
      retryDelay: "1000",
      delay: 60,
      timeout: 30,
      callback: "https://app.test/callback",
      failureCallback: "https://app.test/failure",
      label: "nightly",
      flowControl: { key: "cron", parallelism: 2, rate: 3, period: "1m" },
    });
    assert.match(scheduleId, /^scd_|^[A-Za-z0-9_.-]+$/);
    const schedule = await schedules.get(scheduleId);
    for (const [name, value] of Object.entries({
      scheduleId,
      cron: NEVER,
      destination: "https://app.test/cron",
      method: "PUT",
      body: "héllo",
      retries: 5,
      retryDelayExpression: "1000",
      delay: 60,
      callback: "https://app.test/callback",
      failureCallback: "https://app.test/failure",
      isPaused: false,
      label: "nightly",
      labels: ["nightly"],
      flowControlKey: "cron",
      parallelism: 2,
      rate: 3,
      period: 60,
    })) {
      assert.deepEqual(schedule[name], value, name);
    }
    assert.deepEqual(schedule.header["X-Own"], ["1"]);
    assert.ok(Math.abs(schedule.createdAt - before) < 10_000);
    const next = new Date(schedule.nextScheduleTime);
    assert.deepEqual([next.getUTCMonth(), next.getUTCDate(), next.getUTCHours()], [1, 29, 0]);
    const listed = (await schedules.list()).find((entry) => entry.scheduleId === scheduleId);
    assert.equal(listed.cron, NEVER);
    await schedules.delete(scheduleId);
    await assert.rejects(schedules.get(scheduleId), { status: 404 });
  },

  async "an id of one's own; creating it again overwrites it"(on) {
    const { schedules } = on.qstash;
    const scheduleId = on.name("nightly.A_1");
    const create = (cron) => schedules.create({ destination: "https://app.test/cron", cron, scheduleId });
    assert.deepEqual(await create(NEVER), { scheduleId });
    assert.deepEqual(await create("0 4 29 2 *"), { scheduleId });
    assert.equal((await schedules.get(scheduleId)).cron, "0 4 29 2 *");
    assert.equal((await schedules.list()).filter((entry) => entry.scheduleId === scheduleId).length, 1);
    await schedules.delete(scheduleId);
  },

  async "pause and resume, by PATCH and by POST"(on) {
    const { schedules } = on.qstash;
    const { scheduleId } = await schedules.create({ destination: "https://app.test/cron", cron: NEVER });
    const isPaused = async () => (await schedules.get(scheduleId)).isPaused;
    await schedules.pause({ schedule: scheduleId });
    assert.equal(await isPaused(), true);
    await schedules.resume({ schedule: scheduleId });
    assert.equal(await isPaused(), false);
    await on.done("POST", `/v2/schedules/${scheduleId}/pause`);
    assert.equal(await isPaused(), true);
    await on.done("POST", `/v2/schedules/${scheduleId}/resume`);
    assert.equal(await isPaused(), false);
    await schedules.delete(scheduleId);
  },

  async "cron in a time zone"(on) {
    const { schedules } = on.qstash;
    const cron = "CRON_TZ=America/New_York 30 4 * * *";
    const { scheduleId } = await schedules.create({ destination: "https://app.test/cron", cron });
    const { nextScheduleTime } = await schedules.get(scheduleId);
    const shown = new Intl.DateTimeFormat("en-GB", {
      timeZone: "America/New_York",
      hour: "2-digit",
      minute: "2-digit",
    }).format(nextScheduleTime);
    assert.equal(shown, "04:30");
    await schedules.delete(scheduleId);
  },

  async "it fires, with everything that was asked for"(on) {
    const { schedules } = on.qstash;
    const endpoint = await on.endpoint();
    const queueName = on.name("cron");
    const urlGroup = on.name("cron");
    await on.qstash.urlGroups.addEndpoints({ name: urlGroup, endpoints: [{ url: `${endpoint.url}/group` }] });
    const cron = "* * * * *";
    const options = { cron, body: JSON.stringify({ n: 1 }), headers: { "x-own": "1" } };
    const plain = await schedules.create({ ...options, destination: `${endpoint.url}/plain`, method: "PUT" });
    const queued = await schedules.create({ ...options, destination: `${endpoint.url}/queue`, queueName });
    const group = await schedules.create({ ...options, destination: urlGroup });
    const paused = await schedules.create({ ...options, destination: `${endpoint.url}/paused` });
    await schedules.pause({ schedule: paused.scheduleId });
    await on.until(() => new Set(endpoint.requests.map(({ url }) => url)).size === 3, 75_000);
    const made = [plain, queued, group, paused];
    const shown = await schedules.get(plain.scheduleId);
    await Promise.all(made.map(({ scheduleId }) => schedules.delete(scheduleId)));
    const [fired] = endpoint.requests.filter(({ url }) => url === "/plain");
    assert.deepEqual([fired.method, fired.body.toString(), fired.headers["x-own"]], ["PUT", '{"n":1}', "1"]);
    assert.equal(fired.headers["upstash-schedule-id"], plain.scheduleId);
    const signature = fired.headers["upstash-signature"];
    assert.ok(await on.receiver.verify({ signature, body: fired.body.toString(), url: `${endpoint.url}/plain` }));
    const late = fired.at % 60_000;
    assert.ok(late < 5000, `${late} ms after the minute`);
    assert.ok(Math.abs(shown.lastScheduleTime - fired.at) < 10_000);
    assert.deepEqual(Object.keys(shown.lastScheduleStates), [fired.headers["upstash-message-id"]]);
    assert.equal((await on.qstash.queue({ queueName }).get()).name, queueName);
    const grouped = endpoint.requests.find(({ url }) => url === "/group");
    assert.equal(grouped.headers["upstash-topic-name"], urlGroup);
    const { logs } = await on.qstash.logs({ filter: { scheduleId: plain.scheduleId } });
    assert.ok(logs.length > 0 && logs.every((log) => log.scheduleId === plain.scheduleId));
  },

  async "bad ids, crons and destinations are refused; unknown ids are 404"(on) {
    const create = (headers, destination = "https://app.test/x") =>
      on.refused(400, "POST", `/v2/schedules/${destination}`, { headers });
    assert.match(await create({}), /Upstash-Cron/);
    await create({ "upstash-cron": "every minute" });
    await create({ "upstash-cron": "CRON_TZ=Mars/Base 0 0 * * *" });
    await create({ "upstash-cron": NEVER, "upstash-schedule-id": "a b" });
    await create({ "upstash-cron": NEVER }, "ftp://app.test");
    await on.refused(404, "GET", "/v2/schedules/unknown");
  },
};
