/** Runs that webhooks of third parties start. */
import type { Trigger } from "../engine/trigger.js";
import { ConfigurationError, SignatureError } from "../errors.js";
import { json } from "../http/answers.js";
import { bytesOf } from "../http/body.js";
import { joined, keyOf, verifyHmac } from "./hmac.js";
import { checkMethod, payloadOf } from "./payload.js";
import { hashedRunId, runIdOf } from "./run-id.js";
import { base, checked, type RequestTriggerOptions, started } from "./trigger.js";
import {
  SCHEMES,
  signatureScheme,
  type WebhookClaim,
  type WebhookPreset,
  type WebhookScheme,
  type WebhookSignature,
} from "./webhook-schemes.js";

/** One secret, or several while they are changed. */
export type WebhookSecrets = string | readonly string[] | undefined;

/** How a webhook is verified. */
export type WebhookVerification =
  | {
      /** Who sends it. */
      preset: WebhookPreset;
      /** What the sender signs with. A function is asked with every request. */
      secret: WebhookSecrets | (() => WebhookSecrets | Promise<WebhookSecrets>);
    }
  | {
      /** Where the signature is, and how it was made. */
      signature: WebhookSignature;
      secret: WebhookSecrets | (() => WebhookSecrets | Promise<WebhookSecrets>);
    }
  | {
      /** Verifies by itself. Anything but `true` refuses the request. */
      verify: (request: Request, body: Uint8Array) => boolean | Promise<boolean>;
    };

/** How webhooks start runs. */
export type WebhookTriggerOptions<TInput = unknown, TPayload = TInput> = RequestTriggerOptions<TInput, TPayload> &
  WebhookVerification & {
    /** Seconds that the moment of a signature may be away from now, if the sender tells it. Default: 300. */
    toleranceSeconds?: number | undefined;
    /** Which requests start runs. The others are answered with 200. Default: all. */
    accept?: ((payload: TPayload, request: Request) => boolean | Promise<boolean>) | undefined;
    /**
     * The id of a delivery: another one with the same starts no second run. It should follow from what is signed, such as the
     * payload. Default: as the sender tells it; together with the body, if the sender does not sign it.
     */
    deliveryId?: ((request: Request, payload: TPayload) => string | undefined) | undefined;
    /**
     * Whether the body alone says what is the same delivery. Where the id of a delivery is not signed (`github`, `shopify`,
     * `deliveryHeader`), who has got hold of a delivery can send it again with another id, which looks like a new delivery; with
     * this it starts nothing. Deliveries that are equal then are one, too. Default: false.
     */
    deduplicateByBody?: boolean | undefined;
    /** The clock: Unix milliseconds. Default: `Date.now`. */
    now?: (() => number) | undefined;
  };

/**
 * Starts a run by a webhook of a third party, sent to `<the engine's url>/triggers/<name>`. Nothing is looked at before the
 * signature was verified. A delivery that comes again starts no second run: the run's id follows from it.
 *
 * ```ts
 * const pushed = webhookTrigger({
 *   name: "github",
 *   workflow: build,
 *   preset: "github",
 *   secret: () => process.env.GITHUB_WEBHOOK_SECRET,
 *   accept: (_, request) => request.headers.get("x-github-event") === "push",
 * });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` if nothing says how it is verified
 */
export function webhookTrigger<TInput = unknown, TPayload = TInput>(
  options: WebhookTriggerOptions<TInput, TPayload>,
): Trigger {
  const { name, maxBodyBytes, accept, deliveryId, deduplicateByBody = false } = options;
  const scheme = schemeOf(options);
  return {
    ...base("webhook", options),
    async handle(request, host) {
      checkMethod(request, name);
      const body = await bytesOf(request, maxBodyBytes);
      const claim = scheme ? await verified(options, scheme, request, body) : await asked(options, request, body);
      const given = payloadOf(request, body);
      const answer = scheme?.answer?.(given);
      if (answer) return answer;
      const payload = await checked(options, given);
      if (accept && (await accept(payload, request)) !== true) return json({ ignored: true });
      const runId = deduplicateByBody
        ? await hashedRunId(name, body)
        : deliveryId
          ? await chosenRunId(name, deliveryId(request, payload))
          : await runIdFor(name, claim, scheme?.deliveryIn?.(given), body);
      return started(host, options, payload, request, runId);
    },
  };
}

const chosenRunId = async (name: string, id: string | undefined) => (id ? runIdOf(name, id) : undefined);

/**
 * Follows from what is signed: one signature can be written in many ways. With an id that is not signed goes the body, so that
 * no delivery can take the id of another.
 */
async function runIdFor(
  name: string,
  claim: WebhookClaim | undefined,
  idInPayload: string | undefined,
  body: Uint8Array,
): Promise<string | undefined> {
  const { deliveryId = idInPayload, unsignedDeliveryId, timestamp, signed = [] } = claim ?? {};
  if (deliveryId) return runIdOf(name, deliveryId);
  if (unsignedDeliveryId) return hashedRunId(name, unsignedDeliveryId, body);
  // What was signed with its moment is signed once.
  return timestamp === undefined ? undefined : hashedRunId(name, joined(signed));
}

/** `undefined` for one that verifies by itself. */
function schemeOf<TInput, TPayload>(options: WebhookTriggerOptions<TInput, TPayload>): WebhookScheme | undefined {
  if ("verify" in options && typeof options.verify === "function") return undefined;
  if ("signature" in options && options.signature) return signatureScheme(options.signature);
  if ("preset" in options && Object.hasOwn(SCHEMES, options.preset)) return SCHEMES[options.preset];
  throw new ConfigurationError(
    `the webhook trigger '${options.name}' needs one of the options preset (${Object.keys(SCHEMES).join(", ")}), signature and verify`,
  );
}

async function asked<TInput, TPayload>(
  options: WebhookTriggerOptions<TInput, TPayload>,
  request: Request,
  body: Uint8Array<ArrayBuffer>,
): Promise<undefined> {
  const { url, method, headers } = request;
  const { verify } = options as Extract<WebhookVerification, { verify: unknown }>;
  // The body of the one that came has been read.
  if ((await verify(new Request(url, { method, headers, body }), body)) === true) return undefined;
  throw new SignatureError(`the trigger '${options.name}' refused the request`, "SignatureInvalid");
}

async function verified<TInput, TPayload>(
  options: WebhookTriggerOptions<TInput, TPayload>,
  scheme: WebhookScheme,
  { headers }: Request,
  body: Uint8Array,
): Promise<WebhookClaim> {
  const { name, toleranceSeconds = TOLERANCE_SECONDS, now = Date.now } = options;
  const { secret } = options as Extract<WebhookVerification, { secret: unknown }>;
  const secrets = [typeof secret === "function" ? await secret() : secret].flat();
  const keys = secrets.flatMap((text) => (text ? [keyOf(text, scheme.hasBase64Secrets)] : []));
  if (keys.length === 0) throw new ConfigurationError(`the webhook trigger '${name}' has no secret to verify with`);
  const claim = scheme.claim(headers, body);
  await verifyHmac(claim, keys);
  const age = claim.timestamp === undefined ? 0 : now() / MILLISECONDS - claim.timestamp;
  if (age > toleranceSeconds) throw new SignatureError("the signature is too old", "SignatureExpired");
  if (-age > toleranceSeconds) throw new SignatureError("the signature is not valid yet", "SignatureNotYetValid");
  return claim;
}

const TOLERANCE_SECONDS = 300;
const MILLISECONDS = 1_000;
