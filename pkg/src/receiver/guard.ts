/** What every `verifySignature…` wrapper does: from a request to its refusal, or to none. */
import { bindingsIn, type Environment, processEnvironment } from "../environment.js";
import { SignatureError } from "../errors.js";
import { Receiver, type ReceiverConfig } from "../receiver.js";

/** How a wrapper verifies. Keys that are absent come from the environment, as {@link ReceiverConfig} says. */
export interface VerifySignatureConfig extends ReceiverConfig {
  /** Seconds that the clocks may be apart. Default: 5. */
  clockTolerance?: number | undefined;
  /** The public URL of this route. Default: that of the request. The request's query is added if it has none. */
  url?: string | undefined;
  /**
   * Scheme and authority that replace those of the request's URL, behind a tunnel or proxy, such as `https://my.app`.
   * Default: `UPSTASH_WORKFLOW_URL`.
   */
  baseUrl?: string | undefined;
  /** Whether scheme and authority are those of `X-Forwarded-Proto` and `X-Forwarded-Host`. Only behind a proxy that sets them. */
  trustProxy?: boolean | undefined;
  /** Whether a signature must have been made for the route's URL. Default: `true`. */
  checkSubject?: boolean | undefined;
}

/** What of a request is verified. */
export interface Arrival {
  url: string;
  header(name: string): string | null | undefined;
  body: Uint8Array;
  /** Whether `body` was parsed and is written again. */
  parsed?: boolean;
  /** The bindings that came with the request, if the platform has such. */
  env?: object | undefined;
}

/** Why a request is refused: the text of the answer. */
export interface Refusal {
  missing: boolean;
  text: string;
}

/** The receiver of one route. Settings are read when requests come, for Workers have none before. */
export class Guard {
  readonly #config: VerifySignatureConfig;
  readonly #receivers = new WeakMap<object, Receiver>();

  constructor(config: VerifySignatureConfig = {}) {
    this.#config = config;
  }

  /**
   * Resolves with the refusal, or with `undefined` for a request that the broker signed.
   *
   * @throws {SignatureError} for settings that can't work: without keys nothing can be verified
   */
  async refusal(arrival: Arrival): Promise<Refusal | undefined> {
    const signature = arrival.header("upstash-signature");
    if (!signature) return { missing: true, text: "`Upstash-Signature` header is missing" };
    const env = this.#config.env ?? bindingsIn(arrival.env) ?? processEnvironment();
    try {
      await this.#receiver(env).verify({
        signature,
        body: arrival.body,
        url: this.#subject(arrival, env as Environment),
        clockTolerance: this.#config.clockTolerance,
        upstashRegion: arrival.header("upstash-region") ?? undefined,
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof SignatureError) || !error.code.startsWith("Signature")) throw error;
      return { missing: false, text: `invalid signature: ${textOf(error, arrival)}` };
    }
  }

  #receiver(env: object): Receiver {
    const known = this.#receivers.get(env);
    if (known) return known;
    const receiver = new Receiver({ ...this.#config, env });
    this.#receivers.set(env, receiver);
    return receiver;
  }

  /** The URL that the signature must have been made for. */
  #subject({ url, header }: Arrival, env: Environment): string | undefined {
    const { checkSubject, url: own, baseUrl = env.UPSTASH_WORKFLOW_URL, trustProxy } = this.#config;
    if (checkSubject === false) return undefined;
    const arrived = new URL(url);
    if (own) return own.includes("?") ? own : own + arrived.search;
    const path = arrived.pathname + arrived.search;
    if (baseUrl) return baseUrl.replace(/\/$/, "") + path;
    if (!trustProxy) return url;
    const [proto, host] = ["x-forwarded-proto", "x-forwarded-host"].map((name) => firstOf(header(name)));
    return `${proto ?? arrived.protocol.slice(0, -1)}://${host ?? arrived.host}${path}`;
  }
}

function textOf({ code, message }: SignatureError, { parsed }: Arrival): string {
  if (code === "SignatureBody" && parsed) {
    return "the body was parsed before it was verified, and written again it differs from what was signed; keep parsers away from this route";
  }
  return code === "SignatureSubject" ? `${message} (option url, baseUrl or trustProxy)` : message;
}

const firstOf = (list: string | null | undefined) => list?.split(",")[0]?.trim() || undefined;
