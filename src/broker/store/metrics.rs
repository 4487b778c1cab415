//! Counts over the tables of messages, events, runs and dead letters.
//!
//! They are counted in SQL, so an answer has a row for each bucket and kind at most. What is a count of all messages reads
//! an index only, and so do the events of a window; for the runs that have ended in a window each is read.

use crate::broker::metrics::{Backlog, Bucket, LATENCY_BOUNDS, Runs, earliest};
use crate::broker::settings::Retention;
use crate::broker::store::event::State;
use crate::broker::store::run;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;
use crate::wire::Timestamp;

/// The buckets that things are counted by.
pub struct Frame {
    /// The beginning of the first one.
    pub from: Timestamp,
    /// The length of each.
    pub bucket_ms: u64,
    /// How many there are.
    pub count: u64,
}

impl Frame {
    fn to(&self) -> Timestamp {
        Timestamp::from_millis(self.from.millis().saturating_add(self.bucket_ms.saturating_mul(self.count)))
    }
}

/// What may be delivered, and what is held back.
const DUE: &str = "blocked_on IS NULL AND due_at <= ?";
const HELD: &str = "blocked_on IS NOT NULL";

/// Messages that have not ended. In a broker of several shards some stand for messages of others: `has_tickets` leaves
/// them out.
pub fn backlog<S: Sql>(sql: &S, at: Timestamp, has_tickets: bool) -> Result<Backlog> {
    let under_way = "lease IS NOT NULL AND role <> 'ticket' AND due_at > ?";
    let active = number(sql, &format!("SELECT count(*) FROM messages WHERE {under_way}"), params![at])?;
    let first = "SELECT created_at FROM messages WHERE role <> 'ticket' ORDER BY seq LIMIT 1";
    Ok(Backlog {
        waiting: messages(sql, has_tickets, "true", &[])?.saturating_sub(active),
        due: due(sql, at, has_tickets)?,
        held: messages(sql, has_tickets, HELD, &[])?,
        active,
        oldest_due_at: oldest_due(sql, at)?,
        oldest_at: moment(sql, first, &[])?,
    })
}

/// How many messages have been due since `at` or longer.
pub fn due<S: Sql>(sql: &S, at: Timestamp, has_tickets: bool) -> Result<u64> {
    messages(sql, has_tickets, DUE, params![at])
}

/// Since when the first of them has been due. The time for which a queue or a key held it back counts, too.
pub fn oldest_due<S: Sql>(sql: &S, at: Timestamp) -> Result<Option<Timestamp>> {
    let first = format!("SELECT due_at FROM messages WHERE {DUE} AND role <> 'ticket' ORDER BY due_at LIMIT 1");
    moment(sql, &first, params![at])
}

/// Tickets are counted apart: without a word about roles an index is enough, and in it no body stands in the way.
fn messages<S: Sql>(sql: &S, has_tickets: bool, condition: &str, params: &[Value]) -> Result<u64> {
    let all = number(sql, &format!("SELECT count(*) FROM messages WHERE {condition}"), params)?;
    if !has_tickets {
        return Ok(all);
    }
    let tickets = format!("flow_key IS NOT NULL AND role = 'ticket' AND {condition}");
    let tickets = number(sql, &format!("SELECT count(*) FROM messages WHERE {tickets}"), params)?;
    Ok(all.saturating_sub(tickets))
}

/// Runs that have not ended.
pub fn active_runs<S: Sql>(sql: &S) -> Result<Runs> {
    Ok(Runs {
        active: number(sql, "SELECT count(*) FROM runs WHERE ended_at IS NULL", &[])?,
        oldest_active_at: moment(sql, "SELECT min(created_at) FROM runs WHERE ended_at IS NULL", &[])?,
    })
}

/// How many dead letters there are that are not older than `since`.
pub fn dead_letters<S: Sql>(sql: &S, since: Timestamp) -> Result<u64> {
    number(sql, "SELECT count(*) FROM dlq WHERE failed_at >= ?", params![since])
}

/// To how many other shards sending has failed `attempts` times in a row.
pub fn unreachable_shards<S: Sql>(sql: &S, attempts: u32) -> Result<u64> {
    number(sql, "SELECT count(*) FROM channels WHERE attempt >= ?", params![attempts])
}

