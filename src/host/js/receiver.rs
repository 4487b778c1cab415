//! Verification of a signature outside of a workflow.

use wasm_bindgen::prelude::*;

use super::endpoint::tolerance;
use super::error::thrown;
use super::text::timestamp;
use crate::error::{Code, Error, Result};
use crate::signature::{BodyHash, Expect, Keys, verify};
use crate::workflow::DEFAULT_CLOCK_TOLERANCE;

/// Verifies signatures with one or two keys.
#[wasm_bindgen]
pub struct Receiver(Keys);

#[wasm_bindgen]
impl Receiver {
    /// A receiver with the key that signs now and the one that comes next.
    #[wasm_bindgen(constructor)]
    pub fn new(current: &str, next: Option<String>) -> Result<Receiver, JsValue> {
        Keys::new(current, next.as_deref()).map(Self).map_err(|error| thrown(&error))
    }

    /// Throws unless `signature` was made for this body. `now` is in milliseconds, `tolerance` in seconds (5 if absent).
    pub fn verify(
        &self,
        signature: &str,
        body: &[u8],
        url: Option<String>,
        tolerance: Option<f64>,
        now: f64,
    ) -> Result<(), JsValue> {
        self.check(signature, BodyHash::of(body), url.as_deref(), tolerance, now).map_err(|error| thrown(&error))
    }

    /// [`verify`](Self::verify), for a body whose SHA-256 the host has computed.
    #[wasm_bindgen(js_name = verifyDigest)]
    pub fn verify_digest(
        &self,
        signature: &str,
        digest: &[u8],
        url: Option<String>,
        tolerance: Option<f64>,
        now: f64,
    ) -> Result<(), JsValue> {
        body_hash(digest)
            .and_then(|hash| self.check(signature, hash, url.as_deref(), tolerance, now))
            .map_err(|error| thrown(&error))
    }
}

impl Receiver {
    fn check(&self, signature: &str, body: BodyHash, url: Option<&str>, seconds: Option<f64>, now: f64) -> Result<()> {
        let tolerance = seconds.map_or(Ok(DEFAULT_CLOCK_TOLERANCE), tolerance)?;
        verify(signature, &body, &self.0, &Expect { url, now: timestamp(now), tolerance }).map(|_| ())
    }
}

/// A SHA-256 that the host computed.
pub(super) fn body_hash(digest: &[u8]) -> Result<BodyHash> {
    let digest = digest.try_into().map_err(|_| Error::new(Code::Internal, "a SHA-256 is 32 bytes long"))?;
    Ok(BodyHash::from_digest(digest))
}
