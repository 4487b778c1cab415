/** What esbuild makes of the two ways in which wasm is imported. */
declare module "*_bg.wasm" {
  const base64: string;
  export default base64;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