/// Since when the log is complete: `None` if none of its events was forgotten.
pub fn logged_since<S: Sql>(sql: &S, at: Timestamp, retention: &Retention) -> Result<Option<Timestamp>> {
    let rows = sql.query(
        "SELECT time, seq <= (SELECT max(seq) FROM events) - ? + 1 FROM events
            WHERE seq = (SELECT min(seq) FROM events) AND seq > 1",
        params![retention.events],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let age = u64::try_from(retention.event_age.as_millis()).unwrap_or(u64::MAX);
    let for_age = Timestamp::from_millis(at.millis().saturating_sub(age));
    let is_for_number = row.integer(1)? != 0;
    Ok(Some(if is_for_number { row.timestamp(0)?.max(for_age) } else { for_age }))
}

/// Adds what the log tells of the time of `frame` to its buckets.
pub fn count_events<S: Sql>(sql: &S, frame: &Frame, series: &mut [Bucket]) -> Result<()> {
    let slots: Vec<String> =
        (0..).zip(LATENCY_BOUNDS).map(|(slot, bound)| format!("WHEN took <= {bound} THEN {slot}")).collect();
    let rows = sql.query(
        &format!(
            "SELECT CAST((time - ?) / ? AS INTEGER) AS bucket, state,
                CASE WHEN took IS NOT NULL THEN CASE {} ELSE {} END END AS slot, count(*), min(accepted_at)
             FROM events WHERE time >= ? AND time < ? AND state IN (?, ?, ?, ?, ?) GROUP BY bucket, state, slot",
            slots.join(" "),
            LATENCY_BOUNDS.len(),
        ),
        params![
            frame.from,
            frame.bucket_ms,
            frame.from,
            frame.to(),
            State::Created.as_str(),
            State::Delivered.as_str(),
            State::Error.as_str(),
            State::Failed.as_str(),
            State::Cancelled.as_str(),
        ],
    )?;
    for row in &rows {
        let count = u64::from(row.count(3)?);
        let Some(bucket) = bucket(series, row)? else { continue };
        match row.text(1)? {
            state if state == State::Created.as_str() => bucket.accepted += count,
            state if state == State::Delivered.as_str() => bucket.delivered += count,
            state if state == State::Error.as_str() => bucket.errors += count,
            state if state == State::Failed.as_str() => bucket.failed += count,
            _ => bucket.canceled += count,
        }
        bucket.oldest_ended_at = earliest(bucket.oldest_ended_at, row.optional(4, Row::timestamp)?);
        let slot = row.optional(2, Row::count)?.and_then(|slot| usize::try_from(slot).ok());
        if let Some(tries) = slot.and_then(|slot| bucket.latency.get_mut(slot)) {
            *tries += count;
        }
    }
    Ok(())
}

/// Adds the runs that began and ended in the time of `frame` to its buckets.
pub fn count_runs<S: Sql>(sql: &S, frame: &Frame, series: &mut [Bucket]) -> Result<()> {
    // What began in a window goes on or has ended since: there is an index of either.
    let began = |which: &str| {
        format!(
            "SELECT CAST((created_at - ?) / ? AS INTEGER) AS bucket, ? AS event FROM runs
             WHERE {which} AND created_at >= ? AND created_at < ?"
        )
    };
    let rows = sql.query(
        &format!(
            "SELECT bucket, event, count(*) FROM (
                {} UNION ALL {} UNION ALL
                SELECT CAST((ended_at - ?) / ? AS INTEGER), state FROM runs WHERE ended_at >= ? AND ended_at < ?
            ) GROUP BY bucket, event",
            began("ended_at IS NULL"),
            began("ended_at >= ?"),
        ),
        params![
            frame.from,
            frame.bucket_ms,
            run::State::Started.as_str(),
            frame.from,
            frame.to(),
            frame.from,
            frame.bucket_ms,
            run::State::Started.as_str(),
            frame.from,
            frame.from,
            frame.to(),
            frame.from,
            frame.bucket_ms,
            frame.from,
            frame.to(),
        ],
    )?;
    for row in &rows {
        let count = u64::from(row.count(2)?);
        let Some(bucket) = bucket(series, row)? else { continue };
        match run::State::parse(&row.text(1)?) {
            Some(run::State::Started) => bucket.runs_started += count,
            Some(run::State::Success) => bucket.runs_succeeded += count,
            Some(run::State::Failed) => bucket.runs_failed += count,
            Some(run::State::Canceled) => bucket.runs_canceled += count,
            None => {}
        }
    }
    Ok(())
}

/// The bucket that the first column of a row tells.
fn bucket<'a>(series: &'a mut [Bucket], row: &Row) -> Result<Option<&'a mut Bucket>> {
    Ok(usize::try_from(row.count(0)?).ok().and_then(|index| series.get_mut(index)))
}

fn number<S: Sql>(sql: &S, query: &str, params: &[Value]) -> Result<u64> {
    let rows = sql.query(query, params)?;
    rows.first().map_or(Ok(0), |row| row.integer(0)).map(|number| u64::try_from(number).unwrap_or(0))
}

fn moment<S: Sql>(sql: &S, query: &str, params: &[Value]) -> Result<Option<Timestamp>> {
    sql.query(query, params)?.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))
}
