//! What must not be guessed and what must not be seen: ids, and the masking of secrets.

pub mod id;
pub mod mask;
