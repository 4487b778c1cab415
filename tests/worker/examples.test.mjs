// The examples in the official packages' READMEs, with only the import changed, run to their end on the broker.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { developmentBindings } from "../../scripts/workerd.mjs";
import { broker, server, until } from "./support.mjs";

const ROOT = join(import.meta.dirname, "../..");
const PACKAGES = {
  "@upstash/workflow": "@repo/orchestration/workflows",
  "@upstash/qstash": "@repo/orchestration/client",
};

/** The code block of a package's README that holds `mark`. */
async function example(name, mark) {
  const readme = await readFile(join(ROOT, "node_modules", name, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/```(?:ts|typescript)\n([\s\S]*?)```/g)].map(([, block]) => block);
  const found = blocks.filter((block) => block.includes(mark));
  assert.ok(found.length > 0, `the README of ${name} has no example with '${mark}'`);
  return found[0];
}

/** The example as a module; `ours` changes the prefix of its imports and nothing else. */
async function load(t, source, ours) {
  let text = source;
  for (const [official, own] of ours ? Object.entries(PACKAGES) : []) {
    text = text.replaceAll(`from "${official}`, `from "${own}`);
  }
  assert.equal(text.includes("@upstash/"), !ours);
  const { code } = await transform(text, { loader: "ts", format: "esm" });
  // There both packages are found by their names.
  const folder = await mkdtemp(join(import.meta.dirname, "../node_modules/.example-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "route.mjs");
  await writeFile(file, code);
  return import(pathToFileURL(file).href);
}

/** The settings that the examples take from their environment. */
function environment(t, url) {
  const settings = { ...developmentBindings(), QSTASH_URL: url };
  const before = Object.fromEntries(Object.keys(settings).map((name) => [name, process.env[name]]));
  Object.assign(process.env, settings);
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

/** Serves the example's route for POST; resolves with what its run did. */
async function run(t, on, post) {
  const lines = [];
  t.mock.method(console, "log", (...line) => lines.push(line));
  const { url, requests } = await server(t, async ({ headers, url: path, body }) => {
    const response = await post(new Request(`http://${headers.host}${path}`, { method: "POST", headers, body }));
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    };
  });
  const { workflowRunId } = await on.workflow.trigger({ url: `${url}/api/workflow`, body: "hello there!" });
  const { workflowState, steps } = await on.ended(workflowRunId);
  t.mock.restoreAll();
  const names = steps.flatMap((group) => group.steps.map(({ stepName, out }) => [stepName, out ?? null]));
  return { workflowState, names, lines, invocations: requests.length };
}

test("the example of serve runs on the broker with the official package and with ours, and does the same", async (t) => {
  const on = await broker(t);
  environment(t, on.url);
  const source = await example("@upstash/workflow", 'serve } from "@upstash/workflow/nextjs"');
  const official = await run(t, on, (await load(t, source, false)).POST);
  const ours = await run(t, on, (await load(t, source, true)).POST);
  assert.equal(ours.workflowState, "RUN_SUCCESS");
  assert.deepEqual(
    ours.lines.map(([first]) => first),
    ["step 1 input", "step 2 input"],
    "each step ran once",
  );
  assert.equal(ours.invocations, 3);
  assert.deepEqual(ours, official);
});

test("the example of a publish delivers with the official package and with ours", async (t) => {
  const on = await broker(t);
  const { url, requests } = await server(t, () => ({}));
  const source = await example("@upstash/qstash", "client.publishJSON(");
  const filled = source
    // A polyfill for Node before 18, as the example says.
    .replace('import "isomorphic-fetch";\n', "")
    .replace(/"<QSTASH_TOKEN>"/, JSON.stringify(developmentBindings().QSTASH_TOKEN))
    .replace(/"https?:\/\/[^"]*"/, JSON.stringify(`${url}/api`));
  environment(t, on.url);
  t.mock.method(console, "log", () => {});
  const bodies = [];
  for (const ours of [false, true]) {
    await load(t, filled, ours);
    const { method, headers, body } = await until(() => requests[bodies.length]);
    bodies.push({ method, type: headers["content-type"], body: JSON.parse(body) });
  }
  assert.deepEqual(bodies[1], bodies[0]);
});
