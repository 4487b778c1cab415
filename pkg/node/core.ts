/** The broker's own wasm, which only this process loads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as bindings from "../wasm/broker_bg.js";

export type { AnswerTuple, Broker, DeliveryTuple, FileTuple } from "../wasm/broker.js";

let started = false;

/** The bindings, instantiated at the first call; about 10 ms. */
export function core(): typeof bindings {
  if (started) return bindings;
  const module = new WebAssembly.Module(readFileSync(join(__dirname, "broker.wasm")));
  const { exports } = new WebAssembly.Instance(module, {
    "./broker_bg.js": bindings as unknown as WebAssembly.ModuleImports,
  });
  bindings.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  started = true;
  return bindings;
}
