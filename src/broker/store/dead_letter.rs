//! The dead letter queue: messages that were given up, with the last answer.

use crate::broker::shard::place::dead_letter_mark;
use crate::broker::store::message::{Message, Role};
use crate::broker::store::run::Run;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::broker::store::{body, kept_event, parked, webhook};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Response, Timestamp};

/// A message that was given up.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Its number; the cursor of lists.
    pub seq: i64,
    /// Unix milliseconds and a number, such as `1725323658779-0`.
    pub id: String,
    /// The message.
    pub message_id: String,
    /// The key of its run.
    pub run_key: Option<i64>,
    /// What it was for.
    pub role: Role,
    /// The id and the creation time of its run.
    pub run: Option<(String, Timestamp)>,
    /// The destination.
    pub url: String,
    /// The method.
    pub method: String,
    /// The headers that the destination got.
    pub headers: Headers,
    /// The bytes that the destination got.
    pub body: Vec<u8>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was given up.
    pub failed_at: Timestamp,
    /// How many tries could follow the first.
    pub max_retries: u32,
    /// The expression of `Upstash-Retry-Delay`.
    pub retry_delay: Option<String>,
    /// Labels, joined by commas.
    pub label: Option<String>,
    /// The address of whoever published it.
    pub caller_ip: Option<String>,
    /// Where tries were told to.
    pub callback: Option<String>,
    /// Where the failure was told to.
    pub failure_callback: Option<String>,
    /// The last status; 0 without an answer.
    pub status: u32,
    /// What went wrong.
    pub error: Option<String>,
    /// The headers of the last answer.
    pub response_headers: Headers,
    /// The body of the last answer, cut at a setting.
    pub response_body: Vec<u8>,
    /// The message itself, without its body; older databases did not keep it.
    pub message: Option<Message>,
}

const COLUMNS: &str = "seq, id, message_id, role, run_id, run_created_at, url, method, headers, body, created_at, \
     failed_at, max_retries, retry_delay, label, caller_ip, callback, failure_callback, status, error, \
     response_headers, response_body, run, message";

/// Adds a message that was given up at `at`; returns the entry's id.
pub fn insert<S: Sql>(
    sql: &S,
    at: Timestamp,
    message: &Message,
    run: Option<&Run>,
    error: &str,
    response: &Response,
) -> Result<String> {
    // Entries of one millisecond are told apart by their number.
    let mut number = 0_u32;
    let mark = dead_letter_mark(&message.id);
    let id = loop {
        let id = format!("{}-{mark}{number}", at.millis());
        if sql.query("SELECT 1 FROM dlq WHERE id = ?", params![&id])?.is_empty() {
            break id;
        }
        number += 1;
    };
    let body = body::put(sql, &request_owner(&id), &message.body)?;
    let response_body = body::put(sql, &response_owner(&id), &response.body)?;
    sql.execute(
        "INSERT INTO dlq (id, message_id, role, run, run_id, run_created_at, url, method, headers, body, created_at,
            failed_at, max_retries, retry_delay, label, caller_ip, callback, failure_callback, status, error,
            response_headers, response_body, message)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            Value::from(&id),
            Value::from(&message.id),
            Value::from(message.role.as_str()),
            Value::from(message.run),
            Value::from(run.map(|run| &run.id)),
            Value::from(run.map(|run| run.created_at)),
            Value::from(&message.url),
            Value::from(message.method.as_str()),
            Value::from(&message.headers),
            body,
            Value::from(message.created_at),
            Value::from(at),
            Value::from(message.max_retries),
            Value::from(message.retry_delay.as_ref()),
            Value::from(message.label.as_ref()),
            Value::from(message.caller_ip.as_ref()),
            Value::from(message.callback.as_ref().map(|target| &target.url)),
            Value::from(message.failure_callback.as_ref().map(|target| &target.url)),
            Value::from(u32::from(response.status)),
            Value::from(error),
            Value::from(&response.headers),
            response_body,
            // Its headers stand in their own column.
            Value::json(&Message { headers: Headers::new(), body: Vec::new(), ..message.clone() })?,
        ],
    )?;
    Ok(id)
}

