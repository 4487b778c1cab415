//! The table of messages that still have to be delivered. A row goes when its message ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::broker::redaction::Redaction;
use crate::broker::shard::ticket::end_try;
use crate::broker::store::body;
use crate::broker::store::gate::{Gate, wake};
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Timestamp};

/// What a message is for, and with that what follows from its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Published by a user.
    Plain,
    /// The first invocation of a run.
    Start,
    /// An invocation of a run that follows a submitted step.
    Step,
    /// A `context.call` on its way to the third party.
    Call,
    /// The third party's answer on its way to the run's endpoint.
    CallResult,
    /// Tells how a try of another message went.
    Callback,
    /// Tells that another message, or a run, failed.
    FailureCallback,
    /// Stands for a message of another shard among those of its flow-control key; nothing is delivered.
    Ticket,
}

impl Role {
    const TABLE: [(Role, &'static str); 8] = [
        (Role::Plain, "plain"),
        (Role::Start, "start"),
        (Role::Step, "step"),
        (Role::Call, "call"),
        (Role::CallResult, "callResult"),
        (Role::Callback, "callback"),
        (Role::FailureCallback, "failureCallback"),
        (Role::Ticket, "ticket"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(role, _)| *role == self).map_or("plain", |(_, name)| name)
    }

    /// Reads a name from the database.
    pub fn parse(name: &str) -> Result<Self> {
        Self::TABLE
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(role, _)| *role)
            .ok_or_else(|| Error::new(Code::Storage, format!("the database holds a message of unknown role '{name}'")))
    }

    /// Whether the message invokes the workflow's function, so that its failure is the run's failure.
    pub fn is_invocation(self) -> bool {
        matches!(self, Role::Start | Role::Step | Role::CallResult)
    }

    /// Whether the message has no purpose any more once its run has ended.
    pub fn ends_with_run(self) -> bool {
        self.is_invocation() || self == Role::Call
    }
}

/// Where a callback goes, and with which publish headers (`Upstash-Retries`, `Upstash-Forward-…`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackTarget {
    /// The absolute URL.
    pub url: String,
    /// Publish headers; the prefix `Upstash-Callback-` or `Upstash-Failure-Callback-` is already `Upstash-`.
    pub headers: Headers,
}

/// What a message came by, if not straight from its publisher.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The URL group that it was published to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_group: Option<String>,
    /// The name of the group's endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The schedule that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The API that it was published to: `llm` or `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// A message that still has to be delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// `msg_…`.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// The key of its run.
    pub run: Option<i64>,
    /// The place in the run's history that it belongs to.
    pub position: Option<i64>,
    /// The destination.
    pub url: String,
    /// The method of the delivery.
    pub method: Method,
    /// The headers that the destination gets, without those that the broker adds at each delivery.
    pub headers: Headers,
    /// The bytes that the destination gets; empty when the delivery carries the run's history.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Before this moment there is no first try.
    pub not_before: Timestamp,
    /// When it is to be looked at: the next try, or while it is leased the end of the lease.
    pub due_at: Timestamp,
    /// How many tries have failed.
    pub attempt: u32,
    /// How many tries may follow the first.
    pub max_retries: u32,
    /// The expression of `Upstash-Retry-Delay`.
    pub retry_delay: Option<String>,
    /// How long the destination may take to answer.
    pub timeout: Duration,
    /// The delivery that is under way.
    pub lease: Option<String>,
    /// When that delivery began.
    pub leased_at: Option<Timestamp>,
    /// Labels, joined by commas.
    pub label: Option<String>,
    /// The address of whoever published it.
    pub caller_ip: Option<String>,
    /// Where every try is told to.
    pub callback: Option<CallbackTarget>,
    /// Where the failure is told to.
    pub failure_callback: Option<CallbackTarget>,
    /// The queue that it stands in; callbacks are in the queue of their message.
    #[serde(default)]
    pub queue: Option<String>,
    /// The message whose turn in the queue this is: its own id from its first try on, or that of the message whose
    /// callback it is.
    #[serde(default)]
    pub slot: Option<String>,
    /// The flow-control key whose limits it shares.
    #[serde(default)]
    pub flow_key: Option<String>,
    /// What it came by.
    #[serde(default)]
    pub source: Source,
    /// What views of it hide.
    #[serde(default)]
    pub redaction: Option<Redaction>,
}

const COLUMNS: &str = "id, role, run, position, url, method, headers, body, created_at, not_before, due_at, attempt, \
     max_retries, retry_delay, timeout, lease, leased_at, label, caller_ip, callback, failure_callback, queue, slot, flow_key, \
     source, redaction";

