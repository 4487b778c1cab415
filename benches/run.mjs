/**
 * `make bench`: our package beside the official ones, on the same work in the same process.
 * Ratios are ours / theirs: below 1 is better. Absolute times depend on the machine; quote the ratios.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { CURRENT_KEY, NEXT_KEY, ran, resume, signed } from "../tests/differential/delivery.mjs";
import { pair, quantile } from "./pair.mjs";
import { resilience } from "./resilience.mjs";

const ROOT = resolve(import.meta.dirname, "..");
const COLD_STARTS = 15;

const folder = mkdtempSync(join(tmpdir(), "orchestration-bench-"));
try {
  await install(folder);
  const ours = await load(["@repo/orchestration/workflows", "@repo/orchestration/server"]);
  const theirs = await load(["@upstash/workflow", "@upstash/qstash"]);
  const rows = [];
  for (const [name, bytes] of [
    ["1 KB", 1024],
    ["64 KB", 65_536],
    ["1 MB", 1_048_576],
  ]) {
    rows.push(await pair(`verify a signature, body of ${name}`, receivers(ours, theirs, bytes)));
    show(rows.at(-1));
  }
  for (const steps of [0, 10, 100]) {
    rows.push(await pair(`serve an invocation, ${steps} steps remembered`, invocations(ours, theirs, steps)));
    show(rows.at(-1));
  }
  await resilience(load, show);
  coldStart();
  await bundles();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A project in which both packages resolve as a user's would. */
async function install(folder) {
  await mkdir(join(folder, "node_modules/@repo"), { recursive: true });
  symlinkSync(join(ROOT, "pkg"), join(folder, "node_modules/@repo/orchestration"));
  for (const peer of ["@upstash", "lru-cache"])
    symlinkSync(join(ROOT, "node_modules", peer), join(folder, "node_modules", peer));
}

async function load(names) {
  const { createRequire } = await import("node:module");
  const { pathToFileURL } = await import("node:url");
  const require = createRequire(join(folder, "index.js"));
  const modules = await Promise.all(
    names.map((name) => import(pathToFileURL(require.resolve(name)).href).then((module) => module.default ?? module)),
  );
  return Object.assign({}, ...modules);
}

function receivers(ours, theirs, bytes) {
  const body = "x".repeat(bytes);
  const signature = sign(body);
  const config = { currentSigningKey: CURRENT_KEY, nextSigningKey: NEXT_KEY };
  const work = (receiver) => () => receiver.verify({ signature, body });
  return { ours: work(new ours.Receiver(config)), theirs: work(new theirs.Receiver(config)) };
}

/** One delivery of a run with `steps` remembered steps: replay, one step run, its result submitted to a stub of `fetch`. */
function invocations(ours, theirs, steps) {
  const history = Array.from({ length: steps }, (_, n) =>
    ran(n + 1, `step-${n + 1}`, { index: n, text: "result ".repeat(8) }),
  );
  const { url, method, headers, body } = resume(history);
  const route = async (context) => {
    for (let n = 1; n <= steps + 1; n++) await context.run(`step-${n}`, () => n);
  };
  globalThis.fetch = async () =>
    new Response('[{"messageId":"msg_1"}]', { headers: { "content-type": "application/json" } });
  const env = { QSTASH_URL: "http://127.0.0.1:1", QSTASH_TOKEN: "token" };
  const work = ({ serve }) => {
    const { handler } = serve(route, { env, disableTelemetry: true });
    return async () => {
      const response = await handler(new Request(url, { method, headers, body }));
      if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
    };
  };
  return { ours: work(ours), theirs: work(theirs) };
}

/** A new process that imports the packages and verifies one signature, start of Node subtracted. */
function coldStart() {
  const body = "{}";
  const program = (name) => `
    const { Receiver } = await import(${JSON.stringify(name)});
    await new Receiver({ currentSigningKey: "${CURRENT_KEY}", nextSigningKey: "${NEXT_KEY}" })
      .verify({ signature: "${sign(body)}", body: "${body}" });`;
  const time = (code) => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: folder,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - start;
  };
  const times = { empty: [], ours: [], theirs: [] };
  for (let start = 0; start < COLD_STARTS; start++) {
    times.empty.push(time(""));
    times.ours.push(time(program("@repo/orchestration/server")));
    times.theirs.push(time(program("@upstash/qstash")));
  }
  const [empty, ours, theirs] = Object.values(times).map((values) => quantile(values, 0.5));
  show({
    name: "cold start to a verified signature",
    ours: (ours - empty) * 1000,
    theirs: (theirs - empty) * 1000,
    ratio: (ours - empty) / (theirs - empty),
  });
}

/** What a bundler makes of `import { serve }`, minified, gzipped; wasm included. */
async function bundles() {
  const size = async (name, conditions) => {
    const { outputFiles } = await build({
      stdin: { contents: `export { serve } from ${JSON.stringify(name)};`, resolveDir: folder },
      bundle: true,
      logLevel: "error",
      minify: true,
      write: false,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions,
      outdir: "out",
      external: ["node:*", "crypto"],
      plugins: [
        {
          name: "wasm-module",
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, resolveDir }) => ({
              path: join(resolveDir, path.replace("?module", "")),
              namespace: "wasm",
            }));
            onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path }) => ({
              contents: await import("node:fs").then((fs) => fs.readFileSync(path)),
              loader: "binary",
            }));
          },
        },
      ],
    });
    return outputFiles.reduce((total, file) => total + gzipSync(file.contents).length, 0);
  };
  const theirs = await size("@upstash/workflow", ["import"]);
  const ours = await size("@repo/orchestration/workflows", ["import"]);
  console.log(
    `bundle of serve(), gzip: ours ${kilo(ours)}, theirs ${kilo(theirs)}, ratio ${(ours / theirs).toFixed(2)} (base64 wasm included)`,
  );
}

function sign(body) {
  return signed({ url: "https://app.test/", body, headers: {} }).headers["upstash-signature"];
}

function show({ name, ours, theirs, ratio, low, high }) {
  const spread = low === undefined ? "" : ` (quartiles ${low.toFixed(2)}–${high.toFixed(2)})`;
  console.log(`${name}: ours ${micros(ours)}, theirs ${micros(theirs)}, ratio ${ratio.toFixed(2)}${spread}`);
}

function micros(value) {
  return value < 1000 ? `${value.toFixed(1)} µs` : `${(value / 1000).toFixed(2)} ms`;
}

function kilo(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
