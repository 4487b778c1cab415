//! When a failed call is made again.

use std::time::Duration;

use crate::error::{Code, Error, Result};

/// How the delay grows from one try to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Always the first delay.
    Fixed,
    /// The first delay times the number of failures.
    Linear,
    /// Twice the delay of before.
    Exponential,
}

impl Strategy {
    /// The names that options use.
    pub const TABLE: [(&'static str, Strategy); 3] =
        [("fixed", Strategy::Fixed), ("linear", Strategy::Linear), ("exponential", Strategy::Exponential)];

    /// [`Code::InvalidConfiguration`] for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        find(&Self::TABLE, "strategy", name)
    }
}

/// How much of the delay is left to chance, so that callers who failed together don't come back together
/// (`aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Nothing.
    None,
    /// One half of it.
    Equal,
    /// All of it.
    Full,
}

impl Jitter {
    /// The names that options use.
    pub const TABLE: [(&'static str, Jitter); 3] =
        [("none", Jitter::None), ("equal", Jitter::Equal), ("full", Jitter::Full)];

    /// [`Code::InvalidConfiguration`] for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        find(&Self::TABLE, "jitter", name)
    }
}

/// How often a call is made, and how long the waits between are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Tries, the first included; at least one.
    pub max_attempts: u32,
    /// The delay after the first failure.
    pub first: Duration,
    /// How it grows.
    pub strategy: Strategy,
    /// How much is left to chance.
    pub jitter: Jitter,
    /// No delay is longer.
    pub max: Duration,
    /// Longer delays are waited for by the broker, not by the process.
    pub in_place: Duration,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Wait in the process, and try again.
    Wait(Duration),
    /// Let the broker wait, and try again in another invocation.
    Defer(Duration),
    /// No more tries.
    GiveUp,
}

impl Default for Backoff {
    /// Three tries, 1 s and 2 s apart, half of it chance.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            first: Duration::from_secs(1),
            strategy: Strategy::Exponential,
            jitter: Jitter::Equal,
            max: Duration::from_mins(5),
            in_place: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// [`Code::InvalidConfiguration`] if it allows no try.
    pub fn check(self) -> Result<Self> {
        if self.max_attempts == 0 {
            return Err(Error::new(Code::InvalidConfiguration, "maxAttempts must be at least 1: the first try counts"));
        }
        Ok(self)
    }

    /// What follows the failure number `failures`, from 1. `chance` is a number from 0 to 1.
    ///
    /// Who waits does not depend on chance: it is the broker if the delay without jitter is longer than
    /// [`in_place`](Self::in_place). So every invocation groups the tries alike; see
    /// [`failures_before`](Self::failures_before).
    pub fn after(&self, failures: u32, chance: f64) -> Verdict {
        if failures >= self.max_attempts {
            return Verdict::GiveUp;
        }
        let delay = self.delay(failures, chance);
        if self.grown(failures) > self.in_place { Verdict::Defer(delay) } else { Verdict::Wait(delay) }
    }

    /// The delay after the failure number `failures`, from 1.
    pub fn delay(&self, failures: u32, chance: f64) -> Duration {
        let delay = self.grown(failures);
        let chance = if chance.is_nan() { 1.0 } else { chance.clamp(0.0, 1.0) };
        match self.jitter {
            Jitter::None => delay,
            Jitter::Equal => delay.mul_f64(0.5 + chance / 2.0),
            Jitter::Full => delay.mul_f64(chance),
        }
    }

    /// How many failures lie before the durable try number `durable_try`, from 0.
    ///
    /// A durable try makes attempts in place until one succeeds or a wait is for the broker. Delays never shrink, so only
    /// the first durable try makes several attempts; each later one makes one. If no delay is too long to be waited for in
    /// place, there is no later one: the answer is then [`max_attempts`](Self::max_attempts), after which nothing follows.
    pub fn failures_before(&self, durable_try: u32) -> u32 {
        match durable_try.checked_sub(1) {
            None => 0,
            Some(later) => self.first_deferred().saturating_add(later).min(self.max_attempts),
        }
    }

    /// How many durable tries may follow the first.
    pub fn durable_retries(&self) -> u32 {
        self.max_attempts.saturating_sub(self.first_deferred())
    }

    /// How many failures the first durable try ends with, unless one of its attempts succeeds: the number of the first
    /// failure whose delay is for the broker, and no more than there are attempts.
    fn first_deferred(&self) -> u32 {
        // Delays are monotone: halve what is left between a failure that waits in place and one that doesn't.
        let (mut waits, mut defers) = (0, self.max_attempts);
        while waits + 1 < defers {
            let middle = waits + (defers - waits) / 2;
            if self.grown(middle) > self.in_place { defers = middle } else { waits = middle }
        }
        defers
    }

