// The Worker as wrangler.toml has it, in miniflare. Not in support.mjs: wrangler takes a while to load.

import { join, resolve } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptions } from "wrangler";
import { developmentBindings } from "../../scripts/workerd.mjs";

const ROOT = resolve(import.meta.dirname, "../..");

/** `storage` is a folder; `assets` another one of the dashboard's files. */
export function startMiniflare({ storage, assets }) {
  const { workerOptions: worker } = workerOptions(join(ROOT, "wrangler.toml"));
  return new Miniflare(
    convertV4MiniflareOptions({
      ...worker,
      ...(assets && { assets: { ...worker.assets, directory: assets } }),
      name: "orchestration",
      modulesRoot: join(ROOT, "build"),
      modules: [
        { type: "ESModule", path: join(ROOT, "build/index.js") },
        { type: "CompiledWasm", path: join(ROOT, "build/index_bg.wasm") },
      ],
      bindings: developmentBindings(),
      resourcePersistencePath: storage,
    }),
  );
}
