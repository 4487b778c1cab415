/** The calls of the clients: the same call on the official packages and on ours sends the same request and gives the same answer. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as ours from "@repo/orchestration/client";
import * as oursWorkflow from "@repo/orchestration/workflows";
import * as official from "@upstash/qstash";
import * as officialWorkflow from "@upstash/workflow";

import { differences, report } from "./compare.mjs";
import { normalise } from "./normalise.mjs";
import { startRecorder } from "./recorder.mjs";

const URL = "https://app.test/hook?a=b";
const EVERYTHING = {
  url: URL,
  headers: { "X-User": "u", "Upstash-Own": "raw", authorization: "Bearer of the user" },
  method: "PUT",
  delay: 1.5,
  notBefore: 1800000000.5,
  retries: 0,
  retryDelay: "1000 * (1 + retried)",
  timeout: 30,
  callback: "https://app.test/callback",
  failureCallback: "https://app.test/failed",
  deduplicationId: "once",
  contentBasedDeduplication: true,
  label: ["nightly", "eu"],
  flowControl: { key: "shop", parallelism: 1, rate: 2, period: 3 },
};

/** Each with the name of the method and its argument, made anew for each client: the official one changes what it is given. */
const MESSAGES = {
  "publish: nothing but a URL": ["publish", () => ({ url: URL })],
  "publish: text": ["publish", () => ({ url: URL, body: "é" })],
  "publish: text of a type": [
    "publish",
    () => ({ url: URL, body: "<a/>", headers: { "content-type": "application/xml" } }),
  ],
  "publish: bytes": ["publish", () => ({ url: URL, body: new Uint8Array([1, 2, 3]) })],
  "publish: URL group": ["publish", () => ({ urlGroup: "group", body: "x" })],
  "publish: every option": ["publish", () => ({ ...EVERYTHING, body: "x" })],
  "publish: options as texts": [
    "publish",
    () => ({ url: URL, delay: "1d10h", flowControl: { key: "k", rate: 1, period: "1m" }, label: "one" }),
  ],
  "publish: former name of a rate": ["publish", () => ({ url: URL, flowControl: { key: "k", ratePerSecond: 4 } })],
  "publishJSON: object": ["publishJSON", () => ({ url: URL, body: { é: [1, null] } })],
  "publishJSON: text": ["publishJSON", () => ({ url: URL, body: "text" })],
  "publishJSON: nothing": ["publishJSON", () => ({ url: URL })],
  "publishJSON: every option": ["publishJSON", () => ({ ...EVERYTHING, body: {} })],
  "publishJSON: another type is overruled": [
    "publishJSON",
    () => ({ url: URL, body: 1, headers: { "Content-Type": "text/plain" } }),
  ],
  batch: [
    "batch",
    () => [
      { url: URL, body: "one" },
      { ...EVERYTHING, body: "two" },
      { urlGroup: "group", queueName: "q" },
    ],
  ],
  "batch: none": ["batch", () => []],
  batchJSON: ["batchJSON", () => [{ url: URL, body: { a: 1 } }, { ...EVERYTHING, body: null }, { url: URL }]],
};

const RUNS = {
  "trigger: nothing but a URL": ["trigger", () => ({ url: URL })],
  "trigger: payload": ["trigger", () => ({ url: URL, body: { a: "é" } })],
  "trigger: text": ["trigger", () => ({ url: URL, body: "text" })],
  "trigger: id": ["trigger", () => ({ url: URL, workflowRunId: "own" })],
  "trigger: every option": [
    "trigger",
    () => ({
      url: URL,
      body: [1],
      headers: { "X-User": "u", "content-type": "text/csv" },
      workflowRunId: "own",
      retries: 5,
      retryDelay: "1000",
      delay: 10,
      notBefore: 1800000000,
      label: ["nightly", "eu"],
      flowControl: { key: "shop", parallelism: 1, rate: 2, period: "3m" },
      failureUrl: "https://app.test/failed",
    }),
  ],
  "trigger: the broker's own number of retries": ["trigger", () => ({ url: URL, retries: 3 })],
  "trigger: several": [
    "trigger",
    () => [
      { url: URL, body: 1 },
      { url: "https://app.test/other", label: "one" },
    ],
  ],
  "cancel: one": ["cancel", () => "wfr_a"],
  "cancel: several": ["cancel", () => ["wfr_a", "wfr_b"]],
  "cancel: none": ["cancel", () => []],
  "cancel: by the former name": ["cancel", () => ({ ids: ["wfr_a"] })],
};

let recorder;
before(async () => {
  recorder = await startRecorder();
});
after(() => recorder.close());

const SUITES = [
  ["Client of @upstash/qstash", MESSAGES, official.Client, ours.Client],
  ["Client of @upstash/workflow", RUNS, officialWorkflow.Client, oursWorkflow.Client],
];

for (const [title, calls, Reference, Candidate] of SUITES) {
  describe(title, () => {
    for (const [name, [method, argument]] of Object.entries(calls)) {
      for (const [settings, config] of [
        ["", {}],
        [", headers for every message", { headers: { "x-bypass": "secret", "x-user": "all" } }],
      ]) {
        test(`${name}${settings}`, async () => {
          const expected = await recordingOf(Reference, config, method, argument());
          const actual = await recordingOf(Candidate, config, method, argument());
          const found = differences(expected, actual);
          assert.deepEqual(found, [], report(found, { expected: "reference", actual: "ours" }));
        });
      }
    }
  });
}

async function recordingOf(Client, config, method, argument) {
  recorder.reset();
  const client = new Client({ baseUrl: recorder.url, token: "token", ...config });
  const result = await client[method](argument);
  const exchange = {
    requests: recorder.take(),
    response: { status: 200, headers: [], body: JSON.stringify(result) ?? "" },
  };
  const [{ requests, response }] = normalise({ origin: recorder.url, exchanges: [exchange] });
  return JSON.parse(JSON.stringify({ requests, result: response.body }));
}
