//! What the npm package asks synchronously. Numbers and texts cross; the values stay in JavaScript.

mod backoff;
mod environment;
mod error;
mod id;
mod mask;
