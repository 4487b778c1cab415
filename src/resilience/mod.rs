//! Rules for calls that fail, and for callers that come too often: when to try again, when to refuse, how many together.
//!
//! State machines over time as an argument. A host keeps the values, the timers and the promises.

pub mod backoff;
pub mod batch;
pub mod cache;
pub mod circuit_breaker;
pub mod rate_limit;

pub use backoff::{Backoff, Jitter, Strategy, Verdict};
pub use batch::{Batcher, Offer};
pub use cache::BoundedCache;
pub use circuit_breaker::{Admission, CircuitBreaker, State};
pub use rate_limit::{Algorithm, Decision, RateLimiter};
