//! The table of logged messages: what the log tells of a message beyond its events. A row is written with a message's
//! first event and goes with its last.

use crate::broker::redaction::{hidden, shown};
use crate::broker::store::message::Message;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;

/// The most bytes of a body that the log keeps.
pub const BODY_BYTES: usize = 4 * 1024;

/// Notes a message. What its redaction hides is not kept here, not even hidden.
pub fn insert<S: Sql>(sql: &S, message: &Message) -> Result<()> {
    let body = match &message.redaction {
        _ if message.body.is_empty() => Vec::new(),
        Some(redaction) if redaction.body => hidden(&message.body).into_bytes(),
        _ => message.body[..message.body.len().min(BODY_BYTES)].to_vec(),
    };
    sql.execute(
        "INSERT OR REPLACE INTO logged (message_id, message, body) VALUES (?, ?, ?)",
        params![&message.id, Value::json(&*shown(message))?, body],
    )?;
    Ok(())
}

/// The message with `id` as the log shows it, with the first bytes of its body. Older databases did not note it.
pub fn find<S: Sql>(sql: &S, id: &str) -> Result<Option<Message>> {
    let rows = sql.query("SELECT message, body FROM logged WHERE message_id = ?", params![id])?;
    rows.first().map(|row| Ok(Message { body: row.blob(1)?, ..row.json(0)? })).transpose()
}

/// Whether so few messages have one of the `values` that their events are best looked for by them. `expression` is one
/// that the table has an index for.
pub fn are_few<S: Sql>(sql: &S, expression: &str, values: &[String]) -> Result<bool> {
    let query = format!("SELECT count(*) FROM (SELECT 1 FROM logged WHERE {expression} = ? LIMIT ?)");
    let mut left = FEW;
    for value in values {
        let rows = sql.query(&query, params![value, left])?;
        left -= rows.first().map_or(Ok(0), |row| row.integer(0))?;
        if left <= 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As many messages; a tenth of what the log keeps by default.
const FEW: i64 = 3000;

/// Forgets those of the messages that no event is left of.
pub fn sweep<S: Sql>(sql: &S, ids: &[Row]) -> Result<()> {
    for row in ids {
        sql.execute(
            "DELETE FROM logged WHERE message_id = ? AND NOT EXISTS (SELECT 1 FROM events WHERE message_id = ?)",
            params![row.text(0)?, row.text(0)?],
        )?;
    }
    Ok(())
}
