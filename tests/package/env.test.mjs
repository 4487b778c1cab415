/** `./env`: everything that is wrong in one error, nothing read before it is asked for, and no process needed. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "./compiler.mjs";
import { createProject } from "./consumer.mjs";
import { EDGE, load } from "./sandbox.mjs";

const COMPLETE = {
  QSTASH_URL: "https://qstash.upstash.io",
  QSTASH_TOKEN: "t0k",
  QSTASH_CURRENT_SIGNING_KEY: "sig_a",
  QSTASH_NEXT_SIGNING_KEY: "sig_b",
};
const VALUES = { ...COMPLETE, QSTASH_DEV: false, QSTASH_DEV_PORT: 8080 };

/** In a process of its own, as importing and the first read count. */
const MAIN = `
import { env, readEnvironment, safeEnv } from "@repo/orchestration/env";

const told = (read) => {
  try {
    return read();
  } catch ({ name, code, message, problems }) {
    return { name, code, message, problems };
  }
};
export const main = (source) => ({
  read: told(() => readEnvironment(source)),
  safe: told(() => safeEnv(source).success),
  own: told(() => env.QSTASH_TOKEN),
  names: Object.keys(env),
});
`;

describe("on Node", () => {
  let project;
  let api;

  before(async () => {
    project = await createProject({ type: "module" });
    await project.write({ "main.mjs": `${MAIN}\nconsole.log(JSON.stringify(main()));` });
    api = await import("@repo/orchestration/env");
  });

  after(() => project.remove());

  async function run(environment) {
    const { PATH, HOME } = process.env;
    const { stdout } = await project.exec(process.execPath, ["main.mjs"], { env: { PATH, HOME, ...environment } });
    return JSON.parse(stdout);
  }

  test("the process's environment, typed", async () => {
    const found = await run({ ...COMPLETE, SOMETHING_ELSE: "x" });
    assert.deepEqual([found.read, found.safe, found.own], [VALUES, true, "t0k"]);
  });

  test("nothing is read at import, everything at the first read of a member", async () => {
    const { read, safe, own, names } = await run({ QSTASH_TOKEN: "t0k" });
    assert.equal(safe, false);
    assert.ok(names.includes("QSTASH_TOKEN") && names.length === 10, names.join());
    assert.deepEqual(own, read, "a member that is there does not hide those that aren't");
    assert.deepEqual(
      read.problems.map(({ name, kind }) => [name, kind]),
      ["QSTASH_URL", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"].map((name) => [name, "missing"]),
    );
  });

  test("the error lists all that is wrong, what was expected and what to do, and shows no value", () => {
    const source = {
      ...COMPLETE,
      QSTASH_URL: "hunter2.upstash.io",
      QSTASH_NEXT_SIGNING_KEY: "",
      QSTASH_DEV_PORT: "hunter2",
      UPSTASH_REDIS_REST_URL: "redis://hunter2@db.upstash.io",
    };
    const { success, error } = api.safeEnv(source);
    assert.equal(success, false);
    assert.ok(error instanceof api.ConfigurationError && error instanceof api.OrchestrationError);
    assert.deepEqual([error.code, error.retryable], ["InvalidConfiguration", false]);
    assert.deepEqual(
      error.problems.map(({ name, kind }) => [name, kind]),
      [
        ["QSTASH_DEV_PORT", "malformed"],
        ["QSTASH_URL", "malformed"],
        ["QSTASH_NEXT_SIGNING_KEY", "missing"],
        ["UPSTASH_REDIS_REST_URL", "malformed"],
        ["UPSTASH_REDIS_REST_TOKEN", "missing"],
      ],
    );
    for (const { message } of error.problems) assert.ok(error.message.includes(`\n- ${message}`), error.message);
    assert.match(error.problems[1].message, /such as https:\/\/qstash\.upstash\.io, beginning with https:\/\//);
    for (const text of [error.message, JSON.stringify(error), JSON.stringify(error.problems), error.stack])
      assert.ok(!text.includes("hunter2"), text);
  });

  test("development mode needs no more settings", () => {
    const { QSTASH_URL, QSTASH_DEV, QSTASH_DEV_PORT, ...rest } = api.readEnvironment({
      QSTASH_DEV: "true",
      QSTASH_DEV_PORT: "9001",
    });
    assert.deepEqual([QSTASH_URL, QSTASH_DEV, QSTASH_DEV_PORT], ["http://127.0.0.1:9001", true, 9001]);
    assert.match(rest.QSTASH_CURRENT_SIGNING_KEY, /^sig_/);
  });

  test("a region's settings count, and so does what is optional", () => {
    const optional = {
      UPSTASH_WORKFLOW_URL: "https://app.test",
      UPSTASH_REDIS_REST_URL: "https://db.test",
      UPSTASH_REDIS_REST_TOKEN: "r3d",
    };
    const regional = {
      QSTASH_REGION: "us-east-1",
      US_EAST_1_QSTASH_URL: "https://us.test/",
      US_EAST_1_QSTASH_TOKEN: "us",
    };
    assert.deepEqual(
      { ...api.readEnvironment({ ...COMPLETE, ...optional, ...regional }) },
      { ...VALUES, ...optional, QSTASH_REGION: "US_EAST_1", QSTASH_URL: "https://us.test", QSTASH_TOKEN: "us" },
    );
  });

  test("what is read can't be changed", () => {
    for (const values of [api.env, api.readEnvironment(COMPLETE)]) assert.ok(Object.isFrozen(values));
  });
});

describe("where there is no process", () => {
  let project;
  let main;

  before(async () => {
    project = await createProject({ type: "module" });
    await project.write({ "main.js": MAIN });
    main = await load(project, EDGE);
  });

  after(() => project.remove());

  test("bindings are read, whatever else is among them", () => {
    const { read } = structuredClone(main({ ...COMPLETE, BUCKET: { put() {} }, QSTASH_DEV_PORT: 5 }));
    assert.deepEqual(read, VALUES);
  });

  test("without them, the error says to give them", () => {
    const { own, read } = structuredClone(main());
    for (const { name, message, problems } of [own, read]) {
      assert.equal(name, "ConfigurationError");
      assert.equal(problems.length, 4);
      assert.match(message, /no process\.env: give readEnvironment\(bindings\)/);
    }
  });
});

describe("types", () => {
  let compiler;

  before(async () => {
    compiler = await createCompiler();
  });

  after(() => compiler.remove());

  test("values are typed, required ones are there, and results are told apart", async () => {
    const output = await compiler.compile({
      "env.mts": `
import { type ConfigurationError, env, type OrchestrationEnvironment, readEnvironment, safeEnv } from "@repo/orchestration/env";

const token: string = env.QSTASH_TOKEN;
const isDevelopment: boolean = env.QSTASH_DEV;
const port: number = readEnvironment({}).QSTASH_DEV_PORT;
const region: "EU_CENTRAL_1" | "US_EAST_1" | undefined = env.QSTASH_REGION;
// @ts-expect-error it may be absent
const redis: string = env.UPSTASH_REDIS_REST_URL;
// @ts-expect-error it can't be changed
env.QSTASH_TOKEN = "";
// @ts-expect-error there is no such setting
env.QSTASH_TOKENS;
const result = safeEnv({ QSTASH_DEV: "1" });
if (result.success) {
  const data: OrchestrationEnvironment = result.data;
  void data;
} else {
  const error: ConfigurationError = result.error;
  const kinds: ("missing" | "malformed")[] = error.problems.map(({ kind }) => kind);
  const code: "InvalidConfiguration" extends typeof error.code ? true : false = true;
  void [kinds, code];
}
void [token, isDevelopment, port, region, redis];
`,
    });
    assert.equal(output, "");
  });
});
