//! Workflows that the deployable Worker serves, to try and to read.

mod order;

pub use order::order;
