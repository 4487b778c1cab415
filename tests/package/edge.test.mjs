/**
 * The installed package under the condition `edge-light`, in a context where code may not compile wasm: what Vercel's Edge
 * runtime and Next.js do. The platform compiles `*.wasm?module` in a realm of its own and hands the module in.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createContext, Script } from "node:vm";

import { build } from "esbuild";

import { assertWorks, createProject, IMPORTS } from "./consumer.mjs";

const MAIN = `${IMPORTS}\nexport const main = (broker) => exercise(modules, broker);`;
/** Next.js's own list for its Edge runtime, in its order. */
const EDGE = ["edge-light", "browser", "import", "module", "react-server"];

describe("in an Edge runtime", () => {
  let project;

  before(async () => {
    project = await createProject({ type: "module" });
    await project.write({ "main.js": MAIN });
  });

  after(() => project.remove());

  test("all entries", async () => {
    const main = await load(project, EDGE);
    await assertWorks(async (url) => structuredClone(await main(url)));
  });

  test("the wasm inside the JavaScript would be refused there", async () => {
    const main = await load(project, ["import"]);
    await assert.rejects(main("http://127.0.0.1:9"), /code generation disallowed/);
  });
});

/** Bundles for these conditions and evaluates in a sandbox; returns `main`. */
async function load(project, conditions) {
  const { outputFiles } = await build({
    absWorkingDir: project.folder,
    entryPoints: ["main.js"],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "bundle",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions,
    plugins: [platformWasm],
  });
  const context = createContext(sandbox(), { codeGeneration: { strings: false, wasm: false } });
  new Script(outputFiles[0].text).runInContext(context);
  return new Script("bundle.main").runInContext(context);
}

/** As Next.js does it: the import becomes a module that was compiled outside. */
const platformWasm = {
  name: "platform-wasm",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path, importer }) => ({
      path: join(dirname(importer), path.replace("?module", "")),
      namespace: "platform-wasm",
    }));
    onLoad({ filter: /.*/, namespace: "platform-wasm" }, async ({ path }) => {
      compiled.set(path, new WebAssembly.Module(await readFile(path)));
      return { contents: `export default platformModules.get(${JSON.stringify(path)});` };
    });
  },
};

const compiled = new Map();

/** Web APIs and nothing of Node: no `process`, no `Buffer`. */
function sandbox() {
  const { fetch, Request, Response, Headers, URL, URLSearchParams, ReadableStream } = globalThis;
  const { crypto, TextEncoder, TextDecoder, btoa, atob, queueMicrotask, setTimeout, console } = globalThis;
  return {
    ...{ fetch, Request, Response, Headers, URL, URLSearchParams, ReadableStream },
    ...{ crypto, TextEncoder, TextDecoder, btoa, atob, queueMicrotask, setTimeout, console },
    platformModules: compiled,
  };
}
