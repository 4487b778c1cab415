/** Workers in workerd, as wrangler has bundled them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import workerd from "workerd";

const READY_LIMIT_MS = 30_000;

/**
 * Runs what `wrangler deploy --dry-run --outdir` has written.
 *
 * @param {{ folder: string, file: string, date: string, flags?: string[], bindings?: Record<string, string> }} worker  the main
 * module's name, the compatibility date and flags, and variables
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startWorkerd({ folder, file, date, flags = [], bindings = {} }) {
  const wasm = (await readdir(folder)).filter((name) => name.endsWith(".wasm"));
  assert.ok(wasm.length > 0, "no wasm module was uploaded");
  const config = join(folder, "workerd.capnp");
  await writeFile(config, configuration({ file, wasm, date, flags, bindings }));

  const child = spawn(workerd.default, ["serve", "--control-fd=3", config], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const exited = once(child, "close");
  const control = createInterface({ input: child.stdio[3] });
  const [line] = await Promise.race([
    once(control, "line", { signal: AbortSignal.timeout(READY_LIMIT_MS) }),
    exited.then(() => assert.fail("workerd ended before it listened")),
  ]);
  return {
    url: `http://127.0.0.1:${JSON.parse(line).port}`,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

function configuration({ file, wasm, date, flags, bindings }) {
  const list = (items) => `[${items.join(", ")}]`;
  const text = JSON.stringify;
  const modules = wasm.map((name) => `(name = ${text(`./${name}`)}, wasm = embed ${text(name)})`);
  const own = Object.entries(bindings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = ${list([`(name = ${text(file)}, esModule = embed ${text(file)})`, ...modules])},
      compatibilityDate = "${date}",
      compatibilityFlags = ${list(flags.map(text))},
      bindings = ${list(own)},
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}
