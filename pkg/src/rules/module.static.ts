/** The rules as a module that the platform has compiled: the only way where code may not compile wasm itself. */
import module from "rules.wasm?module";

export const compiled = (): WebAssembly.Module => module;
