//! What the npm package asks synchronously. Numbers and texts cross; the values stay in JavaScript.

mod backoff;
mod batcher;
mod breaker;
mod environment;
mod error;
mod id;
mod limiter;
mod mask;
mod number;
