//! Options as JavaScript gives them: numbers that may be anything.

use std::time::Duration;

use crate::error::{Code, Error, Result};

/// A whole number from `least` to as many as can be counted; `undefined` is `default`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked before.
pub(super) fn count(option: &str, given: Option<f64>, default: u32) -> Result<u32> {
    let Some(number) = given else { return Ok(default) };
    if (1.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0 {
        return Ok(number as u32);
    }
    Err(refused(&format!("{option} has to be a whole number from 1 to {}, got {number}", u32::MAX)))
}

/// Milliseconds, rounded to whole ones; `undefined` is `default`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked before.
pub(super) fn duration(option: &str, given: Option<f64>, default: Duration) -> Result<Duration> {
    let Some(millis) = given else { return Ok(default) };
    if (0.0..=LONGEST_MS).contains(&millis) {
        return Ok(Duration::from_millis(millis.round() as u64));
    }
    Err(refused(&format!("{option} has to be milliseconds from 0 to {LONGEST_MS} (a year), got {millis}")))
}

pub(super) fn refused(message: &str) -> Error {
    Error::new(Code::InvalidConfiguration, message)
}

const LONGEST_MS: f64 = 366.0 * 24.0 * 3_600_000.0;