    /// The delay after the failure number `failures`, from 1, before chance has its part.
    fn grown(&self, failures: u32) -> Duration {
        let steps = failures.max(1);
        let grown = match self.strategy {
            Strategy::Fixed => self.first,
            Strategy::Linear => self.first.saturating_mul(steps),
            Strategy::Exponential => self.first.saturating_mul(1_u32.checked_shl(steps - 1).unwrap_or(u32::MAX)),
        };
        grown.min(self.max)
    }
}

fn find<T: Copy>(table: &[(&'static str, T)], option: &str, name: &str) -> Result<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        Error::new(Code::InvalidConfiguration, format!("{option} must be one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(backoff: &Backoff, chance: f64) -> Vec<u128> {
        (1..=5).map(|failures| backoff.delay(failures, chance).as_millis()).collect()
    }

    #[test]
    fn delays_grow_as_the_strategy_says_up_to_the_maximum() {
        let backoff =
            |strategy| Backoff { strategy, jitter: Jitter::None, max: Duration::from_secs(6), ..Backoff::default() };
        assert_eq!(millis(&backoff(Strategy::Fixed), 0.3), [1000, 1000, 1000, 1000, 1000]);
        assert_eq!(millis(&backoff(Strategy::Linear), 0.3), [1000, 2000, 3000, 4000, 5000]);
        assert_eq!(millis(&backoff(Strategy::Exponential), 0.3), [1000, 2000, 4000, 6000, 6000]);
    }

    #[test]
    fn jitter_leaves_a_part_to_chance() {
        let backoff = |jitter| Backoff { jitter, strategy: Strategy::Fixed, ..Backoff::default() };
        for (jitter, least, most) in [(Jitter::None, 1000, 1000), (Jitter::Equal, 500, 1000), (Jitter::Full, 0, 1000)] {
            assert_eq!(millis(&backoff(jitter), 0.0)[0], least);
            assert_eq!(millis(&backoff(jitter), 1.0)[0], most);
            assert_eq!(millis(&backoff(jitter), f64::NAN)[0], most);
        }
    }

    #[test]
    fn short_waits_happen_in_place_and_long_ones_elsewhere() {
        let backoff = Backoff { max_attempts: 6, jitter: Jitter::None, ..Backoff::default() };
        let verdicts: Vec<Verdict> = (1..=6).map(|failures| backoff.after(failures, 0.0)).collect();
        let seconds = Duration::from_secs;
        assert_eq!(
            verdicts,
            [
                Verdict::Wait(seconds(1)),
                Verdict::Wait(seconds(2)),
                Verdict::Wait(seconds(4)),
                Verdict::Wait(seconds(8)),
                Verdict::Defer(seconds(16)),
                Verdict::GiveUp,
            ]
        );
    }

    #[test]
    fn chance_does_not_decide_who_waits() {
        let backoff =
            Backoff { max_attempts: 9, first: Duration::from_secs(8), jitter: Jitter::Full, ..Backoff::default() };
        assert_eq!(backoff.after(1, 1.0), Verdict::Wait(Duration::from_secs(8)));
        assert_eq!(backoff.after(2, 0.0), Verdict::Defer(Duration::ZERO));
        assert_eq!(backoff.after(2, 1.0), Verdict::Defer(Duration::from_secs(16)));
    }

    #[test]
    fn durable_tries_go_on_where_the_last_ended() {
        let before =
            |backoff: &Backoff| (0..5).map(|durable_try| backoff.failures_before(durable_try)).collect::<Vec<_>>();
        let six = Backoff { max_attempts: 6, ..Backoff::default() };
        // 1 s, 2 s, 4 s, 8 s, then 16 s: the fifth failure ends the first durable try.
        assert_eq!((before(&six), six.durable_retries()), (vec![0, 5, 6, 6, 6], 1));
        assert_eq!(before(&Backoff { in_place: Duration::ZERO, ..six }), [0, 1, 2, 3, 4]);
        assert_eq!(before(&Backoff { in_place: Duration::from_secs(3), ..six }), [0, 3, 4, 5, 6]);
        assert_eq!(before(&Backoff { max: Duration::from_secs(10), max_attempts: u32::MAX, ..six })[1], u32::MAX);
        assert_eq!(before(&Backoff { max_attempts: 1, in_place: Duration::ZERO, ..six }), [0, 1, 1, 1, 1]);
    }

    #[test]
    fn nothing_overflows() {
        let backoff = Backoff { first: Duration::MAX, max: Duration::MAX, jitter: Jitter::None, ..Backoff::default() };
        assert_eq!(backoff.delay(u32::MAX, 0.5), Duration::MAX);
        assert!(Backoff { max_attempts: 0, ..backoff }.check().is_err());
    }
}
