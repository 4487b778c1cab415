/** Small projects that install the packed package, and what every one of them has to see. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

import { startRecorder } from "../differential/recorder.mjs";

export const ROOT = resolve(import.meta.dirname, "../..");
export const BIN = join(ROOT, "node_modules/.bin");
export const ENTRIES = [
  ...["index", "client", "server", "server/next", "workflows", "triggers", "actions", "env"],
  ...["shared/factories/step-templates", "shared/utils/data-masking"],
];
/** The adapters for frameworks, as `<entry>/<framework>`. */
const FRAMEWORKS = ["nextjs", "cloudflare", "hono", "express", "h3", "svelte", "solidjs"];
export const ADAPTERS = [
  ...[...FRAMEWORKS, "nuxt"].map((framework) => `client/${framework}`),
  ...[...FRAMEWORKS, "astro", "tanstack", "react-router"].map((framework) => `workflows/${framework}`),
];

const run = promisify(execFile);
/** Tools written for Node run under this one. */
const env = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  WRANGLER_SEND_METRICS: "false",
};
const exec = (command, args, options) => run(command, args, { encoding: "utf8", maxBuffer: 64 << 20, env, ...options });

/** Packs the package as it would be published. */
export async function pack(folder) {
  const { stdout } = await exec("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: join(ROOT, "pkg"),
  });
  const [{ filename, files, size }] = JSON.parse(stdout);
  return { tarball: join(folder, filename), files: files.map(({ path }) => path), size };
}

/** What the package depends on, taken from this repository's own packages: npm's cache may not hold it. */
export const DEPENDENCIES = ["lru-cache", "swr", "dequal", "use-sync-external-store"].map((name) =>
  join(ROOT, "node_modules", name),
);
export const OFFLINE = [
  "--offline",
  "--install-links",
  "--legacy-peer-deps",
  "--no-audit",
  "--no-fund",
  "--ignore-scripts",
];

/** A project in a folder of its own with the package installed from its tarball, without network. */
export async function createProject(manifest = {}) {
  const folder = await mkdtemp(join(tmpdir(), "orchestration-package-"));
  const { tarball } = await pack(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, ...manifest }));
  await exec("npm", ["install", ...OFFLINE, tarball, ...DEPENDENCIES], { cwd: folder });
  await copyFile(join(import.meta.dirname, "exercise.cjs"), join(folder, "exercise.cjs"));
  return {
    folder,
    path: (...names) => join(folder, ...names),
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
    },
    exec: (command, args, options) => exec(command, args, { cwd: folder, ...options }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** An entry as a variable's name. */
const idOf = (entry) => entry.replace(/\W/g, "_");
const specifier = (entry) => `@repo/orchestration${entry === "index" ? "" : `/${entry}`}`;

/** Source that makes `modules` of all entries, and `exercise`; `adapters` holds what the adapters export. */
export const IMPORTS = [
  ...ADAPTERS.map((entry, index) => `import * as adapter${index} from ${JSON.stringify(specifier(entry))};`),
  `const adapters = [${ADAPTERS.map((_, index) => `adapter${index}`)}];`,
  ...ENTRIES.map((entry) => `import * as ${idOf(entry)} from ${JSON.stringify(specifier(entry))};`),
  'import exercise from "./exercise.cjs";',
  `const modules = { ${ENTRIES.map(idOf).join(", ")}, adapters };`,
].join("\n");

export const REQUIRES = [
  `const adapters = ${JSON.stringify(ADAPTERS.map(specifier))}.map((name) => require(name));`,
  ...ENTRIES.map((entry) => `const ${idOf(entry)} = require(${JSON.stringify(specifier(entry))});`),
  'const exercise = require("./exercise.cjs");',
  `const modules = { ${ENTRIES.map(idOf).join(", ")}, adapters };`,
].join("\n");

/** Calls `use` with a recorder's URL, and holds what `exercise` gave and what the recorder got against what is right. */
export async function assertWorks(use) {
  const recorder = await startRecorder();
  try {
    assert.deepEqual(await use(recorder.url), EXPECTED);
    const sent = recorder.take().map(({ method, path, body }) => `${method} ${path} ${summary(path, body)}`.trim());
    assert.deepEqual(sent, SENT);
  } finally {
    await recorder.close();
  }
}

const success = [200, { finishCondition: "success" }];

const EXPECTED = {
  masked: ["[masked]", "%5Bmasked%5D", "[masked]", "got Bearer [masked credentials]"],
  cached: [["b", "b"], false, "e", 1],
  cleared: false,
  started: { workflowRunId: "wfr_engine", workflowId: "hello", provider: "upstash" },
  delivered: [success, [401, { error: "SignatureMissing" }], [404, { error: "NotFound" }]],
  closed: "Closed",
  answers: [success, success],
  refused: [401, { error: "SignatureMissing" }],
  published: { messageId: "msg_4" },
  misspelt: "InvalidRequest",
  verified: [true, "SignatureInvalid", true, "SignatureInvalid"],
  adapters: ADAPTERS.length,
  workflowRunId: "wfr_own",
  cancelled: 1,
  random: true,
  id: true,
};

const SENT = [
  'POST /v2/batch {"n":1}',
  "POST /v2/batch left right",
  'POST /v2/publish/https://example.test/hook {"n":2}',
  'POST /v2/batch {"n":3}',
  "DELETE /v2/workflows/runs?workflowRunIds=wfr_own",
  "POST /v2/batch -",
  'POST /v2/batch "é"',
  "POST /v2/batch greet",
];

/** The payload, or the names of the steps. */
function summary(path, body) {
  if (path !== "/v2/batch") return body;
  return JSON.parse(body)
    .map(({ body: item }) => (item === undefined ? "-" : (JSON.parse(item).stepName ?? item)))
    .join(" ");
}
