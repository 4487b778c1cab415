//! Which of a request's headers go on to the destination.

use std::borrow::Cow;

use crate::broker::invalid_header;
use crate::broker::publication::{check_value, flag};
use crate::error::Result;
use crate::wire::{Headers, header};

/// The headers that a message carries: those with the prefix `Upstash-Forward-`, by their own names.
pub fn forwarded(headers: &Headers) -> Result<Headers> {
    let mut forwarded = Headers::new();
    for (name, value) in headers.with_prefix(header::FORWARD_PREFIX) {
        if !is_name(name) {
            return Err(invalid_header(header::FORWARD_PREFIX, "a header name after the prefix"));
        }
        check_value(name, value)?;
        if !NOT_FORWARDED.iter().any(|skipped| name.eq_ignore_ascii_case(skipped)) {
            forwarded.append(name, value);
        }
    }
    Ok(forwarded)
}

/// With `Upstash-Header-Forward: true`, the headers as if each one had come with the prefix `Upstash-Forward-`
/// (`qstash/howto/webhook.mdx`); one that came so already is left alone, and so are those that say how to publish.
///
/// An `Authorization` among the headers is forwarded too: whoever took the broker's token from it takes it out before.
pub fn explicit(headers: &Headers) -> Result<Cow<'_, Headers>> {
    let Some(all) = flag(headers, header::HEADER_FORWARD)? else { return Ok(Cow::Borrowed(headers)) };
    let mut explicit = headers.clone();
    explicit.remove(header::HEADER_FORWARD);
    if !all {
        return Ok(Cow::Owned(explicit));
    }
    let listed: Vec<String> = headers
        .get_all("connection")
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for (name, value) in headers.iter() {
        let lower = name.to_ascii_lowercase();
        let stays = lower.starts_with("upstash-")
            // Is forwarded anyway.
            || lower == "content-type"
            || NOT_FORWARDED.contains(&lower.as_str())
            || OF_THE_WAY_HERE.contains(&lower.as_str())
            || OF_THE_WAY_HERE_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
            || listed.contains(&lower);
        let prefixed = format!("{}{name}", header::FORWARD_PREFIX);
        if !stays && !headers.contains(&prefixed) {
            explicit.append(prefixed, value);
        }
    }
    Ok(Cow::Owned(explicit))
}

/// Headers that belong to a connection, not to a message: a destination never gets those of the publisher.
const NOT_FORWARDED: [&str; 12] = [
    "host",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that tell how a request came to the broker. A destination would take them for its own: for the address of its
/// caller, for its own URL, for what it may compress with.
const OF_THE_WAY_HERE: [&str; 8] = [
    "accept-encoding",
    "cdn-loop",
    "forwarded",
    "render-proxy-ttl",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-real-ip",
];
const OF_THE_WAY_HERE_PREFIXES: [&str; 3] = ["cf-", "x-forwarded-", "x-vercel-"];

/// A header name is a token (RFC 9110 §5.6.2).
fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