impl Message {
    fn read<S: Sql>(sql: &S, row: &Row) -> Result<Self> {
        let id = row.text(0)?;
        let body = body::load(sql, &id, row, 7)?;
        Ok(Self {
            role: Role::parse(&row.text(1)?)?,
            run: row.optional(2, Row::integer)?,
            position: row.optional(3, Row::integer)?,
            url: row.text(4)?,
            method: Method::parse(&row.text(5)?)?,
            headers: row.headers(6)?,
            body,
            created_at: row.timestamp(8)?,
            not_before: row.timestamp(9)?,
            due_at: row.timestamp(10)?,
            attempt: row.count(11)?,
            max_retries: row.count(12)?,
            retry_delay: row.optional(13, Row::text)?,
            timeout: Duration::from_millis(u64::try_from(row.integer(14)?).unwrap_or(0)),
            lease: row.optional(15, Row::text)?,
            leased_at: row.optional(16, Row::timestamp)?,
            label: row.optional(17, Row::text)?,
            caller_ip: row.optional(18, Row::text)?,
            callback: row.optional(19, target)?,
            failure_callback: row.optional(20, target)?,
            queue: row.optional(21, Row::text)?,
            slot: row.optional(22, Row::text)?,
            flow_key: row.optional(23, Row::text)?,
            source: row.optional(24, Row::json)?.unwrap_or_default(),
            redaction: row.optional(25, Row::json)?,
            id,
        })
    }
}

/// Adds a message.
pub fn insert<S: Sql>(sql: &S, message: &Message) -> Result<()> {
    let body = body::put(sql, &message.id, &message.body)?;
    let timeout = u64::try_from(message.timeout.as_millis()).unwrap_or(u64::MAX);
    sql.execute(
        &format!(
            "INSERT INTO messages ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
             ?, ?, ?, ?, ?)"
        ),
        &[
            Value::from(&message.id),
            Value::from(message.role.as_str()),
            Value::from(message.run),
            Value::from(message.position),
            Value::from(&message.url),
            Value::from(message.method.as_str()),
            Value::from(&message.headers),
            body,
            Value::from(message.created_at),
            Value::from(message.not_before),
            Value::from(message.due_at),
            Value::from(message.attempt),
            Value::from(message.max_retries),
            Value::from(message.retry_delay.as_ref()),
            Value::from(timeout),
            Value::from(message.lease.as_ref()),
            Value::from(message.leased_at),
            Value::from(message.label.as_ref()),
            Value::from(message.caller_ip.as_ref()),
            json(message.callback.as_ref()),
            json(message.failure_callback.as_ref()),
            Value::from(message.queue.as_ref()),
            Value::from(message.slot.as_ref()),
            Value::from(message.flow_key.as_ref()),
            json(Some(&message.source).filter(|source| **source != Source::default())),
            json(message.redaction.as_ref()),
        ],
    )?;
    Ok(())
}

/// The message with `id`.
pub fn find<S: Sql>(sql: &S, id: &str) -> Result<Option<Message>> {
    one(sql, "id = ?", params![id])
}

/// The message whose delivery under way is `lease`.
pub fn find_by_lease<S: Sql>(sql: &S, lease: &str) -> Result<Option<Message>> {
    one(sql, "lease = ?", params![lease])
}

/// The messages of a run that are still there, oldest first.
pub fn of_run<S: Sql>(sql: &S, run: i64) -> Result<Vec<Message>> {
    many(sql, "run = ? ORDER BY seq", params![run])
}

/// Up to `most` messages of a queue that have not ended, without callbacks.
pub fn of_queue<S: Sql>(sql: &S, queue: &str, most: u64) -> Result<Vec<Message>> {
    many(sql, "queue = ? AND role = 'plain' LIMIT ?", params![queue, most])
}

/// Lets what is left of a queue stand in none.
pub fn leave_queue<S: Sql>(sql: &S, queue: &str) -> Result<()> {
    sql.execute("UPDATE messages SET queue = NULL, slot = NULL WHERE queue = ?", params![queue])?;
    Ok(())
}

/// The messages that a condition selects; it may end with an order and a limit.
pub fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Message>> {
    many(sql, condition, params)
}

/// How many deliveries are under way.
pub fn open<S: Sql>(sql: &S) -> Result<u64> {
    let rows = sql.query("SELECT count(*) FROM messages WHERE lease IS NOT NULL AND role <> 'ticket'", &[])?;
    rows.first().map_or(Ok(0), |row| row.integer(0)).map(|count| u64::try_from(count).unwrap_or(0))
}

