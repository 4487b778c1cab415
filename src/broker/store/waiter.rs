//! The table of waiters: steps of runs that wait for an event. A row goes when the event, the deadline or the end of
//! the run comes.

use serde::{Deserialize, Serialize};

use crate::broker::history::Pending;
use crate::broker::store::message::CallbackTarget;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;
use crate::wire::{StepType, Timestamp};

/// A step that waits for an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Waiter {
    /// The key in the database.
    pub key: i64,
    /// The key of its run.
    pub run: i64,
    /// What it waits for.
    pub event_id: String,
    /// The step, and where the event is delivered.
    pub pending: Pending,
    /// Where the end of the wait without an event is delivered.
    pub timeout_target: CallbackTarget,
    /// When the wait ends without an event.
    pub deadline: Timestamp,
}

impl Waiter {
    /// Whether it waits for the call of a webhook, so that other events would not fit.
    pub fn is_for_webhook(&self) -> bool {
        self.pending.step.step_type == StepType::WaitForWebhook
    }
}

const COLUMNS: &str = "key, run, event_id, step, target, timeout_target, created_at, deadline";

/// Adds a waiter; its key is not looked at.
pub fn insert<S: Sql>(sql: &S, waiter: &Waiter) -> Result<()> {
    sql.execute(
        "INSERT INTO waiters (run, place, event_id, step, target, timeout_target, created_at, deadline)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            waiter.run,
            waiter.pending.step.place(),
            &waiter.event_id,
            Value::json(&waiter.pending.step)?,
            Value::json(&waiter.pending.target)?,
            Value::json(&waiter.timeout_target)?,
            waiter.pending.since,
            waiter.deadline,
        ],
    )?;
    Ok(())
}

/// The waiters for an event, of one run or of all, oldest first.
pub fn of_event<S: Sql>(sql: &S, event_id: &str, run: Option<i64>) -> Result<Vec<Waiter>> {
    match run {
        Some(run) => select(sql, "event_id = ? AND run = ? ORDER BY key", params![event_id, run]),
        None => select(sql, "event_id = ? ORDER BY key", params![event_id]),
    }
}

/// The waiters of a run.
pub fn of_run<S: Sql>(sql: &S, run: i64) -> Result<Vec<Waiter>> {
    select(sql, "run = ? ORDER BY key", params![run])
}

/// Up to `limit` waiters whose deadline has come, oldest deadline first.
pub fn due<S: Sql>(sql: &S, at: Timestamp, limit: usize) -> Result<Vec<Waiter>> {
    select(sql, "deadline <= ? ORDER BY deadline, key LIMIT ?", params![at, limit])
}

/// When the next deadline comes.
pub fn next_deadline<S: Sql>(sql: &S) -> Result<Option<Timestamp>> {
    let rows = sql.query("SELECT min(deadline) FROM waiters", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))
}

/// Moves a deadline.
pub fn put_off<S: Sql>(sql: &S, key: i64, deadline: Timestamp) -> Result<()> {
    sql.execute("UPDATE waiters SET deadline = ? WHERE key = ?", params![deadline, key])?;
    Ok(())
}

/// Forgets a waiter.
pub fn remove<S: Sql>(sql: &S, key: i64) -> Result<()> {
    sql.execute("DELETE FROM waiters WHERE key = ?", params![key])?;
    Ok(())
}

/// Forgets the waiters of a run.
pub fn remove_of_run<S: Sql>(sql: &S, run: i64) -> Result<()> {
    sql.execute("DELETE FROM waiters WHERE run = ?", params![run])?;
    Ok(())
}

fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Waiter>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM waiters WHERE {condition}"), params)?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Waiter> {
    Ok(Waiter {
        key: row.integer(0)?,
        run: row.integer(1)?,
        event_id: row.text(2)?,
        pending: Pending { step: row.json(3)?, target: row.json(4)?, since: row.timestamp(6)? },
        timeout_target: row.json(5)?,
        deadline: row.timestamp(7)?,
    })
}
