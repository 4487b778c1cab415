//! The rules for calls that fail and callers that come too often, against models that are slow and simple.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "resilience/backoff.rs"]
mod backoff;
#[path = "resilience/batch.rs"]
mod batch;
#[path = "resilience/cache.rs"]
mod cache;
#[path = "resilience/circuit_breaker.rs"]
mod circuit_breaker;
#[path = "resilience/rate_limit.rs"]
mod rate_limit;

use orchestration::wire::Timestamp;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}
