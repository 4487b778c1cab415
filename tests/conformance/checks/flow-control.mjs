// `/v2/flowControl`: limits that messages share by a key.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** An endpoint that takes its time and knows how many requests it had at once. */
async function busy(on, milliseconds = 60) {
  const state = { active: 0, most: 0 };
  const endpoint = await on.endpoint(async () => {
    state.active += 1;
    state.most = Math.max(state.most, state.active);
    await pause(milliseconds);
    state.active -= 1;
  });
  return Object.assign(state, endpoint);
}

const messages = (count, message) => Array.from({ length: count }, (_, n) => ({ ...message, body: `${n}` }));

export default {
  async "parallelism: never more open at once, over URLs, publish and batch"(on) {
    const key = on.name("parallel");
    const endpoint = await busy(on);
    const flowControl = { key, parallelism: 2 };
    await on.qstash.batch(messages(6, { url: `${endpoint.url}/a`, flowControl }));
    await on.qstash.publish({ url: `${endpoint.url}/b`, flowControl });
    await on.qstash.publish({ url: `${endpoint.url}/c`, flowControl });
    await on.until(() => endpoint.requests.length === 8 && endpoint.active === 0);
    assert.equal(endpoint.most, 2);
  },

  async "rate: so many starts in a period"(on) {
    const key = on.name("rate");
    const endpoint = await on.endpoint();
    const flowControl = { key, rate: 2, period: "1s" };
    await on.qstash.batch(messages(6, { url: endpoint.url, flowControl }));
    await on.until(() => endpoint.requests.length === 6);
    const at = endpoint.requests.map((request) => request.at);
    const most = Math.max(...at.map((start) => at.filter((other) => other >= start && other < start + 900).length));
    assert.ok(at[5] - at[0] >= 1200, `6 messages in ${at[5] - at[0]} ms`);
    // Seen from here, behind connections that take their time; and a window may end just after one pair and the next
    // begin with another.
    assert.ok(most <= 4, `${most} starts within 900 ms`);
  },

  async "the official forms of the value are read"(on) {
    for (const value of ["parallelism=1", "parallelism=5, rate=10, period=1m", "rate=10,period=1m,parallelism=5"]) {
      const key = on.name("form");
      const headers = { "upstash-flow-control-key": key, "upstash-flow-control-value": value, "upstash-delay": "1d" };
      await on.json(200, "POST", "/v2/publish/https://app.test/x", { headers });
      const info = await on.qstash.flowControl.get(key);
      assert.equal(info.parallelismMax, value === "parallelism=1" ? 1 : 5);
      if (value !== "parallelism=1") assert.deepEqual([info.rateMax, info.ratePeriod], [10, 60]);
    }
  },

  async "a key is shown: limits, what is open and what waits"(on) {
    const key = on.name("shown");
    const gates = [];
    const endpoint = await on.endpoint(() => new Promise((resolve) => gates.push(resolve)));
    const flowControl = { key, parallelism: 1, rate: 100, period: 60 };
    await on.qstash.batch(messages(3, { url: endpoint.url, flowControl }));
    await on.until(() => gates.length === 1);
    const info = await on.until(async () => {
      const found = await on.qstash.flowControl.get(key);
      return found.waitListSize === 2 && found;
    });
    const { ratePeriodStart, ...rest } = info;
    assert.ok(Number.isInteger(ratePeriodStart) && ratePeriodStart > 0);
    for (const [name, value] of Object.entries({
      flowControlKey: key,
      waitListSize: 2,
      waitlistSize: 2,
      parallelismMax: 1,
      parallelismCount: 1,
      rateMax: 100,
      rateCount: 1,
      ratePeriod: 60,
      isPaused: false,
      isPinnedParallelism: false,
      isPinnedRate: false,
    })) {
      assert.deepEqual(rest[name], value, name);
    }
    const listed = await on.json(200, "GET", "/v2/flowControl");
    assert.ok(listed.some((entry) => entry.flowControlKey === key));
    const found = await on.json(200, "GET", `/v2/flowControl?search=${key}`);
    assert.deepEqual(
      found.map((entry) => entry.flowControlKey),
      [key],
    );
    for (const count of [2, 3, 4]) {
      gates.shift()({});
      if (count < 4) await on.until(() => endpoint.requests.length === count && gates.length === 1);
    }
    await on.refused(404, "GET", "/v2/flowControl/unknown-key");
  },

  async "pause holds everything back, resume lets it go"(on) {
    const key = on.name("paused");
    const endpoint = await on.endpoint();
    const flowControl = { key, parallelism: 10 };
    await on.qstash.flowControl.pause(key);
    assert.equal((await on.qstash.flowControl.get(key)).isPaused, true);
    await on.qstash.batch(messages(3, { url: endpoint.url, flowControl }));
    await pause(300);
    assert.equal(endpoint.requests.length, 0);
    assert.equal((await on.qstash.flowControl.get(key)).waitListSize, 3);
    await on.qstash.flowControl.resume(key);
    await on.until(() => endpoint.requests.length === 3);
    assert.equal((await on.qstash.flowControl.get(key)).isPaused, false);
  },

  async "the last message's limits count, unless they are pinned"(on) {
    const key = on.name("pinned");
    const limits = async () => {
      const { parallelismMax, rateMax, ratePeriod, isPinnedParallelism, isPinnedRate } =
        await on.qstash.flowControl.get(key);
      return { parallelismMax, rateMax, ratePeriod, isPinnedParallelism, isPinnedRate };
    };
    const publish = (flowControl) =>
      on.qstash.publish({ url: "https://app.test/x", delay: "1d", flowControl: { key, ...flowControl } });
    await publish({ parallelism: 1, rate: 1, period: 1 });
    await publish({ parallelism: 2, rate: 3, period: 4 });
    const own = { parallelismMax: 2, rateMax: 3, ratePeriod: 4, isPinnedParallelism: false, isPinnedRate: false };
    assert.deepEqual(await limits(), own);
    await on.qstash.flowControl.pin(key, { parallelism: 7, rate: 8, period: 9 });
    const pinned = { parallelismMax: 7, rateMax: 8, ratePeriod: 9, isPinnedParallelism: true, isPinnedRate: true };
    assert.deepEqual(await limits(), pinned);
    await publish({ parallelism: 2, rate: 3, period: 4 });
    assert.deepEqual(await limits(), pinned);
    await on.qstash.flowControl.unpin(key, { parallelism: true });
    await publish({ parallelism: 5, rate: 3, period: 4 });
    assert.deepEqual(await limits(), { ...pinned, parallelismMax: 5, isPinnedParallelism: false });
    await on.qstash.flowControl.unpin(key, { rate: true });
    await publish({ parallelism: 2, rate: 3, period: 4 });
    assert.deepEqual(await limits(), own);
  },

  async "a pinned limit is what counts at the endpoint"(on) {
    const key = on.name("pinned");
    const endpoint = await busy(on);
    await on.qstash.flowControl.pin(key, { parallelism: 1 });
    await on.qstash.batch(messages(4, { url: endpoint.url, flowControl: { key, parallelism: 10 } }));
    await on.until(() => endpoint.requests.length === 4 && endpoint.active === 0);
    assert.equal(endpoint.most, 1);
  },

  async "the count of a period can be reset, by either name"(on) {
    for (const reset of [
      (key) => on.qstash.flowControl.resetRate(key),
      (key) => on.done("POST", `/v2/flowControl/${key}/reset`),
    ]) {
      const key = on.name("reset");
      const endpoint = await on.endpoint();
      await on.qstash.batch(messages(2, { url: endpoint.url, flowControl: { key, rate: 1, period: "1h" } }));
      await on.until(() => endpoint.requests.length === 1);
      assert.equal((await on.qstash.flowControl.get(key)).rateCount, 1);
      await reset(key);
      await on.until(() => endpoint.requests.length === 2);
    }
  },

  async "steps of workflows share the limits of their trigger"(on) {
    const key = on.name("steps");
    const state = { active: 0, most: 0, done: 0 };
    const step = async () => {
      state.active += 1;
      state.most = Math.max(state.most, state.active);
      await pause(60);
      state.active -= 1;
      state.done += 1;
    };
    const endpoint = await on.serve((context) => Promise.all(["a", "b", "c"].map((name) => context.run(name, step))));
    const trigger = () => on.workflow.trigger({ url: endpoint.url, flowControl: { key, parallelism: 1 } });
    const runs = await Promise.all([trigger(), trigger()]);
    for (const { workflowRunId } of runs) await on.result(workflowRunId);
    assert.equal(state.most, 1);
    assert.equal(state.done, 6);
  },

  async "a message of a key says so, in messages, logs and dead letters"(on) {
    const key = on.name("named");
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    const flowControl = { key, parallelism: 3, rate: 4, period: "1m" };
    const waiting = await on.qstash.publish({ url: endpoint.url, delay: "1d", flowControl });
    const shown = await on.qstash.messages.get(waiting.messageId);
    assert.deepEqual([shown.flowControlKey, shown.parallelism, shown.rate, shown.period], [key, 3, 4, 60]);
    await on.qstash.messages.cancel(waiting.messageId);
    const { messageId } = await on.qstash.publish({ url: endpoint.url, retries: 0, flowControl });
    assert.equal((await on.letter(messageId)).flowControlKey, key);
    const { logs } = await on.qstash.logs({ filter: { flowControlKey: key, messageId } });
    assert.ok(logs.length >= 4 && logs.every((log) => log.flowControlKey === key));
    assert.equal((await on.qstash.dlq.delete({ filter: { flowControlKey: key } })).deleted, 1);
  },

  async "bad keys and limits are refused"(on) {
    const refused = (key, value) =>
      on.refused(400, "POST", "/v2/publish/https://app.test/x", {
        headers: { "upstash-flow-control-key": key, "upstash-flow-control-value": value },
      });
    await refused("k", "parallelism=none");
    await refused("k", "speed=1");
    await refused("k", "rate=1, period=2mo");
    await refused("k", "parallelism=0");
    await on.refused(400, "POST", "/v2/flowControl/k/pin");
    await on.refused(400, "POST", "/v2/flowControl/k/pin?parallelism=x");
  },

  async "the global parallelism"(on) {
    const info = await on.qstash.flowControl.getGlobalParallelism();
    assert.ok(Number.isInteger(info.parallelismCount) && info.parallelismCount >= 0);
    assert.ok(Number.isInteger(info.parallelismMax) && info.parallelismMax >= 0);
    const raw = await on.json(200, "GET", "/v2/globalParallelism");
    assert.deepEqual(Object.keys(raw).sort(), ["parallelismCount", "parallelismMax"]);
  },
};
