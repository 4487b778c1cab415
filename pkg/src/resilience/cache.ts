/** A map that holds the entries used last, each for a time: `lru-cache` with counts and with loads that are shared. */
import { LRUCache } from "lru-cache";

import { ConfigurationError } from "../errors.js";
import { type OptionNames, optionsOf } from "../options.js";
import { Load, type Loader } from "./load.js";

/** Tells the time. */
export interface Clock {
  /** Milliseconds from any beginning, never backwards. */
  now(): number;
}

/** Why an entry has left a cache by itself: others needed its place, or its time was up. */
export type EvictionReason = "evicted" | "expired";

/** How a {@link BoundedCache} is bounded, and what it tells. */
export interface BoundedCacheOptions<K, V> {
  /** Entries at most, from 1 to 16,777,216. The one used least recently makes place for a new one. */
  maxSize: number;
  /** Milliseconds that an entry is held after it was set. Default: until it is evicted. */
  ttl?: number | undefined;
  /** Counts what {@link BoundedCache.getAnalytics} tells. Default: `false` */
  enableAnalytics?: boolean | undefined;
  /** Is told of entries that leave by themselves, once the cache can be used again. It must not throw. */
  onEvict?: ((key: K, value: V, reason: EvictionReason) => void) | undefined;
  /** Bytes, or whatever else `sizeOf` counts, of all entries at most. A larger entry is not held at all. */
  maxBytes?: number | undefined;
  /** What an entry counts towards `maxBytes`. */
  sizeOf?: ((value: V, key: K) => number) | undefined;
  /** Tells the time, such as a test's. Default: the runtime's monotonic clock, read once a millisecond */
  clock?: Clock | undefined;
}

/** What can be said of one entry. */
export interface CacheEntryOptions {
  /** Milliseconds, instead of the cache's; `Infinity` for as long as there is place. */
  ttl?: number | undefined;
}

/** How {@link BoundedCache.getOrLoad} loads. */
export interface CacheLoadOptions extends CacheEntryOptions {
  /** Ends this caller's waiting. The load itself goes on for others who wait for it. */
  signal?: AbortSignal | undefined;
}

/** What a cache has done since it was made, or since {@link BoundedCache.resetAnalytics}. */
export interface CacheAnalytics {
  /** Values that were found by `get` and `getOrLoad`. */
  hits: number;
  /** And those that were not. */
  misses: number;
  /** Hits of all that was asked for, from 0 to 1; 0 if nothing was. */
  hitRate: number;
  /** Entries that had to make place for others. */
  evictions: number;
  /** Entries that were asked for when their time was up. */
  expirations: number;
  /** See {@link BoundedCache.size}. */
  size: number;
  maxSize: number;
  /** Loads that `getOrLoad` has begun. */
  loads: number;
  /** And those that failed. */
  loadErrors: number;
}

const NAMES: OptionNames<BoundedCacheOptions<unknown, unknown>> = {
  ...{ maxSize: true, ttl: true, enableAnalytics: true, onEvict: true, maxBytes: true, sizeOf: true, clock: true },
};

/** As many as a `Map` holds. */
const MOST_ENTRIES = 2 ** 24;

/**
 * A bounded map for values that can be computed or fetched again. Each operation takes constant time.
 *
 * ```ts
 * const cache = new BoundedCache<string, User>({ maxSize: 1000, ttl: 300_000, enableAnalytics: true });
 * const user = await cache.getOrLoad(id, () => fetchUser(id));
 * ```
 *
 * `undefined` is no value: it is what is told of a key without one, and to set it is to delete.
 */
export class BoundedCache<K, V> {
  readonly #entries: LRUCache<K & {}, V & {}>;
  readonly #loads = new Map<K, Load<V>>();
  readonly #options = { status: undefined };
  readonly #counted: boolean;
  #hits = 0;
  #misses = 0;
  /** What is counted more seldom than those. */
  readonly #events = { evictions: 0, expirations: 0, loads: 0, loadErrors: 0 };

