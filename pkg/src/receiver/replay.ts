/** Refusing a signature that was seen before: where the ids of accepted signatures are kept. */
import { reasonOf } from "../broker.js";
import { core, type SeenTokens } from "../core/core.js";
import { OrchestrationError } from "../errors.js";
import { RedisRest, type RedisRestConfig } from "../resilience/redis.js";

/**
 * Where the ids (`jti`) of accepted signatures are kept. A broker signs every delivery anew, each retry too, so a store
 * loses no retry. A store that all instances share guards all of them.
 */
export interface ReplayStore {
  /**
   * Remembers an id until `expiresAt`, in Unix milliseconds; resolves with `false` if it is remembered already. Has to
   * be atomic: of two calls at once with one id, exactly one gets `true`. A rejection refuses the request.
   */
  add(jti: string, expiresAt: number): Promise<boolean>;
}

/** Ids in the memory of this process, forgotten as their signatures expire. Guards one instance only. */
export function memoryReplayStore(): ReplayStore {
  let seen: SeenTokens | undefined;
  return {
    async add(jti, expiresAt) {
      const { SeenTokens: Seen } = await core();
      seen ??= new Seen();
      return seen.add(jti, expiresAt, Date.now());
    },
  };
}

/** Where the Redis is; its token has to be allowed to write. */
export interface RedisReplayStoreConfig extends RedisRestConfig {
  /** Stands before every key. Default: `qstash:jti:`. */
  prefix?: string;
}

/** Ids in a Redis with Upstash's REST interface: one `SET … NX PX` for each request. */
export function redisReplayStore({ prefix = "qstash:jti:", ...config }: RedisReplayStoreConfig): ReplayStore {
  const redis = new RedisRest(config);
  return {
    async add(jti, expiresAt) {
      const lifetime = Math.max(1, Math.ceil(expiresAt - Date.now()));
      try {
        return (await redis.command(["SET", `${prefix}${jti}`, "1", "NX", "PX", lifetime])) === "OK";
      } catch (error) {
        throw unavailable(reasonOf(error), error);
      }
    },
  };
}

/** A Durable Object's namespace, as a Worker's bindings hold it. */
export interface ReplayNamespace {
  idFromName(name: string): unknown;
  get(id: never): { fetch(url: string, init: { method: string; body: string }): Promise<Response> };
}

/**
 * Ids in a Durable Object of the class {@link ReplayGuard}.
 *
 * @param name names the object; every name has a memory of its own
 */
export function durableObjectReplayStore(namespace: ReplayNamespace, name = "replay"): ReplayStore {
  return {
    async add(jti, expiresAt) {
      const guard = namespace.get(namespace.idFromName(name) as never);
      const response = await guard.fetch("https://replay.guard/", {
        method: "POST",
        body: JSON.stringify([jti, expiresAt]),
      });
      if (!response.ok) throw unavailable(`the Durable Object answered ${response.status}`);
      return ((await response.json()) as { added: boolean }).added;
    },
  };
}

/** What {@link ReplayGuard} needs of its storage. */
interface Storage {
  get(key: string): Promise<unknown>;
  put(key: string, value: number): Promise<void>;
  list(): Promise<Map<string, unknown>>;
  delete(keys: string[]): Promise<unknown>;
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
}

/**
 * The Durable Object behind {@link durableObjectReplayStore}. Export it from the Worker's entry and bind it:
 *
 * ```toml
 * [[durable_objects.bindings]]
 * name = "REPLAY"
 * class_name = "ReplayGuard"
 *
 * [[migrations]]
 * tag = "v1"
 * new_sqlite_classes = ["ReplayGuard"]
 * ```
 */
export class ReplayGuard {
  readonly #storage: Storage;

  constructor(state: { storage: Storage }) {
    this.#storage = state.storage;
  }

  /** Answers `{added}` to a POST of `[jti, expiresAt]`. Storage operations hold back other requests meanwhile. */
  async fetch(request: Request): Promise<Response> {
    const [jti, expiresAt] = (await request.json()) as [string, number];
    if ((await this.#storage.get(jti)) !== undefined) return Response.json({ added: false });
    await this.#storage.put(jti, expiresAt);
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(expiresAt);
    return Response.json({ added: true });
  }

  /** Forgets what has expired, and comes again for the rest. */
  async alarm(): Promise<void> {
    const entries = [...(await this.#storage.list())] as [string, number][];
    const now = Date.now();
    const expired = entries.filter(([, expiresAt]) => expiresAt <= now).map(([jti]) => jti);
    for (let at = 0; at < expired.length; at += KEYS_AT_ONCE)
      await this.#storage.delete(expired.slice(at, at + KEYS_AT_ONCE));
    const rest = entries.filter(([, expiresAt]) => expiresAt > now).map(([, expiresAt]) => expiresAt);
    if (rest.length > 0) await this.#storage.setAlarm(Math.min(...rest) + SWEEP_MS);
  }
}

/** As many keys as a Durable Object's storage deletes in one call. */
const KEYS_AT_ONCE = 128;

/** So that a busy object doesn't wake up for every id. */
const SWEEP_MS = 60_000;

function unavailable(reason: string, cause?: unknown): OrchestrationError {
  const message = `the replay guard's store failed, so the request is refused: ${reason}`;
  return new OrchestrationError(message, "Storage", true, undefined, cause);
}
