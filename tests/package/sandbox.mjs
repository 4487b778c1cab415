/** A runtime that has Web APIs and nothing of Node, and does not let code compile wasm. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createContext, Script } from "node:vm";

import { build } from "esbuild";

/** Next.js's own list for its Edge runtime, in its order. */
export const EDGE = ["edge-light", "browser", "import", "module", "react-server"];

/** Bundles `main.js` of a project for these conditions and evaluates it in a sandbox; returns what it exports as `main`. */
export async function load(project, conditions) {
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
  const { crypto, TextEncoder, TextDecoder, btoa, atob, queueMicrotask, console } = globalThis;
  const { AbortController, AbortSignal, setTimeout, clearTimeout, performance } = globalThis;
  return {
    ...{ fetch, Request, Response, Headers, URL, URLSearchParams, ReadableStream },
    ...{ crypto, TextEncoder, TextDecoder, btoa, atob, queueMicrotask, console },
    ...{ AbortController, AbortSignal, setTimeout, clearTimeout, performance },
    platformModules: compiled,
  };
}
