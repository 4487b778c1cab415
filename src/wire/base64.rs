//! Strict base64: standard alphabet with padding for bodies, URL-safe for JWTs.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

/// Standard alphabet, with padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Standard alphabet, padding required. `None` for any other text.
pub fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// URL-safe alphabet, without padding.
pub fn encode_url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// URL-safe alphabet, without padding (RFC 7515). `None` for any other text.
pub fn decode_url(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// URL-safe alphabet, with or without padding: QStash's documentation pads the `body` claim, its servers don't.
pub fn decode_url_any_padding(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let text = text.as_ref();
    URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_strict() {
        assert_eq!(decode("aGk="), Some(b"hi".to_vec()));
        for bad in ["aGk", "aGk= ", "aG\nk=", "aGl=", "a-_=", "===="] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        assert_eq!(decode_url("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(decode_url("-_8="), None);
        assert_eq!(decode_url_any_padding("-_8="), decode_url_any_padding("-_8"));
    }
}
