//! The same rules in Lua, for Redis: one atomic script a call (`EVAL script 1 key …`).

use super::{Algorithm, RateLimiter, millis};

/// A call of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The text; the same for all limiters of an algorithm, so that Redis can cache it.
    pub text: &'static str,
    /// `ARGV` before the cost and the moment in milliseconds, which follow.
    pub arguments: [u64; 3],
}

impl RateLimiter {
    /// The script for Redis. `KEYS[1]` names the caller, `ARGV` are [`Script::arguments`], the cost and the moment.
    ///
    /// It answers with integers: allowed (1 or 0), remaining, and the moments of
    /// [`Decision::reset_at`](super::Decision) and [`Decision::retry_at`](super::Decision). A key expires after a length of
    /// time, not at a moment: the host's clock may be behind that of Redis.
    pub fn script(&self) -> Script {
        match self.0 {
            Algorithm::FixedWindow { limit, window } => {
                Script { text: FIXED_WINDOW, arguments: [u64::from(limit), millis(window), 0] }
            }
            Algorithm::SlidingWindow { limit, window } => {
                Script { text: SLIDING_WINDOW, arguments: [u64::from(limit), millis(window), 0] }
            }
            Algorithm::TokenBucket { capacity, refill, interval } => {
                Script { text: TOKEN_BUCKET, arguments: [u64::from(capacity), millis(interval), u64::from(refill)] }
            }
        }
    }
}

const FIXED_WINDOW: &str = r"
local limit, window, cost, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local slot = redis.call('HMGET', KEYS[1], 'm', 'c')
if tonumber(slot[1] or 0) > now + math.max(window, 60000) then slot = {} end
local known = tonumber(slot[1] or 0)
local mark = math.max(now - now % window, known)
local count = 0
if known == mark then count = tonumber(slot[2] or 0) end
local allowed = 0
if count + cost <= limit then
  allowed = 1
  count = count + cost
end
if allowed == 1 and cost > 0 then
  redis.call('HSET', KEYS[1], 'm', string.format('%.0f', mark), 'c', count)
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', mark + window - now))
end
local ends = mark + window
return {allowed, math.max(limit - count, 0), ends, allowed == 1 and now or ends}
";

const SLIDING_WINDOW: &str = r"
local limit, window, cost, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local slot = redis.call('HMGET', KEYS[1], 'm', 'c', 'p')
if tonumber(slot[1] or 0) > now + math.max(window, 60000) then slot = {} end
local known = tonumber(slot[1] or 0)
local mark = math.max(now - now % window, known)
local count, previous = 0, 0
if mark == known then
  count, previous = tonumber(slot[2] or 0), tonumber(slot[3] or 0)
elseif mark - known == window then
  previous = tonumber(slot[2] or 0)
end
local function share(number, covered) return math.floor(number * covered / window) end
local used = count
local carried = share(previous, window - math.min(math.max(now - mark, 0), window))
local ends = mark + window
local allowed = 0
if count + carried + cost <= limit then
  allowed = 1
  count = count + cost
end
if allowed == 1 and cost > 0 then
  redis.call('HSET', KEYS[1], 'm', string.format('%.0f', mark), 'c', count, 'p', previous)
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ends + window - now))
end
local retry = now
if allowed == 0 then
  local function fits(own, before, begin)
    local room = limit - own - cost
    if room < 0 then return nil end
    local covered = window
    if before > 0 then covered = math.floor((room + 1) * window / before) end
    if share(before, math.min(covered, window)) > room then covered = covered - 1 end
    return begin + window - math.min(covered, window)
  end
  retry = fits(used, previous, mark)
  if retry == nil or retry >= ends then retry = fits(0, used, ends) end
  if retry == nil then retry = ends + window end
  retry = math.max(retry, now + 1)
end
return {allowed, math.max(limit - count - carried, 0), ends, retry}
";

const TOKEN_BUCKET: &str = r"
local capacity, interval, refill = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local cost, now = tonumber(ARGV[4]), tonumber(ARGV[5])
local slot = redis.call('HMGET', KEYS[1], 'm', 'c')
if tonumber(slot[1] or 0) > now + math.max(interval, 60000) then slot = {} end
local known = tonumber(slot[1] or now)
local passed = math.floor(math.max(now - known, 0) / interval)
local count = math.min(tonumber(slot[2] or capacity) + refill * passed, capacity)
local mark = known + passed * interval
if count == capacity then mark = math.max(now, known) end
local allowed = 0
if count >= cost then
  allowed = 1
  count = count - cost
end
local function when(wanted) return mark + math.ceil(math.max(wanted - count, 0) / refill) * interval end
local full = when(capacity)
if allowed == 1 and cost > 0 then
  redis.call('HSET', KEYS[1], 'm', string.format('%.0f', mark), 'c', count)
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', full - now))
end
return {allowed, count, full, allowed == 1 and now or math.max(when(math.min(cost, capacity)), now + 1)}
";
