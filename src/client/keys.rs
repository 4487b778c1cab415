//! The keys that the broker signs deliveries with (`/v2/keys`).

use std::fmt;

use serde::Deserialize;

use crate::client::Client;
use crate::wire::{Method, Request};

/// Signing keys, as the broker shows them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct SigningKeys {
    /// The key that signs now.
    pub current: String,
    /// The key that signs after the next rotation.
    pub next: String,
}

impl Client {
    /// Asks for the [`SigningKeys`].
    pub fn signing_keys(&self) -> Request {
        self.request(Method::Get, "/v2/keys")
    }

    /// Makes the next key the current one, and a new one the next: answers with the [`SigningKeys`].
    ///
    /// Receivers have to learn the new keys before the rotation after this one.
    pub fn rotate_signing_keys(&self) -> Request {
        self.request(Method::Post, "/v2/keys/rotate")
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys([redacted])")
    }
}
