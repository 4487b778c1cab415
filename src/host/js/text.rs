//! How headers, times and random bytes cross.

use crate::error::{Code, Error, Result};
#[cfg(any(feature = "js", feature = "server"))]
use crate::wire::Headers;
use crate::wire::{Entropy, Timestamp};

/// Reads headers: a line for each name, followed by a line for its value.
#[cfg(any(feature = "js", feature = "server"))]
pub(super) fn headers_of(text: &str) -> Headers {
    let mut headers = Headers::new();
    let mut lines = text.split('\n');
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        headers.append(name, value);
    }
    headers
}

/// Writes headers as [`headers_of`] reads them. Values can't hold line breaks: what would smuggle one becomes a blank.
#[cfg(any(feature = "js", feature = "server"))]
pub(super) fn text_of(headers: &Headers) -> String {
    let mut text = String::new();
    for (name, value) in headers.iter() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(name);
        text.push('\n');
        text.extend(value.chars().map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }));
    }
    text
}

/// `Date.now()` as a timestamp; what is no time counts as the epoch, so that nothing signed is believed.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The cast saturates.
pub(super) fn timestamp(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as u64)
}

/// Web Crypto's random bytes. An [`Entropy`] can't fail, so a failure is kept until [`SystemEntropy::check`].
#[derive(Default)]
pub(super) struct SystemEntropy {
    failed: bool,
}

impl SystemEntropy {
    /// [`Code::Internal`] if bytes were asked for and none came.
    pub(super) fn check(&self) -> Result<()> {
        if self.failed {
            return Err(Error::new(Code::Internal, "the host has no source of random bytes (Web Crypto)"));
        }
        Ok(())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.failed |= getrandom::fill(bytes).is_err();
    }
}