/// Up to `limit` messages that are due and not held back, longest due first.
pub fn due<S: Sql>(sql: &S, at: Timestamp, limit: usize) -> Result<Vec<Message>> {
    many(
        sql,
        "due_at <= ? AND blocked_on IS NULL AND role <> 'ticket' ORDER BY due_at, seq LIMIT ?",
        params![at, limit],
    )
}

/// Up to `limit` tickets whose turn it may be, and those that were not given back.
pub fn due_tickets<S: Sql>(sql: &S, at: Timestamp, limit: usize) -> Result<Vec<Message>> {
    many(sql, "due_at <= ? AND blocked_on IS NULL AND role = 'ticket' ORDER BY due_at, seq LIMIT ?", params![at, limit])
}

/// When the next message is due that is not held back.
pub fn next_due<S: Sql>(sql: &S) -> Result<Option<Timestamp>> {
    let rows = sql.query("SELECT min(due_at) FROM messages WHERE blocked_on IS NULL", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))
}

/// Marks a delivery as under way until `ends_at`.
pub fn lease<S: Sql>(sql: &S, id: &str, lease: &str, at: Timestamp, ends_at: Timestamp) -> Result<()> {
    sql.execute(
        "UPDATE messages SET lease = ?, leased_at = ?, due_at = ? WHERE id = ?",
        params![lease, at, ends_at, id],
    )?;
    Ok(())
}

/// Counts a lease that ended without an outcome; returns how many of the message's did so in a row.
pub fn count_lost_lease<S: Sql>(sql: &S, id: &str) -> Result<u32> {
    let rows =
        sql.query("UPDATE messages SET lost_leases = lost_leases + 1 WHERE id = ? RETURNING lost_leases", params![id])?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Lets every lease end by `ends_at`.
pub fn shorten_leases<S: Sql>(sql: &S, ends_at: Timestamp) -> Result<()> {
    // Tickets are held by other shards.
    let own = "lease IS NOT NULL AND role <> 'ticket'";
    sql.execute(&format!("UPDATE messages SET due_at = min(due_at, ?) WHERE {own}"), params![ends_at])?;
    Ok(())
}

/// Ends the delivery under way and sets the next try.
pub fn reschedule<S: Sql>(sql: &S, message: &Message, attempt: u32, due_at: Timestamp) -> Result<()> {
    sql.execute(
        "UPDATE messages SET lease = NULL, leased_at = NULL, lost_leases = 0, attempt = ?, due_at = ? WHERE id = ?",
        params![attempt, due_at, &message.id],
    )?;
    leave_key(sql, message)
}

/// Forgets a message. Another one of its queue and of its key may go on.
pub fn remove<S: Sql>(sql: &S, message: &Message) -> Result<()> {
    body::remove(sql, &message.id)?;
    sql.execute("DELETE FROM messages WHERE id = ?", params![&message.id])?;
    leave_key(sql, message)?;
    message.queue.iter().try_for_each(|queue| wake(sql, Gate::Queue(queue), 1))
}

/// Makes room for others of its flow-control key.
fn leave_key<S: Sql>(sql: &S, message: &Message) -> Result<()> {
    let Some(key) = &message.flow_key else { return Ok(()) };
    end_try(sql, &message.id)?;
    wake(sql, Gate::FlowKey(key), 1)
}

/// The id of the message that was accepted under a deduplication key and is still within the window.
pub fn find_duplicate<S: Sql>(sql: &S, key: &str, at: Timestamp) -> Result<Option<String>> {
    let rows = sql.query("SELECT message_id FROM deduplications WHERE key = ? AND ends_at > ?", params![key, at])?;
    rows.first().map(|row| row.text(0)).transpose()
}

/// Remembers a deduplication key until `ends_at`.
pub fn remember<S: Sql>(sql: &S, key: &str, id: &str, ends_at: Timestamp) -> Result<()> {
    sql.execute(
        "INSERT OR REPLACE INTO deduplications (key, message_id, ends_at) VALUES (?, ?, ?)",
        params![key, id, ends_at],
    )?;
    Ok(())
}

fn one<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Option<Message>> {
    Ok(many(sql, condition, params)?.into_iter().next())
}

fn many<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Message>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM messages WHERE {condition}"), params)?;
    rows.iter().map(|row| Message::read(sql, row)).collect()
}

fn target(row: &Row, column: usize) -> Result<CallbackTarget> {
    serde_json::from_str(&row.text(column)?)
        .map_err(|_| Error::new(Code::Storage, "the database holds a callback that can't be read"))
}

fn json<T: Serialize>(value: Option<&T>) -> Value {
    Value::from(value.and_then(|value| serde_json::to_string(value).ok()))
}
