//! Durations as QStash writes them: `30s`, `1d10h30m`, `7d`.

use std::time::Duration;

use crate::error::{Code, Error, Result};

const UNITS: [(&str, u64); 7] =
    [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800), ("mo", 2_592_000), ("y", 31_536_000)];

/// Reads a duration: one or more whole numbers, each followed by a unit (`s m h d w mo y`; a month is 30 days, a year 365).
///
/// A number alone counts as seconds: `context.call` sends its timeout that way.
/// [`Code::InvalidDuration`] for anything else.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let invalid = || {
        Error::new(
            Code::InvalidDuration,
            format!(
                "expected a duration such as '30s' or '1d10h30m' (units s, m, h, d, w, mo, y), got '{}'",
                shown(text)
            ),
        )
    };
    if text.is_empty() {
        return Err(invalid());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Duration::from_secs).map_err(|_| invalid());
    }
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let number: u64 = number.parse().map_err(|_| invalid())?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        seconds = number.checked_mul(*factor).and_then(|part| seconds.checked_add(part)).ok_or_else(invalid)?;
        rest = tail;
    }
    Ok(Duration::from_secs(seconds))
}

/// Foreign text for a message: printable, and short.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_documentation_shows() {
        for (text, seconds) in [
            ("0s", 0),
            ("10s", 10),
            ("1m", 60),
            ("1d10h30m", 124_200),
            ("1w", 604_800),
            ("1mo", 2_592_000),
            ("1y", 31_536_000),
            ("30", 30),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_secs()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "10ms",
            "1s1",
            "1x",
            "99999999999999999999s",
            "18446744073709551615y",
            "１s",
            "1é",
        ] {
            assert_eq!(parse_duration(text).map_err(|e| e.code()), Err(Code::InvalidDuration), "{text}");
        }
    }
}
