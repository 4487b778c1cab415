/** The replay guard's stores: memory, Redis over REST, and a Durable Object in workerd. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, describe, mock, test } from "node:test";

import { memoryReplayStore, Receiver, redisReplayStore, verifySignatureRequest } from "@repo/orchestration/client";
import { ReplayGuard } from "@repo/orchestration/client/cloudflare";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

import { CURRENT_KEY, signed } from "../differential/delivery.mjs";
import { ROOT } from "./consumer.mjs";

const URL_OF_APP = "https://app.test/hook";
const delivery = (jti, claims = {}) =>
  signed({ url: URL_OF_APP, method: "POST", headers: {}, body: "{}" }, { claims: { jti, ...claims } });
const question = ({ headers, body }) => ({ signature: headers["upstash-signature"], body });
const receiverWith = (replayStore) => new Receiver({ currentSigningKey: CURRENT_KEY, replayStore });

/** `ok`, or the error's code. */
const verdict = (receiver, given) =>
  receiver.verify(question(given)).then(
    () => "ok",
    (error) => error.code,
  );

describe("memory", () => {
  test("a signature is good once; the next try of its message has another", async () => {
    const receiver = receiverWith(memoryReplayStore());
    const verdicts = [];
    for (const jti of ["jwt_1", "jwt_1", "jwt_2"]) verdicts.push(await verdict(receiver, delivery(jti)));
    assert.deepEqual(verdicts, ["ok", "SignatureReplayed", "ok"]);
  });

  test("of many at once, one", async () => {
    const receiver = receiverWith(memoryReplayStore());
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdict(receiver, delivery("jwt_1"))));
    assert.equal(verdicts.filter((each) => each === "ok").length, 1);
  });

  test("what is refused for another reason is not remembered", async () => {
    const receiver = receiverWith(memoryReplayStore());
    assert.equal(await verdict(receiver, { ...delivery("jwt_1"), body: "tampered" }), "SignatureBody");
    assert.equal(await verdict(receiver, delivery("jwt_1")), "ok");
  });

  test("a signature without id can't be guarded", async () => {
    assert.equal(await verdict(receiverWith(memoryReplayStore()), delivery(undefined)), "SignatureClaim");
  });

  test("in a wrapper, two routes may share a store", async () => {
    const replayStore = memoryReplayStore();
    const wrap = () =>
      verifySignatureRequest(() => new Response("ok"), { currentSigningKey: CURRENT_KEY, replayStore });
    const { url, ...init } = delivery("jwt_1");
    assert.equal((await wrap()(new Request(url, init))).status, 200);
    const second = await wrap()(new Request(url, init));
    assert.deepEqual([second.status, (await second.text()).includes("accepted before")], [403, true]);
  });
});

