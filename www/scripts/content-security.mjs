// Writes a Content-Security-Policy into each page of the static build: no script runs but those that were built.
// Usage: node scripts/content-security.mjs out

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder = "out"] = process.argv.slice(2);
const INLINE = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g;

for (const name of readdirSync(folder, { recursive: true })) {
  if (!name.endsWith(".html")) continue;
  const path = join(folder, name);
  const page = readFileSync(path, "utf8");
  const hashes = [...page.matchAll(INLINE)].map(
    ([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
  );
  const policy = [
    "default-src 'self'",
    // The core is WebAssembly.
    `script-src 'self' 'wasm-unsafe-eval' ${[...new Set(hashes)].join(" ")}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
  if (!page.includes("<head>")) throw new Error(`${path} has no <head>`);
  writeFileSync(path, page.replace("<head>", `<head><meta http-equiv="Content-Security-Policy" content="${policy}"/>`));
}
