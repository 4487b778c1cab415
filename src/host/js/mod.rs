//! The core for JavaScript: what the npm package calls.
//!
//! Thin by intention: a call is one crossing, bodies cross as bytes, headers as one text with a line for each name and
//! each value (neither can hold a line break), settings as one JSON text. The package's TypeScript adds promises,
//! `fetch` and types; every decision is made here or below.
//!
//! Three builds: feature `js` is the SDK, which applications bundle; feature `rules` is what they ask synchronously, so
//! it is small; feature `server` is the broker, which only its process on Node loads.

// What crosses from JavaScript is owned.
#![allow(clippy::needless_pass_by_value)]

#[cfg(feature = "server")]
mod broker;
#[cfg(feature = "js")]
mod client;
#[cfg(feature = "js")]
mod connection;
#[cfg(feature = "js")]
mod development;
#[cfg(feature = "js")]
mod duty;
#[cfg(feature = "js")]
mod endpoint;
mod error;
#[cfg(feature = "js")]
mod failure;
#[cfg(feature = "js")]
mod invocation;
#[cfg(feature = "js")]
mod receiver;
#[cfg(feature = "js")]
mod retry_delay;
#[cfg(feature = "rules")]
mod rules;
#[cfg(feature = "js")]
mod step;
mod text;

use wasm_bindgen::prelude::*;

/// Runs once when the module is instantiated: a defect of ours then says where it is, instead of `unreachable`.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// The version of this crate, which is that of the npm package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
