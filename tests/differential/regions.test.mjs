/** Which broker a client talks to: the same settings on the official client and on ours lead to the same address and token. */
import assert from "node:assert/strict";
import { afterEach, describe, mock, test } from "node:test";
import { Client } from "@repo/orchestration/client";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";
import { Client as OfficialClient } from "@upstash/qstash";

const DEFAULT = { QSTASH_URL: "https://default.test", QSTASH_TOKEN: "default" };
const EU = { EU_CENTRAL_1_QSTASH_URL: "https://eu.test", EU_CENTRAL_1_QSTASH_TOKEN: "eu" };
const US = { US_EAST_1_QSTASH_URL: "https://us.test", US_EAST_1_QSTASH_TOKEN: "us" };
const OWN = { baseUrl: "https://own.test", token: "own" };

/** Environment, configuration, and whether a warning is due. */
const CASES = {
  "nothing but a token": [{ QSTASH_TOKEN: "t" }, {}],
  "address and token": [DEFAULT, {}],
  "a slash at the end": [{ ...DEFAULT, QSTASH_URL: "https://default.test/" }, {}],
  "the address of former versions": [{ QSTASH_TOKEN: "t", QSTASH_URL: "https://qstash.upstash.io/v2/publish" }, {}],
  "in code": [DEFAULT, OWN],
  "only the address in code": [DEFAULT, { baseUrl: "https://own.test" }],
  "only the token in code": [DEFAULT, { token: "own" }],
  region: [{ ...DEFAULT, ...EU, ...US, QSTASH_REGION: "US_EAST_1" }, {}],
  "region as a header writes it": [{ ...EU, ...US, QSTASH_REGION: "eu-central-1" }, {}],
  "region without settings of its own": [{ ...DEFAULT, ...EU, QSTASH_REGION: "US_EAST_1" }, {}, true],
  "region with half its settings": [
    { ...DEFAULT, US_EAST_1_QSTASH_URL: "https://us.test", QSTASH_REGION: "US_EAST_1" },
    {},
    true,
  ],
  "settings of a region that is not asked for": [{ ...DEFAULT, ...US }, {}],
  "region, and both in code": [{ ...DEFAULT, ...US, QSTASH_REGION: "US_EAST_1" }, OWN],
  "region, and half in code": [{ ...DEFAULT, ...US, QSTASH_REGION: "US_EAST_1" }, { token: "own" }],
  "region without settings, and half in code": [{ ...DEFAULT, QSTASH_REGION: "US_EAST_1" }, { token: "own" }, true],
  "no region": [{ ...DEFAULT, ...US, QSTASH_REGION: "" }, {}],
  "development mode": [{ ...DEFAULT, QSTASH_DEV: "true" }, {}],
  "development mode by number": [{ QSTASH_DEV: "1", QSTASH_DEV_PORT: "9000" }, {}],
  "development mode, a port that is none": [{ QSTASH_DEV: "1", QSTASH_DEV_PORT: "x" }, {}],
  "development mode before a region": [{ ...US, QSTASH_REGION: "US_EAST_1", QSTASH_DEV: "1" }, {}],
  "development mode before what stands in code": [{ QSTASH_DEV: "1" }, OWN, true],
  "development mode in code": [DEFAULT, { devMode: true }],
  "development mode off in code": [{ ...DEFAULT, QSTASH_DEV: "1" }, { devMode: false }],
  "development mode off": [{ ...DEFAULT, QSTASH_DEV: "false" }, {}],
  "development mode off by number": [{ ...DEFAULT, QSTASH_DEV: "0" }, {}],
};

afterEach(() => mock.restoreAll());

describe("the broker that settings lead to", () => {
  for (const [name, [env, config, warns = false]] of Object.entries(CASES)) {
    test(name, async () => {
      const expected = official(env, config);
      for (const Candidate of [Client, WorkflowClient]) {
        assert.deepEqual(await ours(Candidate, { ...config, env }), { ...expected, warns });
      }
    });
  }
});

describe("intended differences", () => {
  const refused = (name, env, config, message) =>
    test(name, async () => {
      await assert.rejects(ours(Client, { ...config, env }), (error) => {
        assert.equal(error.code, "InvalidConfiguration");
        assert.match(error.message, message);
        return true;
      });
    });
  refused(
    "a region that there is not",
    { ...DEFAULT, QSTASH_REGION: "MOON" },
    {},
    /QSTASH_REGION to be one of EU_CENTRAL_1/,
  );
  refused("a value of QSTASH_DEV that is none", { ...DEFAULT, QSTASH_DEV: "yes" }, {}, /QSTASH_DEV/);
  refused("development mode in production", { QSTASH_DEV: "1", NODE_ENV: "production" }, {}, /NODE_ENV/);
  refused("the same in code", { ...DEFAULT, NODE_ENV: "production" }, { devMode: true }, /NODE_ENV/);
  refused("no token", { QSTASH_URL: "https://default.test" }, {}, /QSTASH_TOKEN/);

  test("production without development mode is as ever", async () => {
    assert.equal((await ours(Client, { env: { ...DEFAULT, NODE_ENV: "production" } })).token, "default");
  });
});

test("without `env` the process's environment counts, and other names are not looked at", async () => {
  const seen = [];
  const env = new Proxy({ ...DEFAULT }, { get: (target, name) => seen.push(name) && target[name] });
  await ours(Client, { env });
  assert.ok(seen.length > 0 && seen.every((name) => /QSTASH|^NODE_ENV$/.test(name)), seen.join());

  const kept = process.env;
  process.env = { ...DEFAULT };
  try {
    assert.equal((await ours(Client, {})).baseUrl, "https://default.test");
  } finally {
    process.env = kept;
  }
});

/** The official client reads the process's environment when it is made. */
function official(env, config) {
  const kept = process.env;
  // In this phase it starts no server in development mode.
  process.env = { ...env, NEXT_PHASE: "phase-production-build" };
  const warn = mock.method(console, "warn", () => {});
  try {
    const { http, token } = new OfficialClient(config);
    return { baseUrl: http.baseUrl, token };
  } finally {
    process.env = kept;
    warn.mock.restore();
  }
}

/** Where a request of ours goes, and with which token. */
async function ours(Candidate, config) {
  const kept = process.env;
  // The same phase: the broker of development mode is not looked for.
  process.env = { ...kept, NEXT_PHASE: "phase-production-build" };
  const warn = mock.method(console, "warn", () => {});
  const fetched = mock.method(globalThis, "fetch", async () => new Response(`[{"messageId":"msg_1"}]`));
  try {
    const client = new Candidate(config);
    await (Candidate === Client ? client.batch([]) : client.trigger({ url: "https://app.test" }));
    const [url, { headers }] = fetched.mock.calls[0].arguments;
    const token = new Headers(headers).get("authorization").replace("Bearer ", "");
    return { baseUrl: url.replace("/v2/batch", ""), token, warns: warn.mock.callCount() > 0 };
  } finally {
    process.env = kept;
    warn.mock.restore();
    fetched.mock.restore();
  }
}
