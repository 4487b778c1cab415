//! Schedules: messages that are published by cron (`qstash/features/schedules.mdx`).

use crate::broker::cron::Cron;
use crate::broker::dispatch::{self, Published};
use crate::broker::shard::place::Name;
use crate::broker::store::Sql;
use crate::broker::store::message::Source;
use crate::broker::store::schedule::{self, Fired, Schedule};
use crate::broker::{Scope, invalid_header};
use crate::error::{Code, Error, Result};
use crate::wire::id::random_text;
use crate::wire::{Headers, Timestamp, header};

/// A schedule that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Its id; `None` for a fresh one.
    pub id: Option<&'a str>,
    /// When to publish.
    pub cron: &'a str,
    /// A URL or the name of a URL group.
    pub destination: &'a str,
    /// The publish headers of each message.
    pub headers: Headers,
    /// The body of each message.
    pub body: Vec<u8>,
    /// The address of whoever wants it.
    pub caller_ip: Option<&'a str>,
}

/// Headers that would make all messages of a schedule the same one.
const ONCE_ONLY: [&str; 3] = [header::NOT_BEFORE, header::DEDUPLICATION_ID, header::CONTENT_BASED_DEDUPLICATION];

/// Makes a schedule, or changes the one with its id, which keeps when it was made and whether it is paused; returns
/// its id. What could not be published is refused now, not at each time.
///
/// [`Code::LimitReached`] if there would be more than the settings allow.
pub fn put<S: Sql>(scope: &mut Scope<'_, S>, wanted: Wanted<'_>) -> Result<String> {
    let cron = Cron::parse(wanted.cron)?;
    if let Some(name) = ONCE_ONLY.iter().find(|name| wanted.headers.contains(name)) {
        return Err(invalid_header(name, "no such header on a schedule, which publishes many times"));
    }
    let destination = dispatch::check(scope, wanted.destination, &wanted.headers, wanted.body.len())?;
    let known = wanted.id.map(|id| schedule::find(scope.sql, id)).transpose()?.flatten();
    let limit = scope.settings.limits.schedules;
    if known.is_none() && schedule::number(scope.sql)? >= limit {
        return Err(Error::new(Code::LimitReached, format!("the limit of {limit} schedules is reached")));
    }
    let id = wanted.id.map_or_else(|| fresh_id(scope), str::to_owned);
    let text = wanted.cron.trim().to_owned();
    let paused = known.as_ref().is_some_and(|known| known.paused);
    // A time that has come, but has not been seen to yet, is not lost.
    let due = known.as_ref().filter(|known| known.cron == text).and_then(|known| known.next_at);
    let next_at = due.filter(|due| *due <= scope.at).or_else(|| cron.next(scope.at));
    let schedule = Schedule {
        id,
        cron: text,
        destination,
        headers: wanted.headers,
        body: wanted.body,
        caller_ip: wanted.caller_ip.map(str::to_owned),
        created_at: known.as_ref().map_or(scope.at, |known| known.created_at),
        paused,
        next_at: next_at.filter(|_| !paused),
        last: known.and_then(|known| known.last),
    };
    schedule::put(scope.sql, &schedule)?;
    Ok(schedule.id)
}

/// An id that has its place in this shard.
fn fresh_id<S: Sql>(scope: &mut Scope<'_, S>) -> String {
    scope.shard.id_here(|| format!("scd_{}", random_text::<21>(scope.entropy)), |id| Name::Schedule(id))
}

/// Pauses a schedule, or resumes it: times that have passed meanwhile are not made up for.
pub fn set_paused<S: Sql>(scope: &Scope<'_, S>, known: &Schedule, paused: bool) -> Result<()> {
    if known.paused == paused {
        return Ok(());
    }
    let next_at = if paused { None } else { Cron::parse(&known.cron)?.next(scope.at) };
    schedule::set_paused(scope.sql, &known.id, paused, next_at)
}

/// One call publishes for at most so many schedules: it must not hold up requests. What is left is due at once.
const MOST_FIRED: usize = 100;

/// Publishes for the schedules that are due; must run inside a transaction, so that each time comes once. Of several
/// times that have passed since the last call only one comes.
///
/// What can't be published, to a URL group that is gone say, is noted and holds nothing up.
pub fn fire<S: Sql>(scope: &mut Scope<'_, S>) -> Result<()> {
    for _ in 0..MOST_FIRED {
        let Some(schedule) = schedule::due(scope.sql, scope.at)? else { return Ok(()) };
        let next_at = next(&schedule, scope.at);
        let fired = publish(scope, &schedule)?;
        schedule::note(scope.sql, &schedule.id, &fired, next_at)?;
    }
    Ok(())
}

/// Takes schedules back whose next time lies further away than their expression says: the clock was set back.
pub fn realign<S: Sql>(sql: &S, at: Timestamp) -> Result<()> {
    for schedule in schedule::all(sql)? {
        let next = next(&schedule, at);
        if schedule.next_at.zip(next).is_some_and(|(known, next)| known > next) {
            schedule::set_paused(sql, &schedule.id, false, next)?;
        }
    }
    Ok(())
}

/// `None` for an expression that only a former build could read; [`publish`] tells why.
fn next(schedule: &Schedule, at: Timestamp) -> Option<Timestamp> {
    Cron::parse(&schedule.cron).ok()?.next(at)
}

fn publish<S: Sql>(scope: &mut Scope<'_, S>, schedule: &Schedule) -> Result<Fired> {
    let source = Source { schedule: Some(schedule.id.clone()), ..Source::default() };
    let body = schedule.body.clone();
    let caller_ip = schedule.caller_ip.as_deref();
    let published = Cron::parse(&schedule.cron)
        .and_then(|_| dispatch::publish(scope, &schedule.destination, &schedule.headers, body, caller_ip, &source));
    let (messages, error) = match published {
        Ok(Published::Message(accepted)) => (vec![accepted.message_id], None),
        Ok(Published::Group(messages)) => {
            (messages.into_iter().map(|(_, accepted)| accepted.message_id).collect(), None)
        }
        Err(error) if matches!(error.code(), Code::Storage | Code::Internal) => return Err(error),
        Err(error) => (Vec::new(), Some(error.message().to_owned())),
    };
    Ok(Fired { at: scope.at, messages, error })
}
