/** What reaches the browser: the installed package's hooks, and nothing of the server. */
import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { createProject, ROOT } from "../package/consumer.mjs";

/** Bytes after gzip, without React and SWR; a twentieth above what was measured when every hook was there. */
const BUDGET = 6_500;
const EXPORTS = [
  ...["WorkflowApiClient", "WorkflowApiError", "WorkflowProvider", "createWorkflowClient"],
  ...["useWorkflow", "useWorkflowClient", "useWorkflowList", "useWorkflowMetrics", "useWorkflowRun"],
  "useWorkflowSchedule",
];

describe("the bundle", () => {
  let project;

  before(async () => {
    project = await createProject({ type: "module" });
    for (const name of ["react", "react-dom", "scheduler"])
      await symlink(join(ROOT, "node_modules", name), project.path("node_modules", name));
    await project.write({ "main.js": 'export * from "@repo/orchestration/client/next";' });
  });
  after(() => project.remove());

  const bundle = (options) =>
    build({
      absWorkingDir: project.folder,
      ...{ entryPoints: ["main.js"], bundle: true, minify: true, write: false, metafile: true },
      ...{ format: "esm", platform: "browser", external: ["react", "swr"], logLevel: "error", ...options },
    });

  test("holds one file of ours, without wasm, broker, token or module of Node", async (t) => {
    const { outputFiles, metafile } = await bundle();
    const inputs = Object.keys(metafile.inputs).filter((path) => path.includes("orchestration/"));
    assert.deepEqual(
      inputs.map((path) => path.split("@repo/orchestration/")[1]),
      ["dist/client/next.js"],
    );
    const [{ text }] = outputFiles;
    assert.doesNotMatch(
      text,
      /wasm|WebAssembly|qstash|upstash|token|secret|signing|sqlite|broker|node:|\bprocess\b|\bBuffer\b/i,
    );
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    assert.deepEqual([...new Set(imported)].sort(), ["react", "swr", "swr/infinite"]);
    const size = gzipSync(text).length;
    t.diagnostic(`${size} bytes after gzip, at most ${BUDGET}`);
    assert.ok(size <= BUDGET, `${size} bytes after gzip`);
  });

  test("under the conditions of every runtime it is the same file, which begins with the boundary", async () => {
    for (const conditions of [["browser", "import"], ["edge-light", "import"], ["workerd"], ["react-server", "node"]]) {
      const { metafile } = await bundle({ conditions, minify: false });
      const inputs = Object.keys(metafile.inputs).filter((path) => path.includes("orchestration/"));
      assert.deepEqual(inputs, ["node_modules/@repo/orchestration/dist/client/next.js"], conditions.join(" "));
    }
    const read = `
      for (const file of ["next.js", "next.cjs"])
        console.log(require("fs").readFileSync("node_modules/@repo/orchestration/dist/client/" + file, "utf8").split("\\n")[0]);
    `;
    const { stdout } = await project.exec(process.execPath, ["--input-type=commonjs", "--eval", read]);
    assert.equal(stdout, '"use client";\n"use client";\n');
  });

  for (const [type, load] of [
    ["module", 'await import("@repo/orchestration/client/next")'],
    ["commonjs", 'require("@repo/orchestration/client/next")'],
  ])
    test(`importing it does nothing, and renders nothing but what is known (${type})`, async () => {
      const source =
        type === "module" ? `${LOADED[type]}\n${used(load)}` : `${LOADED[type]}\n(async () => {${used(load)}})();`;
      const { stdout } = await project.exec(process.execPath, [`--input-type=${type}`, "--eval", source]);
      assert.deepEqual(JSON.parse(stdout), { names: EXPORTS, html: "<p>loading</p><p>idle</p><p>0</p><p>true</p>" });
    });
});

const LOADED = {
  module: 'const React = (await import("react")).default; const { renderToString } = await import("react-dom/server");',
  commonjs: 'const React = require("react"); const { renderToString } = require("react-dom/server");',
};

/** In a process without a document: every way to do something throws. */
const used = (load) => `
  const refuse = (what) => () => { throw new Error("on a server: " + what); };
  globalThis.fetch = refuse("fetch");
  const { setTimeout } = globalThis;
  globalThis.setTimeout = globalThis.setInterval = refuse("timer");
  crypto.getRandomValues = Math.random = refuse("randomness");
  const hooks = ${load};
  const Page = () => {
    const run = hooks.useWorkflowRun("wfr_1");
    const order = hooks.useWorkflow("order");
    const { schedules } = hooks.useWorkflowSchedule();
    hooks.useWorkflowMetrics();
    const { isLoading } = hooks.useWorkflowList();
    return [run.isLoading ? "loading" : "known", order.connection, schedules.length, String(isLoading)]
      .map((text, key) => React.createElement("p", { key }, text));
  };
  const html = renderToString(
    React.createElement(React.StrictMode, null,
      React.createElement(hooks.WorkflowProvider, { headers: {} }, React.createElement(Page))));
  globalThis.setTimeout = setTimeout;
  console.log(JSON.stringify({ names: Object.keys(hooks).filter((name) => name !== "default" && name !== "module.exports").sort(), html }));
`;
