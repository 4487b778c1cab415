// Adds to a lockfile the packages for other platforms that the registry at hand lacks: npm leaves them out, and `npm ci` then
// finds them missing. Usage: node scripts/complete-lock.mjs LOCKFILE

import { readFileSync, writeFileSync } from "node:fs";

const PLATFORM = /(android|darwin|freebsd|linux|openharmony|win32|wasm32)(?:-(arm64|arm|x64|wasi|ia32))?/;

/**
 * Adds the missing entries, without hashes: nobody here has seen the packages.
 *
 * @param {Record<string, object>} packages  the lockfile's member of this name
 * @returns {string[]} their names
 */
export function completeOptional(packages) {
  const added = [];
  for (const { optionalDependencies = {} } of Object.values(packages))
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const path = `node_modules/${name}`;
      if (packages[path]?.version) continue;
      const [, os, cpu] = PLATFORM.exec(name) ?? [];
      if (!os) throw new Error(`${name}: the platform that it is for is not known`);
      packages[path] = { version, optional: true, ...(os === "wasm32" ? { cpu: [os] } : { os: [os], cpu: [cpu] }) };
      added.push(name);
    }
  return added;
}

if (process.argv[1] === import.meta.filename) {
  const [file] = process.argv.slice(2);
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const added = completeOptional(lock.packages);
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
  console.log(`${file}: ${added.length === 0 ? "complete" : `added ${added.join(", ")}`}`);
}
