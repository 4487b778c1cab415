//! What shards tell each other, durably, in order, and each thing once.
//!
//! A shard writes what another has to know into a list, in the transaction that makes it true. The host sends the list
//! piece by piece until the other has confirmed it; the other remembers the number of the last item that it followed, so
//! pieces may come twice or overlap. Whoever dies on the way goes on where it was.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::directory;
use super::place::Shard;
use super::ticket;
use crate::broker::publication::Publication;
use crate::broker::store::directory::Snapshot;
use crate::broker::store::run::Invoker;
use crate::broker::store::watcher::Watcher;
use crate::broker::store::{Sql, relay};
use crate::broker::{Scope, accept, gate, invoke, keys, outcome};
use crate::error::{Code, Error, Result};
use crate::wire::{FlowLimits, Timestamp, base64};

/// Something that another shard has to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Relay {
    /// A message names a flow-control key of the other shard.
    Limits { key: String, limits: Option<FlowLimits> },
    /// A message wants to be delivered under such a key.
    Ask(ticket::Ask),
    /// It may, if it begins until then.
    Grant { ticket: String, until: Timestamp },
    /// Its delivery has ended, or it needs none.
    Return { ticket: String },
    /// A message for a queue, or the start of a run, of the other shard.
    Publish { publication: Box<Publication>, body: String, caller_ip: Option<String> },
    /// A run starts another one and waits for its end.
    Start {
        id: String,
        publication: Box<Publication>,
        body: String,
        caller_ip: Option<String>,
        invoker: Invoker,
        watcher: Watcher,
    },
    /// A run that was taken up again waits for the end of another one.
    Watch { id: String, watcher: Watcher },
    /// What is global has changed.
    Directory { snapshot: Snapshot },
    /// A run has ended that a run of the other shard waits for.
    End { parent: i64, place: u32, end: String, result: String },
}

impl Relay {
    /// A message that has its place on another shard.
    pub fn publish(publication: Publication, caller_ip: Option<&str>) -> Self {
        let body = base64::encode(&publication.body);
        Self::Publish { publication: Box::new(publication), body, caller_ip: caller_ip.map(str::to_owned) }
    }
}

/// Writes an item into the list for `shard`; must run inside the transaction that it belongs to.
pub fn push<S: Sql>(sql: &S, shard: u32, item: &Relay) -> Result<()> {
    let item = serde_json::to_vec(item)
        .map_err(|_| Error::new(Code::Internal, "what another shard has to know can't be written as JSON"))?;
    relay::push(sql, shard, &item)
}

/// A piece of a list, to be sent to a shard; see [`Broker::take_relays`](crate::broker::Broker::take_relays).
#[derive(Clone, Debug)]
pub struct Piece {
    /// The shard that gets it.
    pub shard: u32,
    /// What it gets.
    pub body: Vec<u8>,
    last: i64,
    attempt: u32,
}

#[derive(Serialize, Deserialize)]
struct Body {
    from: u32,
    shards: u32,
    items: Vec<(i64, Box<RawValue>)>,
}

/// A piece has at most so many items,
const PIECE_ITEMS: usize = 100;
/// and about so many bytes.
const PIECE_BYTES: usize = 4 * 1024 * 1024;
/// After this a piece is sent again if nothing was heard of it.
const SILENCE: Duration = Duration::from_secs(15);
/// After a failure, and twice as long after each further one,
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// but never longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The next piece of each list that is to be sent.
pub fn take<S: Sql>(sql: &S, shard: Shard, at: Timestamp) -> Result<Vec<Piece>> {
    let unwritable = |_| Error::new(Code::Internal, "what another shard has to know can't be written as JSON");
    let mut pieces = Vec::new();
    for channel in relay::due(sql, at)? {
        let items = relay::first(sql, channel.shard, PIECE_ITEMS, PIECE_BYTES)?;
        let Some((last, _)) = items.last() else {
            relay::forget(sql, channel.shard, 0)?;
            continue;
        };
        let last = *last;
        let items = items.into_iter().map(|(seq, item)| {
            let text = String::from_utf8(item).unwrap_or_default();
            Ok((seq, RawValue::from_string(text).map_err(unwritable)?))
        });
        let body = Body { from: shard.index(), shards: shard.count(), items: items.collect::<Result<_>>()? };
        let body = serde_json::to_vec(&body).map_err(unwritable)?;
        relay::put_off(sql, channel, at + SILENCE)?;
        pieces.push(Piece { shard: channel.shard, body, last, attempt: channel.attempt });
    }
    Ok(pieces)
}

