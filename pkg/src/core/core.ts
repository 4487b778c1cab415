/**
 * The core's one instance. An entry calls {@link boot} with the way its runtime gets the wasm; nothing is compiled
 * before the first call of {@link core}, because Workers forbid work at import time.
 */
import * as bindings from "../../wasm/core_bg.js";

export type {
  Client,
  ClientSettings,
  Duty,
  Endpoint,
  EndpointSettings,
  ExplainedSignature,
  FailedAttempt,
  Failure,
  Invocation,
  Note,
  Receiver,
  RequestTuple,
  SeenTokens,
  SigningSettings,
  StepOptions,
} from "../../wasm/core.js";

export type Core = Omit<typeof bindings, "__wbg_set_wasm">;

/** Gives the compiled core. */
export type Module = { default: () => WebAssembly.Module | Promise<WebAssembly.Module> };

let load: (() => Promise<Module>) | undefined;
let instance: Promise<Core> | undefined;

/** Says how the core is loaded. */
export function boot(loader: () => Promise<Module>): void {
  load = loader;
}

/** The core, instantiated once. A failure is not kept: the next call tries again. */
export function core(): Promise<Core> {
  instance ??= instantiate().catch((error: unknown) => {
    instance = undefined;
    throw error;
  });
  return instance;
}

async function instantiate(): Promise<Core> {
  if (!load) throw new Error("the core has no loader: import an entry of the package, not a file inside it");
  const module = await (await load()).default();
  // Not wasm-bindgen's `initSync`: its `instanceof WebAssembly.Module` fails in sandboxes with a realm of their own.
  const { exports } = new WebAssembly.Instance(module, {
    "./core_bg.js": bindings as unknown as WebAssembly.ModuleImports,
  });
  bindings.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  return bindings;
}
