/** The core as a module that the platform has compiled: the only way where code may not compile wasm itself. */
import module from "core.wasm?module";

export default (): WebAssembly.Module => module;
