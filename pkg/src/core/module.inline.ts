/** The core as base64 text inside the JavaScript: works without a file system and without `fetch`. */
import base64 from "../../wasm/core_bg.wasm";
import { bytesOf } from "./base64.js";

export default (): Promise<WebAssembly.Module> => WebAssembly.compile(bytesOf(base64));
