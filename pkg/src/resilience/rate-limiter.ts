/** Rate limits: how many calls somebody may make in a time. */
import { reasonOf } from "../broker.js";
import type { CallOptions } from "../config.js";
import { adopting, OrchestrationError, ProviderError } from "../errors.js";
import { type OptionNames, optionsOf } from "../options.js";
import { type Limiter, rules } from "../rules/rules.js";
import { MemoryCounts, RedisCounts, type Verdict } from "./rate-limit-counts.js";
import { RedisRest, type RedisRestConfig, redisSettings } from "./redis.js";

type Unit = "ms" | "s" | "m" | "h" | "d";

/** Milliseconds, or a duration such as `10s` and `1 m`. */
export type RateLimitWindow = number | `${number}${Unit}` | `${number} ${Unit}`;

/**
 * How calls are counted.
 *
 * - `fixed-window`: so many in each window. Twice as many can come around the border of two.
 * - `sliding-window`: the window of before counts for the part that a window back from now still covers.
 * - `token-bucket`: each call takes one of `limit` tokens; `refill` come back after every `window`.
 */
export type RateLimitAlgorithm = "fixed-window" | "sliding-window" | "token-bucket";

/** How much is allowed, and where it is counted. */
export interface RateLimiterOptions {
  /** How many calls in a window, or how many tokens a bucket holds. */
  limit: number;
  /** How long a window is, or after which time tokens come back; up to a year. */
  window: RateLimitWindow;
  /** Default: `sliding-window`. */
  algorithm?: RateLimitAlgorithm | undefined;
  /** How many tokens come back after every `window`; for `token-bucket` only. Default: `limit`. */
  refill?: number | undefined;
  /**
   * Stands before every key in Redis. Limiters with the same prefix and the same rule share their counts. Default:
   * `orchestration:limit`.
   */
  prefix?: string | undefined;
  /**
   * The Redis with a REST interface that counts for all processes, or `false` to count in this one. Default: that of
   * `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`, read at the first call; without these, this process.
   */
  redis?: RedisRestConfig | false | undefined;
  /** Allows calls while Redis can't be asked. Default: `false`, they are refused by a rejection. */
  failOpen?: boolean | undefined;
  /** Hears why Redis could not be asked. Default: `console.warn`, once until it answers again, if `failOpen` is set. */
  onError?: ((error: unknown) => void) | undefined;
  /** Identifiers that are remembered in this process, the ones that came last. Default: 10,000. */
  maxIdentifiers?: number | undefined;
  /** Milliseconds to wait for Redis. Default: 5,000. */
  timeout?: number | undefined;
  /** Where settings are read from; give a Worker's bindings here. Default: the process's environment. */
  env?: object | undefined;
  /** Tells Unix milliseconds. Default: `Date.now` */
  now?: (() => number) | undefined;
}

/** What can be asked for one call. */
export interface LimitOptions extends CallOptions {
  /** As how many calls it counts. Default: 1. */
  cost?: number | undefined;
}

/** Whether a call may be made. */
export interface RateLimitResult {
  /** Whether it may. */
  success: boolean;
  /** The limit. */
  limit: number;
  /** How many more calls may be made now. */
  remaining: number;
  /** When the limit holds anew: the window ends, the bucket is full. Unix milliseconds. */
  reset: number;
  /** Seconds after which the refused call could be made, if nobody else comes; 0 for an allowed one. */
  retryAfter: number;
  /** `RateLimit-*`, and `Retry-After` if it is refused; for the answer to a request. */
  headers: Record<string, string>;
  /** Redis could not be asked, and the limiter is told to allow calls then. */
  failedOpen?: true;
}

/** Counts calls of many callers, each for itself. */
export interface RateLimiter {
  /**
   * Counts a call of `identifier`: a user's id, an API key's hash, an address. One that is refused is not counted.
   *
   * Rejects with `ProviderUnavailable` if Redis can't be asked, unless `failOpen` is set; with the reason of `signal`; with
   * `InvalidConfiguration` if the identifier is no text of 1 to 512 characters, or for a cost below 1.
   */
  limit(identifier: string, options?: LimitOptions): Promise<RateLimitResult>;
  /** Tells what is left, and takes nothing. `success`: whether one more call may be made. */
  check(identifier: string, options?: CallOptions): Promise<RateLimitResult>;
  /** Forgets the calls of `identifier`. Other processes that have refused it go on until the time that they were told. */
  reset(identifier: string, options?: CallOptions): Promise<void>;
}

