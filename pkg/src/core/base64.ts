/** Base64 to bytes, by the quickest way that the runtime has. */

type Decoder = { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> };

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  // Not the bare name, for which bundlers add a polyfill.
  const { Buffer: buffer } = globalThis as { Buffer?: Decoder };
  if (buffer) return buffer.from(base64, "base64");
  const { fromBase64 } = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromBase64) return fromBase64.call(Uint8Array, base64);
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
