//! Refusing a signature that was seen before.
//!
//! A broker signs every delivery anew, each retry too, with a fresh `jti`. So a receiver that accepts each `jti` once
//! loses no retry, and whoever recorded a delivery can't send it again while its signature is still good.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Claims;
use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// Where the ids of accepted signatures are kept. A store that many instances share guards all of them.
#[allow(async_fn_in_trait)] // Futures of a Worker are not `Send`.
pub trait ReplayStore {
    /// Remembers `token_id` until `expires_at`; `false` if it is remembered already. Has to be atomic: of two calls at
    /// once with one id, exactly one gets `true`. An error refuses the request.
    async fn add(&self, token_id: &str, expires_at: Timestamp) -> Result<bool>;
}

/// Accepts verified claims once. `tolerance` is the one that they were verified with.
///
/// [`Code::SignatureReplayed`] for the second time, [`Code::SignatureClaim`] for claims without `jti`, and the errors of
/// the store.
pub async fn accept_once(claims: &Claims, tolerance: Duration, store: &impl ReplayStore) -> Result<()> {
    let ticket = Ticket::of(claims, tolerance)?;
    if store.add(ticket.token_id, ticket.expires_at).await? { Ok(()) } else { Err(replayed()) }
}

/// What of a signature is remembered, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Ticket<'a> {
    /// The `jti` claim.
    pub token_id: &'a str,
    /// From then on the signature is refused anyway.
    pub expires_at: Timestamp,
}

impl<'a> Ticket<'a> {
    /// The ticket of verified claims; [`Code::SignatureClaim`] if they have no `jti`.
    pub fn of(claims: &'a Claims, tolerance: Duration) -> Result<Self> {
        let token_id = claims.token_id.as_deref().filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                Code::SignatureClaim,
                "the signature can't be accepted: a replay guard needs the claim 'jti', and it is missing",
            )
        })?;
        Ok(Self { token_id, expires_at: claims.expires_at + tolerance })
    }
}

/// The error for a signature whose id is in the store.
pub fn replayed() -> Error {
    Error::new(
        Code::SignatureReplayed,
        "the signature was accepted before; a broker signs every delivery anew, so somebody sent this one again",
    )
}

/// Ids in the memory of one process, forgotten as their signatures expire. Holds as many as were accepted within a
/// signature's lifetime.
#[derive(Debug, Default)]
pub struct SeenTokens {
    // The moment comes first: what has expired is at the beginning. One token has one moment.
    tokens: BTreeSet<(Timestamp, String)>,
}

impl SeenTokens {
    /// Remembers `token_id` until `expires_at`; `false` if it is remembered already.
    pub fn add(&mut self, token_id: &str, expires_at: Timestamp, now: Timestamp) -> bool {
        while self.tokens.first().is_some_and(|(until, _)| *until <= now) {
            self.tokens.pop_first();
        }
        self.tokens.insert((expires_at, token_id.to_owned()))
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}
