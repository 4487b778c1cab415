//! Circuit breakers. JavaScript makes the calls.

use wasm_bindgen::prelude::*;

use super::super::error::thrown;
use super::super::text::timestamp;
use super::number::{count, duration};
use crate::error::Result;
use crate::resilience::circuit_breaker::{Options, Ticket};
use crate::resilience::{Admission, CircuitBreaker, State};
use crate::wire::Timestamp;

/// A breaker, and when it told its last refused call to come again. Moments and times are milliseconds.
#[wasm_bindgen]
pub struct Breaker {
    breaker: CircuitBreaker,
    retry_at: Timestamp,
}

#[wasm_bindgen]
impl Breaker {
    /// `InvalidConfiguration` that names the option; what is `undefined` has its default.
    #[wasm_bindgen(constructor)]
    pub fn new(
        error_rate: Option<f64>,
        volume_threshold: Option<f64>,
        window: Option<f64>,
        reset_timeout: Option<f64>,
        half_open_calls: Option<f64>,
    ) -> std::result::Result<Breaker, JsValue> {
        breaker(error_rate, volume_threshold, window, reset_timeout, half_open_calls)
            .map(|breaker| Breaker { breaker, retry_at: Timestamp::default() })
            .map_err(|error| thrown(&error))
    }

    /// The ticket of a call that may be made, or -1.
    pub fn admit(&mut self, now: f64) -> f64 {
        match self.breaker.admit(timestamp(now)) {
            Admission::Pass(ticket) => f64::from(ticket.number()),
            Admission::Refuse(retry_at) => {
                self.retry_at = retry_at;
                REFUSED
            }
        }
    }

    /// When the call that was refused last may be tried again.
    #[wasm_bindgen(getter, js_name = retryAt)]
    #[allow(clippy::cast_precision_loss)] // Exact up to the year 287396.
    pub fn retry_at(&self) -> f64 {
        self.retry_at.millis() as f64
    }

    /// Tells how a call went. Returns whether the breaker changed its state.
    pub fn record(&mut self, ticket: u32, success: bool, now: f64) -> bool {
        self.breaker.record(Ticket::new(ticket), success, timestamp(now))
    }

    /// Tells that a call was given up by its caller.
    pub fn release(&mut self, ticket: u32) {
        self.breaker.release(Ticket::new(ticket));
    }

    /// Opens the breaker.
    pub fn open(&mut self, now: f64) {
        self.breaker.open(timestamp(now));
    }

    /// Closes the breaker.
    pub fn close(&mut self) {
        self.breaker.close();
    }

    /// 0 closed, 1 open, 2 half open.
    pub fn state(&self, now: f64) -> u8 {
        match self.breaker.state(timestamp(now)) {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
        }
    }

    /// The calls in the window.
    pub fn calls(&self, now: f64) -> u32 {
        self.breaker.counts(timestamp(now)).0
    }

    /// And how many of them failed.
    pub fn failures(&self, now: f64) -> u32 {
        self.breaker.counts(timestamp(now)).1
    }
}

/// No ticket is below 0.
const REFUSED: f64 = -1.0;

fn breaker(
    error_rate: Option<f64>,
    volume_threshold: Option<f64>,
    window: Option<f64>,
    reset_timeout: Option<f64>,
    half_open_calls: Option<f64>,
) -> Result<CircuitBreaker> {
    let default = Options::default();
    CircuitBreaker::new(Options {
        error_rate: error_rate.unwrap_or(default.error_rate),
        volume_threshold: count("volumeThreshold", volume_threshold, default.volume_threshold)?,
        window: duration("windowMs", window, default.window)?,
        reset_timeout: duration("resetTimeoutMs", reset_timeout, default.reset_timeout)?,
        half_open_calls: count("halfOpenCalls", half_open_calls, default.half_open_calls)?,
    })
}
