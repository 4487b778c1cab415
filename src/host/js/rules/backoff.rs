//! When a failed attempt is made again. Chance is an argument; waiting is JavaScript's part.

use std::time::Duration;

use wasm_bindgen::prelude::*;

use super::super::error::thrown;
use crate::error::{Code, Error, Result};
use crate::resilience::{self, Jitter, Strategy, Verdict};

/// How often something is tried, and how long the waits between are. Times are milliseconds.
#[wasm_bindgen]
pub struct Backoff(resilience::Backoff);

#[wasm_bindgen]
impl Backoff {
    /// `InvalidConfiguration` that names the option; what is `undefined` has its default.
    #[wasm_bindgen(constructor)]
    pub fn new(
        max_attempts: Option<f64>,
        backoff_ms: Option<f64>,
        strategy: Option<String>,
        jitter: Option<String>,
        max_backoff_ms: Option<f64>,
        in_place_ms: Option<f64>,
    ) -> std::result::Result<Backoff, JsValue> {
        let texts = (strategy.as_deref(), jitter.as_deref());
        backoff(max_attempts, backoff_ms, texts, max_backoff_ms, in_place_ms)
            .map(Backoff)
            .map_err(|error| thrown(&error))
    }

    /// How long to wait after the failure number `failures`, from 1; `undefined` to give up. `chance` is from 0 to 1.
    pub fn after(&self, failures: u32, chance: f64) -> Option<f64> {
        match self.0.after(failures, chance) {
            Verdict::Wait(delay) | Verdict::Defer(delay) => Some(delay.as_secs_f64() * MILLISECONDS),
            Verdict::GiveUp => None,
        }
    }

    /// Whether the broker waits after the failure number `failures`, not the process.
    #[wasm_bindgen(js_name = isDeferred)]
    pub fn is_deferred(&self, failures: u32) -> bool {
        matches!(self.0.after(failures, 0.0), Verdict::Defer(_))
    }

    /// How many failures lie before the durable try number `durable_try`, from 0.
    #[wasm_bindgen(js_name = failuresBefore)]
    pub fn failures_before(&self, durable_try: u32) -> u32 {
        self.0.failures_before(durable_try)
    }

    /// How many durable tries may follow the first.
    #[wasm_bindgen(js_name = durableRetries)]
    pub fn durable_retries(&self) -> u32 {
        self.0.durable_retries()
    }

    /// How many attempts there are at most.
    #[wasm_bindgen(getter, js_name = maxAttempts)]
    pub fn max_attempts(&self) -> u32 {
        self.0.max_attempts
    }

    /// The delays without chance as an expression of the broker, where `retried` counts from 0.
    pub fn expression(&self) -> String {
        let millis = |duration: Duration| duration.as_millis();
        let (first, max) = (millis(self.0.first), millis(self.0.max));
        match self.0.strategy {
            Strategy::Fixed => first.min(max).to_string(),
            Strategy::Linear => format!("min({max}, {first} * (1 + retried))"),
            Strategy::Exponential => format!("min({max}, {first} * pow(2, retried))"),
        }
    }
}

fn backoff(
    max_attempts: Option<f64>,
    backoff_ms: Option<f64>,
    (strategy, jitter): (Option<&str>, Option<&str>),
    max_backoff_ms: Option<f64>,
    in_place_ms: Option<f64>,
) -> Result<resilience::Backoff> {
    let default = resilience::Backoff::default();
    let first = duration("backoffMs", backoff_ms, default.first)?;
    if first == Duration::MAX {
        return Err(refused("backoffMs must be finite"));
    }
    resilience::Backoff {
        max_attempts: count("maxAttempts", max_attempts, default.max_attempts)?,
        first,
        strategy: strategy.map_or(Ok(default.strategy), Strategy::parse)?,
        jitter: jitter.map_or(Ok(default.jitter), Jitter::parse)?,
        max: duration("maxBackoffMs", max_backoff_ms, default.max)?,
        in_place: duration("inPlaceMs", in_place_ms, default.in_place)?,
    }
    .check()
}

/// A whole number; `Infinity` is as many as can be counted.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked before; the cast saturates.
fn count(option: &str, given: Option<f64>, default: u32) -> Result<u32> {
    match given {
        None => Ok(default),
        Some(number) if number >= 1.0 && (number.is_infinite() || number.fract() == 0.0) => Ok(number as u32),
        Some(number) => Err(refused(&format!("{option} must be a whole number from 1, not {number}"))),
    }
}

/// Milliseconds; `Infinity` is longer than any.
fn duration(option: &str, given: Option<f64>, default: Duration) -> Result<Duration> {
    match given {
        None => Ok(default),
        Some(millis) if millis >= 0.0 => {
            Ok(Duration::try_from_secs_f64(millis / MILLISECONDS).unwrap_or(Duration::MAX))
        }
        Some(millis) => Err(refused(&format!("{option} must be a number of milliseconds from 0, not {millis}"))),
    }
}

fn refused(message: &str) -> Error {
    Error::new(Code::InvalidConfiguration, message)
}

const MILLISECONDS: f64 = 1000.0;
