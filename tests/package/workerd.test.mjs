/** The installed package in workerd, bundled by wrangler: the wasm arrives as a compiled module. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { startRecorder } from "../differential/recorder.mjs";
import { assertWorks, BIN, createProject, IMPORTS } from "./consumer.mjs";
import { startWorkerd } from "./workerd.mjs";

const WORKER = `${IMPORTS}
export default {
  async fetch(request) {
    return Response.json(await exercise(modules, new URL(request.url).searchParams.get("broker")));
  },
};
`;

const WORKFLOW = `
import { serve } from "@repo/orchestration/workflows";

export default serve(async (context) => {
  await context.run("greet", () => context.env.GREETING);
});
`;

describe("in workerd", () => {
  let project;

  before(async () => {
    project = await createProject({ type: "module" });
    await project.write({ "worker.js": WORKER, "workflow.js": WORKFLOW });
  });

  after(() => project.remove());

  for (const flags of [[], ["nodejs_compat"]]) {
    test(`all entries, compatibility flags: ${flags.join() || "none"}`, async () => {
      const worker = await start(project, "worker.js", { flags });
      try {
        await assertWorks(async (url) => {
          const response = await fetch(`${worker.url}/?broker=${url}`);
          const text = await response.text();
          assert.equal(response.status, 200, text);
          return JSON.parse(text);
        });
      } finally {
        await worker.stop();
      }
    });
  }

  test("a workflow as the Worker's default export takes its settings from the bindings", async () => {
    const recorder = await startRecorder();
    const bindings = { QSTASH_URL: recorder.url, QSTASH_TOKEN: "token-of-the-binding", GREETING: "hello" };
    const worker = await start(project, "workflow.js", { bindings });
    try {
      const response = await fetch(worker.url, {
        method: "POST",
        headers: { "upstash-workflow-sdk-version": "1", "upstash-workflow-runid": "wfr_1" },
        body: JSON.stringify([{ messageId: "msg_0", body: btoa("{}"), callType: "step" }]),
      });
      assert.equal(response.status, 200, await response.text());
    } finally {
      await worker.stop();
      await recorder.close();
    }
    const [{ method, path, headers, body }] = recorder.take();
    assert.equal(`${method} ${path}`, "POST /v2/batch");
    assert.equal(new Headers(headers).get("authorization"), "Bearer token-of-the-binding");
    const step = { stepId: 1, stepName: "greet", stepType: "Run", out: '"hello"', concurrent: 1 };
    assert.deepEqual(JSON.parse(JSON.parse(body)[0].body), step);
  });
});

/** The old date proves that nothing compiles wasm at start-up. */
const DATE = "2024-09-01";

/** Bundles as `wrangler deploy` would upload it, and runs that in workerd. */
async function start(project, file, { flags = [], bindings = {} } = {}) {
  const folder = project.path(`out-${file}-${flags.join()}`);
  await project.exec(join(BIN, "wrangler"), [
    ...["deploy", file, "--dry-run", "--name", "consumer", "--outdir", folder, "--compatibility-date", DATE],
    ...flags.flatMap((flag) => ["--compatibility-flag", flag]),
  ]);
  return startWorkerd({ folder, file, date: DATE, flags, bindings });
}
