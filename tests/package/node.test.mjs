/** The installed package in Node: ESM and CommonJS, bundled and not, on this Node and on the user's own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";

import { assertWorks, BIN, createProject, IMPORTS, REQUIRES } from "./consumer.mjs";

const MAIN = "exercise(modules, process.argv[2]).then((result) => console.log(JSON.stringify(result)));";

describe("in Node", async () => {
  let project;

  before(async () => {
    project = await createProject();
    await project.write({ "main.mjs": `${IMPORTS}\n${MAIN}`, "main.cjs": `"use strict";\n${REQUIRES}\n${MAIN}` });
    const bundle = (format, ...more) =>
      project.exec(join(BIN, "esbuild"), [
        `main.${format === "esm" ? "mjs" : "cjs"}`,
        "--bundle",
        "--platform=node",
        `--format=${format}`,
        "--log-level=warning",
        ...more,
      ]);
    const outputs = await Promise.all([
      bundle("cjs", "--outfile=elsewhere/bundle.cjs"),
      bundle("esm", "--outfile=elsewhere/bundle.mjs"),
    ]);
    for (const { stderr } of outputs) assert.equal(stderr, "", "esbuild warns");
  });

  after(() => project.remove());

  for (const { node, version } of nodes()) {
    for (const [title, file] of [
      ["ESM", "main.mjs"],
      ["require", "main.cjs"],
      ["bundled ESM", "elsewhere/bundle.mjs"],
      ["bundled CommonJS", "elsewhere/bundle.cjs"],
    ]) {
      test(`${version}, ${title}`, async () => {
        await assertWorks(async (url) => {
          const { stdout, stderr } = await project.exec(node, [project.path(file), url]);
          assert.equal(stderr, "");
          return JSON.parse(stdout);
        });
      });
    }
  }
});

/** This Node, and the first other one on the path. */
function nodes() {
  const found = new Map([[process.version, process.execPath]]);
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    try {
      const path = realpathSync(join(folder, "node"));
      const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
      if (!found.has(version)) found.set(version, path);
    } catch {
      // No Node in this folder.
    }
  }
  return [...found].slice(0, 2).map(([version, node]) => ({ version, node }));
}
