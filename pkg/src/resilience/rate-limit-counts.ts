/** Where the calls of a rate limit are counted: in this process, or in a Redis for many. */
import { ProviderError } from "../errors.js";
import type { Limiter } from "../rules/rules.js";
import { BoundedCache } from "./cache.js";
import { RedisError, type RedisRest } from "./redis.js";

/** A decision; moments are Unix milliseconds. */
export interface Verdict {
  allowed: boolean;
  remaining: number;
  resetAt: number;
  retryAt: number;
}

/** What is known of a caller, in the rule's own numbers. */
interface Slot {
  mark: number;
  count: number;
  previous: number;
}

/** Counts in this process. Who was not seen for the longest time is forgotten when there are too many. */
export class MemoryCounts {
  readonly #rule: Limiter;
  readonly #slots: BoundedCache<string, Slot>;

  constructor(rule: Limiter, maxSize: number) {
    this.#rule = rule;
    this.#slots = new BoundedCache({ maxSize });
  }

  decide(identifier: string, cost: number, now: number): Verdict {
    const rule = this.#rule;
    const slot = this.#slots.get(identifier);
    const allowed = slot ? rule.decide(slot.mark, slot.count, slot.previous, cost, now) : rule.decideFirst(cost, now);
    if (allowed && cost > 0) {
      const { mark, count, previous } = rule;
      if (slot) Object.assign(slot, { mark, count, previous });
      else this.#slots.set(identifier, { mark, count, previous });
    }
    return { allowed, remaining: rule.remaining, resetAt: rule.resetAt, retryAt: rule.retryAt };
  }

  forget(identifier: string): void {
    this.#slots.delete(identifier);
  }
}

/** A call that was refused: until its verdict's `retryAt`, one that costs as much is refused too. */
interface Refusal {
  cost: number;
  verdict: Verdict;
  at: number;
}

/** Redis is asked anew if the clock has been set back by more milliseconds. */
const MOST_BACK = 60_000;

/** Counts in Redis, by one atomic script a call; callers who are known to be refused cost no request. */
export class RedisCounts {
  readonly #redis: RedisRest;
  readonly #prefix: string;
  readonly #script: string;
  readonly #arguments: readonly number[];
  readonly #refusals: BoundedCache<string, Refusal>;
  /** What Redis knows the script by. */
  #digest: Promise<string> | undefined;

  constructor(rule: Limiter, redis: RedisRest, prefix: string, maxSize: number) {
    this.#redis = redis;
    this.#script = rule.script();
    this.#arguments = [...rule.scriptArguments()];
    // Limiters with other rules count for themselves: their numbers mean something else.
    this.#prefix = `${prefix}:${this.#arguments.join(":")}:`;
    this.#refusals = new BoundedCache({ maxSize });
  }

  async decide(identifier: string, cost: number, now: number, signal: AbortSignal | undefined): Promise<Verdict> {
    const refusal = this.#refusals.get(identifier);
    const isKnown = refusal && now < refusal.verdict.retryAt && now >= refusal.at - MOST_BACK;
    if (isKnown && cost >= refusal.cost) return current(refusal.verdict, now);
    const verdict = verdictIn(await this.#evaluate(identifier, cost, now, signal));
    if (!verdict.allowed) this.#refusals.set(identifier, { cost, verdict, at: now });
    else if (!isKnown) this.#refusals.delete(identifier);
    return verdict;
  }

  async forget(identifier: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#redis.command(["DEL", this.#prefix + identifier], { signal });
    this.#refusals.delete(identifier);
  }

  async #evaluate(identifier: string, cost: number, now: number, signal: AbortSignal | undefined): Promise<unknown> {
    this.#digest ??= sha1(this.#script);
    const digest = await this.#digest;
    const rest = [1, this.#prefix + identifier, ...this.#arguments, cost, now];
    try {
      return await this.#redis.command(["EVALSHA", digest, ...rest], { signal });
    } catch (error) {
      if (!(error instanceof RedisError && error.kind === "NOSCRIPT")) throw error;
      return this.#redis.command(["EVAL", this.#script, ...rest], { signal });
    }
  }
}

/** A window may have ended, and the next one not have room yet. */
const current = (verdict: Verdict, now: number): Verdict =>
  verdict.resetAt > now ? verdict : { ...verdict, resetAt: verdict.retryAt };

function verdictIn(answer: unknown): Verdict {
  const numbers = Array.isArray(answer) ? answer.map(Number) : [];
  const [allowed, remaining, resetAt, retryAt] = numbers as [number, number, number, number];
  if (numbers.length !== 4 || numbers.some(Number.isNaN))
    throw new ProviderError("Redis answered the script of a rate limit with something else", { provider: "redis" });
  return { allowed: allowed === 1, remaining, resetAt, retryAt };
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