  /** @throws {ConfigurationError} */
  constructor(options: BoundedCacheOptions<K, V>) {
    const given = optionsOf("BoundedCache", options, NAMES);
    const { maxSize, ttl, enableAnalytics = false, onEvict, maxBytes, sizeOf, clock = performance } = given;
    if (!Number.isInteger(maxSize) || maxSize < 1 || maxSize > MOST_ENTRIES)
      throw misconfigured("maxSize", `a whole number from 1 to ${MOST_ENTRIES}`, maxSize);
    if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= 1))
      throw misconfigured("maxBytes", "a whole number above 0", maxBytes);
    if ((maxBytes === undefined) !== (sizeOf === undefined))
      throw new ConfigurationError("maxBytes and sizeOf of a cache need each other");
    this.#counted = enableAnalytics;
    const events = this.#events;
    this.#entries = new LRUCache<K & {}, V & {}>({
      max: maxSize,
      ttl: lifetime(ttl) ?? 0,
      // 0 stands for no time there, and is what Workers' clock says outside of requests.
      perf: { now: () => clock.now() || Number.MIN_VALUE },
      ttlResolution: clock === performance && timersOutliveRequests() ? RESOLUTION_MS : 0,
      ...(maxBytes !== undefined && sizeOf && { maxSize: maxBytes, sizeCalculation: counting(sizeOf) }),
      ...(enableAnalytics && {
        dispose: (_value, _key, reason) => {
          if (reason === "evict") events.evictions += 1;
          else if (reason === "expire") events.expirations += 1;
        },
        noDisposeOnSet: !onEvict,
      }),
      ...(onEvict && {
        disposeAfter: (value, key, reason) => {
          if (reason === "evict") onEvict(key, value, "evicted");
          else if (reason === "expire") onEvict(key, value, "expired");
        },
      }),
    });
  }

  /** The value, which counts as used now; `undefined` if there is none. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key as K & {}, this.#fresh());
    if (this.#counted) {
      if (value === undefined) this.#misses += 1;
      else this.#hits += 1;
    }
    return value;
  }

  /** The value, without being counted or counting as used. */
  peek(key: K): V | undefined {
    return this.#entries.peek(key as K & {});
  }

  /** Whether there is a value, without being counted or counting as used. */
  has(key: K): boolean {
    return this.#entries.has(key as K & {});
  }

  /**
   * Holds a value. A load of this key that is under way keeps its result to those who wait for it.
   *
   * @throws {ConfigurationError} for a time or a size that is no positive number
   */
  set(key: K, value: V, options?: CacheEntryOptions): this {
    if (this.#loads.size > 0) this.#loads.delete(key);
    if (options === undefined) this.#entries.set(key as K & {}, value as V & {}, this.#fresh());
    else this.#store(key, value, lifetime(options.ttl));
    return this;
  }

  /** Whether there was a value. A load of this key that is under way keeps its result to those who wait for it. */
  delete(key: K): boolean {
    this.#loads.delete(key);
    const existed = this.#entries.has(key as K & {});
    this.#entries.delete(key as K & {});
    return existed;
  }

  /** Deletes everything. */
  clear(): void {
    this.#loads.clear();
    this.#entries.clear();
  }

  /** The entries that are held. Those whose time is up are among them until they are asked for or make place. */
  get size(): number {
    return this.#entries.size;
  }

  /** The keys whose time is not up, the one used last first. */
  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  /** The entries whose time is not up, the one used last first. */
  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  /**
   * The value, loaded if there is none. Who asks while it is being loaded waits for the same load. A load that fails
   * fails for all of them and is not remembered; one that everybody has given up waiting for is aborted.
   *
   * @param loader gets the key and a `signal`
   */
  async getOrLoad(key: K, loader: Loader<K, V>, options: CacheLoadOptions = {}): Promise<V> {
    const { ttl, signal } = options;
    const held = lifetime(ttl);
    signal?.throwIfAborted();
    const value = this.get(key);
    if (value !== undefined) return value;
    return (this.#loads.get(key) ?? this.#load(key, loader, held)).wait(signal);
  }

  /** What the cache has done. Nothing but sizes, unless it was made with `enableAnalytics`. */
  getAnalytics(): CacheAnalytics {
    const [hits, misses] = [this.#hits, this.#misses];
    const hitRate = hits === 0 ? 0 : hits / (hits + misses);
    return { hits, misses, hitRate, ...this.#events, size: this.size, maxSize: this.#entries.max };
  }

  /** Counts from 0 again. */
  resetAnalytics(): void {
    this.#hits = 0;
    this.#misses = 0;
    Object.assign(this.#events, { evictions: 0, expirations: 0, loads: 0, loadErrors: 0 });
  }

  #load(key: K, loader: Loader<K, V>, ttl: number | undefined): Load<V> {
    const current = () => this.#loads.get(key) === load;
    const load = new Load<V>((signal) => loader(key, { signal }), {
      loaded: (value) => {
        if (!current()) return;
        this.#loads.delete(key);
        this.#store(key, value, ttl);
      },
      failed: () => {
        if (this.#counted) this.#events.loadErrors += 1;
        if (current()) this.#loads.delete(key);
      },
      abandoned: () => {
        if (current()) this.#loads.delete(key);
      },
    });
    this.#loads.set(key, load);
    if (this.#counted) this.#events.loads += 1;
    return load;
  }

  /** Options of one call. `lru-cache` would make an object for each, and writes a status into it if anybody listens. */
  #fresh(): object {
    const options = this.#options;
    options.status = undefined;
    return options;
  }

  #store(key: K, value: V, ttl: number | undefined): void {
    this.#entries.set(key as K & {}, value as V & {}, ttl === undefined ? {} : { ttl });
  }
}

/** How long a reading of the clock is good for, which a timer ends. */
const RESOLUTION_MS = 1;

/** Workers and edge runtimes end timers with the request that set them: the time would stand still. */
const timersOutliveRequests = () => !("WebSocketPair" in globalThis || "EdgeRuntime" in globalThis);

/** A time as `lru-cache` knows it: whole milliseconds, 0 for ever. */
function lifetime(ttl: number | undefined): number | undefined {
  if (ttl === undefined) return undefined;
  if (typeof ttl !== "number" || !(ttl > 0)) throw misconfigured("ttl", "milliseconds above 0", ttl);
  return ttl === Number.POSITIVE_INFINITY ? 0 : Math.ceil(ttl);
}

/** `lru-cache` knows whole sizes above 0. */
const counting =
  <K, V>(sizeOf: (value: V, key: K) => number) =>
  (value: V, key: K): number => {
    const size = sizeOf(value, key);
    if (typeof size !== "number" || !(size >= 0)) throw misconfigured("sizeOf's answer", "a number from 0", size);
    return Math.max(1, Math.ceil(Math.min(size, Number.MAX_SAFE_INTEGER)));
  };

const misconfigured = (what: string, expected: string, got: unknown) =>
  new ConfigurationError(`${what} of a cache has to be ${expected}, got ${typeof got === "number" ? got : typeof got}`);