/// Takes what became of a piece.
pub fn confirm<S: Sql>(sql: &S, piece: &Piece, arrived: bool, at: Timestamp) -> Result<()> {
    let channel = |attempt: u32| relay::Channel { shard: piece.shard, attempt };
    if arrived {
        relay::put_off(sql, channel(0), at)?;
        return relay::forget(sql, piece.shard, piece.last);
    }
    let pause = FIRST_PAUSE.saturating_mul(1 << piece.attempt.min(16)).min(LONGEST_PAUSE);
    relay::put_off(sql, channel(piece.attempt.saturating_add(1)), at + pause)
}

/// Follows what another shard tells. What was followed before is passed over. An error means that something is left, to
/// be sent again.
pub fn follow<S: Sql>(scope: &mut Scope<'_, S>, body: &[u8]) -> Result<()> {
    let unreadable = |error| Error::new(Code::InvalidRequest, format!("what a shard tells can't be read: {error}"));
    let body: Body = serde_json::from_slice(body).map_err(unreadable)?;
    if body.shards != scope.shard.count() || body.from == scope.shard.index() || body.from >= body.shards {
        return Err(Error::new(Code::InvalidConfiguration, "what a shard tells comes from another layout"));
    }
    for (seq, item) in body.items {
        if seq <= relay::last(scope.sql, body.from)? {
            continue;
        }
        // An item of a newer build waits until this one is replaced.
        let item: Relay = serde_json::from_str(item.get()).map_err(unreadable)?;
        let followed = scope.transaction(|scope| {
            relay::set_last(scope.sql, body.from, seq)?;
            follow_one(scope, body.from, item.clone())
        });
        match followed {
            Ok(()) => {
                if matches!(item, Relay::Directory { .. }) {
                    keys::reload(scope)?;
                }
            }
            Err(error) if error.code() == Code::Storage => return Err(error),
            // What can't be done will not be possible later either, and must not hold up the rest.
            Err(error) => scope.transaction(|scope| {
                relay::set_last(scope.sql, body.from, seq)?;
                excuse(scope, &item, &error)
            })?,
        }
    }
    Ok(())
}

fn follow_one<S: Sql>(scope: &mut Scope<'_, S>, from: u32, item: Relay) -> Result<()> {
    match item {
        Relay::Limits { key, limits } => gate::limit(scope, &key, limits),
        Relay::Ask(ask) => ticket::queue(scope, from, ask),
        Relay::Grant { ticket, until } => ticket::granted(scope, from, &ticket, until),
        Relay::Return { ticket } => ticket::returned(scope, &ticket),
        Relay::Publish { publication, body, caller_ip } => {
            let publication = Publication { body: bytes(&body)?, ..*publication };
            accept::accept(scope, publication, caller_ip.as_deref()).map(|_| ())
        }
        Relay::Start { id, publication, body, caller_ip, invoker, watcher } => {
            let publication = Publication { body: bytes(&body)?, ..*publication };
            invoke::start_for(scope, &id, publication, caller_ip.as_deref(), &invoker, watcher)
        }
        Relay::Directory { snapshot } => directory::take(scope, &snapshot).map(|_| ()),
        Relay::Watch { id, watcher } => invoke::watch(scope, &id, watcher),
        Relay::End { parent, place, end, result } => invoke::hear_end(scope, parent, place, &end, &bytes(&result)?),
    }
}

/// Tells what follows from an item that could not be followed.
fn excuse<S: Sql>(scope: &mut Scope<'_, S>, item: &Relay, error: &Error) -> Result<()> {
    match item {
        Relay::Start { watcher, .. } => invoke::tell_refusal(scope, *watcher, error),
        // Its publisher was told that it is accepted.
        Relay::Publish { publication, body, caller_ip } => {
            let body = bytes(body).unwrap_or_default();
            let publication = Publication { body, ..Publication::clone(publication) };
            outcome::turn_away(scope, publication, caller_ip.as_deref(), error)
        }
        _ => Ok(()),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    base64::decode(text).ok_or_else(|| Error::new(Code::Internal, "a body from another shard is not base64"))
}
