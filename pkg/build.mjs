/** Builds `dist/`: ESM with one shared core, a real CommonJS build, and types for both. Run by scripts/build-npm. */
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

/** The entries and their sources, the adapters for frameworks among them. */
const ENTRIES = {
  index: "index",
  client: "client",
  server: "server",
  workflows: "workflows",
  triggers: "triggers",
  actions: "actions",
  env: "env",
  "server/next": "server/next",
  "shared/factories/step-templates": "shared/factories/step-templates",
  "shared/utils/data-masking": "shared/utils/data-masking",
  ...adapters("workflows", "workflows", [
    ...["nextjs", "cloudflare", "hono", "express", "h3", "svelte", "solidjs", "astro", "tanstack", "react-router"],
  ]),
  ...adapters("client", "receiver", ["nextjs", "cloudflare", "hono", "express", "h3", "nuxt", "svelte", "solidjs"]),
};
/** The hooks: built apart, because they have neither the core nor a server, and their file is a boundary for React. */
const HOOKS = { entry: "client/next", source: "react/index" };
/** How each kind of runtime gets the wasm, and the folder of its files. */
const LOADERS = { inline: "dist", static: "dist/edge" };
/** What applications share with this package, so it is not bundled. */
const DEPENDENCIES = Object.keys(
  JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8")).dependencies ?? {},
);

/** Adapters, as `exports` in package.json maps their names to files. */
function adapters(entry, folder, frameworks) {
  return Object.fromEntries(frameworks.map((name) => [`${entry}/${name}`, `adapters/${folder}/${name}`]));
}

const root = dirname(fileURLToPath(import.meta.url));

const RELATIVE_IMPORT = /(?:from |import\()"(\.[^"]+)"/g;

const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2022",
  platform: "neutral",
  logLevel: "warning",
  loader: { ".wasm": "base64" },
  external: DEPENDENCIES,
  legalComments: "none",
};

/** An entry is its API with a loader of the core. */
const entryPlugin = {
  name: "entry",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice("entry:".length), namespace: "entry" }));
    onLoad({ filter: /.*/, namespace: "entry" }, ({ path }) => {
      const [loader, entry] = path.split(":");
      const contents = [
        'import { boot } from "./src/core/core.js";',
        `export * from "./src/${ENTRIES[entry]}.js";`,
        `boot(() => import("./src/core/module.${loader}.js"));`,
      ].join("\n");
      return { contents, resolveDir: root, loader: "ts" };
    });
  },
};

/** The rules are loaded as they are imported, without a call, so that they can be asked synchronously. */
const staticModules = {
  name: "static-modules",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^\.\/module\.inline\.js$/ }, ({ importer, resolveDir }) =>
      importer.endsWith("rules.ts") ? { path: join(resolveDir, "module.static.ts") } : undefined,
    );
  },
};

process.chdir(root);

await refuseForeignPackage();
await rm("dist", { recursive: true, force: true });
await mkdir("dist", { recursive: true });
// wasm-bindgen describes the raw exports; what is imported here is text.
for (const name of ["core", "rules", "broker"]) {
  await rm(`wasm/${name}_bg.wasm.d.ts`, { force: true });
  await writeFile(
    `wasm/${name}_bg.d.ts`,
    `export * from "./${name}.js";\nexport function __wbg_set_wasm(exports: WebAssembly.Exports): void;\n`,
  );
}
await Promise.all([esm(), cjs(), hooks(), node(), types()]);
for (const name of ["core", "rules"]) await copyFile(`wasm/${name}_bg.wasm`, `dist/${name}.wasm`);
await copyFile("wasm/broker_bg.wasm", "dist/node/broker.wasm");
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) await copyFile(`../${licence}`, licence);

/** `wasm-pack build` writes a package of its own into this folder. */
async function refuseForeignPackage() {
  const { name } = JSON.parse(await readFile("package.json", "utf8"));
  if (name === "@repo/orchestration") return;
  console.error(
    `pkg/package.json is that of '${name}': 'wasm-pack build' has overwritten the npm package.\n` +
      "Restore it with 'git checkout pkg && git clean -fd pkg', and build it with scripts/build-npm.",
  );
  process.exit(1);
}

