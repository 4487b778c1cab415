/** The Redis actions on a real Redis: every command does and gives what that of the official client does. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { redisAction, redisCommands } from "@repo/orchestration/actions";
import { Redis } from "@upstash/redis";

import { startRedis } from "./redis.mjs";
import { startRest } from "./redis-rest.mjs";

let redis;
let front;
before(async () => {
  redis = await startRedis();
  front = await startRest(redis);
});
after(async () => {
  await front?.stop();
  await redis?.stop();
});

const OBJECT = { name: "Ann", tags: ["x", 1, null], deep: { a: 1.5 } };

/** A command, its fields, and how the official client is asked for the same. */
const CALLS = [
  ["get", { key: "none" }, (r, k) => r.get(k("none"))],
  ["set", { key: "o", value: OBJECT }, (r, k) => r.set(k("o"), OBJECT)],
  ["get", { key: "o" }, (r, k) => r.get(k("o"))],
  ["set", { key: "t", value: "text" }, (r, k) => r.set(k("t"), "text")],
  ["set", { key: "t", value: 1, nx: true }, (r, k) => r.set(k("t"), 1, { nx: true })],
  [
    "set",
    { key: "t", value: "12345678901234567890", xx: true, ex: 60 },
    (r, k) => r.set(k("t"), "12345678901234567890", { xx: true, ex: 60 }),
  ],
  ["ttl", { key: "t" }, (r, k) => r.ttl(k("t"))],
  ["get", { key: "t" }, (r, k) => r.get(k("t"))],
  ["set", { key: "p", value: true, px: 60_000 }, (r, k) => r.set(k("p"), true, { px: 60_000 })],
  ["mget", { keys: ["o", "t", "none", "p"] }, (r, k) => r.mget(k("o"), k("t"), k("none"), k("p"))],
  ["expire", { key: "o", seconds: 100 }, (r, k) => r.expire(k("o"), 100)],
  ["exists", { keys: ["o", "none", "t"] }, (r, k) => r.exists(k("o"), k("none"), k("t"))],
  ["getdel", { key: "p" }, (r, k) => r.getdel(k("p"))],
  ["incr", { key: "n" }, (r, k) => r.incr(k("n"))],
  ["incrby", { key: "n", increment: 41 }, (r, k) => r.incrby(k("n"), 41)],
  ["decr", { key: "n" }, (r, k) => r.decr(k("n"))],
  ["decrby", { key: "n", decrement: 11 }, (r, k) => r.decrby(k("n"), 11)],
  [
    "hset",
    { key: "h", fields: { a: 1, b: OBJECT, c: "text" } },
    (r, k) => r.hset(k("h"), { a: 1, b: OBJECT, c: "text" }),
  ],
  ["hget", { key: "h", field: "b" }, (r, k) => r.hget(k("h"), "b")],
  ["hget", { key: "h", field: "none" }, (r, k) => r.hget(k("h"), "none")],
  ["hgetall", { key: "h" }, (r, k) => r.hgetall(k("h"))],
  ["hgetall", { key: "none" }, (r, k) => r.hgetall(k("none"))],
  ["hdel", { key: "h", fields: ["a", "c", "none"] }, (r, k) => r.hdel(k("h"), "a", "c", "none")],
  ["rpush", { key: "l", elements: ["a", 2, OBJECT] }, (r, k) => r.rpush(k("l"), "a", 2, OBJECT)],
  ["lpush", { key: "l", elements: ["first"] }, (r, k) => r.lpush(k("l"), "first")],
  ["lrange", { key: "l", start: 0, stop: -1 }, (r, k) => r.lrange(k("l"), 0, -1)],
  ["lpop", { key: "l" }, (r, k) => r.lpop(k("l"))],
  ["rpop", { key: "l" }, (r, k) => r.rpop(k("l"))],
  ["lpop", { key: "none" }, (r, k) => r.lpop(k("none"))],
  ["sadd", { key: "s", members: ["a", "a", "b"] }, (r, k) => r.sadd(k("s"), "a", "a", "b")],
  ["srem", { key: "s", members: ["b", "none"] }, (r, k) => r.srem(k("s"), "b", "none")],
  ["smembers", { key: "s" }, (r, k) => r.smembers(k("s"))],
  ["zadd", { key: "z", score: 2.5, member: "b" }, (r, k) => r.zadd(k("z"), { score: 2.5, member: "b" })],
  ["zadd", { key: "z", score: 1, member: { a: 1 } }, (r, k) => r.zadd(k("z"), { score: 1, member: { a: 1 } })],
  ["zrange", { key: "z", start: 0, stop: -1 }, (r, k) => r.zrange(k("z"), 0, -1)],
  ["del", { keys: ["o", "t", "none"] }, (r, k) => r.del(k("o"), k("t"), k("none"))],
];

test("each command gives the same", async () => {
  const { url, token } = front;
  const official = new Redis({ url, token, enableTelemetry: false, retry: false });
  const commands = redisCommands({ url, token });
  const unused = new Set(Object.keys(commands));
  for (const [command, { key, keys, ...fields }, ask] of CALLS) {
    unused.delete(command);
    const names = key === undefined ? { keys: keys.map((name) => `ours:${name}`) } : { key: `ours:${key}` };
    const ours = await commands[command]("step", { ...names, ...fields }).execute();
    const theirs = await ask(official, (name) => `theirs:${name}`);
    assert.deepEqual(ours, theirs, `${command} ${JSON.stringify({ key, keys, ...fields })}`);
  }
  assert.deepEqual([...unused], []);
  const dumps = async (prefix) =>
    Promise.all(["n", "h", "l", "s", "z"].map((name) => redis.command("DUMP", `${prefix}:${name}`).then(String)));
  assert.deepEqual(await dumps("ours"), await dumps("theirs"));
});

test("any other command does what it says, and a refused one tells why without its arguments", async () => {
  const env = { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token };
  const run = (command) => redisAction("step", { command }).execute(undefined, { env });
  assert.equal(await run(["SETEX", "other", 60, "sentinel"]), "OK");
  assert.equal(await run(["STRLEN", "other"]), 8);
  await assert.rejects(run(["LPUSH", "other", "sentinel"]), (error) => {
    assert.deepEqual([error.code, error.kind], ["Storage", "WRONGTYPE"]);
    assert.doesNotMatch(error.message + error.stack, /sentinel/);
    return true;
  });
  await assert.rejects(
    redisAction("step", { command: ["PING"], ...front, token: "another-token" }).execute(),
    (error) => {
      assert.equal(error.code, "InvalidConfiguration");
      assert.doesNotMatch(error.message + error.stack, /another-token/);
      return true;
    },
  );
});
