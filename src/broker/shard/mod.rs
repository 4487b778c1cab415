//! Many databases for one broker: which of them has what, and how a request finds it.
//!
//! A broker may be spread over several *shards*, each a [`Broker`](super::Broker) on a database of its own. Shard 0 is
//! also the directory: what is global (URL groups, keys) is decided there. A host carries requests between them and
//! decides nothing: an [`Exchange`] says which shard gets what, and makes one answer of theirs.
//!
//! # Who has what
//!
//! A message lives where the first of these leads: its run, its queue, its flow-control key, its deduplication id or
//! content; else anywhere. Runs, queues, keys and schedules are found by a hash of their name, messages and dead letters
//! by their id, which tells the shard. Nothing has to be looked up.

mod batch;
mod bulk;
pub(super) mod directory;
mod exchange;
pub(super) mod layout;
mod list;
mod notice;
pub(super) mod place;
mod query;
pub(super) mod relay;
mod routes;
pub(super) mod ticket;

pub use exchange::{Duty, Errand, Exchange, Task};
pub use place::Shard;
pub use relay::Piece;

use crate::broker::query::split;
use crate::wire::{Method, Request};

/// Whether a request may change what is global.
pub(super) fn changes_directory(request: &Request) -> bool {
    let (path, _) = split(&request.url);
    request.method != Method::Get && matches!(routes::rule(request.method, path).0, routes::Rule::Directory)
}