async function esm() {
  for (const [loader, outdir] of Object.entries(LOADERS)) {
    const entryPoints = { [`module.${loader}`]: `src/core/module.${loader}.ts` };
    for (const entry of Object.keys(ENTRIES)) entryPoints[entry] = `entry:${loader}:${entry}`;
    const { outputFiles } = await build({
      ...common,
      entryPoints,
      format: "esm",
      splitting: true,
      outdir,
      write: false,
      chunkNames: "chunks/[name]-[hash]",
      plugins: loader === "static" ? [entryPlugin, staticModules] : [entryPlugin],
    });
    await Promise.all(outputFiles.map(writeModule));
  }
}

/** Writes a file, with the way from it to the compiled modules that it imports. */
async function writeModule({ path, text }) {
  await mkdir(dirname(path), { recursive: true });
  const located = text.replace(/"(\w+\.wasm\?module)"/g, (_, module) =>
    JSON.stringify(`${relative(dirname(path), "dist")}/${module}`),
  );
  await writeFile(path, located);
}

/** All entries in one file, so that they share one core, and a stub for each. */
async function cjs() {
  const exported = Object.entries(ENTRIES).map(
    ([entry, source]) => `export * as ${idOf(entry)} from "./src/${source}.js";`,
  );
  const contents = `import { boot } from "./src/core/core.js";\nboot(() => import("./module.inline.cjs"));\n${exported.join("\n")}`;
  await build({
    ...common,
    stdin: { contents, resolveDir: root, loader: "ts" },
    format: "cjs",
    outfile: "dist/core.cjs",
    external: [...DEPENDENCIES, "./module.inline.cjs"],
    // Turns `import()` into `require()`: Jest knows no other.
    supported: { "dynamic-import": false },
  });
  await build({
    ...common,
    entryPoints: ["src/core/module.inline.ts"],
    format: "cjs",
    outfile: "dist/module.inline.cjs",
  });
  for (const entry of Object.keys(ENTRIES)) {
    const core = `${"../".repeat(entry.split("/").length - 1) || "./"}core.cjs`;
    await mkdir(dirname(`dist/${entry}`), { recursive: true });
    await writeFile(`dist/${entry}.cjs`, `"use strict";\nmodule.exports = require("${core}").${idOf(entry)};\n`);
  }
}

/** React and SWR are the application's own: two copies of them share no state. */
async function hooks() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: [`src/${HOOKS.source}.ts`],
    format: "esm",
    external: [...DEPENDENCIES, "react"],
    banner: { js: '"use client";' },
    write: false,
  });
  const [{ text }] = outputFiles;
  // Below a package.json that says "module", esbuild would take a CommonJS module's default export for all of its exports.
  const { code } = await transform(text, { format: "cjs", target: common.target });
  await mkdir(dirname(`dist/${HOOKS.entry}`), { recursive: true });
  await writeFile(`dist/${HOOKS.entry}.js`, text);
  await writeFile(`dist/${HOOKS.entry}.cjs`, code);
}

/**
 * The broker's process, which no bundler is shown: CommonJS, so that it can be loaded from everywhere. The program itself
 * is read by old Nodes too, to tell them that they are.
 */
async function node() {
  const options = { ...common, platform: "node", format: "cjs", outdir: "dist/node", outExtension: { ".js": ".cjs" } };
  await Promise.all([
    build({ ...options, entryPoints: ["node/broker.ts"], target: "node22" }),
    build({ ...options, entryPoints: ["node/cli.ts"], target: "node14", external: ["./broker.cjs"] }),
  ]);
}

function idOf(entry) {
  return entry.replace(/\W/g, "_");
}

/** Declarations by tsc, pruned to what the entries reach, and copied for CommonJS. */
async function types() {
  execFileSync("tsc", ["-p", "tsconfig.json"], { stdio: "inherit" });
  const folder = "dist/types";
  const reached = new Set();
  const queue = [...Object.values(ENTRIES), HOOKS.source].map((source) => `${source}.d.ts`);
  for (const file of queue) {
    if (reached.has(file)) continue;
    reached.add(file);
    const text = await readFile(join(folder, file), "utf8");
    for (const [, path] of text.matchAll(RELATIVE_IMPORT))
      queue.push(join(dirname(file), path.replace(/\.js$/, ".d.ts")));
    await writeFile(
      join(folder, file.replace(/\.d\.ts$/, ".d.cts")),
      text.replace(RELATIVE_IMPORT, (all) => all.replace(/\.js"$/, '.cjs"')),
    );
  }
  for (const entry of await readdir(folder, { recursive: true })) {
    if (entry.endsWith(".d.ts") && !reached.has(entry)) await rm(join(folder, entry));
  }
}
