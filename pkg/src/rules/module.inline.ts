/** The rules as base64 text inside the JavaScript: works without a file system and without `fetch`. */
import base64 from "../../wasm/rules_bg.wasm";
import { bytesOf } from "../core/base64.js";

/** Browsers allow it on their main thread for modules of this size. */
export const compiled = (): WebAssembly.Module => new WebAssembly.Module(bytesOf(base64));
