/** The broker of the installed package: the program, `startBroker`, and that no bundle for elsewhere holds anything of it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { build } from "esbuild";

import { createProject, ENTRIES, ROOT } from "./consumer.mjs";

/** Found in the broker's files and nowhere else. */
const OF_THE_BROKER = ["CREATE TABLE", "node:sqlite", "DatabaseSync"];

const PUBLISH = `
const broker = await startBroker({ port: 0, db: ":memory:" });
const { Client } = client;
const { messageId } = await new Client({ baseUrl: broker.url, token: broker.token }).publish({ url: broker.url + "/health", method: "GET" });
await broker.idle();
const headers = { authorization: "Bearer " + broker.token };
const { events } = await (await fetch(broker.url + "/v2/events?messageId=" + messageId, { headers })).json();
console.log(JSON.stringify(events.map(({ state }) => state)));
await broker.stop();
`;

describe("the broker", () => {
  let project;

  before(async () => {
    project = await createProject();
  });

  after(() => project.remove());

  test("the program runs under its name", async () => {
    const bin = project.path("node_modules/.bin/orchestration");
    const { stdout } = await project.exec(bin, ["--version"]);
    assert.equal(stdout.trim(), JSON.parse(await readFile(join(ROOT, "pkg/package.json"), "utf8")).version);

    const child = spawn(bin, ["dev", "--port", "0"], { cwd: project.folder, env: { ...process.env, ...ON_PATH } });
    let output = "";
    const url = await new Promise((resolve, reject) => {
      child.stdout.on("data", (text) => {
        output += text;
        const found = /QSTASH_URL="(.+)"/.exec(output)?.[1];
        if (found) resolve(found);
      });
      child.on("exit", () => reject(new Error(output)));
    });
    assert.ok((await fetch(`${url}/health`)).ok);
    child.kill("SIGTERM");
    const code = await new Promise((resolve) => child.on("exit", resolve));
    assert.equal(code, 0);
  });

  for (const [file, source] of [
    [
      "start.mjs",
      `import { startBroker } from "@repo/orchestration/server";\nimport * as client from "@repo/orchestration/client";\n${PUBLISH}`,
    ],
    [
      "start.cjs",
      `const { startBroker } = require("@repo/orchestration/server");\nconst client = require("@repo/orchestration/client");\n(async () => {${PUBLISH}})();`,
    ],
  ]) {
    test(`startBroker in ${file}, and in a bundle of it for Node`, async () => {
      await project.write({ [file]: source });
      const bundle = `bundle/${file}`;
      const { warnings } = await build({
        absWorkingDir: project.folder,
        entryPoints: [file],
        bundle: true,
        platform: "node",
        format: file.endsWith(".cjs") ? "cjs" : "esm",
        outfile: bundle,
      });
      assert.deepEqual(warnings, []);
      const text = await readFile(project.path(bundle), "utf8");
      for (const word of OF_THE_BROKER) assert.ok(!text.includes(word), word);
      // From elsewhere too: where the package is does not depend on the current folder.
      for (const [path, cwd] of [
        [file, project.folder],
        [file, "/"],
        [bundle, project.folder],
        [bundle, "/"],
      ]) {
        const { stdout, stderr } = await project.exec(process.execPath, [project.path(path)], { cwd });
        assert.equal(stderr, "");
        assert.deepEqual(JSON.parse(stdout), ["DELIVERED", "ACTIVE", "CREATED"]);
      }
    });
  }

  for (const [title, conditions] of [
    ["browsers", ["browser", "import", "module"]],
    ["Edge runtimes", ["edge-light", "browser", "import", "module"]],
    ["workerd", ["workerd", "worker", "browser", "import"]],
  ]) {
    test(`bundles for ${title} hold nothing of it, and startBroker says so`, async () => {
      for (const entry of ENTRIES) {
        const text = await bundled(entry, conditions);
        assert.ok(text.length > 1000);
        for (const word of [...OF_THE_BROKER, "broker.wasm", project.folder]) assert.ok(!text.includes(word), word);
      }
      const text = await bundled("server", conditions);
      const startBroker = new Function("process", `${text}; return bundle.startBroker;`)(undefined);
      const { process } = globalThis;
      globalThis.process = undefined;
      try {
        await assert.rejects(startBroker({}), (error) => {
          assert.equal(error.code, "Unsupported");
          assert.match(error.message, /needs Node 22\.13 or newer: this runtime is another one/);
          return true;
        });
      } finally {
        globalThis.process = process;
      }
    });
  }

  async function bundled(entry, conditions) {
    const { outputFiles } = await build({
      absWorkingDir: project.folder,
      stdin: {
        contents: `export * from "@repo/orchestration${entry === "index" ? "" : `/${entry}`}";`,
        resolveDir: project.folder,
      },
      bundle: true,
      write: false,
      format: "iife",
      globalName: "bundle",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions,
      loader: { ".wasm": "empty" },
      plugins: [
        {
          name: "wasm",
          setup: ({ onResolve, onLoad }) => {
            onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm" }));
            onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({
              contents: `export default ${JSON.stringify(path)}`,
            }));
          },
        },
      ],
    });
    return outputFiles[0].text;
  }
});

/** The program's first line asks for `node`. */
const ON_PATH = { PATH: `${join(process.execPath, "..")}:${process.env.PATH}` };
