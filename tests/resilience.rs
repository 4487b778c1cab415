//! The rules for calls that fail and callers that come too often, against models that are slow and simple.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "resilience/backoff.rs"]
mod backoff;
