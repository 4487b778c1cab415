/**
 * Signatures by HMAC. Web Crypto makes and compares them: it is in every runtime, and its `verify` takes the same time
 * whatever differs (https://w3c.github.io/webcrypto/#hmac-operations).
 */
import { ConfigurationError, SignatureError } from "../errors.js";

export type Hash = "SHA-256" | "SHA-1" | "SHA-512";
export type Encoding = "hex" | "base64";

/** What a sender has signed, and what it says to prove that. */
export interface SignedRequest {
  /** One of them has to be right: there are several while keys are changed. */
  signatures: readonly string[];
  encoding: Encoding;
  hash: Hash;
  /** What the signature was made for. */
  signed: readonly (string | Uint8Array)[];
}

/** How many signatures of one request are looked at. */
const MOST_SIGNATURES = 8;

/**
 * @param keys one of them has to have signed
 * @throws {SignatureError} `SignatureMalformed`, `SignatureInvalid`
 */
export async function verifyHmac(
  { signatures, encoding, hash, signed }: SignedRequest,
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<void> {
  const claims = signatures.slice(0, MOST_SIGNATURES).map((signature) => bytesIn(signature, encoding));
  const data = joined(signed);
  for (const raw of keys) {
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, ["verify"]);
    for (const claim of claims) if (await crypto.subtle.verify("HMAC", key, claim, data)) return;
  }
  throw new SignatureError("no secret of the trigger made this signature", "SignatureInvalid");
}

/** The bytes of a secret: of its text, or those that it tells in base64. */
export function keyOf(secret: string, isBase64 = false): Uint8Array<ArrayBuffer> {
  if (!isBase64) return new TextEncoder().encode(secret);
  try {
    return fromBase64(secret.replace(/^whsec_/, ""));
  } catch {
    throw new ConfigurationError("the secret of a webhook has to be base64 after 'whsec_'");
  }
}

function bytesIn(signature: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
  const isFit = encoding === "hex" ? /^([0-9a-f]{2})+$/i.test(signature) : /^[\w+/=-]+$/.test(signature);
  if (isFit) {
    try {
      return encoding === "hex" ? fromHex(signature) : fromBase64(signature);
    } catch {
      // Not of a length that base64 has.
    }
  }
  throw new SignatureError(`the signature is not ${encoding}`, "SignatureMalformed");
}

const fromHex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The bytes of these parts, one after another. */
export function joined(parts: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const all = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const data = new Uint8Array(all.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of all) {
    data.set(part, at);
    at += part.byteLength;
  }
  return data;
}
