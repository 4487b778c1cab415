// The table of README.md names checks and tests that exist.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { checks } from "./checks/index.mjs";

const root = new URL("../../", import.meta.url);
const file = (path) => readFileSync(new URL(path, root), "utf8");
const isFile = (path) => existsSync(new URL(path, root));
const groups = new Set(checks.map(({ name }) => name.split(": ", 1)[0]));

/** Whether a place exists; `group` is the one that was named before, for places that name none. */
function find(place, group) {
  if (/^\w+(::\w+)*$/.test(place) && isNative(place.split("::"))) return true;
  if (place.startsWith("`")) return isFile(place.slice(1, -1));
  if (groups.has(place)) return true;
  return checks.some(({ name }) => name.startsWith(place) || name.startsWith(`${group}: ${place}`));
}

/** A file of native tests, or a test of one. */
function isNative(path) {
  if (isFile(`tests/${path.join("/")}.rs`)) return true;
  const of = `tests/${path.slice(0, -1).join("/")}.rs`;
  return isFile(of) && file(of).includes(`fn ${path.at(-1)}(`);
}

test("every statement names where it is asserted", () => {
  const rows = file("tests/conformance/README.md").match(/^\| (?!---|statement|header \|).*\|$/gm);
  assert.ok(rows.length > 80, `${rows.length} rows`);
  const missing = [];
  for (const row of rows) {
    let group;
    for (const place of row.split(" | ").at(-1).replace(/ \|$/, "").split("; ")) {
      group = [...groups].find((name) => place.startsWith(`${name}: `)) ?? group;
      if (!find(place, group)) missing.push(place);
    }
  }
  assert.deepEqual(missing, []);
});
