/** The algorithms of rate limits as one would explain them, on lists of all calls that were allowed. Slow. */

/** @returns `call(cost, now)`: whether the call is allowed, and what is left */
export const MODELS = {
  "fixed-window": ({ limit, window }) => {
    const calls = [];
    return (cost, now) => {
      const used = sum(calls, (at) => windowOf(at, window) === windowOf(now, window));
      return decide(calls, cost, now, limit - used);
    };
  },
  "sliding-window": ({ limit, window }) => {
    const calls = [];
    return (cost, now) => {
      const current = sum(calls, (at) => windowOf(at, window) === windowOf(now, window));
      const before = sum(calls, (at) => windowOf(at, window) === windowOf(now, window) - 1);
      // What a window back from now still covers of the one before.
      const carried = Math.floor((before * (window - (now % window))) / window);
      return decide(calls, cost, now, limit - current - carried);
    };
  },
  "token-bucket": ({ limit, window, refill = limit }) => {
    let tokens = limit;
    let ticks;
    return (cost, now) => {
      // One tick after another, each by itself; a full bucket's time stands still.
      ticks ??= now;
      while (ticks + window <= now) {
        ticks += window;
        tokens = Math.min(limit, tokens + refill);
      }
      if (tokens === limit) ticks = now;
      const allowed = cost <= tokens;
      if (allowed) tokens -= cost;
      return { allowed, remaining: tokens };
    };
  },
};

const windowOf = (at, window) => Math.floor(at / window);

const sum = (calls, counts) => calls.filter(({ at }) => counts(at)).reduce((total, { cost }) => total + cost, 0);

function decide(calls, cost, now, left) {
  const allowed = cost <= left;
  if (allowed) calls.push({ at: now, cost });
  return { allowed, remaining: Math.max(0, allowed ? left - cost : left) };
}
