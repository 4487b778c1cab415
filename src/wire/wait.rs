//! Waits that an answer asks for, in headers such as `Retry-After` and `X-RateLimit-Reset` (`qstash/features/retry.mdx`).

use std::time::{Duration, UNIX_EPOCH};

use crate::wire::Timestamp;

/// Reads seconds, an HTTP date, or a duration such as `1m30s` or `500ms`.
pub fn parse_wait(text: &str, at: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    if let Ok(date) = httpdate::parse_http_date(text) {
        let millis = u64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
        return Some(Timestamp::from_millis(millis) - at);
    }
    units(text)
}

/// A duration as Go writes it; the longer unit comes first in the table, so that `ms` is not read as `m`.
fn units(text: &str) -> Option<Duration> {
    const NANOSECONDS: [(&str, f64); 8] =
        [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, tail) = rest.split_at(digits);
        let (unit, factor) = NANOSECONDS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        total += number.parse::<f64>().ok()? * factor;
        rest = tail.get(unit.len()..)?;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(total / 1e9).ok()).flatten()
}
