//! Holding due messages back: the order of a queue (`qstash/features/queues.mdx`), the limits of a flow-control key
//! (`qstash/features/flowcontrol.mdx`).
//!
//! Who has a turn or a slot is read from the messages themselves: from the leases of the deliveries under way and from
//! the messages that a queue's turn consists of. So there is nothing that could be lost or counted twice.

use crate::broker::Scope;
use crate::broker::shard::relay::{Relay, push};
use crate::broker::shard::ticket;
use crate::broker::store::Sql;
use crate::broker::store::flow_key::{self, FlowKey};
use crate::broker::store::gate::{Gate, hold, wake};
use crate::broker::store::message::{Message, Role};
use crate::broker::store::queue::{self, Queue};
use crate::broker::store::sql::params;
use crate::error::{Code, Error, Result};
use crate::wire::flow_control::LONGEST_PERIOD;
use crate::wire::{FlowLimits, Rate, Timestamp};

/// Whether a due message may be delivered now. If not it is held back until there is room. If so, its turn and its
/// place in the rate are taken: it must be leased in the same transaction.
pub fn pass<S: Sql>(scope: &mut Scope<'_, S>, message: &mut Message) -> Result<bool> {
    let queue = message.queue.clone();
    if let Some(name) = queue.filter(|_| message.role == Role::Plain)
        && !pass_queue(scope, message, &name)?
    {
        hold(scope.sql, &message.id, Gate::Queue(&name))?;
        // Should its key have woken it, another one is to use the room.
        if let Some(key) = &message.flow_key {
            ticket::end_try(scope.sql, &message.id)?;
            wake(scope.sql, Gate::FlowKey(key), 1)?;
        }
        return Ok(false);
    }
    let Some(key) = &message.flow_key else { return Ok(true) };
    if let Some(home) = ticket::home(scope, key) {
        return ticket::pass(scope, message, key, home);
    }
    let passes = pass_key(scope, message, key)?;
    if !passes {
        hold(scope.sql, &message.id, Gate::FlowKey(key))?;
    }
    Ok(passes)
}

/// A message has its turn until it and its callbacks have ended, so retries don't let others overtake it.
fn pass_queue<S: Sql>(scope: &Scope<'_, S>, message: &mut Message, name: &str) -> Result<bool> {
    let queue = match queue::find(scope.sql, name)? {
        Some(queue) => queue,
        // Deleted while the message was elsewhere. It was accepted, so no limit counts.
        None => make(scope, name)?,
    };
    if queue.paused {
        return Ok(false);
    }
    if message.slot.is_some() {
        return Ok(true);
    }
    let turns = queue::turns(scope.sql, name)?;
    if turns >= u64::from(queue.parallelism) {
        return Ok(false);
    }
    if let Some(head) = queue::head(scope.sql, name, scope.at)?.filter(|head| *head != message.id) {
        queue::call_up(scope.sql, &head, scope.at)?;
        return Ok(false);
    }
    queue::take_turn(scope.sql, &message.id)?;
    message.slot = Some(message.id.clone());
    // Who had to stand back for this one may have room beside it.
    wake(scope.sql, Gate::Queue(name), u64::from(queue.parallelism) - turns - 1)?;
    Ok(true)
}

fn pass_key<S: Sql>(scope: &Scope<'_, S>, message: &Message, name: &str) -> Result<bool> {
    let mut key = flow_key::find(scope.sql, name)?.unwrap_or_else(|| FlowKey::new(name, scope.at));
    if key.paused {
        return Ok(false);
    }
    let own = u64::from(message.lease.is_some());
    if let Some(parallelism) = key.limits.parallelism
        && flow_key::open(scope.sql, name)?.saturating_sub(own) >= u64::from(parallelism)
    {
        return Ok(false);
    }
    let Some(rate) = key.limits.rate else { return Ok(true) };
    if is_over(&key, rate, scope.at) {
        key.window_start = scope.at;
        key.window_count = 0;
    }
    let passes = key.window_count < rate.count;
    if passes {
        key.window_count += 1;
    } else {
        key.wake_at = Some(key.window_start + rate.period);
    }
    flow_key::put(scope.sql, &key)?;
    Ok(passes)
}

