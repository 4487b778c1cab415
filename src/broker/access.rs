//! Who may use the API: whoever knows the token.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::broker::Settings;
use crate::broker::query::Query;
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, header};

/// The query parameter that may carry the token.
pub const TOKEN_PARAMETER: &str = "qstash_token";

/// Checks the token in the query parameter `qstash_token` or else in `Authorization: Bearer …`. Services that call a
/// webhook may have an `Authorization` of their own, which is for its destination.
pub fn check(token: &str, headers: &Headers, query: &Query) -> Result<()> {
    let offered = match query.first(TOKEN_PARAMETER) {
        Some(token) => Some(token.to_owned()),
        None => headers.get(header::AUTHORIZATION).and_then(bearer).map(str::to_owned),
    };
    let offered = offered.ok_or_else(|| {
        Error::new(
            Code::Unauthorized,
            "the request carries no token: expected the header 'Authorization: Bearer <token>' or the query parameter qstash_token",
        )
    })?;
    if is_same(&offered, token) {
        Ok(())
    } else {
        Err(Error::new(Code::Unauthorized, "the token is not the one of this broker"))
    }
}

/// Whether an `Authorization` header is between the publisher and the broker: it is what carried the token, or holds it
/// all the same.
pub fn is_own(settings: &Settings, query: &Query, authorization: &str) -> bool {
    query.first(TOKEN_PARAMETER).is_none() || bearer(authorization).is_some_and(|token| is_token(settings, token))
}

/// Whether `text` is a token of the broker.
pub fn is_token(settings: &Settings, text: &str) -> bool {
    is_same(text, &settings.token)
}

/// Digests are of one length, so the time does not depend on the texts.
fn is_same(offered: &str, token: &str) -> bool {
    Sha256::digest(offered.as_bytes()).ct_eq(&Sha256::digest(token.as_bytes())).into()
}

/// The token in the value of a header.
pub fn bearer(value: &str) -> Option<&str> {
    value
        .split_at_checked("Bearer ".len())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer "))
        .map(|(_, token)| token.trim())
}
