//! Where a message may go.

use url::Url;

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;

/// Reads a destination: an absolute `http` or `https` URL. Returns it as a browser would write it, without fragment:
/// so the receiver finds the URL that it was called by in the signature.
///
/// [`Code::Unsupported`] for the name of a URL group or `api/…`, [`Code::InvalidUrl`] for anything else.
pub fn parse(text: &str) -> Result<String> {
    let invalid = |reason: &str| Error::new(Code::InvalidUrl, format!("the destination '{}' {reason}", shown(text)));
    if text.is_empty() {
        return Err(Error::new(Code::InvalidUrl, "the destination is missing: expected an absolute URL"));
    }
    if text.starts_with("api/") {
        return Err(Error::new(
            Code::Unsupported,
            "API destinations (api/llm, api/email) are not offered by this broker",
        ));
    }
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(Error::new(
            Code::Unsupported,
            format!(
                "the destination '{}' is not a URL; URL groups are not offered by this broker: use an absolute http:// or https:// URL",
                shown(text)
            ),
        ));
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
            assert_eq!(parse(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_by_kind() {
        for (text, code) in [
            ("", Code::InvalidUrl),
            ("my-group", Code::Unsupported),
            ("api/llm", Code::Unsupported),
            ("ftp://a.b", Code::InvalidUrl),
            ("javascript:alert(1)", Code::InvalidUrl),
            ("https://", Code::InvalidUrl),
            ("//a.b/c", Code::InvalidUrl),
            ("https://a b/", Code::InvalidUrl),
            ("https://a.b/\n", Code::InvalidUrl),
            ("https://user:secret@a.b/", Code::InvalidUrl),
            ("http://a.b:99999/", Code::InvalidUrl),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), code, "{text}: {error}");
            assert!(!error.message().contains("secret"), "{error}");
        }
    }
}
