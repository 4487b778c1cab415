//! Hiding secrets in what is logged: by the name of a value, and by the form of a text.
//!
//! Two questions, answered without looking at the rest of the value: [`is_secret_name`] for the names of members,
//! headers and parameters, [`mask_text`] for texts, whatever holds them. A host walks through its values; for JSON,
//! [`mask_value`] does.

mod assignment;
mod card;
mod credential;
mod key;
mod name;
mod text;
mod url;
mod value;

pub use name::is_secret_name;
pub use text::mask_text;
pub use value::{MAX_DEPTH, mask_value, masked};

/// What stands for a value with a secret name.
pub const MASKED: &str = "[masked]";
