/** Verifies that a request was signed by the broker. */
import { type Receiver as CoreReceiver, core } from "./core/core.js";
import { digestOf } from "./core/digest.js";
import { type Environment, processEnvironment } from "./environment.js";
import { adopting, SignatureError } from "./errors.js";

/** The signing keys. What is absent comes from `QSTASH_CURRENT_SIGNING_KEY` and `QSTASH_NEXT_SIGNING_KEY`. */
export interface ReceiverConfig {
  /** The key that the broker signs with. */
  currentSigningKey?: string;
  /** The key that comes after it. */
  nextSigningKey?: string;
}

/** A signature and what it was made for. */
export interface VerifyRequest {
  /** The value of the header `Upstash-Signature`. */
  signature: string;
  /** The raw body of the request, before anything parsed it. */
  body: string | Uint8Array;
  /** The URL that the request came to; not looked at if absent. */
  url?: string;
  /** Seconds that the clocks may be apart. Default: 5. */
  clockTolerance?: number;
}

/** Signing keys, as `serve` asks a receiver for them. */
export interface SigningKeys {
  currentSigningKey: string | undefined;
  nextSigningKey: string | undefined;
}

/** How `serve` asks a receiver for its keys. The symbol is shared by all copies of this package in a process. */
export const KEYS: unique symbol = Symbol.for("@repo/orchestration:keys") as never;

/** Verifies signatures with the current and the next signing key. */
export class Receiver {
  readonly #config: ReceiverConfig;
  #core: CoreReceiver | undefined;

  constructor(config: ReceiverConfig = {}) {
    this.#config = config;
  }

  /**
   * Resolves with `true` if the signature was made by the broker for this body, and URL if given.
   *
   * @throws {SignatureError} with a code that says what is wrong.
   */
  async verify({ signature, body, url, clockTolerance }: VerifyRequest): Promise<true> {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : (body as Uint8Array<ArrayBuffer>);
    const digest = await digestOf(bytes);
    const { Receiver: Core } = await core();
    adopting(SignatureError, () => {
      const { currentSigningKey, nextSigningKey } = this[KEYS]();
      this.#core ??= new Core(currentSigningKey ?? "", nextSigningKey);
      if (digest) this.#core.verifyDigest(signature, digest, url, clockTolerance, Date.now());
      else this.#core.verify(signature, bytes, url, clockTolerance, Date.now());
    });
    return true;
  }

  /** @internal */
  [KEYS](environment: Environment = processEnvironment()): SigningKeys {
    return {
      currentSigningKey: this.#config.currentSigningKey ?? environment.QSTASH_CURRENT_SIGNING_KEY,
      nextSigningKey: this.#config.nextSigningKey ?? environment.QSTASH_NEXT_SIGNING_KEY,
    };
  }
}
