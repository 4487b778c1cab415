/** What guards the work in a process, beside the library that users would pick for it. */
import { pair } from "./pair.mjs";

/** Operations of one call of `pair`, whose own cost is that of an `await`. */
const BATCH = 1_000;

/**
 * @param {(names: string[]) => Promise<object>} load gives what packages export
 * @param {(row: object) => void} show
 */
export async function resilience(load, show) {
  const ours = await load(["@repo/orchestration"]);
  await caches(ours, await load(["lru-cache"]), show);
}

/** The same options, and keys of which one in eight isn't there. */
async function caches({ BoundedCache }, { LRUCache }, show) {
  const held = Array.from({ length: BATCH }, (_, index) => `user:${index}`);
  const asked = held.map((key, index) => (index % 8 === 0 ? `absent:${index}` : key));
  const kinds = [
    ["", {}],
    [" with a time to live", { ttl: 300_000 }],
    [" with a time to live, counted", { ttl: 300_000, enableAnalytics: true }],
  ];
  for (const [kind, { enableAnalytics, ...options }] of kinds) {
    const both = (size) => ({
      ours: new BoundedCache({ maxSize: size, enableAnalytics, ...options }),
      theirs: new LRUCache({ max: size, ...options }),
    });
    const [roomy, tight] = [both(BATCH), both(BATCH / 2)];
    show(
      await pair(
        `cache, 1000 × set${kind}`,
        each(roomy, (cache) => calls(cache, held, "cache.set(key, 1)")),
      ),
    );
    show(
      await pair(
        `cache, 1000 × get${kind}`,
        each(roomy, (cache) => calls(cache, asked, "cache.get(key)")),
      ),
    );
    show(
      await pair(
        `cache, 1000 × set that evicts${kind}`,
        each(tight, (cache) => calls(cache, held, "cache.set(key, 1)")),
      ),
    );
  }
}

const each = ({ ours, theirs }, work) => ({ ours: work(ours), theirs: work(theirs) });

/** A function of its own for each cache, since the engine compiles one that has seen two kinds for neither. */
const calls = (cache, keys, call) =>
  new Function("cache", "keys", `return () => { for (const key of keys) ${call}; };`)(cache, keys);
