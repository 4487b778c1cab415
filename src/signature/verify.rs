//! Signing a delivery, and deciding whether to believe one.

use std::time::Duration;

use super::token::{self, Token};
use super::{BodyHash, Claims, Keys, SigningKey, rewritten};
use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;
use crate::wire::url::is_same;

/// The value of `Upstash-Signature` for `claims`, made with `key`.
pub fn sign(claims: &Claims, key: &SigningKey) -> String {
    token::write(&claims.to_json(), key)
}

/// What a receiver expects of a signature, besides one of its keys.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The URL that the request came to; `None` doesn't look at `sub`. What a URL parser changes makes no difference
    /// ([`is_same`]).
    pub url: Option<&'a str>,
    /// The receiver's time.
    pub now: Timestamp,
    /// How far the receiver's and the broker's clocks may be apart.
    pub tolerance: Duration,
}

/// Decides whether `token`, the value of `Upstash-Signature`, was made for `body` by a broker that has one of `keys`.
///
/// Checks in this order, and the first that fails is the error: shape, algorithm, MAC (current key, then next),
/// `iss` and the form of the claims, `sub`, `exp`, `nbf`, `body`. Errors are the `Signature…` codes.
/// Work is bounded by [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
pub fn verify(token: &str, body: &BodyHash, keys: &Keys, expect: &Expect<'_>) -> Result<Claims> {
    let claims = claims(token, keys, expect)?;
    if claims.body == *body { Ok(claims) } else { Err(another_body(None)) }
}

/// [`verify`], given the body itself: an error about the body then tells its likely cause.
pub fn verify_bytes(token: &str, body: &[u8], keys: &Keys, expect: &Expect<'_>) -> Result<Claims> {
    let claims = claims(token, keys, expect)?;
    check_body(&claims, body)?;
    Ok(claims)
}

/// Checks everything but the body.
fn claims(token: &str, keys: &Keys, expect: &Expect<'_>) -> Result<Claims> {
    let token = Token::read(token)?;
    if !keys.iter().any(|key| token.is_made_by(key)) {
        return Err(another_key());
    }
    let claims = Claims::from_members(token.members())?;
    check_subject(&claims, expect)?;
    check_expiry(&claims, expect)?;
    check_start(&claims, expect)?;
    Ok(claims)
}

pub(super) fn another_key() -> Error {
    Error::new(
        Code::SignatureInvalid,
        "no signing key of this receiver made the signature; check that the keys belong to the broker that sends, \
         and that both were updated if they were rotated",
    )
}

pub(super) fn check_body(claims: &Claims, body: &[u8]) -> Result<()> {
    if claims.body == BodyHash::of(body) { Ok(()) } else { Err(another_body(rewritten::cause(body, &claims.body))) }
}

fn another_body(cause: Option<&str>) -> Error {
    let what = match cause {
        Some(cause) => {
            format!("the body was parsed before it was verified: {cause}; hand in the raw bytes of the request")
        }
        None => "the body is not the one that was signed; hand in the raw bytes of the request, \
                 for a body that was parsed before it was verified and then written again has other bytes"
            .to_owned(),
    };
    Error::new(Code::SignatureBody, what)
}

pub(super) fn check_subject(claims: &Claims, expect: &Expect<'_>) -> Result<()> {
    match expect.url {
        Some(url) if !is_same(url, &claims.subject) => Err(Error::new(
            Code::SignatureSubject,
            format!(
                "the signature was made for {}, but the request came to {}; both have to be equal, query included; \
                 behind a proxy, hand in the public URL",
                without_secrets(&claims.subject),
                without_secrets(url),
            ),
        )),
        _ => Ok(()),
    }
}

/// `exp` as RFC 7519 §4.1.4 defines it: `exp` itself is too late.
pub(super) fn check_expiry(claims: &Claims, expect: &Expect<'_>) -> Result<()> {
    if claims.expires_at + expect.tolerance > expect.now {
        return Ok(());
    }
    Err(Error::new(
        Code::SignatureExpired,
        format!("the signature expired {} s ago", (expect.now - claims.expires_at).as_secs()),
    ))
}

/// `nbf` as RFC 7519 §4.1.5 defines it: `nbf` itself is not too early.
pub(super) fn check_start(claims: &Claims, expect: &Expect<'_>) -> Result<()> {
    match claims.not_before {
        Some(start) if start > expect.now + expect.tolerance => Err(Error::new(
            Code::SignatureNotYetValid,
            format!(
                "the signature is good only in {} s; check the clock, or allow a tolerance",
                (start - expect.now).as_millis().div_ceil(1000)
            ),
        )),
        _ => Ok(()),
    }
}

/// A URL for a message: without user, password, query and fragment, and not long.
fn without_secrets(url: &str) -> String {
    const SHOWN_CHARS: usize = 200;
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let separator = if scheme.is_empty() { "" } else { "://" };
    let shown: String = [scheme, separator, host, path].concat().chars().take(SHOWN_CHARS).collect();
    format!("'{}'", shown.escape_debug())
}
