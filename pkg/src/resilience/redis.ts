/** A Redis with Upstash's REST interface: a command is one POST. */
import { reasonOf } from "../broker.js";
import type { CallOptions } from "../config.js";
import { type Environment, processEnvironment } from "../environment.js";
import { OrchestrationError, ProviderError } from "../errors.js";
import { within } from "./within.js";

/** Where a Redis with a REST interface is. */
export interface RedisRestConfig {
  /** The address, such as `https://eu1-able-1.upstash.io`. */
  url: string;
  /** The bearer token. */
  token: string;
  /** Milliseconds until a command without an answer fails. Default: 10,000. */
  timeout?: number | undefined;
}

/** A part of a command: its name, a key, a value. */
export type RedisArgument = string | number;

/** Redis answered a command with an error, such as `WRONGTYPE`. Code `Storage`. */
export class RedisError extends OrchestrationError {
  /** The first word of Redis' error: `ERR`, `NOSCRIPT`, `WRONGTYPE`, … */
  readonly kind: string;

  constructor(reply: string) {
    super(`Redis refused a command: ${reply}`, "Storage", false);
    this.name = "RedisError";
    this.kind = /^[A-Z]+/.exec(reply)?.[0] ?? "ERR";
  }
}

/**
 * Sends commands to a Redis with Upstash's REST interface. Nothing is sent twice: whether a command whose answer is lost
 * may be repeated is for its caller to know.
 *
 * ```ts
 * const redis = new RedisRest({ url: process.env.UPSTASH_REDIS_REST_URL, token: process.env.UPSTASH_REDIS_REST_TOKEN });
 * const visits = await redis.command<number>(["INCR", "visits"]);
 * ```
 */
export class RedisRest {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;

  /** @throws {OrchestrationError} `InvalidConfiguration` */
  constructor({ url, token, timeout = TIMEOUT_MS }: RedisRestConfig) {
    if (!isAddress(url)) throw misconfigured("the url of a Redis has to be absolute, with http or https");
    // Headers refuse other characters, and the message of that error would show the token.
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))
      throw misconfigured("the token of a Redis has to be a text without blanks and line breaks");
    if (!(typeof timeout === "number" && timeout > 0 && timeout <= LONGEST_TIMER))
      throw misconfigured("the timeout of a Redis has to be milliseconds above 0");
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    this.#timeout = timeout;
  }

  /**
   * Runs a command and resolves with its result: texts, numbers, `null` and lists of these.
   *
   * Rejects with the reason of `signal`, or with `ProviderUnavailable` if there is no answer that can be read,
   * `InvalidConfiguration` if the token is refused, `Storage` ({@link RedisError}) if Redis answers with an error.
   */
  async command<TResult = unknown>(
    command: readonly [name: string, ...args: RedisArgument[]],
    { signal }: CallOptions = {},
  ): Promise<TResult> {
    const expired = () => unavailable(`no answer within ${this.#timeout} ms`);
    try {
      return await within({ ms: this.#timeout, expired, outer: signal }, (ending) =>
        this.#exchange<TResult>(command, ending),
      );
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof OrchestrationError) throw error;
      throw unavailable(`it can't be reached: ${reasonOf(error)}`, error);
    }
  }

  async #exchange<TResult>(command: readonly RedisArgument[], signal: AbortSignal): Promise<TResult> {
    const body = JSON.stringify(command);
    // A redirection would be followed with the command, and frameworks that patch `fetch` remember answers.
    const init: RequestInit = { method: "POST", headers: this.#headers, body, signal, redirect: "manual" };
    if (fetchKnowsCaches()) init.cache = "no-store";
    const response = await fetch(this.#url, init);
    const answer = readable(await response.text());
    if (response.ok && answer && "result" in answer) return answer.result as TResult;
    const { status } = response;
    if (status === 401 || status === 403) throw misconfigured(`Redis refuses the token (status ${status})`);
    const { error } = answer ?? {};
    if (typeof error === "string" && status < 500 && status !== 429) throw new RedisError(shown(error));
    throw unavailable(`status ${status}${typeof error === "string" ? `: ${shown(error)}` : ""}`);
  }
}

/**
 * The Redis of `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`; `undefined` if neither is set.
 *
 * @param environment default: the process's, read now
 * @throws {OrchestrationError} `InvalidConfiguration` if only one of them is set
 */
export function redisSettings(environment: object = processEnvironment()): RedisRestConfig | undefined {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = environment as Environment;
  if (url && token) return { url, token };
  if (!url && !token) return undefined;
  const [set, missing] = url ? ["URL", "TOKEN"] : ["TOKEN", "URL"];
  throw misconfigured(`UPSTASH_REDIS_REST_${set} is set, so UPSTASH_REDIS_REST_${missing} has to be set too`);
}

const TIMEOUT_MS = 10_000;
/** Longer timers fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Characters of Redis' error that are told; arguments of the command may follow. */
const SHOWN = 120;

function isAddress(url: unknown): boolean {
  try {
    const { protocol, username, password } = new URL(url as string);
    return /^https?:$/.test(protocol) && username === "" && password === "";
  } catch {
    return false;
  }
}

/** Workers with an old compatibility date throw if they are asked. */
const fetchKnowsCaches = () => "cache" in Request.prototype;

function readable(text: string): { result?: unknown; error?: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** What Redis says up to where it repeats the command, which may hold secrets. */
const shown = (error: string) => (error.split(/, with args|[`'"\n]/)[0] as string).trim().slice(0, SHOWN);

const misconfigured = (message: string) => new OrchestrationError(message, "InvalidConfiguration");

const unavailable = (reason: string, cause?: unknown) =>
  new ProviderError(`Redis is not available: ${reason}`, { cause, provider: "redis" });
