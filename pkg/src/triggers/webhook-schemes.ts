/** How senders of webhooks sign them, each by its own documentation. */
import { SignatureError } from "../errors.js";
import type { Encoding, Hash, SignedRequest } from "./hmac.js";

/** Senders whose signatures are known. `svix` is that of Standard Webhooks too, which `resend`, Clerk and others use. */
export type WebhookPreset = "github" | "stripe" | "svix" | "resend" | "standard-webhooks" | "slack" | "shopify";

/** A signature in a header, by an HMAC of the body. */
export interface WebhookSignature {
  /** The header's name. */
  header: string;
  /** What stands before the signature, such as `sha256=`. */
  prefix?: string | undefined;
  /** Default: `hex`. */
  encoding?: Encoding | undefined;
  /** Default: `SHA-256`. */
  hash?: Hash | undefined;
  /** The header with the moment in Unix seconds. It is signed with the body, as `<timestamp>.<body>`. */
  timestampHeader?: string | undefined;
  /** The header with the id of the delivery, which is the same when the sender tries again. The signature does not cover it. */
  deliveryHeader?: string | undefined;
}

/** What a request says of its signature. */
export interface WebhookClaim extends SignedRequest {
  /** When it was signed: Unix seconds. */
  timestamp?: number | undefined;
  /** The id of the delivery, which is signed too. */
  deliveryId?: string | undefined;
  /** The id of the delivery, which is not signed. */
  unsignedDeliveryId?: string | undefined;
}

/** How the signature of a sender is read. */
export interface WebhookScheme {
  /** @throws {SignatureError} `SignatureMissing`, `SignatureMalformed` */
  claim(headers: Headers, body: Uint8Array): WebhookClaim;
  /** Whether secrets are base64. */
  hasBase64Secrets?: boolean;
  /** The id of a delivery whose headers tell none. */
  deliveryIn?(payload: unknown): string | undefined;
  /** The answer to a request that only asks whether somebody is there. */
  answer?(payload: unknown): Response | undefined;
}

/** The scheme of a signature in a header. */
export function signatureScheme(signature: WebhookSignature): WebhookScheme {
  const { header, prefix = "", encoding = "hex", hash = "SHA-256", timestampHeader, deliveryHeader } = signature;
  return {
    claim(headers, body) {
      const value = needed(headers, header);
      if (!value.startsWith(prefix)) throw malformed(header, `'${prefix}…'`);
      const timestamp = timestampHeader === undefined ? undefined : needed(headers, timestampHeader);
      return {
        signatures: [value.slice(prefix.length)],
        ...{ encoding, hash },
        signed: timestamp === undefined ? [body] : [timestamp, ".", body],
        timestamp: timestamp === undefined ? undefined : secondsIn(timestampHeader as string, timestamp),
        unsignedDeliveryId: deliveryHeader === undefined ? undefined : (headers.get(deliveryHeader) ?? undefined),
      };
    },
  };
}

/** https://docs.stripe.com/webhooks/signature: `t=<seconds>,v1=<hex>,v1=<hex>` over `<seconds>.<body>`. */
const stripe: WebhookScheme = {
  claim(headers, body) {
    const fields = needed(headers, "stripe-signature")
      .split(",")
      .map((field) => field.trim().split("=", 2));
    const [time] = valuesOf(fields, "t");
    const signatures = valuesOf(fields, "v1");
    if (time === undefined || signatures.length === 0) throw malformed("stripe-signature", "'t=…,v1=…'");
    const timestamp = secondsIn("stripe-signature", time);
    return { signatures, encoding: "hex", hash: "SHA-256", signed: [time, ".", body], timestamp };
  },
  deliveryIn: (payload) => textIn(payload, "id"),
};

/** https://github.com/standard-webhooks/standard-webhooks: `v1,<base64> v1,<base64>` over `<id>.<seconds>.<body>`. */
const svix: WebhookScheme = {
  hasBase64Secrets: true,
  claim(headers, body) {
    const start = headers.has("svix-id") ? "svix" : "webhook";
    const [id, time, list] = ["id", "timestamp", "signature"].map((name) => needed(headers, `${start}-${name}`));
    const fields = (list as string).split(" ").map((field) => field.split(",", 2));
    const signatures = valuesOf(fields, "v1");
    if (signatures.length === 0) throw malformed(`${start}-signature`, "'v1,…'");
    const timestamp = secondsIn(`${start}-timestamp`, time as string);
    const signed = [id as string, ".", time as string, ".", body];
    return { signatures, encoding: "base64", hash: "SHA-256", signed, timestamp, deliveryId: id };
  },
};

/** https://docs.slack.dev/authentication/verifying-requests-from-slack: `v0=<hex>` over `v0:<seconds>:<body>`. */
const slack: WebhookScheme = {
  claim(headers, body) {
    const value = needed(headers, "x-slack-signature");
    const time = needed(headers, "x-slack-request-timestamp");
    if (!value.startsWith("v0=")) throw malformed("x-slack-signature", "'v0=…'");
    const timestamp = secondsIn("x-slack-request-timestamp", time);
    const signed = ["v0:", time, ":", body];
    return { signatures: [value.slice("v0=".length)], encoding: "hex", hash: "SHA-256", signed, timestamp };
  },
  deliveryIn: (payload) => textIn(payload, "event_id"),
  answer(payload) {
    const challenge = textIn(payload, "type") === "url_verification" ? textIn(payload, "challenge") : undefined;
    return challenge === undefined ? undefined : new Response(challenge, { headers: { "content-type": "text/plain" } });
  },
};

/** The schemes by their presets. */
export const SCHEMES: Readonly<Record<WebhookPreset, WebhookScheme>> = {
  /** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
  github: signatureScheme({
    header: "x-hub-signature-256",
    prefix: "sha256=",
    deliveryHeader: "x-github-delivery",
  }),
  stripe,
  svix,
  resend: svix,
  "standard-webhooks": svix,
  slack,
  /** https://shopify.dev/docs/apps/build/webhooks/subscribe/https */
  shopify: signatureScheme({
    header: "x-shopify-hmac-sha256",
    encoding: "base64",
    deliveryHeader: "x-shopify-webhook-id",
  }),
};

const valuesOf = (fields: readonly string[][], name: string): string[] =>
  fields.flatMap(([key, value]) => (key === name && value !== undefined ? [value] : []));

function textIn(payload: unknown, name: string): string | undefined {
  const value = Object(payload)[name];
  return typeof value === "string" ? value : undefined;
}

function needed(headers: Headers, name: string): string {
  const value = headers.get(name);
  if (value) return value;
  throw new SignatureError(`the request carries no signature: the header '${name}' is missing`, "SignatureMissing");
}

function secondsIn(header: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw malformed(header, "Unix seconds");
}

const malformed = (header: string, expected: string) =>
  new SignatureError(`the header '${header}' has to hold ${expected}`, "SignatureMalformed");
