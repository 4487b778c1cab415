//! How long a message waits before it is tried again.

use wasm_bindgen::prelude::*;

use super::error::thrown;
use crate::wire::expression::{Expression, default_delay};

/// The delays before the first `retries` retries, in milliseconds: those of `expression` as the broker bounds them, or its own
/// if absent.
#[wasm_bindgen(js_name = retryDelays)]
#[allow(clippy::cast_precision_loss)] // At most a day.
pub fn retry_delays(expression: Option<String>, retries: u32) -> Result<Vec<f64>, JsValue> {
    let expression = expression.map(|text| Expression::parse(&text)).transpose().map_err(|error| thrown(&error))?;
    let delay = |retried| expression.as_ref().map_or_else(|| default_delay(retried), |known| known.delay(retried));
    Ok((0..retries.min(MOST_RETRIES)).map(|retried| delay(retried).as_millis() as f64).collect())
}

/// More than any broker tries; a number from JavaScript may be anything.
const MOST_RETRIES: u32 = 1000;
