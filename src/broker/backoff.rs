//! When a failed message is tried again (`qstash/features/retry.mdx`).

use std::time::Duration;

use crate::wire::expression::{Expression, LONGEST_DELAY, default_delay};
use crate::wire::wait::parse_wait;
use crate::wire::{Headers, Timestamp, header};

/// How long to wait before the next try, after `retried` retries.
///
/// What the destination asked for in its answer comes first, unless it is over a day; then the message's own
/// expression; then the default, which grows from 12 seconds to a day.
pub fn delay(retried: u32, expression: Option<&str>, answer: &Headers, at: Timestamp) -> Duration {
    if let Some(asked) = asked_for(answer, at).filter(|asked| *asked <= LONGEST_DELAY) {
        return asked;
    }
    let expression = expression.and_then(|text| Expression::parse(text).ok());
    expression.map_or_else(|| default_delay(retried), |expression| expression.delay(retried))
}

const HEADERS: [&str; 4] =
    [header::RETRY_AFTER, "X-RateLimit-Reset", "X-RateLimit-Reset-Requests", "X-RateLimit-Reset-Tokens"];

/// The first of the answer's headers that can be read.
fn asked_for(answer: &Headers, at: Timestamp) -> Option<Duration> {
    HEADERS.iter().filter_map(|name| answer.get(name)).find_map(|value| parse_wait(value.trim(), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(784_111_770);

    #[test]
    fn default_is_the_documented_table() {
        let seconds: Vec<u64> = (0..7).map(|n| delay(n, None, &Headers::new(), NOW).as_secs()).collect();
        assert_eq!(seconds, [12, 148, 1808, 22_026, 86_400, 86_400, 86_400]);
    }

    #[test]
    fn expression_is_milliseconds_and_bounded() {
        for (expression, retried, millis) in [
            ("1000 * (1 + retried)", 1, 2000),
            ("500", 9, 500),
            ("0 - 5", 0, 0),
            ("pow(10, 300)", 0, 86_400_000),
            ("1 / 0", 0, 86_400_000),
            ("sqrt(-1)", 0, 12_000),
        ] {
            let delay = delay(retried, Some(expression), &Headers::new(), NOW);
            assert_eq!(delay.as_millis(), millis, "{expression}");
        }
    }

    #[test]
    fn the_answer_may_ask_for_a_delay() {
        for (name, value, expected) in [
            ("Retry-After", "30", Some(30_000)),
            ("retry-after", "0", Some(0)),
            ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT", Some(7_000)),
            ("Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("X-RateLimit-Reset", "2m", Some(120_000)),
            ("X-RateLimit-Reset-Requests", "1m30.5s", Some(90_500)),
            ("X-RateLimit-Reset-Tokens", "250ms", Some(250)),
            ("X-RateLimit-Reset-Tokens", "1h", Some(3_600_000)),
            ("Retry-After", "86401", None),
            ("Retry-After", "1700000000", None),
            ("Retry-After", "soon", None),
            ("Retry-After", "-1", None),
            ("Retry-After", "nan", None),
            ("Retry-After", "", None),
        ] {
            let answer = [(name, value)].into_iter().collect();
            let expected = expected.unwrap_or(5_000);
            assert_eq!(delay(0, Some("5000"), &answer, NOW).as_millis(), expected, "{name}: {value}");
        }
    }
}
