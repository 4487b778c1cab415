//! The hash of a body, as the `body` claim carries it.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::wire::base64;

/// The SHA-256 of a delivery's raw body.
///
/// Bodies are bytes: binary data and text in any encoding hash alike. A body that was parsed and written again is
/// another body.
#[derive(Clone, Copy, Debug)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// The hash of `body`.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// A SHA-256 that the host computed, which is faster for large bodies.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The `body` claim: 43 characters of base64url, without padding.
    pub fn to_base64url(&self) -> String {
        base64::encode_url(self.0)
    }

    /// Reads a `body` claim, with or without padding. `None` unless it is 32 bytes in base64url.
    pub(super) fn from_base64url(text: &str) -> Option<Self> {
        base64::decode_url_any_padding(text)?.try_into().ok().map(Self)
    }
}

/// Compares in constant time.
impl PartialEq for BodyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for BodyHash {}
