//! What views of a message hide (`Upstash-Redact-Fields`). Deliveries are not changed.

use serde::{Deserialize, Serialize};

use crate::broker::invalid_header;
use crate::error::Result;
use crate::wire::header;

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
}