describe("Redis over REST", () => {
  const keys = new Map();
  const commands = [];
  let answer;
  let server;
  let url;

  before(async () => {
    server = createServer(async (incoming, response) => {
      const chunks = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const command = JSON.parse(Buffer.concat(chunks));
      commands.push({ command, authorization: incoming.headers.authorization });
      const [, key, value] = command;
      const { status, body } = answer ?? { status: 200, body: { result: keys.has(key) ? null : "OK" } };
      if (!answer) keys.set(key, value);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());

  test("sets each id once, until its signature is refused anyway", async () => {
    const now = 1_700_000_100_000;
    mock.timers.enable({ apis: ["Date"], now });
    try {
      const receiver = receiverWith(redisReplayStore({ url, token: "t0k" }));
      const given = delivery("jwt_1", { exp: now / 1000 + 300 });
      assert.deepEqual([await verdict(receiver, given), await verdict(receiver, given)], ["ok", "SignatureReplayed"]);
    } finally {
      mock.timers.reset();
    }
    assert.deepEqual(commands, [
      { command: ["SET", "qstash:jti:jwt_1", "1", "NX", "PX", 305_000], authorization: "Bearer t0k" },
      { command: ["SET", "qstash:jti:jwt_1", "1", "NX", "PX", 305_000], authorization: "Bearer t0k" },
    ]);
  });

  test("a store that fails refuses, and says that it was the store", async () => {
    const receiver = receiverWith(redisReplayStore({ url, token: "t0k" }));
    for (const failure of [
      { status: 401, body: { error: "WRONGPASS" } },
      { status: 500, body: {} },
      { status: 200, body: { error: "ERR" } },
    ]) {
      answer = failure;
      await assert.rejects(receiver.verify(question(delivery("jwt_9"))), { code: "Storage", retryable: true });
    }
  });
});

describe("a Durable Object", () => {
  let miniflare;

  before(async () => {
    const { resolve } = createRequire(import.meta.url);
    const wasm = await readFile(resolve("@repo/orchestration/core.wasm"));
    const { outputFiles } = await build({
      stdin: { contents: WORKER, resolveDir: `${ROOT}/tests` },
      bundle: true,
      write: false,
      format: "esm",
      conditions: ["workerd", "worker", "browser"],
      plugins: [externalWasm],
    });
    const options = convertV4MiniflareOptions({
      modules: [
        { type: "ESModule", path: "worker.mjs", contents: outputFiles[0].text },
        { type: "CompiledWasm", path: "core.wasm", contents: wasm },
      ],
      modulesRoot: "/",
      compatibilityDate: "2025-06-01",
      bindings: { QSTASH_CURRENT_SIGNING_KEY: CURRENT_KEY },
      durableObjects: { REPLAY: { className: "ReplayGuard", useSQLite: true } },
    });
    miniflare = new Miniflare(options);
    await miniflare.ready;
  });
  after(() => miniflare?.dispose());

  test("in workerd: of twenty at once one is served, and a retry", async () => {
    const statusOf = async (given) => {
      const { url, ...init } = given;
      const response = await miniflare.dispatchFetch(url, init);
      await response.text();
      return response.status;
    };
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(delivery("jwt_1"))));
    assert.deepEqual(statuses.sort(), [200, ...Array(19).fill(403)]);
    assert.equal(await statusOf(delivery("jwt_2")), 200);
  });

  test("forgets what has expired, and wakes up for the rest", async () => {
    const entries = new Map();
    let alarm = null;
    const storage = {
      get: async (key) => entries.get(key),
      put: async (key, value) => void entries.set(key, value),
      list: async () => new Map(entries),
      delete: async (keys) => {
        for (const key of keys) entries.delete(key);
      },
      getAlarm: async () => alarm,
      setAlarm: async (time) => {
        alarm = time;
      },
    };
    const guard = new ReplayGuard({ storage });
    const add = async (...entry) => {
      const init = { method: "POST", body: JSON.stringify(entry) };
      return (await guard.fetch(new Request("https://replay.guard/", init))).json();
    };
    mock.timers.enable({ apis: ["Date"], now: 1000 });
    try {
      for (let n = 0; n < 300; n += 1) assert.deepEqual(await add(`early ${n}`, 2000), { added: true });
      assert.deepEqual(await add("late", 9000), { added: true });
      assert.deepEqual(await add("late", 9000), { added: false });
      assert.equal(alarm, 2000);
      mock.timers.setTime(2000);
      alarm = null;
      await guard.alarm();
      assert.deepEqual([...entries.keys()], ["late"]);
      assert.ok(alarm >= 9000);
      mock.timers.setTime(alarm);
      alarm = null;
      await guard.alarm();
      assert.deepEqual([entries.size, alarm], [0, null]);
    } finally {
      mock.timers.reset();
    }
  });
});

const WORKER = `
import { durableObjectReplayStore, ReplayGuard, verifySignatureCloudflare } from "@repo/orchestration/client/cloudflare";
export { ReplayGuard };
let handler;
export default {
  fetch(request, env, context) {
    handler ??= verifySignatureCloudflare(() => new Response("ok"), { replayStore: durableObjectReplayStore(env.REPLAY) });
    return handler(request, env, context);
  },
};
`;

const externalWasm = {
  name: "external-wasm",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm\?module$/ }, () => ({ path: "./core.wasm", external: true }));
  },
};
