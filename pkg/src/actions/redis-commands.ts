/** The usual commands of Redis: their fields, named as in `@upstash/redis`, their arguments and their results. */

type Key = { key: string };
type Keys = { keys: string[] };
type Value = unknown;

/** What each command is given. */
export interface RedisCommandFields {
  get: Key;
  getdel: Key;
  /** `ex` and `px` are seconds and milliseconds until it expires; `nx` only if there is none, `xx` only if there is one. */
  set: Key & { value: NonNullable<Value>; ex?: number; px?: number; nx?: boolean; xx?: boolean };
  mget: Keys;
  del: Keys;
  exists: Keys;
  /** Seconds. */
  expire: Key & { seconds: number };
  ttl: Key;
  incr: Key;
  incrby: Key & { increment: number };
  decr: Key;
  decrby: Key & { decrement: number };
  hget: Key & { field: string };
  hset: Key & { fields: Record<string, Value> };
  hgetall: Key;
  hdel: Key & { fields: string[] };
  lpush: Key & { elements: Value[] };
  rpush: Key & { elements: Value[] };
  lpop: Key;
  rpop: Key;
  lrange: Key & { start: number; stop: number };
  sadd: Key & { members: Value[] };
  srem: Key & { members: Value[] };
  smembers: Key;
  zadd: Key & { score: number; member: NonNullable<Value> };
  zrange: Key & { start: number; stop: number };
}

type Count = { fixed: number };
type One = { list: false };
type List = { list: true };

/** What each command gives: always the same, or what its user says, alone or in a list. */
export interface RedisCommandResults {
  get: One;
  getdel: One;
  /** `null` if `nx` or `xx` has prevented it. */
  set: { fixed: "OK" | null };
  mget: List;
  del: Count;
  exists: Count;
  expire: Count;
  ttl: Count;
  incr: Count;
  incrby: Count;
  decr: Count;
  decrby: Count;
  hget: One;
  hset: Count;
  hgetall: One;
  hdel: Count;
  lpush: Count;
  rpush: Count;
  lpop: One;
  rpop: One;
  lrange: List;
  sadd: Count;
  srem: Count;
  smembers: List;
  zadd: Count;
  zrange: List;
}

/** The arguments behind a command's name. */
export type Arrange = (fields: object) => readonly unknown[];

type Commands = {
  [K in keyof RedisCommandFields]: {
    arrange: (fields: RedisCommandFields[K]) => readonly unknown[];
    /** Reads the result where it is not what it means. */
    result?: (result: unknown) => unknown;
  };
};

const ofKey = { arrange: ({ key }: Key) => [key] };
const ofKeys = { arrange: ({ keys }: Keys) => keys };
const ofElements = { arrange: ({ key, elements }: Key & { elements: Value[] }) => [key, ...elements] };
const ofMembers = { arrange: ({ key, members }: Key & { members: Value[] }) => [key, ...members] };
const ofRange = { arrange: ({ key, start, stop }: Key & { start: number; stop: number }) => [key, start, stop] };

export const COMMANDS: Commands = {
  get: ofKey,
  getdel: ofKey,
  set: {
    arrange: ({ key, value, ex, px, nx, xx }) => [
      key,
      value,
      ...(ex === undefined ? [] : ["EX", ex]),
      ...(px === undefined ? [] : ["PX", px]),
      ...(nx ? ["NX"] : []),
      ...(xx ? ["XX"] : []),
    ],
  },
  mget: ofKeys,
  del: ofKeys,
  exists: ofKeys,
  expire: { arrange: ({ key, seconds }) => [key, seconds] },
  ttl: ofKey,
  incr: ofKey,
  incrby: { arrange: ({ key, increment }) => [key, increment] },
  decr: ofKey,
  decrby: { arrange: ({ key, decrement }) => [key, decrement] },
  hget: { arrange: ({ key, field }) => [key, field] },
  hset: { arrange: ({ key, fields }) => [key, ...Object.entries(fields).flat()] },
  hgetall: { ...ofKey, result: pairs },
  hdel: { arrange: ({ key, fields }) => [key, ...fields] },
  lpush: ofElements,
  rpush: ofElements,
  lpop: ofKey,
  rpop: ofKey,
  lrange: ofRange,
  sadd: ofMembers,
  srem: ofMembers,
  smembers: ofKey,
  zadd: { arrange: ({ key, score, member }) => [key, score, member] },
  zrange: ofRange,
};

/** An object of what comes as names and values in turn; `null` if there are none. */
function pairs(result: unknown): unknown {
  if (!Array.isArray(result) || result.length === 0) return null;
  const names = result.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name, result[2 * index + 1]]));
}
