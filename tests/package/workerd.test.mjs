/** The installed package in workerd, bundled by wrangler: the wasm arrives as a compiled module. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";

import workerd from "workerd";

import { startRecorder } from "../differential/recorder.mjs";
import { assertWorks, BIN, createProject, IMPORTS } from "./consumer.mjs";

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
  const out = project.path(`out-${file}-${flags.join()}`);
  await project.exec(join(BIN, "wrangler"), [
    ...["deploy", file, "--dry-run", "--name", "consumer", "--outdir", out, "--compatibility-date", DATE],
    ...flags.flatMap((flag) => ["--compatibility-flag", flag]),
  ]);
  const wasm = (await readdir(out)).filter((name) => name.endsWith(".wasm"));
  assert.ok(wasm.length > 0, "no wasm module was uploaded");
  await writeFile(join(out, "workerd.capnp"), configuration(file, wasm, flags, bindings));

  const child = spawn(workerd.default, ["serve", "--control-fd=3", join(out, "workerd.capnp")], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const exited = once(child, "close");
  const control = createInterface({ input: child.stdio[3] });
  const [line] = await Promise.race([
    once(control, "line", { signal: AbortSignal.timeout(30_000) }),
    exited.then(() => assert.fail("workerd ended before it listened")),
  ]);
  return {
    url: `http://127.0.0.1:${JSON.parse(line).port}`,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

function configuration(file, wasm, flags, bindings) {
  const list = (items) => `[${items.join(", ")}]`;
  const text = JSON.stringify;
  const modules = wasm.map((name) => `(name = ${text(`./${name}`)}, wasm = embed ${text(name)})`);
  const own = Object.entries(bindings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = ${list([`(name = ${text(file)}, esModule = embed ${text(file)})`, ...modules])},
      compatibilityDate = "${DATE}",
      compatibilityFlags = ${list(flags.map(text))},
      bindings = ${list(own)},
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}
