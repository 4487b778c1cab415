//! The log: what happened to each message, and when.

use std::time::Duration;

use crate::broker::store::message::Message;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;
use crate::wire::{Headers, Timestamp};

/// A state of a message, as the log tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted.
    Created,
    /// A delivery began.
    Active,
    /// A delivery failed.
    Error,
    /// Another one will follow.
    Retry,
    /// A delivery succeeded.
    Delivered,
    /// No other one will follow.
    Failed,
    /// Somebody asked to cancel it.
    CancelRequested,
    /// It was cancelled, or its run ended before it was due.
    Cancelled,
}

impl State {
    const TABLE: [(State, &'static str); 8] = [
        (State::Created, "CREATED"),
        (State::Active, "ACTIVE"),
        (State::Error, "ERROR"),
        (State::Retry, "RETRY"),
        (State::Delivered, "DELIVERED"),
        (State::Failed, "FAILED"),
        (State::CancelRequested, "CANCEL_REQUESTED"),
        (State::Cancelled, "CANCELED"),
    ];

    /// Whether the message is gone: each has one such event, its last.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Cancelled)
    }

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(state, _)| *state == self).map_or("CREATED", |(_, name)| name)
    }

    /// The names in the database of the states that a filter means: `IN_PROGRESS` is what has begun and not ended, and
    /// the docs spell `CANCELED` as `CANCELLED`. `None` if there is no such state.
    pub fn meant(name: &str) -> Option<&'static [&'static str]> {
        match name {
            "IN_PROGRESS" => Some(&["ACTIVE", "RETRY", "ERROR"]),
            "CANCELLED" => Some(&["CANCELED"]),
            _ => Self::TABLE.iter().find(|(_, known)| *known == name).map(|(_, known)| std::slice::from_ref(known)),
        }
    }
}

/// What an event tells beyond its message.
#[derive(Clone, Debug, Default)]
pub struct Detail<'a> {
    /// The status that the destination answered.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<&'a str>,
    /// How long the try took whose outcome this is.
    pub took: Option<Duration>,
    /// When the next try is due.
    pub next_delivery: Option<Timestamp>,
    /// The headers that the destination answered.
    pub response_headers: Option<&'a Headers>,
    /// The first bytes that the destination answered.
    pub response_body: Option<&'a [u8]>,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number; the cursor of lists.
    pub seq: i64,
    /// When it happened.
    pub time: Timestamp,
    /// The message.
    pub message_id: String,
    /// The message's run.
    pub run_id: Option<String>,
    /// The state that the message reached.
    pub state: String,
    /// The destination.
    pub url: String,
    /// The method.
    pub method: String,
    /// Labels, joined by commas.
    pub label: Option<String>,
    /// How many tries had failed before.
    pub attempt: u32,
    /// How many tries may follow the first.
    pub max_retries: u32,
    /// The status that the destination answered.
    pub status: Option<u32>,
    /// What went wrong.
    pub error: Option<String>,
    /// When the next try is due.
    pub next_delivery: Option<Timestamp>,
    /// The headers that the destination answered.
    pub response_headers: Option<Headers>,
    /// The first bytes that the destination answered.
    pub response_body: Option<Vec<u8>>,
}

const COLUMNS: &str = "seq, time, message_id, run_id, state, url, method, label, attempt, max_retries, status, error, \
     next_delivery, response_headers, response_body";

/// The most bytes of an answer that an event keeps.
const RESPONSE_BYTES: usize = 4 * 1024;

/// Adds an event.
pub fn insert<S: Sql>(sql: &S, at: Timestamp, state: State, message: &Message, detail: &Detail<'_>) -> Result<()> {
    let cut = detail.response_body.map(|body| body[..body.len().min(RESPONSE_BYTES)].to_vec());
    sql.execute(
        "INSERT INTO events (time, message_id, run, run_id, state, url, method, label, attempt, max_retries, status,
            error, next_delivery, response_headers, response_body, took, accepted_at)
         VALUES (?, ?, ?, (SELECT id FROM runs WHERE key = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            Value::from(at),
            Value::from(&message.id),
            Value::from(message.run),
            Value::from(message.run),
            Value::from(state.as_str()),
            Value::from(&message.url),
            Value::from(message.method.as_str()),
            Value::from(message.label.as_ref()),
            Value::from(message.attempt),
            Value::from(message.max_retries),
            Value::from(detail.status.map(u32::from)),
            Value::from(detail.error),
            Value::from(detail.next_delivery),
            Value::from(detail.response_headers),
            Value::from(cut),
            Value::from(detail.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX))),
            Value::from(state.is_end().then_some(message.created_at)),
        ],
    )?;
    Ok(())
}

/// The events that a condition selects; it may end with an order and a limit.
pub fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Event>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM events WHERE {condition}"), params)?;
    rows.iter().map(read).collect()
}

/// The numbers of those that a condition selects; it may end with an order and a limit.
pub fn numbers<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<i64>> {
    sql.query(&format!("SELECT seq FROM events WHERE {condition}"), params)?.iter().map(|row| row.integer(0)).collect()
}

/// The events of a message, oldest first.
pub fn of_message<S: Sql>(sql: &S, id: &str) -> Result<Vec<Event>> {
    select(sql, "message_id = ? ORDER BY seq", params![id])
}

fn read(row: &Row) -> Result<Event> {
    Ok(Event {
        seq: row.integer(0)?,
        time: row.timestamp(1)?,
        message_id: row.text(2)?,
        run_id: row.optional(3, Row::text)?,
        state: row.text(4)?,
        url: row.text(5)?,
        method: row.text(6)?,
        label: row.optional(7, Row::text)?,
        attempt: row.count(8)?,
        max_retries: row.count(9)?,
        status: row.optional(10, Row::count)?,
        error: row.optional(11, Row::text)?,
        next_delivery: row.optional(12, Row::timestamp)?,
        response_headers: row.optional(13, Row::headers)?,
        response_body: row.optional(14, Row::blob)?,
    })
}
