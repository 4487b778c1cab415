//! Rate limits: how many calls one caller may make in a time.
//!
//! The rules, once: [`RateLimiter::decide`] for a host that keeps the [`Slot`]s itself, [`RateLimiter::script`] for
//! Redis, which keeps them for several hosts. Both answer the same.

pub mod script;
pub mod window;

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// How calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// So many in each window; windows begin at multiples of their length.
    FixedWindow {
        /// How many.
        limit: u32,
        /// The length.
        window: Duration,
    },
    /// The same, but the window of before counts for the part that a window back from now still covers.
    SlidingWindow {
        /// How many.
        limit: u32,
        /// The length.
        window: Duration,
    },
    /// Each call takes a token; tokens come back at regular times, up to a number.
    TokenBucket {
        /// The most tokens; a caller begins with these.
        capacity: u32,
        /// How many come back each time.
        refill: u32,
        /// The time between.
        interval: Duration,
    },
}

/// What is known of one caller. Its numbers are the algorithm's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Milliseconds: where the window began, or when tokens last came back.
    pub mark: u64,
    /// Calls in the window, or tokens that are left.
    pub count: u32,
    /// Calls in the window of before.
    pub previous: u32,
}

/// Whether a call may be made, and what its caller should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether.
    pub allowed: bool,
    /// The limit.
    pub limit: u32,
    /// How many more calls may be made now.
    pub remaining: u32,
    /// When the limit holds anew: the window ends, the bucket is full.
    pub reset_at: Timestamp,
    /// When the refused call could be made, if nobody else comes; for an allowed one, now. A call that costs more than
    /// the limit can never be made, and is told a later moment all the same.
    pub retry_at: Timestamp,
}

/// An algorithm whose numbers make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimiter(Algorithm);

/// Millisecond numbers above this are not exact in JavaScript and Redis.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// Milliseconds by which the clocks of several hosts may differ whatever the window: what one of them has counted
/// further ahead is forgotten.
const MOST_AHEAD: u64 = 60_000;

impl RateLimiter {
    /// [`Code::InvalidConfiguration`] if a number is zero or a time under 1 ms or over a year.
    pub fn new(algorithm: Algorithm) -> Result<Self> {
        let (numbers, time) = match algorithm {
            Algorithm::FixedWindow { limit, window } | Algorithm::SlidingWindow { limit, window } => {
                ([limit, 1], window)
            }
            Algorithm::TokenBucket { capacity, refill, interval } => ([capacity, refill], interval),
        };
        if numbers.contains(&0) {
            return Err(Error::new(Code::InvalidConfiguration, "a rate limit must allow at least one call"));
        }
        if !(Duration::from_millis(1)..=LONGEST).contains(&time) {
            return Err(Error::new(
                Code::InvalidConfiguration,
                "the window or interval of a rate limit must be from 1 ms to 366 days",
            ));
        }
        Ok(Self(algorithm))
    }

    /// Decides about a call that counts as `cost` calls, of a caller of whom `slot` is known. With cost 0 nothing is
    /// taken: it only tells.
    ///
    /// The second value replaces what was known. A refused call changes no count.
    pub fn decide(&self, slot: Option<Slot>, cost: u32, at: Timestamp) -> (Decision, Slot) {
        let (Algorithm::FixedWindow { window: time, .. }
        | Algorithm::SlidingWindow { window: time, .. }
        | Algorithm::TokenBucket { interval: time, .. }) = self.0;
        // A clock that was far ahead and has been set right would keep callers refused until it is there again.
        let slot = slot.filter(|slot| slot.mark <= at.millis() + millis(time).max(MOST_AHEAD));
        match self.0 {
            Algorithm::FixedWindow { limit, window } => fixed(limit, millis(window), slot, cost, at.millis()),
            Algorithm::SlidingWindow { limit, window } => sliding(limit, millis(window), slot, cost, at.millis()),
            Algorithm::TokenBucket { capacity, refill, interval } => {
                bucket(capacity, refill, millis(interval), slot, cost, at.millis())
            }
        }
    }

    /// How long a slot has to be kept after the last call; what comes later is a new caller.
    pub fn memory(&self) -> Duration {
        match self.0 {
            Algorithm::FixedWindow { window, .. } => window,
            Algorithm::SlidingWindow { window, .. } => window * 2,
            Algorithm::TokenBucket { capacity, refill, interval } => interval * capacity.div_ceil(refill),
        }
    }
}

