/** What esbuild makes of the two ways in which the core is imported. */
declare module "*/core_bg.wasm" {
  const base64: string;
  export default base64;
}

declare module "*/core.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