/// Whether the period of a key's rate is over, or lies in the future because the clock was set back.
fn is_over(key: &FlowKey, rate: Rate, at: Timestamp) -> bool {
    key.window_start > at || key.window_start + rate.period <= at
}

/// The queue with a name; the first message makes it. [`Code::LimitReached`] if there are too many.
pub fn made<S: Sql>(scope: &Scope<'_, S>, name: &str) -> Result<Queue> {
    if let Some(queue) = queue::find(scope.sql, name)? {
        return Ok(queue);
    }
    let most = scope.settings.limits.queues;
    if queue::number(scope.sql)? >= most {
        return Err(Error::new(Code::LimitReached, format!("there are {most} queues, as many as this broker keeps")));
    }
    make(scope, name)
}

fn make<S: Sql>(scope: &Scope<'_, S>, name: &str) -> Result<Queue> {
    let queue = Queue::new(name, scope.at);
    queue::put(scope.sql, &queue)?;
    Ok(queue)
}

/// Notes what a message says about its key. The last message wins, but what is pinned stays.
pub fn limit<S: Sql>(scope: &Scope<'_, S>, name: &str, limits: Option<FlowLimits>) -> Result<()> {
    let known = flow_key::find(scope.sql, name)?;
    let mut key = known.clone().unwrap_or_else(|| FlowKey::new(name, scope.at));
    key.used_at = scope.at;
    if let Some(limits) = limits {
        if !key.pinned_parallelism {
            key.limits.parallelism = limits.parallelism;
        }
        if !key.pinned_rate {
            key.limits.rate = limits.rate;
        }
    }
    if let Some(home) = ticket::home(scope, name) {
        // Remembered here, too, for as long as messages name it, should its own shard forget it.
        flow_key::put(scope.sql, &key)?;
        return push(scope.sql, home, &Relay::Limits { key: name.to_owned(), limits });
    }
    let changed = known.as_ref().is_some_and(|known| known.limits != key.limits);
    flow_key::put(scope.sql, &key)?;
    if changed { open_key(scope, &mut key) } else { Ok(()) }
}

/// Lets those that the rates of past periods held back try again.
pub fn renew<S: Sql>(scope: &Scope<'_, S>) -> Result<()> {
    // Further away than any period: the clock was set back.
    let beyond = scope.at + LONGEST_PERIOD;
    for mut key in flow_key::select(scope.sql, "wake_at <= ? OR wake_at > ?", params![scope.at, beyond])? {
        open_key(scope, &mut key)?;
    }
    Ok(())
}

/// Lets as many of a key's messages try as its limits leave room for, after they have changed.
pub fn open_key<S: Sql>(scope: &Scope<'_, S>, key: &mut FlowKey) -> Result<()> {
    let mut room = if key.paused { 0 } else { ALL };
    if let Some(parallelism) = key.limits.parallelism {
        room = room.min(u64::from(parallelism).saturating_sub(flow_key::open(scope.sql, &key.key)?));
    }
    key.wake_at = None;
    if let Some(rate) = key.limits.rate {
        let ends = key.window_start + rate.period;
        let left = if is_over(key, rate, scope.at) { rate.count } else { rate.count.saturating_sub(key.window_count) };
        if left == 0 {
            key.wake_at = Some(ends);
        }
        room = room.min(u64::from(left));
    }
    flow_key::put(scope.sql, key)?;
    wake(scope.sql, Gate::FlowKey(&key.key), room)
}

/// Lets as many of a queue's messages try as it has room for, after it has changed.
pub fn open_queue<S: Sql>(scope: &Scope<'_, S>, queue: &Queue) -> Result<()> {
    // Those that have their turn already, at most as many as there are turns, come first.
    let room = if queue.paused { 0 } else { u64::from(queue.parallelism) + queue::turns(scope.sql, &queue.name)? };
    wake(scope.sql, Gate::Queue(&queue.name), room)
}

/// More than any number of messages.
pub const ALL: u64 = 1 << 50;
