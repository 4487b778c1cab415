/** docs/samples.md quotes the samples as they are. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { PAGE, quoted, withSources } from "../../www/scripts/samples-docs.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const page = readFileSync(PAGE, "utf8");

test("the code in docs/samples.md is that of the files", () => {
  assert.equal(page, withSources(page), "out of date: run scripts/node www/scripts/samples-docs.mjs");
  assert.notEqual(page.replace("context.sleep(", "context.wait("), withSources(page));
});

test("every sample is quoted, and every block of code is a file's", () => {
  const files = readdirSync(join(ROOT, "www/samples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => ["workflow.ts", "client.ts"].map((file) => `www/samples/${name}/${file}`));
  assert.ok(files.length >= 14, `${files.length} files`);
  assert.deepEqual(
    files.filter((file) => !quoted(page).includes(file)),
    [],
  );
  assert.equal(quoted(page).length, page.match(/^```typescript$/gm).length);
});

test("its links lead somewhere", () => {
  for (const [, path] of page.matchAll(/\]\((\.\.\/[^)#]+)\)/g))
    assert.ok(existsSync(join(ROOT, "docs", decodeURI(path))), path);
});
