//! What views of a message hide (`Upstash-Redact-Fields`). Deliveries are not changed.

use std::borrow::Cow;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::broker::invalid_header;
use crate::broker::store::message::{CallbackTarget, Message};
use crate::error::Result;
use crate::wire::{Headers, header};

/// What views of a message hide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redaction {
    /// The body.
    pub body: bool,
    /// The values of all headers.
    pub all_headers: bool,
    /// The values of these headers.
    pub headers: Vec<String>,
}

impl Redaction {
    /// Reads `body`, `header` and `header[Name]`, joined by commas. The docs also write `headers` for `header`.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || invalid_header(header::REDACT_FIELDS, "'body', 'header' or 'header[Name]', joined by commas");
        let mut redaction = Self::default();
        for field in text.split(',').map(str::trim) {
            let named = field.strip_suffix(']').and_then(|field| {
                field.strip_prefix("header[").or_else(|| field.strip_prefix("headers[")).map(str::trim)
            });
            match (field, named) {
                ("body", _) => redaction.body = true,
                ("header" | "headers", _) => redaction.all_headers = true,
                (_, Some(name)) if !name.is_empty() => redaction.headers.push(name.to_owned()),
                _ => return Err(invalid()),
            }
        }
        Ok(redaction)
    }

    /// The headers with the values hidden that it names.
    pub fn headers(&self, headers: &Headers) -> Headers {
        self.prefixed(headers, "")
    }

    /// The headers of a callback, as publish headers: what is forwarded goes by its own name.
    pub fn publish_headers(&self, headers: &Headers) -> Headers {
        self.prefixed(headers, header::FORWARD_PREFIX)
    }

    fn prefixed(&self, headers: &Headers, prefix: &str) -> Headers {
        let hides = |name: &str| {
            let own = name.split_at_checked(prefix.len()).filter(|(head, _)| head.eq_ignore_ascii_case(prefix));
            own.is_some_and(|(_, name)| {
                self.all_headers || self.headers.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
            })
        };
        headers
            .iter()
            .map(|(name, value)| (name, if hides(name) { hidden(value.as_bytes()) } else { value.to_owned() }))
            .collect()
    }
}

/// A message as views show it: what its headers, and what its callbacks forward, is hidden as it asks for. Its body is
/// not hidden here.
pub fn shown(message: &Message) -> Cow<'_, Message> {
    let Some(redaction) = &message.redaction else { return Cow::Borrowed(message) };
    let target = |target: &CallbackTarget| CallbackTarget {
        url: target.url.clone(),
        headers: redaction.publish_headers(&target.headers),
    };
    Cow::Owned(Message {
        headers: redaction.headers(&message.headers),
        callback: message.callback.as_ref().map(target),
        failure_callback: message.failure_callback.as_ref().map(target),
        ..message.clone()
    })
}

/// What is shown of a value that is hidden: `REDACTED:` and its SHA-256 in small hexadecimal digits.
pub fn hidden(value: &[u8]) -> String {
    let mut text = "REDACTED:".to_owned();
    for byte in Sha256::digest(value) {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_it_names() {
        let abc = "REDACTED:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hidden(b"abc"), abc);
        let headers: Headers = [("Authorization", "abc"), ("X-Own", "abc")].into_iter().collect();
        let shown = |fields: &str| {
            let shown = Redaction::parse(fields).unwrap().headers(&headers);
            shown.iter().map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(shown("body"), ["abc", "abc"]);
        assert_eq!(shown("header[authorization]"), [abc, "abc"]);
        assert_eq!(shown("body, headers[X-Own], header[none]"), ["abc", abc]);
        for all in ["header", "headers"] {
            assert_eq!(shown(all), [abc, abc]);
        }
        let publish: Headers = [("Upstash-Forward-X-Own", "abc"), ("Upstash-Retries", "3")].into_iter().collect();
        let shown = Redaction::parse("header").unwrap().publish_headers(&publish);
        assert_eq!(shown.iter().map(|(_, value)| value).collect::<Vec<_>>(), [abc, "3"]);
    }
}
