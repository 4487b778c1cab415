//! The table of events that arrived before anybody waited for them. A row goes when its wait, the end of its lifetime
//! or the end of its run comes.

use crate::broker::store::body;
use crate::broker::store::sql::{Sql, params};
use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// An event that waits for its waiter.
#[derive(Clone, Debug)]
pub struct KeptEvent {
    /// The key in the database.
    pub key: i64,
    /// Its data.
    pub data: Vec<u8>,
}

/// Keeps an event for a run until `ends_at`.
pub fn insert<S: Sql>(
    sql: &S,
    run: i64,
    event_id: &str,
    from_webhook: bool,
    data: &[u8],
    ends_at: Timestamp,
) -> Result<()> {
    let rows = sql.query(
        "INSERT INTO kept_events (run, event_id, from_webhook, ends_at) VALUES (?, ?, ?, ?) RETURNING key",
        params![run, event_id, u32::from(from_webhook), ends_at],
    )?;
    let row = rows.first().ok_or_else(|| Error::new(Code::Storage, "the database did not tell the key of an event"))?;
    let key = row.integer(0)?;
    let data = body::put(sql, &owner(key), data)?;
    sql.execute("UPDATE kept_events SET data = ? WHERE key = ?", &[data, key.into()])?;
    Ok(())
}

/// How many events are kept for a run.
pub fn count<S: Sql>(sql: &S, run: i64) -> Result<usize> {
    let rows = sql.query("SELECT count(*) FROM kept_events WHERE run = ?", params![run])?;
    rows.first().map_or(Ok(0), |row| row.count(0)).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
}

/// Takes the oldest event that a new wait gets; a wait for a webhook gets only what a webhook brought.
pub fn take<S: Sql>(sql: &S, run: i64, event_id: &str, for_webhook: bool, at: Timestamp) -> Result<Option<KeptEvent>> {
    let rows = sql.query(
        "SELECT key, data FROM kept_events WHERE run = ? AND event_id = ? AND from_webhook >= ? AND ends_at > ?
         ORDER BY key LIMIT 1",
        params![run, event_id, u32::from(for_webhook), at],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let key = row.integer(0)?;
    let event = KeptEvent { key, data: body::load(sql, &owner(key), row, 1)? };
    remove(sql, key)?;
    Ok(Some(event))
}

/// Forgets up to `limit` events whose lifetime is over.
pub fn sweep<S: Sql>(sql: &S, at: Timestamp, limit: u64) -> Result<()> {
    let rows = sql.query("SELECT key FROM kept_events WHERE ends_at <= ? LIMIT ?", params![at, limit])?;
    rows.iter().try_for_each(|row| remove(sql, row.integer(0)?))
}

/// Gives the events of a run to the run that resumes it.
pub fn hand_over<S: Sql>(sql: &S, from: i64, to: i64) -> Result<()> {
    sql.execute("UPDATE kept_events SET run = ? WHERE run = ?", params![to, from])?;
    Ok(())
}

/// Forgets the events of a run.
pub fn remove_of_run<S: Sql>(sql: &S, run: i64) -> Result<()> {
    let rows = sql.query("SELECT key FROM kept_events WHERE run = ?", params![run])?;
    rows.iter().try_for_each(|row| remove(sql, row.integer(0)?))
}

fn remove<S: Sql>(sql: &S, key: i64) -> Result<()> {
    body::remove(sql, &owner(key))?;
    sql.execute("DELETE FROM kept_events WHERE key = ?", params![key])?;
    Ok(())
}

fn owner(key: i64) -> String {
    format!("event:{key}")
}
