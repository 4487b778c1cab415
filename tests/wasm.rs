//! The core as wasm in Node: `wasm-pack test --node`.
#![cfg(target_arch = "wasm32")]

#[path = "wasm/signature.rs"]
mod signature;
