// `wasm-pack build` writes to pkg/ by default, which is owned by hand: it must fail before it writes anything.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { after, before, test } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const NOT_SOURCES = ["node_modules", "target", "build", ".git", ".wrangler", ".orchestration", "wasm", "dist"];
let folder;
let clone;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "orchestration-guard-"));
  clone = join(folder, "clone");
  for (const entry of readdirSync(root)) {
    if (NOT_SOURCES.includes(entry)) continue;
    cpSync(join(root, entry), join(clone, entry), {
      recursive: true,
      filter: (path) => !NOT_SOURCES.includes(basename(path)) || path.startsWith(join(root, "src")),
    });
  }
  mkdirSync(join(clone, "pkg"), { recursive: true });
  writeFileSync(join(clone, "pkg/package.json"), '{ "name": "owned-by-hand" }\n');
});

after(() => rmSync(folder, { recursive: true, force: true }));

function run(command, args, cwd, env = {}) {
  const result = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, CARGO_TARGET_DIR: join(root, "target/guard"), CARGO_TERM_COLOR: "never", ...env },
  });
  if (result.error) throw result.error;
  return { status: result.status, output: result.stdout + result.stderr };
}

for (const args of [["build"], ["build", "--dev", "--mode", "force"]]) {
  test(`wasm-pack ${args.join(" ")} is refused and writes nothing`, () => {
    const listing = readdirSync(join(clone, "pkg")).sort();
    const { status, output } = run("wasm-pack", args, clone);
    assert.notEqual(status, 0, output);
    assert.match(
      output,
      /`wasm-pack build` would overwrite the hand-owned package in pkg\/\. Run `make build` instead/,
    );
    assert.equal(readFileSync(join(clone, "pkg/package.json"), "utf8"), '{ "name": "owned-by-hand" }\n');
    assert.deepEqual(readdirSync(join(clone, "pkg")).sort(), listing);
  });
}

test("a crate that depends on this one may be built by wasm-pack's way of naming the target", () => {
  const dependent = join(folder, "dependent");
  mkdirSync(join(dependent, "src"), { recursive: true });
  writeFileSync(
    join(dependent, "Cargo.toml"),
    `[package]\nname = "dependent"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\norchestration = { path = "${clone}" }\n`,
  );
  writeFileSync(join(dependent, "src/lib.rs"), "pub use orchestration::Error;\n");
  cpSync(join(root, "Cargo.lock"), join(dependent, "Cargo.lock"));
  const { status, output } = run("cargo", ["check", "--offline"], dependent, {
    CARGO_BUILD_TARGET: "wasm32-unknown-unknown",
  });
  assert.equal(status, 0, output);
});
