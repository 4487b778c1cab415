#![doc = include_str!("../docs/core.md")]

pub mod error;
pub mod wire;

pub mod signature;

pub mod client;

pub mod resilience;

pub mod workflow;

pub mod privacy;

pub mod broker;

#[cfg(any(feature = "edge", feature = "js", feature = "rules", feature = "server"))]
pub mod host;

mod wasm_pack;

pub use error::{Code, Error, Result};
