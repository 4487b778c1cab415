//! Refuses `wasm-pack build`: its default output folder is `pkg/`, the npm package that is owned by hand.
//!
//! wasm-pack names the target in `CARGO_BUILD_TARGET` and compiles before it writes anything, so an error here comes
//! in time. `wasm-pack test` does the same but builds the tests, and with them the dev-dependency that switches `_test`
//! on. `cargo build --target wasm32-unknown-unknown` sets no variable, and in a dependent crate this one isn't primary.

#[cfg(all(target_arch = "wasm32", not(feature = "_test")))]
const _: () = assert!(
    option_env!("CARGO_PRIMARY_PACKAGE").is_none() || option_env!("CARGO_BUILD_TARGET").is_none(),
    "`wasm-pack build` would overwrite the hand-owned package in pkg/. Run `make build` instead, or for the core alone \
     `cargo build --target wasm32-unknown-unknown` with CARGO_BUILD_TARGET unset."
);