fn fixed(limit: u32, window: u64, slot: Option<Slot>, cost: u32, now: u64) -> (Decision, Slot) {
    let slot = slot.unwrap_or_default();
    // A clock that is set back stays in the window that it came from.
    let mark = (now - now % window).max(slot.mark);
    let used = if slot.mark == mark { slot.count } else { 0 };
    let allowed = used.saturating_add(cost) <= limit;
    let count = if allowed { used + cost } else { used };
    let end = mark + window;
    let decision = Decision {
        allowed,
        limit,
        remaining: limit.saturating_sub(count),
        reset_at: Timestamp::from_millis(end),
        retry_at: Timestamp::from_millis(if allowed { now } else { end }),
    };
    (decision, Slot { mark, count, previous: 0 })
}

fn sliding(limit: u32, window: u64, slot: Option<Slot>, cost: u32, now: u64) -> (Decision, Slot) {
    let slot = slot.unwrap_or_default();
    let mark = (now - now % window).max(slot.mark);
    let (used, previous) = match mark - slot.mark {
        0 => (slot.count, slot.previous),
        passed if passed == window => (0, slot.count),
        _ => (0, 0),
    };
    let covered = window - now.saturating_sub(mark).min(window);
    let carried = share(previous, covered, window);
    let total = used.saturating_add(carried);
    let allowed = total.saturating_add(cost) <= limit;
    let count = if allowed { used + cost } else { used };
    let end = mark + window;
    let retry_at = if allowed { now } else { sliding_retry(limit, window, used, previous, cost, now, end) };
    let decision = Decision {
        allowed,
        limit,
        remaining: limit.saturating_sub(count.saturating_add(carried)),
        reset_at: Timestamp::from_millis(end),
        retry_at: Timestamp::from_millis(retry_at),
    };
    (decision, Slot { mark, count, previous })
}

/// When the share of the window before has shrunk enough: in this window, or else in the next one, when this window is
/// the one before.
fn sliding_retry(limit: u32, window: u64, used: u32, previous: u32, cost: u32, now: u64, end: u64) -> u64 {
    let fits = |own: u32, before: u32, begin: u64| {
        let room = limit.checked_sub(own)?.checked_sub(cost)?;
        // The largest part of the window that may still be covered: share(before, covered) <= room.
        let covered = if before == 0 { window } else { (u64::from(room) + 1) * window / u64::from(before) };
        let covered =
            if share(before, covered.min(window), window) > room { covered.saturating_sub(1) } else { covered };
        Some(begin + window - covered.min(window))
    };
    let begin = end - window;
    fits(used, previous, begin)
        .filter(|moment| *moment < end)
        .or_else(|| fits(0, used, end))
        .unwrap_or(end + window)
        .max(now + 1)
}

/// The part of `count` that `covered` of `whole` stands for, rounded down.
fn share(count: u32, covered: u64, whole: u64) -> u32 {
    u32::try_from(u64::from(count) * covered / whole).unwrap_or(u32::MAX)
}

