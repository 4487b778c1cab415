/** Times two implementations of the same work in turn, so that a machine whose speed drifts slows both. */

const ROUNDS = 21;
const ROUND_MS = 60;

/**
 * @param {string} name what is measured
 * @param {{ours: () => unknown, theirs: () => unknown}} pair functions that do the same work once; may be async
 * @returns {Promise<{name: string, ours: number, theirs: number, ratio: number, low: number, high: number}>}
 *   median microseconds per call; `ratio` is ours / theirs, the median over rounds, with its quartiles
 */
export async function pair(name, { ours, theirs }) {
  const sizes = [await calibrate(ours), await calibrate(theirs)];
  const times = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    // The order changes from round to round: what runs second finds warmer caches and more garbage.
    for (const index of round % 2 ? [1, 0] : [0, 1]) {
      times[index].push(await time(index ? theirs : ours, sizes[index]));
    }
  }
  const ratios = times[0].map((micros, round) => micros / times[1][round]);
  return {
    name,
    ours: quantile(times[0], 0.5),
    theirs: quantile(times[1], 0.5),
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  };
}

/** How many calls fill a round; warms up on the way. */
async function calibrate(work) {
  let calls = 1;
  for (;;) {
    const millis = ((await time(work, calls)) * calls) / 1000;
    if (millis > ROUND_MS / 4) return Math.max(1, Math.round((calls * ROUND_MS) / millis));
    calls *= 4;
  }
}

/** Microseconds per call. */
async function time(work, calls) {
  const start = performance.now();
  for (let call = 0; call < calls; call++) await work();
  return ((performance.now() - start) * 1000) / calls;
}

export function quantile(values, at) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * at)];
}
