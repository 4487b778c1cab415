/** The calls of the clients: the same call on the official packages and on ours sends the same request and gives the same answer. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as ours from "@repo/orchestration/client";
import * as official from "@upstash/qstash";

import { CALLS } from "./client-calls.mjs";
import { CLIENT_DIFFERENCES } from "./client-differences.mjs";
import { MISTAKES } from "./client-mistakes.mjs";
import { differences, judge, report } from "./compare.mjs";
import { normalise } from "./normalise.mjs";
import { startRecorder } from "./recorder.mjs";

/** How the clients are set up, each with what it adds to a test's name. */
const SETTINGS = [
  ["", {}],
  [", headers for every message", { headers: { "x-bypass": "secret", "x-user": "all" } }],
];

let recorder;
before(async () => {
  recorder = await startRecorder();
});
after(() => recorder.close());

describe("Client of @upstash/qstash", () => {
  const used = new Set();
  for (const [name, { call, answer }] of Object.entries(CALLS)) {
    for (const [settings, config] of SETTINGS) {
      test(`${name}${settings}`, async () => {
        const expected = await recordingOf(official.Client, config, (client) => call(client, official), answer);
        const actual = await recordingOf(ours.Client, config, (client) => call(client, ours), answer);
        const found = judge(differences(expected, actual), name, CLIENT_DIFFERENCES);
        for (const entry of found.used) used.add(entry);
        assert.deepEqual(found.unexpected, [], report(found.unexpected, { expected: "reference", actual: "ours" }));
      });
    }
  }

  test("every intended difference is one", () => {
    assert.deepEqual(
      CLIENT_DIFFERENCES.filter((entry) => !used.has(entry)).map(({ reason }) => reason),
      [],
    );
  });

  test("every name that the official package exports is there", () => {
    assert.deepEqual(
      Object.keys(official).filter((name) => !(name in ours)),
      [],
    );
  });

  test("every member of the official classes is there", () => {
    const internal = ["constructor", "http", "token", "createThirdParty", "getAuthorizationToken"];
    const instances = (qstash) => {
      const client = new qstash.Client({ baseUrl: recorder.url, token: "token" });
      const { urlGroups, dlq, messages, schedules, flowControl, workflow } = client;
      return {
        client,
        urlGroups,
        dlq,
        messages,
        schedules,
        flowControl,
        workflow,
        queue: client.queue(),
        chat: client.chat(),
      };
    };
    const mine = instances(ours);
    for (const [name, instance] of Object.entries(instances(official))) {
      const members = [...Object.getOwnPropertyNames(Object.getPrototypeOf(instance)), ...Object.keys(instance)];
      const missing = members.filter((member) => !internal.includes(member) && !(member in mine[name]));
      assert.deepEqual(missing, name === "queue" ? ["queueName"] : [], name);
    }
  });
});

describe("mistakes are refused before anything is sent", () => {
  for (const [name, [call, code]] of Object.entries(MISTAKES)) {
    test(name, async () => {
      recorder.reset({ any: { body: {} } });
      const client = new ours.Client({ baseUrl: recorder.url, token: "secret-token" });
      await assert.rejects(
        async () => call(client, ours),
        (error) => {
          assert.ok(error instanceof ours.QstashError, String(error));
          assert.equal(error.code, code, error.message);
          assert.ok(!error.message.includes("secret-token"));
          return true;
        },
      );
      assert.deepEqual(recorder.take(), []);
    });
  }
});

async function recordingOf(Client, config, call, answer) {
  recorder.reset(answer === undefined ? {} : { any: { body: answer } });
  const client = new Client({ baseUrl: recorder.url, token: "token", ...config });
  const result = await call(client);
  const exchange = {
    requests: recorder.take(),
    response: { status: 200, headers: [], body: JSON.stringify(result) ?? "" },
  };
  const [{ requests, response }] = normalise({ origin: recorder.url, exchanges: [exchange] });
  return JSON.parse(JSON.stringify({ requests, result: response.body }));
}
