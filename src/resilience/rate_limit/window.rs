//! The length of a window as people write it.

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::parse_duration;

/// Reads a number of milliseconds (`10000`, `10000ms`), or a duration such as `10s` and `1 m`.
///
/// [`Code::InvalidConfiguration`] for anything else.
pub fn parse(text: &str) -> Result<Duration> {
    let compact = text.trim().replacen(' ', "", 1);
    let digits = compact.strip_suffix("ms").unwrap_or(&compact);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.parse().map(Duration::from_millis).map_err(|_| invalid(text));
    }
    parse_duration(&compact).map_err(|_| invalid(text))
}

fn invalid(text: &str) -> Error {
    Error::new(
        Code::InvalidConfiguration,
        format!("window has to be whole milliseconds or a duration such as '10s' or '1 m', got '{}'", shown(text)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_milliseconds_and_durations() {
        for (text, millis) in [
            ("10000", 10_000),
            ("250ms", 250),
            ("250 ms", 250),
            ("10s", 10_000),
            ("1 m", 60_000),
            ("2 h", 7_200_000),
            ("1d", 86_400_000),
            ("1m30s", 90_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "s", "ms", "1.5s", "-1", "10 x", "NaN", "1  m", "99999999999999999999ms"] {
            assert_eq!(parse(text).map_err(|error| error.code()), Err(Code::InvalidConfiguration), "{text}");
        }
    }
}
