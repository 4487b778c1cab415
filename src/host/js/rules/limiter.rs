//! Rate limits. What is known of a caller crosses as three numbers and is kept in JavaScript, or in Redis.

use wasm_bindgen::prelude::*;

use super::super::error::thrown;
use super::super::text::timestamp;
use super::number::{count, refused};
use crate::error::Result;
use crate::resilience::rate_limit::{Decision, Slot, window};
use crate::resilience::{Algorithm, RateLimiter};
use crate::wire::Timestamp;

/// A limit, and its last decision. Moments and times are milliseconds.
#[wasm_bindgen]
pub struct Limiter {
    rule: RateLimiter,
    decision: Decision,
    slot: Slot,
}

#[wasm_bindgen]
impl Limiter {
    /// `window` is a number of milliseconds as text, or a duration; `refill` is the number of tokens that come back in each
    /// window. `InvalidConfiguration` that names the option.
    #[wasm_bindgen(constructor)]
    pub fn new(
        algorithm: &str,
        limit: f64,
        window: &str,
        refill: Option<f64>,
    ) -> std::result::Result<Limiter, JsValue> {
        let rule = rule(algorithm, limit, window, refill).map_err(|error| thrown(&error))?;
        let (decision, slot) = rule.decide(None, 0, Timestamp::default());
        Ok(Limiter { rule, decision, slot })
    }

    /// Decides about a call of a caller of whom nothing is known. Returns whether it is allowed.
    #[wasm_bindgen(js_name = decideFirst)]
    pub fn decide_first(&mut self, cost: u32, now: f64) -> bool {
        (self.decision, self.slot) = self.rule.decide(None, cost, timestamp(now));
        self.decision.allowed
    }

    /// Decides about a call. Returns whether it is allowed.
    pub fn decide(&mut self, mark: f64, count: u32, previous: u32, cost: u32, now: f64) -> bool {
        let slot = Slot { mark: timestamp(mark).millis(), count, previous };
        (self.decision, self.slot) = self.rule.decide(Some(slot), cost, timestamp(now));
        self.decision.allowed
    }

    /// How many more calls may be made.
    #[wasm_bindgen(getter)]
    pub fn remaining(&self) -> u32 {
        self.decision.remaining
    }

    /// When the limit holds anew.
    #[wasm_bindgen(getter, js_name = resetAt)]
    pub fn reset_at(&self) -> f64 {
        millis(self.decision.reset_at.millis())
    }

    /// When the refused call could be made.
    #[wasm_bindgen(getter, js_name = retryAt)]
    pub fn retry_at(&self) -> f64 {
        millis(self.decision.retry_at.millis())
    }

    /// What is known of the caller now, to be handed back with the next call.
    #[wasm_bindgen(getter)]
    pub fn mark(&self) -> f64 {
        millis(self.slot.mark)
    }

    /// The second number of it.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> u32 {
        self.slot.count
    }

    /// The third.
    #[wasm_bindgen(getter)]
    pub fn previous(&self) -> u32 {
        self.slot.previous
    }

    /// The limit.
    #[wasm_bindgen(getter)]
    pub fn limit(&self) -> u32 {
        self.decision.limit
    }

    /// How long it takes until a caller that doesn't come is as good as new.
    #[wasm_bindgen(getter)]
    pub fn memory(&self) -> f64 {
        millis(u64::try_from(self.rule.memory().as_millis()).unwrap_or(u64::MAX))
    }

    /// The script that decides in Redis.
    pub fn script(&self) -> String {
        self.rule.script().text.to_owned()
    }

    /// Its arguments before the cost and the moment. They tell the rule, too.
    #[wasm_bindgen(js_name = scriptArguments)]
    pub fn script_arguments(&self) -> Vec<f64> {
        self.rule.script().arguments.into_iter().map(millis).collect()
    }
}

fn rule(algorithm: &str, limit: f64, text: &str, refill: Option<f64>) -> Result<RateLimiter> {
    let limit = count("limit", Some(limit), 1)?;
    let window = window::parse(text)?;
    let algorithm = match algorithm {
        "token-bucket" => {
            let refill = count("refill", refill, limit)?;
            return RateLimiter::new(Algorithm::TokenBucket { capacity: limit, refill, interval: window });
        }
        "fixed-window" => Algorithm::FixedWindow { limit, window },
        "sliding-window" => Algorithm::SlidingWindow { limit, window },
        _ => return Err(refused("algorithm has to be 'fixed-window', 'sliding-window' or 'token-bucket'")),
    };
    if refill.is_some() {
        return Err(refused("refill is an option of the algorithm 'token-bucket' only"));
    }
    RateLimiter::new(algorithm)
}

/// Exact up to the year 287396.
#[allow(clippy::cast_precision_loss)]
fn millis(number: u64) -> f64 {
    number as f64
}
