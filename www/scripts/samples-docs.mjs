// Writes the samples into docs/samples.md: below a link to a file, the block of code is that file.
// Usage: node www/scripts/samples-docs.mjs

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const DOCS = resolve(import.meta.dirname, "../../docs");
export const PAGE = join(DOCS, "samples.md");
const QUOTE = /^(\[`[^`]+`\]\(([^)]+)\)\n\n)```typescript\n[\s\S]*?```$/gm;

/** The page with the files as they are now. */
export function withSources(page) {
  return page.replace(
    QUOTE,
    (_, link, path) => `${link}\`\`\`typescript\n${readFileSync(join(DOCS, decodeURI(path)), "utf8")}\`\`\``,
  );
}

/** The files that the page quotes, from the root of the repository. */
export const quoted = (page) => [...page.matchAll(QUOTE)].map(([, , path]) => decodeURI(path).replace(/^\.\.\//, ""));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, withSources(readFileSync(PAGE, "utf8")));