fn bucket(capacity: u32, refill: u32, interval: u64, slot: Option<Slot>, cost: u32, now: u64) -> (Decision, Slot) {
    let known = slot.unwrap_or(Slot { mark: now, count: capacity, previous: 0 });
    let passed = now.saturating_sub(known.mark) / interval;
    let back = u64::from(refill).saturating_mul(passed);
    let tokens = u32::try_from(u64::from(known.count).saturating_add(back)).unwrap_or(u32::MAX).min(capacity);
    // A full bucket gets nothing back: its time begins with the call that takes something out.
    let mark = if tokens == capacity { now.max(known.mark) } else { known.mark + passed * interval };
    let allowed = tokens >= cost;
    let count = if allowed { tokens - cost } else { tokens };
    let when = |wanted: u32| mark + u64::from(wanted.saturating_sub(count).div_ceil(refill)) * interval;
    let decision = Decision {
        allowed,
        limit: capacity,
        remaining: count,
        reset_at: Timestamp::from_millis(when(capacity)),
        retry_at: Timestamp::from_millis(if allowed { now } else { when(cost.min(capacity)).max(now + 1) }),
    };
    (decision, Slot { mark, count, previous: 0 })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Which of the calls at these milliseconds are allowed.
    fn allowed(algorithm: Algorithm, calls: &[u64]) -> Vec<bool> {
        let limiter = RateLimiter::new(algorithm).unwrap();
        let mut slot = None;
        calls
            .iter()
            .map(|at| {
                let (decision, next) = limiter.decide(slot, 1, Timestamp::from_millis(*at));
                slot = Some(next);
                decision.allowed
            })
            .collect()
    }

    #[test]
    fn a_fixed_window_forgets_at_its_end() {
        let algorithm = Algorithm::FixedWindow { limit: 2, window: SECOND };
        assert_eq!(allowed(algorithm, &[900, 950, 999, 1000, 1001, 1002]), [true, true, false, true, true, false]);
    }

    #[test]
    fn a_sliding_window_remembers_the_one_before() {
        let algorithm = Algorithm::SlidingWindow { limit: 2, window: SECOND };
        assert_eq!(
            allowed(algorithm, &[900, 950, 1000, 1400, 1501, 1502, 3500]),
            [true, true, false, true, true, false, true]
        );
    }

    #[test]
    fn a_bucket_fills_up_again() {
        let algorithm = Algorithm::TokenBucket { capacity: 3, refill: 1, interval: SECOND };
        assert_eq!(
            allowed(algorithm, &[0, 1, 2, 3, 999, 1000, 1001, 9000, 9001, 9002, 9003]),
            [true, true, true, false, false, true, false, true, true, true, false]
        );
    }

    #[test]
    fn a_refused_caller_is_told_the_first_moment_that_would_do() {
        for algorithm in [
            Algorithm::FixedWindow { limit: 5, window: Duration::from_millis(700) },
            Algorithm::SlidingWindow { limit: 5, window: Duration::from_millis(700) },
            Algorithm::SlidingWindow { limit: 1, window: Duration::from_millis(3) },
            Algorithm::TokenBucket { capacity: 5, refill: 2, interval: Duration::from_millis(300) },
        ] {
            let limiter = RateLimiter::new(algorithm).unwrap();
            let (mut slot, mut refused) = (None, 0);
            for call in 0..2000_u64 {
                let at = Timestamp::from_millis(call * 37 % 91 + call * 41);
                let cost = u32::try_from(call % 3).unwrap().min(limiter.decide(None, 0, at).0.limit);
                let (decision, next) = limiter.decide(slot, cost, at);
                if !decision.allowed {
                    refused += 1;
                    let then = |at: Timestamp| limiter.decide(Some(next), cost, at).0.allowed;
                    let before = Timestamp::from_millis(decision.retry_at.millis() - 1);
                    assert!(then(decision.retry_at), "{algorithm:?} {decision:?} {next:?} cost {cost} at {at:?}");
                    assert!(before < at || !then(before), "{algorithm:?} {decision:?} {next:?} cost {cost} at {at:?}");
                }
                slot = Some(next);
            }
            assert!(refused > 100, "{algorithm:?}: {refused}");
        }
    }

    #[test]
    fn telling_takes_nothing_and_a_clock_may_be_set_back() {
        for algorithm in [
            Algorithm::FixedWindow { limit: 2, window: SECOND },
            Algorithm::SlidingWindow { limit: 2, window: SECOND },
            Algorithm::TokenBucket { capacity: 2, refill: 1, interval: SECOND },
        ] {
            let limiter = RateLimiter::new(algorithm).unwrap();
            let at = Timestamp::from_millis(10_500);
            let (told, slot) = limiter.decide(None, 0, at);
            assert_eq!((told.allowed, told.remaining), (true, 2), "{algorithm:?}");
            let (_, slot) = limiter.decide(Some(slot), 2, at);
            let (back, _) = limiter.decide(Some(slot), 1, Timestamp::from_millis(2_000));
            assert!(!back.allowed, "{algorithm:?}");
            assert!(!limiter.decide(Some(slot), u32::MAX, at).0.allowed, "{algorithm:?}");
        }
    }

    #[test]
    fn what_a_clock_far_ahead_has_counted_is_forgotten() {
        for seconds in [1, 60, 3600] {
            let window = Duration::from_secs(seconds);
            for algorithm in [
                Algorithm::FixedWindow { limit: 1, window },
                Algorithm::SlidingWindow { limit: 1, window },
                Algorithm::TokenBucket { capacity: 1, refill: 1, interval: window },
            ] {
                let limiter = RateLimiter::new(algorithm).unwrap();
                let at = 1_000_000_000;
                let ahead = at + 2 * millis(window) + MOST_AHEAD;
                let (_, slot) = limiter.decide(None, 1, Timestamp::from_millis(ahead));
                let (decision, slot) = limiter.decide(Some(slot), 1, Timestamp::from_millis(at));
                assert!(decision.allowed, "{algorithm:?}");
                let (decision, _) = limiter.decide(Some(slot), 1, Timestamp::from_millis(at));
                assert!(!decision.allowed, "{algorithm:?}");
                assert!(decision.retry_at.millis() <= at + 2 * millis(window), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        for algorithm in [
            Algorithm::FixedWindow { limit: 0, window: SECOND },
            Algorithm::SlidingWindow { limit: 1, window: Duration::ZERO },
            Algorithm::TokenBucket { capacity: 1, refill: 0, interval: SECOND },
            Algorithm::TokenBucket { capacity: 1, refill: 1, interval: Duration::MAX },
        ] {
            assert!(RateLimiter::new(algorithm).is_err(), "{algorithm:?}");
        }
    }
}
