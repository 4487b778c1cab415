/**
 * The rules that are asked synchronously: limits, breakers, batches, retries, masking and ids. A small wasm of its own beside
 * the core, instantiated by the first call; importing does nothing.
 */
import * as bindings from "../../wasm/rules_bg.js";
import { compiled } from "./module.inline.js";

export type { Batcher, Breaker, Limiter } from "../../wasm/rules.js";

export type Rules = Omit<typeof bindings, "__wbg_set_wasm">;

let instance: Rules | undefined;

/** The rules. Errors that their functions throw become those of this package by `adopting`. */
export function rules(): Rules {
  instance ??= instantiate();
  return instance;
}

function instantiate(): Rules {
  const { exports } = new WebAssembly.Instance(compiled(), {
    "./rules_bg.js": bindings as unknown as WebAssembly.ModuleImports,
  });
  bindings.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  return bindings;
}
