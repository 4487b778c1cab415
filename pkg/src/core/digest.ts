/**
 * Below this size a body is hashed inside wasm, from it on by Web Crypto.
 */
const NATIVE_FROM_BYTES = 16_384;

/** The SHA-256 of a large body; `undefined` for a small one, which the core hashes faster itself. */
export async function digestOf(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
  if (body.byteLength < NATIVE_FROM_BYTES) return undefined;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", body));
}