/**
 * Makes a rate limiter.
 *
 * ```ts
 * const limiter = createRateLimiter({ limit: 10, window: "10s" });
 * const { success, headers } = await limiter.limit(userId);
 * if (!success) return new Response("Too many requests", { status: 429, headers });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export const createRateLimiter = (options: RateLimiterOptions): RateLimiter => new CountingRateLimiter(options);

const NAMES: OptionNames<RateLimiterOptions> = {
  ...{ limit: true, window: true, algorithm: true, refill: true, prefix: true, redis: true, failOpen: true },
  ...{ onError: true, maxIdentifiers: true, timeout: true, env: true, now: true },
};

class CountingRateLimiter implements RateLimiter {
  readonly #rule: Limiter;
  readonly #policySeconds: number;
  readonly #options: RateLimiterOptions & { algorithm: RateLimitAlgorithm; maxIdentifiers: number };
  readonly #now: () => number;
  #counts: MemoryCounts | RedisCounts | undefined;
  /** Whether somebody was told that Redis can't be asked. */
  #told = false;

  constructor(given: RateLimiterOptions) {
    const options = optionsOf("createRateLimiter", given, NAMES);
    const { limit, window, algorithm = "sliding-window", refill, maxIdentifiers = MAX_IDENTIFIERS, redis } = options;
    if (!Number.isInteger(maxIdentifiers) || maxIdentifiers < 1)
      throw misconfigured("maxIdentifiers has to be a whole number from 1");
    this.#rule = adopting(OrchestrationError, () => {
      const { Limiter } = rules();
      return new Limiter(String(algorithm), limit, String(window), refill);
    });
    const [, windowMs = 0] = this.#rule.scriptArguments();
    this.#policySeconds = Math.ceil((algorithm === "token-bucket" ? this.#rule.memory : windowMs) / 1000);
    this.#options = { ...options, algorithm, maxIdentifiers };
    this.#now = options.now ?? Date.now;
    // What is given is looked at now, the environment at the first call.
    if (redis !== undefined) this.#counts = this.#countsOf(redis || undefined);
  }

  async limit(identifier: string, { cost = 1, signal }: LimitOptions = {}): Promise<RateLimitResult> {
    if (!Number.isInteger(cost) || cost < 1 || cost > MOST) throw misconfigured("cost has to be a whole number from 1");
    return this.#decide(identifier, cost, signal);
  }

  async check(identifier: string, { signal }: CallOptions = {}): Promise<RateLimitResult> {
    return this.#decide(identifier, 0, signal);
  }

  async reset(identifier: string, { signal }: CallOptions = {}): Promise<void> {
    checkIdentifier(identifier);
    await this.#store().forget(identifier, signal);
  }

  async #decide(identifier: string, cost: number, signal: AbortSignal | undefined): Promise<RateLimitResult> {
    checkIdentifier(identifier);
    signal?.throwIfAborted();
    const counts = this.#store();
    const now = this.#now();
    if (counts instanceof MemoryCounts) return this.#result(counts.decide(identifier, cost, now), cost, now);
    try {
      const verdict = await counts.decide(identifier, cost, now, signal);
      this.#told = false;
      return this.#result(verdict, cost, now);
    } catch (error) {
      signal?.throwIfAborted();
      return this.#undecided(error, now);
    }
  }

  #result({ allowed, remaining, resetAt, retryAt }: Verdict, cost: number, now: number): RateLimitResult {
    const success = cost === 0 ? remaining > 0 : allowed;
    const limit = this.#rule.limit;
    const resetSeconds = secondsUntil(resetAt, now);
    const headers: Record<string, string> = {
      "RateLimit-Limit": `${limit}`,
      "RateLimit-Remaining": `${remaining}`,
      "RateLimit-Reset": `${resetSeconds}`,
      "RateLimit-Policy": `"default";q=${limit};w=${this.#policySeconds}`,
      RateLimit: `"default";r=${remaining};t=${resetSeconds}`,
    };
    if (success) return { success, limit, remaining, reset: resetAt, retryAfter: 0, headers };
    const retryAfter = Math.max(1, secondsUntil(cost === 0 ? resetAt : retryAt, now));
    headers["Retry-After"] = `${retryAfter}`;
    return { success, limit, remaining, reset: resetAt, retryAfter, headers };
  }

  #undecided(error: unknown, now: number): RateLimitResult {
    const { failOpen = false, onError } = this.#options;
    if (onError) onError(error);
    else if (failOpen && !this.#told) console.warn(`[rate limit] calls are allowed uncounted: ${error}`);
    this.#told = true;
    if (!failOpen) throw unavailable(error);
    const limit = this.#rule.limit;
    return { success: true, limit, remaining: limit, reset: now, retryAfter: 0, headers: {}, failedOpen: true };
  }

  #store(): MemoryCounts | RedisCounts {
    this.#counts ??= this.#countsOf(redisSettings(this.#options.env));
    return this.#counts;
  }

  #countsOf(redis: RedisRestConfig | undefined): MemoryCounts | RedisCounts {
    const { algorithm, maxIdentifiers, timeout = TIMEOUT_MS, prefix = PREFIX } = this.#options;
    if (!redis) return new MemoryCounts(this.#rule, maxIdentifiers);
    return new RedisCounts(this.#rule, new RedisRest({ timeout, ...redis }), `${prefix}:${algorithm}`, maxIdentifiers);
  }
}

const MAX_IDENTIFIERS = 10_000;
const TIMEOUT_MS = 5000;
const PREFIX = "orchestration:limit";
/** Characters of an identifier at most. */
export const IDENTIFIER_LENGTH = 512;
/** As much as a limit can be. */
const MOST = 2 ** 32 - 1;

const secondsUntil = (moment: number, now: number) => Math.max(0, Math.ceil((moment - now) / 1000));

/** Nothing that is no identifier may share the limit of those who have none. */
function checkIdentifier(identifier: string): void {
  if (typeof identifier === "string" && identifier.length > 0 && identifier.length <= IDENTIFIER_LENGTH) return;
  throw misconfigured(`an identifier has to be a text of 1 to ${IDENTIFIER_LENGTH} characters`);
}

const misconfigured = (message: string) => new OrchestrationError(message, "InvalidConfiguration");

const unavailable = (cause: unknown) =>
  new ProviderError(`the call is refused because it can't be counted: ${reasonOf(cause)}`, {
    cause,
    provider: "redis",
  });
