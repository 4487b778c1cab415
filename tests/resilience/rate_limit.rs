//! The limiters against the list of all calls that were allowed.

use std::time::Duration;

use orchestration::resilience::rate_limit::Slot;
use orchestration::resilience::{Algorithm, RateLimiter};
use proptest::prelude::{Strategy, proptest};
use proptest::{prop_assert, prop_assert_eq};

use crate::at;

/// Calls as (milliseconds since the one before, cost).
fn calls() -> impl Strategy<Value = Vec<(u64, u32)>> {
    proptest::collection::vec((0..400_u64, 0..4_u32), 1..120)
}

/// A limiter, and what it knows of the one caller.
struct Played {
    limiter: RateLimiter,
    slot: Option<Slot>,
}

impl Played {
    fn new(algorithm: Algorithm) -> Self {
        Self { limiter: RateLimiter::new(algorithm).unwrap(), slot: None }
    }

    /// Whether the call is allowed, and how many more would be.
    fn call(&mut self, now: u64, cost: u32) -> (bool, u32) {
        let (decision, slot) = self.limiter.decide(self.slot, cost, at(now));
        let told = self.limiter.decide(Some(slot), 0, at(now)).0.remaining;
        assert_eq!(told, decision.remaining, "asking changes nothing");
        if decision.allowed {
            assert_eq!(decision.retry_at, at(now));
        } else {
            assert!(decision.retry_at > at(now), "a refused call has to wait");
        }
        self.slot = Some(slot);
        (decision.allowed, decision.remaining)
    }
}

/// The moments of the calls that were allowed; a call of cost 3 stands there three times.
#[derive(Default)]
struct Calls(Vec<u64>);

impl Calls {
    fn between(&self, from: u64, to: u64) -> u64 {
        self.0.iter().filter(|moment| (from..to).contains(*moment)).count() as u64
    }

    fn add(&mut self, now: u64, cost: u32) {
        self.0.extend((0..cost).map(|_| now));
    }
}

proptest! {
    #[test]
    fn a_fixed_window_counts_the_calls_since_its_begin(
        limit in 1..6_u32, window in 1..1500_u64, start in 0..5000_u64, calls in calls(),
    ) {
        let mut played = Played::new(Algorithm::FixedWindow { limit, window: Duration::from_millis(window) });
        let (mut log, mut now) = (Calls::default(), start);
        for (passed, cost) in calls {
            now += passed;
            let begin = now / window * window;
            let room = u64::from(limit) - log.between(begin, begin + window);
            let allowed = u64::from(cost) <= room;
            if allowed {
                log.add(now, cost);
            }
            let left = u64::from(limit) - log.between(begin, begin + window);
            prop_assert_eq!(played.call(now, cost), (allowed, u32::try_from(left).unwrap()));
        }
    }

    /// `developers.cloudflare.com` and `@upstash/ratelimit` count so: the calls of the window before, evenly spread.
    #[test]
    fn a_sliding_window_weighs_the_window_before(
        limit in 1..6_u32, window in 1..1500_u64, start in 0..5000_u64, calls in calls(),
    ) {
        let mut played = Played::new(Algorithm::SlidingWindow { limit, window: Duration::from_millis(window) });
        let (mut log, mut now) = (Calls::default(), start);
        for (passed, cost) in calls {
            now += passed;
            let begin = now / window * window;
            let weighed = |log: &Calls| {
                let before = begin.checked_sub(window).map_or(0, |before| log.between(before, begin));
                let covered = begin + window - now;
                log.between(begin, begin + window) + before * covered / window
            };
            let allowed = weighed(&log) + u64::from(cost) <= u64::from(limit);
            if allowed {
                log.add(now, cost);
            }
            let left = u64::from(limit).saturating_sub(weighed(&log));
            prop_assert_eq!(played.call(now, cost), (allowed, u32::try_from(left).unwrap()));
        }
    }

    /// Millisecond by millisecond: tokens come back at regular times, counted from the call that opened a full bucket.
    #[test]
    fn a_bucket_is_filled_one_interval_after_the_other(
        capacity in 1..6_u32, refill in 1..4_u32, interval in 1..300_u64, start in 0..5000_u64, calls in calls(),
    ) {
        let algorithm = Algorithm::TokenBucket { capacity, refill, interval: Duration::from_millis(interval) };
        let mut played = Played::new(algorithm);
        let (mut tokens, mut waited, mut now) = (capacity, 0, start);
        for (passed, cost) in calls {
            for _ in 0..passed {
                now += 1;
                waited = if tokens == capacity { 0 } else { waited + 1 };
                if waited == interval {
                    (tokens, waited) = ((tokens + refill).min(capacity), 0);
                }
            }
            let allowed = cost <= tokens;
            if allowed {
                tokens -= cost;
            }
            prop_assert_eq!(played.call(now, cost), (allowed, tokens));
        }
    }

    /// Nobody gets more than twice the limit in the time of a window, wherever it begins, and later all is forgotten.
    #[test]
    fn no_window_ever_sees_too_many(limit in 1..6_u32, window in 2..900_u64, calls in calls()) {
        let fixed = Algorithm::FixedWindow { limit, window: Duration::from_millis(window) };
        let bucket = Algorithm::TokenBucket { capacity: limit, refill: limit, interval: Duration::from_millis(window) };
        let sliding = Algorithm::SlidingWindow { limit, window: Duration::from_millis(window) };
        // A burst at the end of one window and one at the begin of the next meet in a window of their own.
        for algorithm in [fixed, bucket, sliding] {
            let mut played = Played::new(algorithm);
            let (mut log, mut now) = (Calls::default(), 0);
            for (passed, cost) in &calls {
                now += passed;
                if played.call(now, *cost).0 {
                    log.add(now, *cost);
                }
                let seen = log.between((now + 1).saturating_sub(window), now + 1);
                prop_assert!(seen <= u64::from(2 * limit), "{algorithm:?}: {seen} of {limit}");
            }
            prop_assert!(played.call(now + 2 * window, limit).0, "{algorithm:?}");
        }
    }

    #[test]
    fn a_refused_caller_who_comes_when_told_is_let_pass(
        limit in 1..6_u32, window in 2..900_u64, refill in 1..4_u32, calls in calls(),
    ) {
        let window = Duration::from_millis(window);
        for algorithm in [
            Algorithm::FixedWindow { limit, window },
            Algorithm::SlidingWindow { limit, window },
            Algorithm::TokenBucket { capacity: limit, refill, interval: window },
        ] {
            let limiter = RateLimiter::new(algorithm).unwrap();
            let (mut slot, mut now) = (None, 0);
            for (passed, cost) in &calls {
                now += passed;
                let (decision, next) = limiter.decide(slot, *cost, at(now));
                slot = Some(next);
                if !decision.allowed && *cost <= limit {
                    prop_assert!(limiter.decide(slot, *cost, decision.retry_at).0.allowed, "{algorithm:?} {decision:?}");
                    let before = at(decision.retry_at.millis() - 1);
                    prop_assert!(!limiter.decide(slot, *cost, before).0.allowed, "{algorithm:?} {decision:?}");
                }
                // A slot that is forgotten after that time is missed by nobody.
                let later = at(now) + limiter.memory();
                prop_assert_eq!(limiter.decide(slot, 0, later).0.remaining, limit, "{:?}", algorithm);
            }
        }
    }
}
