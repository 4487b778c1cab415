//! Batches. JavaScript keeps the items, the timers and the promises.

use wasm_bindgen::prelude::*;

use super::super::error::thrown;
use super::super::text::timestamp;
use super::number::{count, duration};
use crate::error::Result;
use crate::resilience::batch::Options;
use crate::resilience::{self, Offer};

/// Gathers items. Moments and times are milliseconds.
#[wasm_bindgen]
pub struct Batcher {
    batcher: resilience::Batcher,
    max_pending: usize,
}

#[wasm_bindgen]
impl Batcher {
    /// `InvalidConfiguration` that names the option; what is `undefined` has its default.
    #[wasm_bindgen(constructor)]
    pub fn new(
        max_size: Option<f64>,
        max_wait: Option<f64>,
        concurrency: Option<f64>,
        max_pending: Option<f64>,
    ) -> std::result::Result<Batcher, JsValue> {
        batcher(max_size, max_wait, concurrency, max_pending).map_err(|error| thrown(&error))
    }

    /// Whether an item has been added behind the others; if not, there is no room.
    pub fn offer(&mut self, now: f64) -> bool {
        self.batcher.offer(timestamp(now)) == Offer::Taken
    }

    /// How many items, from the front, make a batch that is to be worked on now; 0: none.
    #[allow(clippy::cast_possible_truncation)] // Not more than the options' 32 bits.
    pub fn take(&mut self, now: f64) -> u32 {
        self.batcher.take(timestamp(now)).map_or(0, |size| size as u32)
    }

    /// Tells that a batch has been worked on.
    pub fn finish(&mut self) {
        self.batcher.finish();
    }

    /// Lets what waits go without waiting for others.
    pub fn flush(&mut self) {
        self.batcher.flush();
    }

    /// When there is something to take although nothing happens before; `undefined`: never.
    #[wasm_bindgen(js_name = nextWake)]
    #[allow(clippy::cast_precision_loss)] // Exact up to the year 287396.
    pub fn next_wake(&self) -> Option<f64> {
        self.batcher.next_wake().map(|moment| moment.millis() as f64)
    }

    /// Whether an item would be added now.
    #[wasm_bindgen(getter, js_name = hasRoom)]
    pub fn has_room(&self) -> bool {
        self.batcher.pending() < self.max_pending
    }
}

fn batcher(
    max_size: Option<f64>,
    max_wait: Option<f64>,
    concurrency: Option<f64>,
    max_pending: Option<f64>,
) -> Result<Batcher> {
    let default = Options::default();
    let size = |option, given, default: usize| -> Result<usize> {
        let default = u32::try_from(default).unwrap_or(u32::MAX);
        Ok(count(option, given, default)? as usize)
    };
    let options = Options {
        max_size: size("maxSize", max_size, default.max_size)?,
        max_wait: duration("maxWaitMs", max_wait, default.max_wait)?,
        concurrency: size("concurrency", concurrency, default.concurrency)?,
        max_pending: size("maxPending", max_pending, default.max_pending)?,
    };
    Ok(Batcher { batcher: resilience::Batcher::new(options)?, max_pending: options.max_pending })
}
