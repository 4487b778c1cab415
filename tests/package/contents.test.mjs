/** What is in the tarball, and what must not be. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { transform } from "esbuild";

import { ADAPTERS, createProject, ENTRIES, ROOT } from "./consumer.mjs";

/** Bytes; a twentieth above what was measured when every call of the official packages was there, so that growth is noticed. */
const BUDGET = {
  "core.wasm": 625_000,
  "core.wasm, gzip": 265_000,
  "module.inline.js, gzip": 350_000,
  "rules.wasm": 190_000,
  "rules.wasm, gzip": 89_000,
  "glue, gzip": 36_000,
  "node/broker.wasm": 1_450_000,
  "node/broker.wasm, gzip": 560_000,
};

/** What may be depended upon; CONTRIBUTING.md says why. */
const DEPENDENCIES = ["lru-cache", "swr"];

/** Built apart from the entries: it has no core, and no variant for edge runtimes. */
const HOOKS = "client/next";

/** How a wasm begins, in base64. */
const WASM = "AGFzbQ";
/** The broker's process: nothing that an application bundles reaches it. */
const NODE_ONLY = /^node\//;

describe("contents", () => {
  let project;
  let dist;

  before(async () => {
    project = await createProject();
    dist = project.path("node_modules/@repo/orchestration/dist");
  });

  after(() => project.remove());

  test("name, version and licence are the crate's; dependencies are those that are chosen; no scripts", async () => {
    const manifest = JSON.parse(await readFile(join(dist, "../package.json"), "utf8"));
    const crate = await readFile(join(ROOT, "Cargo.toml"), "utf8");
    assert.equal(manifest.name, "@repo/orchestration");
    assert.equal(manifest.version, /^version = "(.+)"$/m.exec(crate)[1]);
    assert.equal(manifest.license, /^license = "(.+)"$/m.exec(crate)[1]);
    for (const field of ["optionalDependencies", "scripts", "private"]) assert.equal(manifest[field], undefined, field);
    const foreign = Object.keys(manifest.dependencies).filter((name) => !DEPENDENCIES.includes(name));
    assert.deepEqual(foreign, []);
    assert.deepEqual(manifest.peerDependencies, { react: ">=18" });
    assert.deepEqual(manifest.peerDependenciesMeta, { react: { optional: true } });
    for (const file of ["README.md", "LICENSE-MIT", "LICENSE-APACHE"])
      assert.ok(existsSync(join(dist, "..", file)), file);
  });

  test("every path of the exports exists, edge conditions come first, sideEffects covers the entries", async () => {
    const { exports, sideEffects } = JSON.parse(await readFile(join(dist, "../package.json"), "utf8"));
    const paths = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(paths));
    for (const [name, value] of Object.entries(exports)) {
      const adapters = ADAPTERS.filter((adapter) => `./${adapter}`.startsWith(name.replace("*", "")));
      const names = name.endsWith("*") ? adapters.map((adapter) => adapter.split("/")[1]) : [""];
      assert.ok(names.length > 0, name);
      for (const path of paths(value).flatMap((pattern) => names.map((each) => pattern.replace("*", each))))
        assert.ok(existsSync(join(dist, "..", path)), path);
    }
    const withEdge = Object.values(exports).filter((value) => typeof value === "object");
    assert.equal(
      withEdge.length,
      [HOOKS, ...ENTRIES].length + new Set(ADAPTERS.map((name) => name.split("/")[0])).size,
    );
    for (const conditions of withEdge) {
      assert.deepEqual(Object.keys(conditions), ["edge-light", "workerd", "import", "require", "default"]);
      assert.equal(Object.keys(conditions.import)[0], "types");
    }
    const covered = new Set(sideEffects);
    for (const entry of [...ENTRIES, ...ADAPTERS]) {
      const pattern = `./dist/${entry}`.replace(/[^/]+$/, "*");
      const edge = pattern.replace("./dist", "./dist/edge");
      for (const path of [`${pattern}.js`, `${pattern}.cjs`, `${edge}.js`]) assert.ok(covered.has(path), path);
    }
  });

  test("nothing but the build: no source, no test, no map", async () => {
    const files = await readdir(join(dist, ".."), { recursive: true, withFileTypes: true });
    const code = /\.(js|cjs|d\.ts|d\.cts|wasm)$|^(package\.json|README\.md|LICENSE-MIT|LICENSE-APACHE)$/;
    // If it was built: what a static build of pages has.
    const pages = /\.(html|js|css|txt|json|wasm|svg|png|ico|woff2)$/;
    const dashboard = join(dist, "../dashboard");
    const foreign = ({ name, parentPath }) => !(parentPath.startsWith(dashboard) ? pages : code).test(name);
    assert.deepEqual(
      files.filter((file) => file.isFile() && foreign(file)).map(({ name }) => name),
      [],
    );
  });

  test("no module of Node, and no bare process or Buffer, for which bundlers add a polyfill", async () => {
    for (const [file, code] of (await scripts()).filter(([file]) => !NODE_ONLY.test(file))) {
      const required = [...code.matchAll(/require\(["']([^."'][^"']*)/g)].map(([, name]) => name);
      const known = file === `${HOOKS}.cjs` ? ["react", "swr", "swr/infinite"] : DEPENDENCIES;
      assert.doesNotMatch(code, /["']node:/, file);
      assert.deepEqual(
        required.filter((name) => !known.includes(name)),
        [],
        file,
      );
      // What `define` replaces is a bare identifier.
      const { code: marked } = await transform(code, {
        define: { process: "MARKED", Buffer: "MARKED", global: "MARKED" },
      });
      assert.doesNotMatch(marked, /\bMARKED\b/, `${file} uses process, Buffer or global`);
    }
  });

  test("importing does nothing: no fetch, no compilation, no timer, no randomness", async () => {
    const { stdout } = await project.exec(process.execPath, ["--input-type=module", "--eval", QUIET]);
    assert.equal(stdout, "quiet\n");
  });

  test("what clients and workflows load at once holds no wasm: the core comes by its own file, when it is needed", async () => {
    for (const entry of ["client.js", "workflows.js"])
      for (const code of await reachedFrom(entry)) assert.ok(!code.includes(WASM), entry);
    assert.ok((await readFile(join(dist, "module.inline.js"), "utf8")).includes(WASM), "wasm looks otherwise");
  });

  test("the wasm imports its own glue only, and holds nothing of the Worker or the broker", async () => {
    for (const name of ["core", "rules"]) {
      const wasm = await readFile(join(dist, `${name}.wasm`));
      const modules = new Set(WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ module }) => module));
      assert.deepEqual([...modules], [`./${name}_bg.js`]);
      const text = wasm.toString("latin1");
      for (const foreign of ["CREATE TABLE", "DurableObject", "worker-0.8"])
        assert.ok(!text.includes(foreign), foreign);
      for (const secretive of [ROOT, process.env.HOME ?? ROOT]) assert.ok(!text.includes(secretive), secretive);
    }
  });

  test("the broker's process is three files, and the program among them can be run", async () => {
    const files = await readdir(join(dist, "node"));
    assert.deepEqual(files.sort(), ["broker.cjs", "broker.wasm", "cli.cjs"]);
    const wasm = await readFile(join(dist, "node/broker.wasm"));
    const modules = new Set(WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ module }) => module));
    assert.deepEqual([...modules], ["./broker_bg.js"]);
    for (const secretive of [ROOT, process.env.HOME ?? ROOT]) assert.ok(!wasm.includes(secretive), secretive);
    const { bin } = JSON.parse(await readFile(join(dist, "../package.json"), "utf8"));
    assert.deepEqual(bin, { orchestration: "./dist/node/cli.cjs" });
    assert.ok((await readFile(join(dist, "node/cli.cjs"), "utf8")).startsWith("#!/usr/bin/env node\n"));
  });

  test("sizes are within the budget", async (t) => {
    const read = (name) => readFile(join(dist, name));
    const glue = await reachedFrom("workflows.js");
    const sizes = {
      "core.wasm": (await stat(join(dist, "core.wasm"))).size,
      "core.wasm, gzip": gzipSync(await read("core.wasm")).length,
      "rules.wasm": (await stat(join(dist, "rules.wasm"))).size,
      "rules.wasm, gzip": gzipSync(await read("rules.wasm")).length,
      "module.inline.js, gzip": gzipSync(await read("module.inline.js")).length,
      "glue, gzip": gzipSync(glue.join("\n")).length,
      "node/broker.wasm": (await stat(join(dist, "node/broker.wasm"))).size,
      "node/broker.wasm, gzip": gzipSync(await read("node/broker.wasm")).length,
    };
    for (const [what, size] of Object.entries(sizes)) {
      t.diagnostic(`${what}: ${size} bytes, at most ${BUDGET[what]}`);
      assert.ok(size <= BUDGET[what], `${what} is ${size} bytes, more than ${BUDGET[what]}`);
    }
  });

  /** The code of a file and of all that it imports when it is loaded. */
  async function reachedFrom(file, seen = new Set()) {
    if (seen.has(file)) return [];
    seen.add(file);
    const code = await readFile(join(dist, file), "utf8");
    const imported = [...code.matchAll(/^(?:import|\} from) ?.*"(\.[^"]+)";$/gm)].map(([, path]) =>
      join(file, "..", path),
    );
    const below = await Promise.all(imported.map((path) => reachedFrom(path, seen)));
    return [code, ...below.flat()];
  }

  async function scripts() {
    const files = (await readdir(dist, { recursive: true })).filter((file) => /\.c?js$/.test(file));
    return Promise.all(files.map(async (file) => [file, await readFile(join(dist, file), "utf8")]));
  }
});

/** Every way to do something at import time throws. */
const QUIET = `
const refuse = (what) => () => { throw new Error("at import time: " + what); };
globalThis.fetch = refuse("fetch");
globalThis.setTimeout = globalThis.setInterval = refuse("timer");
crypto.getRandomValues = refuse("randomness");
Date.now = refuse("clock");
for (const what of ["compile", "instantiate", "Module", "Instance"]) WebAssembly[what] = refuse("WebAssembly." + what);
${[...ENTRIES, ...ADAPTERS].map((entry) => `await import("@repo/orchestration${entry === "index" ? "" : `/${entry}`}");`).join("\n")}
console.log("quiet");
`;
