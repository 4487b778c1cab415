//! Attempts in place and durable tries, against a list of all attempts.

use std::time::Duration;

use orchestration::resilience::{Backoff, Jitter, Strategy, Verdict};
use proptest::prelude::{Strategy as _, proptest};
use proptest::sample::select;
use proptest::{prop_assert, prop_assert_eq};

fn backoffs() -> impl proptest::strategy::Strategy<Value = Backoff> {
    let strategy = select(&[Strategy::Fixed, Strategy::Linear, Strategy::Exponential][..]);
    let jitter = select(&[Jitter::None, Jitter::Equal, Jitter::Full][..]);
    let millis = |most: u64| (0..most).prop_map(Duration::from_millis);
    (1..40_u32, millis(5000), strategy, jitter, millis(60_000), millis(30_000)).prop_map(
        |(max_attempts, first, strategy, jitter, max, in_place)| Backoff {
            max_attempts,
            first,
            strategy,
            jitter,
            max,
            in_place,
        },
    )
}

/// The un-jittered delay in milliseconds, added up step by step.
fn model_delay(backoff: &Backoff, failures: u32) -> u128 {
    let first = backoff.first.as_millis();
    let grown = (1..failures).fold(first, |delay, _| match backoff.strategy {
        Strategy::Fixed => delay,
        Strategy::Linear => delay + first,
        Strategy::Exponential => delay * 2,
    });
    grown.min(backoff.max.as_millis())
}

proptest! {
    /// Every durable try is an invocation of its own, which knows its number and nothing else.
    #[test]
    fn durable_tries_make_all_attempts_between_them(
        backoff in backoffs(),
        chances in proptest::collection::vec(0.0..=1.0_f64, 40),
    ) {
        let (mut groups, mut durable_try) = (Vec::new(), 0);
        loop {
            let mut failures = backoff.failures_before(durable_try);
            let mut attempts = Vec::new();
            let verdict = loop {
                failures += 1;
                attempts.push(failures);
                match backoff.after(failures, chances[failures as usize - 1]) {
                    Verdict::Wait(delay) => prop_assert!(delay <= backoff.in_place),
                    verdict => break verdict,
                }
            };
            groups.push(attempts);
            if verdict == Verdict::GiveUp {
                break;
            }
            durable_try += 1;
        }

        let mut expected: Vec<Vec<u32>> = vec![Vec::new()];
        for attempt in 1..=backoff.max_attempts {
            expected.last_mut().unwrap().push(attempt);
            if attempt < backoff.max_attempts && model_delay(&backoff, attempt) > backoff.in_place.as_millis() {
                expected.push(Vec::new());
            }
        }
        prop_assert_eq!(&groups, &expected);
        prop_assert_eq!(groups.len(), backoff.durable_retries() as usize + 1);
    }

    #[test]
    fn delays_lie_where_the_jitter_says(backoff in backoffs(), failures in 1..40_u32, chance in 0.0..=1.0_f64) {
        let (whole, delay) = (model_delay(&backoff, failures), backoff.delay(failures, chance).as_millis());
        let least = match backoff.jitter {
            Jitter::None => whole,
            Jitter::Equal => whole / 2,
            Jitter::Full => 0,
        };
        prop_assert!((least..=whole).contains(&delay), "{delay} ms of {whole}");
    }
}
