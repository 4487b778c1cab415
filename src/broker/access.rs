//! Who may use the API: whoever knows a token.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::broker::Settings;
use crate::broker::query::Query;
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, header};

/// The query parameter that may carry the token.
pub const TOKEN_PARAMETER: &str = "qstash_token";

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Full,
    /// To read, but not the signing keys: with them deliveries can be forged.
    ReadOnly,
}

impl Access {
    /// [`Code::Forbidden`] unless requests with `method` are allowed.
    pub fn allow(self, method: Method) -> Result<()> {
        match (self, method) {
            (Access::Full, _) | (Access::ReadOnly, Method::Get) => Ok(()),
            _ => Err(forbidden(&format!("{} requests", method.as_str()))),
        }
    }

    /// [`Code::Forbidden`] unless answers may tell secrets.
    pub fn allow_secrets(self) -> Result<()> {
        match self {
            Access::Full => Ok(()),
            Access::ReadOnly => Err(forbidden("the signing keys, with which deliveries could be forged")),
        }
    }
}

fn forbidden(what: &str) -> Error {
    Error::new(Code::Forbidden, format!("the token is read-only: it is not enough for {what}; use the broker's token"))
}

/// Checks the token in the query parameter `qstash_token` or else in `Authorization: Bearer …`. Services that call a
/// webhook may have an `Authorization` of their own, which is for its destination.
///
/// Every token is compared, each in constant time, so the time tells neither how much of a token is right nor which.
pub fn check(settings: &Settings, headers: &Headers, query: &Query) -> Result<Access> {
    let offered = offered(headers, query).ok_or_else(|| {
        Error::new(
            Code::Unauthorized,
            "the request carries no token: expected the header 'Authorization: Bearer <token>' or the query parameter qstash_token",
        )
    })?;
    let full = is_same(&offered, &settings.token);
    let read_only = is_same(&offered, settings.read_only_token.as_deref().unwrap_or_default())
        & Choice::from(u8::from(settings.read_only_token.is_some()));
    match (full.into(), read_only.into()) {
        (true, _) => Ok(Access::Full),
        (false, true) => Ok(Access::ReadOnly),
        (false, false) => Err(Error::new(Code::Unauthorized, "the token is not one of this broker")),
    }
}

/// Whether an `Authorization` header is between the publisher and the broker: it is what carried the token, or holds it
/// all the same.
pub fn is_own(settings: &Settings, query: &Query, authorization: &str) -> bool {
    query.first(TOKEN_PARAMETER).is_none() || bearer(authorization).is_some_and(|token| is_token(settings, token))
}

/// Whether `text` is a token of the broker.
pub fn is_token(settings: &Settings, text: &str) -> bool {
    let known = is_same(text, &settings.token) | is_same(text, settings.read_only_token.as_deref().unwrap_or_default());
    !text.is_empty() && known.into()
}

/// The token that a request carries; the query counts if there are both.
fn offered(headers: &Headers, query: &Query) -> Option<String> {
    match query.first(TOKEN_PARAMETER) {
        Some(token) => Some(token.to_owned()),
        None => headers.get(header::AUTHORIZATION).and_then(bearer).map(str::to_owned),
    }
}

/// The token in the value of a header.
pub fn bearer(value: &str) -> Option<&str> {
    value
        .split_at_checked("Bearer ".len())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer "))
        .map(|(_, token)| token.trim())
}

/// Digests are of one length, so the time does not depend on the texts.
fn is_same(offered: &str, token: &str) -> Choice {
    Sha256::digest(offered.as_bytes()).ct_eq(&Sha256::digest(token.as_bytes()))
}
