//! The table of tickets: what messages have asked the shards of their flow-control keys for. A row goes when it is given
//! back.

use crate::broker::store::sql::{Row, Sql, params};
use crate::error::Result;
use crate::wire::Timestamp;

/// What one message has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The message.
    pub message_id: String,
    /// `tkt_…`.
    pub id: String,
    /// The shard of the key.
    pub shard: u32,
    /// Until when a delivery may begin; `None` until the ticket is granted.
    pub ends_at: Option<Timestamp>,
    /// Whether a delivery has begun.
    pub used: bool,
}

const COLUMNS: &str = "message_id, id, shard, ends_at, used";

/// Adds a ticket, or changes it.
pub fn put<S: Sql>(sql: &S, ticket: &Ticket) -> Result<()> {
    sql.execute(
        &format!("INSERT OR REPLACE INTO tickets ({COLUMNS}) VALUES (?, ?, ?, ?, ?)"),
        params![&ticket.message_id, &ticket.id, ticket.shard, ticket.ends_at, u32::from(ticket.used)],
    )?;
    Ok(())
}

/// The ticket of a message.
pub fn of_message<S: Sql>(sql: &S, message_id: &str) -> Result<Option<Ticket>> {
    one(sql, "message_id", message_id)
}

/// The ticket with an id.
pub fn find<S: Sql>(sql: &S, id: &str) -> Result<Option<Ticket>> {
    one(sql, "id", id)
}

/// Forgets the ticket of a message.
pub fn remove<S: Sql>(sql: &S, message_id: &str) -> Result<()> {
    sql.execute("DELETE FROM tickets WHERE message_id = ?", params![message_id])?;
    Ok(())
}

fn one<S: Sql>(sql: &S, column: &str, value: &str) -> Result<Option<Ticket>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM tickets WHERE {column} = ?"), params![value])?;
    let read = |row: &Row| {
        Ok(Ticket {
            message_id: row.text(0)?,
            id: row.text(1)?,
            shard: row.count(2)?,
            ends_at: row.optional(3, Row::timestamp)?,
            used: row.integer(4)? != 0,
        })
    };
    rows.first().map(read).transpose()
}
