// What the projects need besides the package: installed once per lockfile into the per-user cache. No module of npm is
// imported here, for the set-up runs this before there are any.
//
// node dependencies.mjs missing            the projects whose packages are not installed, a line each
// node dependencies.mjs install PROJECT    installs them, as locks/PROJECT/package-lock.json says
// node dependencies.mjs lock PROJECT       writes locks/PROJECT/package-lock.json anew, after a change of the manifest

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { completeOptional } from "../../scripts/complete-lock.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PACKAGE = "@repo/orchestration";
/** Large, and in this repository's own packages: taken from there if the version is the same. */
const TOOLS = ["typescript", "wrangler"];

export const PROJECTS = join(import.meta.dirname, "projects");

/** The names of all projects. */
export const projects = () =>
  readdirSync(PROJECTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** Where the packages of a project are, once they are installed. */
export function installedAt(project) {
  const { XDG_CACHE_HOME, ORCHESTRATION_CACHE } = process.env;
  const cache = ORCHESTRATION_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "orchestration");
  const { platform, arch } = process;
  const hash = createHash("sha256")
    .update(readFileSync(lockOf(project)))
    .update(JSON.stringify(manifestOf(project)));
  return join(cache, "runtimes", `${project}-${platform}-${arch}-${hash.digest("hex").slice(0, 16)}`);
}

const lockOf = (project) => join(import.meta.dirname, "locks", project, "package-lock.json");
const json = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));

/** The project's manifest without the tools that this repository has itself. */
export function ownManifest(project) {
  const manifest = json(PROJECTS, project, "package.json");
  const ours = json(ROOT, "package.json").devDependencies;
  const own = Object.entries(manifest.devDependencies ?? {}).filter(
    ([tool, version]) => !TOOLS.includes(tool) || ours[tool] !== version,
  );
  return { ...manifest, devDependencies: Object.fromEntries(own) };
}

/** With what the package depends on in place of the package. */
function manifestOf(project) {
  const { name, dependencies, devDependencies } = ownManifest(project);
  const { [PACKAGE]: _, ...others } = dependencies;
  return {
    ...{ name, version: "0.0.0", private: true },
    dependencies: { ...json(ROOT, "pkg/package.json").dependencies, ...others },
    devDependencies,
  };
}

const QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

function npm(folder, ...args) {
  execFileSync("npm", [...args, ...QUIET], { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
}

/** A folder beside the place, with what npm reads; an interrupted installation is not taken for one. */
function stage(project) {
  const folder = `${installedAt(project)}.stage`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifestOf(project)));
  copyFileSync(join(ROOT, ".npmrc"), join(folder, ".npmrc"));
  return folder;
}

function install(project) {
  const place = installedAt(project);
  const folder = stage(project);
  copyFileSync(lockOf(project), join(folder, "package-lock.json"));
  npm(folder, "ci", "--prefer-offline");
  rmSync(place, { recursive: true, force: true });
  renameSync(folder, place);
}

function lock(project) {
  mkdirSync(dirname(lockOf(project)), { recursive: true });
  if (!existsSync(lockOf(project))) writeFileSync(lockOf(project), "{}");
  const folder = stage(project);
  npm(folder, "install", "--package-lock-only");
  const written = json(folder, "package-lock.json");
  completeOptional(written.packages);
  writeFileSync(lockOf(project), `${JSON.stringify(written, undefined, 2)}\n`);
  rmSync(folder, { recursive: true });
}

const COMMANDS = {
  missing() {
    for (const project of projects()) if (!existsSync(installedAt(project))) console.log(project);
  },
  install,
  lock,
};

if (process.argv[1] === import.meta.filename) {
  const [command, project] = process.argv.slice(2);
  if (!Object.hasOwn(COMMANDS, command) || (command !== "missing" && !projects().includes(project))) {
    console.error(
      `usage: node dependencies.mjs missing | install PROJECT | lock PROJECT; there are: ${projects().join(", ")}`,
    );
    process.exit(2);
  }
  COMMANDS[command](project);
}
