// The app that the demo serves: whoever opens the printed address is signed in and sees the demo's runs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { startDashboard } from "../../demo/lib/dashboard.mjs";
import { removeFolder, temporaryFolder } from "../../demo/lib/processes.mjs";

const DEMO = join(import.meta.dirname, "../../demo/run.mjs");
const LIMIT_MS = 120_000;
const POLL_MS = 100;
/** What a developer may have set, for another broker and another login. */
const ELSEWHERE = {
  DASHBOARD_TOKEN: "another",
  DASHBOARD_LOGIN: "off",
  QSTASH_URL: "http://127.0.0.1:9",
  QSTASH_TOKEN: "another",
  QSTASH_REGION: "US_EAST_1",
  QSTASH_DEV: "true",
  UPSTASH_WORKFLOW_URL: "http://127.0.0.1:9",
  SAMPLES_KEY: "another",
};

const folder = temporaryFolder();
after(() => removeFolder(folder));

test("the printed address signs in, and the app shows the demo's runs", { timeout: LIMIT_MS }, async (t) => {
  const demo = start({ ...process.env, ...ELSEWHERE });
  t.after(() => demo.stop());
  const [, address] = await demo.prints(/^The dashboard: (\S+)$/m);
  const { origin, hash } = new URL(address);
  const token = new URLSearchParams(hash.slice(1)).get("token");

  const page = await fetch(address);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>[^<]*Runs/);
  assert.equal((await runsOf(origin, {})).status, 401, "a stranger sees nothing");

  const signIn = (token) =>
    fetch(`${origin}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
  assert.equal((await signIn(ELSEWHERE.DASHBOARD_TOKEN)).status, 401);
  const session = await signIn(token);
  assert.deepEqual(await session.json(), { required: true, signedIn: true });
  const cookie = session.headers.get("set-cookie").split(";")[0];

  const expected = ["wfr_order-rust", "wfr_order-typescript"];
  let seen = [];
  while (seen.length < expected.length) {
    // The broker is killed twice meanwhile.
    const answer = await runsOf(origin, { cookie }).catch((error) => assert.fail(`${error}\n${demo.output()}`));
    if (answer.ok) seen = (await answer.json()).runs.map(({ workflowRunId }) => workflowRunId).toSorted();
    else assert.equal(answer.status, 502, await answer.text());
    await delay(POLL_MS);
  }
  assert.deepEqual(seen, expected);

  assert.equal(await demo.exitCode, 0, demo.output());
  assert.match(demo.output(), /^verdict: PASS$/m);
});

test("an app that is not built is told, not left out", async () => {
  const options = { app: folder, brokerUrl: "http://127.0.0.1:9", secrets: {}, log: join(folder, "log") };
  await assert.rejects(startDashboard(options), /the dashboard is not built .* run: scripts\/build-www/);
});

const runsOf = (origin, headers) => fetch(`${origin}/api/broker/v2/workflows/logs`, { headers });

/** The demo as `make demo` runs it, with its output in a pipe. */
function start(env) {
  const child = spawn(process.execPath, [DEMO], { env, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      printed += text;
    });
  }
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    output: () => printed,
    exitCode: exited.then(([code]) => code),
    async prints(pattern) {
      for (;;) {
        const found = printed.match(pattern);
        if (found) return found;
        assert.ok(!hasEnded(), `the demo has ended\n${printed}`);
        await delay(POLL_MS);
      }
    },
    async stop() {
      // It ends its servers then.
      if (!hasEnded()) child.kill("SIGTERM");
      await exited;
    },
  };
}
