//! `trimBody`: logs with the beginnings of bodies, or without them.

use serde_json::Value;

use crate::broker::query::Query;
use crate::error::{Code, Error, Result};
use crate::wire::base64;
use crate::wire::duration::shown;

/// Members that hold a body, as it is.
const TEXTS: [&str; 7] =
    ["body", "responseBody", "out", "workflowRunResponse", "failResponse", "callBody", "callResponseBody"];

/// How much of bodies a log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// All of them.
    None,
    /// So many bytes.
    To(usize),
    /// Nothing.
    Out,
}

impl Trim {
    /// Reads the query parameter; without it, bodies are told as they are.
    pub fn read(query: &Query) -> Result<Self> {
        let Some(text) = query.first("trimBody") else { return Ok(Self::None) };
        if text == "-1" {
            return Ok(Self::Out);
        }
        text.parse().map(Self::To).map_err(|_| {
            let text = shown(text);
            let expected = "expected a number of bytes, or -1 for logs without bodies";
            Error::new(Code::InvalidRequest, format!("the query parameter trimBody is '{text}': {expected}"))
        })
    }

    /// Cuts every body in `view`. Those under the names `encoded`, and under those that end so, are base64.
    pub fn apply(self, view: &mut Value, encoded: &[&str]) {
        let limit = match self {
            Self::None => return,
            Self::To(limit) => Some(limit),
            Self::Out => None,
        };
        cut(view, limit, encoded);
    }
}

fn cut(view: &mut Value, limit: Option<usize>, encoded: &[&str]) {
    match view {
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, limit, encoded)),
        Value::Object(members) => {
            let is_encoded = |name: &str| encoded.contains(&name) || name.ends_with("odyBase64");
            members.retain(|name, value| {
                let is_body = value.is_string() && (TEXTS.contains(&name.as_str()) || is_encoded(name));
                limit.is_some() || !is_body
            });
            for (name, value) in members {
                match (value, limit) {
                    (Value::String(text), Some(limit)) if is_encoded(name) => cut_encoded(text, limit),
                    (Value::String(text), Some(limit)) if TEXTS.contains(&name.as_str()) => cut_text(text, limit),
                    (Value::String(_), _) => {}
                    (value, limit) => cut(value, limit, encoded),
                }
            }
        }
        _ => {}
    }
}

fn cut_text(text: &mut String, limit: usize) {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
}

/// What is hidden is no base64, and a text.
fn cut_encoded(text: &mut String, limit: usize) {
    match base64::decode(&*text) {
        Some(mut bytes) => {
            bytes.truncate(limit);
            *text = base64::encode(bytes);
        }
        None => cut_text(text, limit),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cuts_bodies_wherever_they_are_and_nothing_else() {
        let view = json!([{
            "url": "https://app.test/long", "body": "YWJjZA==", "responseBody": "héllo", "responseBodyBase64": "/wD/",
            "steps": [{ "out": "abcdef", "stepName": "abcdef", "errors": [{ "body": "REDACTED:00" }] }],
        }]);
        let trimmed = |trim: Trim| {
            let mut view = view.clone();
            trim.apply(&mut view, &["body"]);
            view
        };
        assert_eq!(trimmed(Trim::None), view);
        let expected = json!([{
            "url": "https://app.test/long", "body": "YWI=", "responseBody": "h", "responseBodyBase64": "/wA=",
            "steps": [{ "out": "ab", "stepName": "abcdef", "errors": [{ "body": "RE" }] }],
        }]);
        assert_eq!(trimmed(Trim::To(2)), expected);
        let expected = json!([{ "url": "https://app.test/long", "steps": [{ "stepName": "abcdef", "errors": [{}] }] }]);
        assert_eq!(trimmed(Trim::Out), expected);
    }
}
