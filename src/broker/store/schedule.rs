//! The table of schedules: what publishes a message by cron.

use crate::broker::store::body;
use crate::broker::store::gate::count;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;
use crate::wire::{Headers, Timestamp};

/// What is published, and when.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// `scd_…`, or a name of its maker's own.
    pub id: String,
    /// The expression, as it came.
    pub cron: String,
    /// A URL or the name of a URL group.
    pub destination: String,
    /// The publish headers of each message.
    pub headers: Headers,
    /// The body of each message.
    pub body: Vec<u8>,
    /// The address of whoever made it.
    pub caller_ip: Option<String>,
    /// When it was made; changes don't change it.
    pub created_at: Timestamp,
    /// Whether it publishes nothing for now.
    pub paused: bool,
    /// When it publishes next; `None` while it is paused.
    pub next_at: Option<Timestamp>,
    /// What came of the last time.
    pub last: Option<Fired>,
}

/// What came of one time.
#[derive(Clone, Debug)]
pub struct Fired {
    /// When it was.
    pub at: Timestamp,
    /// The messages that were accepted: several for a URL group.
    pub messages: Vec<String>,
    /// Why none was.
    pub error: Option<String>,
}

const COLUMNS: &str = "id, cron, destination, headers, body, caller_ip, created_at, paused, next_at, last_at, \
     last_messages, last_error";

impl Schedule {
    fn read<S: Sql>(sql: &S, row: &Row) -> Result<Self> {
        let id = row.text(0)?;
        let last = match row.optional(9, Row::timestamp)? {
            None => None,
            Some(at) => Some(Fired { at, messages: row.json(10)?, error: row.optional(11, Row::text)? }),
        };
        Ok(Self {
            cron: row.text(1)?,
            destination: row.text(2)?,
            headers: row.headers(3)?,
            body: body::load(sql, &owner(&id), row, 4)?,
            caller_ip: row.optional(5, Row::text)?,
            created_at: row.timestamp(6)?,
            paused: row.integer(7)? != 0,
            next_at: row.optional(8, Row::timestamp)?,
            last,
            id,
        })
    }
}

/// Adds a schedule, or replaces the one with its id.
pub fn put<S: Sql>(sql: &S, schedule: &Schedule) -> Result<()> {
    let owner = owner(&schedule.id);
    body::remove(sql, &owner)?;
    let body = body::put(sql, &owner, &schedule.body)?;
    let last = schedule.last.as_ref();
    sql.execute(
        &format!("INSERT OR REPLACE INTO schedules ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        &[
            Value::from(&schedule.id),
            Value::from(&schedule.cron),
            Value::from(&schedule.destination),
            Value::from(&schedule.headers),
            body,
            Value::from(schedule.caller_ip.as_ref()),
            Value::from(schedule.created_at),
            Value::from(u32::from(schedule.paused)),
            Value::from(schedule.next_at),
            Value::from(last.map(|last| last.at)),
            last.map(|last| Value::json(&last.messages)).transpose()?.unwrap_or(Value::Null),
            Value::from(last.and_then(|last| last.error.as_ref())),
        ],
    )?;
    Ok(())
}

/// The schedule with an id.
pub fn find<S: Sql>(sql: &S, id: &str) -> Result<Option<Schedule>> {
    Ok(select(sql, "id = ?", params![id])?.into_iter().next())
}

/// All schedules, oldest first.
pub fn all<S: Sql>(sql: &S) -> Result<Vec<Schedule>> {
    select(sql, "1 = 1 ORDER BY created_at, id", &[])
}

/// How many schedules there are.
pub fn number<S: Sql>(sql: &S) -> Result<u64> {
    count(sql, "SELECT count(*) FROM schedules WHERE id <> ?", "")
}

/// The schedule that is due, longest due first.
pub fn due<S: Sql>(sql: &S, at: Timestamp) -> Result<Option<Schedule>> {
    Ok(select(sql, "next_at <= ? ORDER BY next_at, id LIMIT 1", params![at])?.into_iter().next())
}

/// When the next schedule is due.
pub fn next_due<S: Sql>(sql: &S) -> Result<Option<Timestamp>> {
    let rows = sql.query("SELECT min(next_at) FROM schedules WHERE next_at IS NOT NULL", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))
}

/// Notes what came of a time, and the next one.
pub fn note<S: Sql>(sql: &S, id: &str, fired: &Fired, next_at: Option<Timestamp>) -> Result<()> {
    sql.execute(
        "UPDATE schedules SET next_at = ?, last_at = ?, last_messages = ?, last_error = ? WHERE id = ?",
        params![next_at, fired.at, Value::json(&fired.messages)?, fired.error.as_ref(), id],
    )?;
    Ok(())
}

/// Pauses or resumes a schedule.
pub fn set_paused<S: Sql>(sql: &S, id: &str, paused: bool, next_at: Option<Timestamp>) -> Result<()> {
    sql.execute("UPDATE schedules SET paused = ?, next_at = ? WHERE id = ?", params![u32::from(paused), next_at, id])?;
    Ok(())
}

/// Forgets a schedule.
pub fn remove<S: Sql>(sql: &S, id: &str) -> Result<()> {
    body::remove(sql, &owner(id))?;
    sql.execute("DELETE FROM schedules WHERE id = ?", params![id])?;
    Ok(())
}

fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Schedule>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM schedules WHERE {condition}"), params)?;
    rows.iter().map(|row| Schedule::read(sql, row)).collect()
}

fn owner(id: &str) -> String {
    format!("schedule:{id}")
}
