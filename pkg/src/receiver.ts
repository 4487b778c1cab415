/** Verifies that a request was signed by the broker. */
import { type Receiver as CoreReceiver, core, type ExplainedSignature, type SigningSettings } from "./core/core.js";
import { digestOf } from "./core/digest.js";
import { beginDevelopment } from "./development.js";
import { type Environment, processEnvironment, settingsIn } from "./environment.js";
import { adopting, SignatureError } from "./errors.js";
import type { SignatureCheck, SignatureExplanation } from "./receiver/explanation.js";
import type { ReplayStore } from "./receiver/replay.js";

/**
 * The signing keys. What is absent comes from `QSTASH_CURRENT_SIGNING_KEY` and `QSTASH_NEXT_SIGNING_KEY`; with
 * `QSTASH_REGION` set, from those of the request's region, such as `US_EAST_1_QSTASH_CURRENT_SIGNING_KEY`.
 */
export interface ReceiverConfig {
  /** The key that the broker signs with. */
  currentSigningKey?: string | undefined;
  /** The key that comes after it. */
  nextSigningKey?: string | undefined;
  /** Whether to accept the keys of the QStash development server, and no other. Default: what `QSTASH_DEV` says. */
  devMode?: boolean | undefined;
  /** Where settings are read, such as a Worker's bindings. Default: the process's environment. */
  env?: object | undefined;
  /** Refuses a signature that was seen before. Default: none, a signature is good for its lifetime of five minutes. */
  replayStore?: ReplayStore | undefined;
}

/** A signature and what it was made for. */
export interface VerifyRequest {
  /** The value of the header `Upstash-Signature`. */
  signature: string;
  /** The raw body of the request, before anything parsed it. */
  body: string | Uint8Array | ArrayBuffer;
  /** The URL that the request came to; not looked at if absent. */
  url?: string | undefined;
  /** Seconds that the clocks may be apart. Default: 5. */
  clockTolerance?: number | undefined;
  /** The value of the header `Upstash-Region`; chooses the keys when there are some for regions. */
  upstashRegion?: string | undefined;
}

/** How `serve` asks a receiver for its keys. The symbol is shared by all copies of this package in a process. */
export const KEYS: unique symbol = Symbol.for("@repo/orchestration:keys") as never;

/** How `serve` asks whether it has to go through {@link Receiver.verify}. */
export const GUARDED: unique symbol = Symbol.for("@repo/orchestration:guarded") as never;

/** Verifies signatures with the current and the next signing key. */
export class Receiver {
  readonly #config: ReceiverConfig;
  #core: CoreReceiver | undefined;

  constructor(config: ReceiverConfig = {}) {
    this.#config = config;
    const { devMode, environment } = this[KEYS]();
    beginDevelopment({ devMode, environment });
  }

  /**
   * Resolves with `true` if the signature was made by the broker for this body, and URL if given.
   *
   * @throws {SignatureError} with a code that says what is wrong.
   */
  async verify({ signature, body, url, clockTolerance, upstashRegion }: VerifyRequest): Promise<true> {
    const bytes = bytesOf(body);
    const digest = await digestOf(bytes);
    const bindings = await core();
    const { replayStore } = this.#config;
    const ticket = adopting(SignatureError, () => {
      this.#core ??= new bindings.Receiver(JSON.stringify(this[KEYS]()));
      return this.#core.verify(
        signature,
        digest ? NOTHING : bytes,
        digest,
        url,
        upstashRegion,
        clockTolerance,
        replayStore !== undefined,
        Date.now(),
      );
    });
    if (replayStore && ticket && !(await replayStore.add(...ticket))) adopting(SignatureError, bindings.refuseReplayed);
    return true;
  }

  /**
   * What {@link verify} looks at, with the outcome of each check and the decoded header and claims: for people who want to
   * know why a signature is refused. Asks no `replayStore`, and never rejects because of the signature.
   *
   * @throws {SignatureError} if the receiver is misconfigured, or the body was parsed.
   */
  async explain({ signature, body, url, clockTolerance, upstashRegion }: VerifyRequest): Promise<SignatureExplanation> {
    const bytes = bytesOf(body);
    const bindings = await core();
    const explained = adopting(SignatureError, () => {
      this.#core ??= new bindings.Receiver(JSON.stringify(this[KEYS]()));
      return this.#core.explain(signature, bytes, url, upstashRegion, clockTolerance, Date.now());
    });
    return explanationOf(explained);
  }

  /** @internal */
  [KEYS](environment?: Environment): SigningSettings {
    const { currentSigningKey, nextSigningKey, devMode, env } = this.#config;
    const settings = settingsIn(env ?? environment ?? processEnvironment());
    return { currentSigningKey, nextSigningKey, devMode, environment: settings };
  }

  /** @internal Whether a signature is more than a question to the core. */
  get [GUARDED](): boolean {
    return this.#config.replayStore !== undefined;
  }
}

const NOTHING = new Uint8Array();

/** @throws {SignatureError} for a body that was parsed. */
function bytesOf(body: unknown): Uint8Array<ArrayBuffer> {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength);
  if (Object.prototype.toString.call(body) === "[object ArrayBuffer]") return new Uint8Array(body as ArrayBuffer);
  throw new SignatureError(
    `the body was parsed before it was verified: expected its raw text or bytes, got ${body === null ? "null" : typeof body}`,
    "SignatureBody",
  );
}

/** From the core's texts. */
function explanationOf([signedBy, header, claims, ...rest]: ExplainedSignature): SignatureExplanation {
  const checks = Array.from({ length: rest.length / 4 }, (_, index) => {
    const [check, outcome, code, message] = rest.slice(4 * index);
    return { check, outcome, ...(code === undefined ? {} : { code, message }) } as SignatureCheck;
  });
  return {
    isValid: checks.every(({ outcome }) => outcome !== "failed"),
    checks,
    signedBy: signedBy as SignatureExplanation["signedBy"],
    header: header === undefined ? undefined : JSON.parse(header),
    claims: claims === undefined ? undefined : JSON.parse(claims),
  };
}