/// The entry with an id.
pub fn find<S: Sql>(sql: &S, id: &str) -> Result<Option<DeadLetter>> {
    Ok(select(sql, "id = ?", params![id])?.into_iter().next())
}

/// The entry of a message.
pub fn of_message<S: Sql>(sql: &S, message_id: &str) -> Result<Option<DeadLetter>> {
    Ok(select(sql, "message_id = ? ORDER BY seq DESC LIMIT 1", params![message_id])?.into_iter().next())
}

/// The entries that a condition selects; it may end with an order and a limit.
pub fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<DeadLetter>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM dlq WHERE {condition}"), params)?;
    rows.iter().map(|row| read(sql, row)).collect()
}

/// The number and the id of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its number; the cursor of lists.
    pub seq: i64,
    /// Its id.
    pub id: String,
}

/// The keys of the entries that a condition selects; it may end with an order and a limit.
pub fn keys<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Key>> {
    let rows = sql.query(&format!("SELECT seq, id FROM dlq WHERE {condition}"), params)?;
    rows.iter().map(|row| Ok(Key { seq: row.integer(0)?, id: row.text(1)? })).collect()
}

/// Forgets an entry, and with a run's failure what was kept to resume it.
pub fn remove<S: Sql>(sql: &S, id: &str) -> Result<()> {
    let failed = "SELECT run FROM dlq WHERE id = ? AND run IS NOT NULL AND role <> 'failureCallback'";
    if let Some(row) = sql.query(failed, params![id])?.first() {
        let run = row.integer(0)?;
        parked::remove_of_run(sql, run)?;
        kept_event::remove_of_run(sql, run)?;
        webhook::remove_of_run(sql, run)?;
    }
    body::remove(sql, &request_owner(id))?;
    body::remove(sql, &response_owner(id))?;
    sql.execute("DELETE FROM dlq WHERE id = ?", params![id])?;
    Ok(())
}

fn read<S: Sql>(sql: &S, row: &Row) -> Result<DeadLetter> {
    let id = row.text(1)?;
    let run = match (row.optional(4, Row::text)?, row.optional(5, Row::timestamp)?) {
        (Some(id), Some(created_at)) => Some((id, created_at)),
        (None, None) => None,
        _ => return Err(Error::new(Code::Storage, "the database holds a dead letter with half a run")),
    };
    let headers = row.headers(8)?;
    let message = row.optional(23, Row::json)?.map(|message: Message| Message { headers: headers.clone(), ..message });
    Ok(DeadLetter {
        seq: row.integer(0)?,
        message_id: row.text(2)?,
        run_key: row.optional(22, Row::integer)?,
        role: Role::parse(&row.text(3)?)?,
        run,
        url: row.text(6)?,
        method: row.text(7)?,
        headers,
        body: body::load(sql, &request_owner(&id), row, 9)?,
        created_at: row.timestamp(10)?,
        failed_at: row.timestamp(11)?,
        max_retries: row.count(12)?,
        retry_delay: row.optional(13, Row::text)?,
        label: row.optional(14, Row::text)?,
        caller_ip: row.optional(15, Row::text)?,
        callback: row.optional(16, Row::text)?,
        failure_callback: row.optional(17, Row::text)?,
        status: row.count(18)?,
        error: row.optional(19, Row::text)?,
        response_headers: row.headers(20)?,
        response_body: body::load(sql, &response_owner(&id), row, 21)?,
        message,
        id,
    })
}

fn request_owner(id: &str) -> String {
    format!("dlq:{id}:request")
}

fn response_owner(id: &str) -> String {
    format!("dlq:{id}:response")
}
