// The broker on port 8080, with its storage in .orchestration/, until stopped.

import { mkdirSync } from "node:fs";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptions } from "wrangler";

const PORT = 8080;
const STORAGE = ".orchestration";

mkdirSync(STORAGE, { recursive: true });
const { workerOptions: worker } = workerOptions("wrangler.toml");
const broker = new Miniflare(
  convertV4MiniflareOptions({
    ...worker,
    host: "127.0.0.1",
    port: PORT,
    modulesRoot: "build",
    modules: [
      { type: "ESModule", path: "build/index.js" },
      { type: "CompiledWasm", path: "build/index_bg.wasm" },
    ],
    resourcePersistencePath: STORAGE,
  }),
);

const url = await broker.ready;
console.log(`The broker listens at ${url.origin}. Ctrl-C stops it; its storage stays in ${STORAGE}/.`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await broker.dispose();
    process.exit(0);
  });
}
