/** A signature as the development server makes it, for trying out. Its keys are public. */

export const DEVELOPMENT_KEYS = {
  current: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
  next: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
};

const LIFETIME_S = 300;

/** The value of `Upstash-Signature` for a delivery of `body` to `url` at `now` (milliseconds). */
export async function signatureOf(url: string, body: string, key: string, now: number): Promise<string> {
  const seconds = Math.floor(now / 1_000);
  const digest = await crypto.subtle.digest("SHA-256", bytes(body));
  const claims = {
    iss: "Upstash",
    sub: url,
    exp: seconds + LIFETIME_S,
    nbf: 0,
    iat: seconds,
    jti: `jwt_${crypto.randomUUID().replaceAll("-", "")}`,
    body: base64url(new Uint8Array(digest)),
  };
  const signed = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", bytes(key), algorithm, false, ["sign"]);
  return `${signed}.${base64url(new Uint8Array(await crypto.subtle.sign(algorithm, secret, bytes(signed))))}`;
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const base64url = (data: Uint8Array): string =>
  btoa(String.fromCharCode(...data))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
