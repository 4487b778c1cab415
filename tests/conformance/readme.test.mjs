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
  const native = place.match(/^(\w+)::(\w+)$/);
  if (native) return isFile(`tests/${native[1]}.rs`) && file(`tests/${native[1]}.rs`).includes(`fn ${native[2]}(`);
  if (place.startsWith("`")) return isFile(place.slice(1, -1));
  if (groups.has(place) || isFile(`tests/${place}.rs`)) return true;
  return checks.some(({ name }) => name.startsWith(place) || name.startsWith(`${group}: ${place}`));
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
