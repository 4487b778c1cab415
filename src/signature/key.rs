//! Signing keys: one that signs, and the one that comes after it.

use std::fmt;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

use crate::error::{Code, Error, Result};

/// A key that signs deliveries, such as `sig_…`.
///
/// Only the state derived from the key's text is kept; `Debug` prints `[redacted]`.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// A key from its text.
    ///
    /// [`Code::EmptyKeySet`] if the text is empty, [`Code::InvalidConfiguration`] if white space surrounds it:
    /// no broker gives out such a key, so it was copied badly.
    pub fn new(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(
                Code::EmptyKeySet,
                "expected a signing key such as 'sig_…', got an empty text; without a key every request would be refused",
            ));
        }
        if text.trim() != text {
            return Err(Error::new(
                Code::InvalidConfiguration,
                "a signing key has white space before or after it; remove it where the key is set",
            ));
        }
        Self::from_bytes(text.as_bytes())
    }

    pub(super) fn from_bytes(key: &[u8]) -> Result<Self> {
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|_| Error::new(Code::Internal, "HMAC refused the length of a signing key"))
    }

    /// A MAC that has seen the key and nothing else.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

/// The keys that a receiver accepts. There is always at least one.
///
/// When keys are rotated, `next` becomes `current`: a receiver that knows both goes on working over one rotation.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Tried first; the one that a broker signs with.
    pub current: SigningKey,
    /// Tried when `current` did not make the signature.
    pub next: Option<SigningKey>,
}

impl Keys {
    /// Keys from their texts. Errors as in [`SigningKey::new`].
    pub fn new(current: &str, next: Option<&str>) -> Result<Self> {
        Ok(Self { current: SigningKey::new(current)?, next: next.map(SigningKey::new).transpose()? })
    }

    /// The keys in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current).chain(&self.next)
    }
}
