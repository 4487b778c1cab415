//! Who may use the API: whoever knows the token.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::broker::query::Query;
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, header};

/// The query parameter that may carry the token.
pub const TOKEN_PARAMETER: &str = "qstash_token";

/// Checks the token in `Authorization: Bearer …` or in the query parameter `qstash_token`.
pub fn check(token: &str, headers: &Headers, query: &Query) -> Result<()> {
    let offered = match headers.get(header::AUTHORIZATION) {
        Some(value) => value
            .split_at_checked("Bearer ".len())
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer "))
            .map(|(_, token)| token.trim().to_owned()),
        None => query.first(TOKEN_PARAMETER).map(str::to_owned),
    };
    let offered = offered.ok_or_else(|| {
        Error::new(
            Code::Unauthorized,
            "the request carries no token: expected the header 'Authorization: Bearer <token>' or the query parameter qstash_token",
        )
    })?;
    // Digests are of one length, so the time does not depend on the texts.
    if Sha256::digest(offered.as_bytes()).ct_eq(&Sha256::digest(token.as_bytes())).into() {
        Ok(())
    } else {
        Err(Error::new(Code::Unauthorized, "the token is not the one of this broker"))
    }
}
