//! Flow control across shards: the limits of a key hold for all messages that name it, wherever they live.
//!
//! A key has its place on one shard, which alone decides. A message that lives elsewhere (its run or its queue counts
//! before its key) is held back when it is due, and its shard asks for a ticket. The key's shard puts the ticket among the
//! key's messages, as a message without a delivery; when its turn comes it is leased like theirs, for as long as the
//! delivery may take, and granted. The message's shard begins the delivery within a window, or not at all under this
//! ticket, and gives it back when the try has ended. A ticket that is not given back frees itself when the lease ends,
//! which is after the end of any delivery that could have begun under it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::Name;
use super::relay::{Relay, push};
use crate::broker::store::Sql;
use crate::broker::store::flow_key::{self, FlowKey};
use crate::broker::store::gate::{Gate, hold, release};
use crate::broker::store::message::{self, Message, Role, Source};
use crate::broker::store::ticket::{self, Ticket};
use crate::broker::{Scope, gate};
use crate::error::Result;
use crate::wire::id::random_text;
use crate::wire::{FlowLimits, Headers, Method, Timestamp};

/// A delivery begins so soon after its ticket was granted, or not under this ticket.
const WINDOW: Duration = Duration::from_secs(30);
/// So many tickets are granted in one transaction at most.
const MOST: usize = 200;

/// What a ticket is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    ticket: String,
    key: String,
    /// What messages of this shard last said, should the key's shard have forgotten it.
    limits: FlowLimits,
    due_at: Timestamp,
    timeout: Duration,
}

/// The shard of a flow-control key, if that is another one.
pub fn home<S>(scope: &Scope<'_, S>, key: &str) -> Option<u32> {
    let home = scope.shard.home(Name::FlowKey(key));
    (home != scope.shard.index()).then_some(home)
}

/// Whether a due message may be delivered now under a key of the shard `home`. If not, it is held back until its ticket
/// comes.
pub fn pass<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, key: &str, home: u32) -> Result<bool> {
    let known = ticket::of_message(scope.sql, &message.id)?;
    match known {
        Some(ticket) if ticket.ends_at.is_none() => {}
        Some(ticket) if !ticket.used && ticket.ends_at.is_some_and(|until| scope.at <= until) => {
            ticket::put(scope.sql, &Ticket { used: true, ..ticket })?;
            return Ok(true);
        }
        known => {
            if let Some(ticket) = known {
                give_back(scope.sql, &ticket)?;
            }
            ask(scope, message, key, home)?;
        }
    }
    hold(scope.sql, &message.id, Gate::Ticket)?;
    Ok(false)
}

fn ask<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, key: &str, home: u32) -> Result<()> {
    let id = format!("tkt_{}", random_text::<21>(scope.entropy));
    let ask = Ask {
        ticket: id.clone(),
        key: key.to_owned(),
        limits: flow_key::find(scope.sql, key)?.map(|key| key.limits).unwrap_or_default(),
        due_at: message.due_at.min(scope.at),
        timeout: message.timeout,
    };
    push(scope.sql, home, &Relay::Ask(ask))?;
    ticket::put(scope.sql, &Ticket { message_id: message.id.clone(), id, shard: home, ends_at: None, used: false })
}

/// Gives the ticket of a message back whose try has ended, if it has one.
pub fn end_try<S: Sql>(sql: &S, message_id: &str) -> Result<()> {
    match ticket::of_message(sql, message_id)? {
        Some(ticket) => give_back(sql, &ticket),
        None => Ok(()),
    }
}

fn give_back<S: Sql>(sql: &S, ticket: &Ticket) -> Result<()> {
    ticket::remove(sql, &ticket.message_id)?;
    push(sql, ticket.shard, &Relay::Return { ticket: ticket.id.clone() })
}

/// At the message's shard: its ticket was granted.
pub fn granted<S: Sql>(scope: &mut Scope<'_, S>, home: u32, id: &str, until: Timestamp) -> Result<()> {
    let Some(ticket) = ticket::find(scope.sql, id)? else {
        // The message needs no delivery any more, and that was told before this was heard.
        return push(scope.sql, home, &Relay::Return { ticket: id.to_owned() });
    };
    ticket::put(scope.sql, &Ticket { ends_at: Some(until), ..ticket.clone() })?;
    // If it comes too late, the message asks again when it is looked at.
    release(scope.sql, &ticket.message_id)
}

/// At the key's shard: puts a ticket among the key's messages.
pub fn queue<S: Sql>(scope: &mut Scope<'_, S>, from: u32, ask: Ask) -> Result<()> {
    if flow_key::find(scope.sql, &ask.key)?.is_none() {
        flow_key::put(scope.sql, &FlowKey { limits: ask.limits, ..FlowKey::new(&ask.key, scope.at) })?;
    }
    message::insert(
        scope.sql,
        &Message {
            id: ask.ticket,
            role: Role::Ticket,
            run: None,
            position: None,
            url: from.to_string(),
            method: Method::Post,
            headers: Headers::new(),
            body: Vec::new(),
            created_at: scope.at,
            not_before: ask.due_at,
            due_at: ask.due_at,
            attempt: 0,
            max_retries: 0,
            retry_delay: None,
            timeout: ask.timeout,
            lease: None,
            leased_at: None,
            label: None,
            caller_ip: None,
            callback: None,
            failure_callback: None,
            queue: None,
            slot: None,
            flow_key: Some(ask.key),
            source: Source::default(),
            redaction: None,
        },
    )
}

/// At the key's shard: the delivery has ended, or there is none.
pub fn returned<S: Sql>(scope: &mut Scope<'_, S>, id: &str) -> Result<()> {
    match message::find(scope.sql, id)?.filter(|message| message.role == Role::Ticket) {
        Some(ticket) => message::remove(scope.sql, &ticket),
        None => Ok(()),
    }
}

/// At the key's shard: grants the tickets whose turn it is, and forgets those that were not given back; must run inside
/// a transaction.
pub fn grant<S: Sql>(scope: &mut Scope<'_, S>) -> Result<()> {
    if scope.shard.is_single() {
        return Ok(());
    }
    for mut ticket in message::due_tickets(scope.sql, scope.at, MOST)? {
        if ticket.lease.is_some() {
            message::remove(scope.sql, &ticket)?;
            continue;
        }
        if !gate::pass(scope, &mut ticket)? {
            continue;
        }
        let until = until(scope, &ticket)?;
        let ends_at = scope.at + WINDOW + ticket.timeout + scope.settings.lease_margin;
        message::lease(scope.sql, &ticket.id, &ticket.id, scope.at, ends_at)?;
        let shard = ticket.url.parse().unwrap_or(0);
        push(scope.sql, shard, &Relay::Grant { ticket: ticket.id, until })?;
    }
    Ok(())
}

/// Until when a delivery may begin: it counts for the period of the key's rate in which its ticket was granted.
fn until<S: Sql>(scope: &Scope<'_, S>, ticket: &Message) -> Result<Timestamp> {
    let latest = scope.at + WINDOW;
    let key = ticket.flow_key.as_deref().unwrap_or_default();
    let Some(key) = flow_key::find(scope.sql, key)? else { return Ok(latest) };
    let Some(rate) = key.limits.rate else { return Ok(latest) };
    let last = Timestamp::from_millis((key.window_start + rate.period).millis().saturating_sub(1));
    Ok(latest.min(last))
}
