//! Where a message may go.

use url::Url;

use crate::broker::publication::is_plain;
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An absolute URL, as [`url`] returns it.
    Url(String),
    /// The name of a URL group.
    Group(String),
    /// What follows `api/`: `llm` or `email`.
    Api(String),
}

/// Reads a destination: an absolute URL, the name of a URL group, or `api/…`.
///
/// [`Code::InvalidUrl`] for anything else.
pub fn parse(text: &str) -> Result<Target> {
    match text.strip_prefix("api/") {
        Some(name) => Ok(Target::Api(name.to_owned())),
        None if is_plain(text) => Ok(Target::Group(text.to_owned())),
        None if text.split_once('?').is_some_and(|(name, _)| is_plain(name)) => {
            let text = format!("the destination '{}' is a URL group, which takes no query", shown(text));
            Err(Error::new(Code::InvalidUrl, text))
        }
        None => url(text).map(Target::Url),
    }
}

/// The longest destination; a row of the database holds it, encoded, and other texts beside it.
const MOST_BYTES: usize = 16 * 1024;

/// Reads an absolute `http` or `https` URL. Returns it as a browser would write it, without fragment: so the receiver
/// finds the URL that it was called by in the signature.
///
/// [`Code::InvalidUrl`] for anything else.
pub fn url(text: &str) -> Result<String> {
    let invalid = |reason: &str| Error::new(Code::InvalidUrl, format!("the destination '{}' {reason}", shown(text)));
    if text.is_empty() {
        return Err(Error::new(Code::InvalidUrl, "the destination is missing: expected an absolute URL"));
    }
    if text.len() > MOST_BYTES {
        return Err(invalid(&format!("is longer than {MOST_BYTES} bytes")));
    }
    if text.starts_with("api/") {
        return Err(invalid("is an API; only an absolute http:// or https:// URL is possible here"));
    }
    if is_plain(text) {
        return Err(invalid("is not a URL: only an absolute http:// or https:// URL is possible here"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid("contains a blank or a control character"));
    }
    let mut url = Url::parse(text).map_err(|error| invalid(&format!("is not an absolute URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("must begin with http:// or https://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(
            Code::InvalidUrl,
            "the destination must not contain a user name or password; send the header Upstash-Forward-Authorization instead",
        ));
    }
    url.set_fragment(None);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_absolute_http_urls() {
        for (text, expected) in [
            ("https://a.b/c?d=e", "https://a.b/c?d=e"),
            ("http://LOCALHOST:3000", "http://localhost:3000/"),
            ("https://a.b/c#frag", "https://a.b/c"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("https://a.b/ü", "https://a.b/%C3%BC"),
        ] {
            assert_eq!(parse(text), Ok(Target::Url(expected.to_owned())), "{text}");
        }
    }

    #[test]
    fn knows_names_of_groups_and_apis() {
        assert_eq!(parse("my-group.1"), Ok(Target::Group("my-group.1".to_owned())));
        assert_eq!(parse("api/llm"), Ok(Target::Api("llm".to_owned())));
        for text in ["my-group", "api/llm"] {
            assert_eq!(url(text).unwrap_err().code(), Code::InvalidUrl, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "my-group?a=1",
            "ftp://a.b",
            "javascript:alert(1)",
            "https://",
            "//a.b/c",
            "https://a b/",
            "https://a.b/\n",
            "https://user:secret@a.b/",
            "http://a.b:99999/",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), Code::InvalidUrl, "{text}: {error}");
            assert!(!error.message().contains("secret"), "{error}");
        }
    }
}
