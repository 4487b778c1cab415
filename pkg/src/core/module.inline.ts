/** The core as base64 text inside the JavaScript: works without a file system and without `fetch`. */
import base64 from "../../wasm/core_bg.wasm";

type Decoder = { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> };

function decode(text: string): Uint8Array<ArrayBuffer> {
  // Not the bare name, for which bundlers add a polyfill.
  const { Buffer: buffer } = globalThis as { Buffer?: Decoder };
  if (buffer) return buffer.from(text, "base64");
  const { fromBase64 } = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromBase64) return fromBase64.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

export default (): Promise<WebAssembly.Module> => WebAssembly.compile(decode(base64));
