//! What holds due messages back: the order of a queue, the limits of a flow-control key.
//!
//! A message that is held back is out of the list of due ones until [`wake`] puts it in again. Whoever makes room wakes
//! as many as fit; who wakes in vain is held back again.

use crate::broker::store::sql::{Sql, params};
use crate::error::Result;

/// What holds messages back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate<'a> {
    /// The queue with this name.
    Queue(&'a str),
    /// The flow-control key.
    FlowKey(&'a str),
    /// The ticket that the message has asked another shard for.
    Ticket,
}

impl Gate<'_> {
    /// The name in the database.
    fn name(self) -> String {
        match self {
            Gate::Queue(name) => format!("queue:{name}"),
            Gate::FlowKey(key) => format!("key:{key}"),
            Gate::Ticket => "ticket".to_owned(),
        }
    }
}

/// Holds a message back. A delivery of it that was under way is over.
pub fn hold<S: Sql>(sql: &S, id: &str, gate: Gate<'_>) -> Result<()> {
    sql.execute(
        "UPDATE messages SET blocked_on = ?, lease = NULL, leased_at = NULL WHERE id = ?",
        params![gate.name(), id],
    )?;
    Ok(())
}

/// Lets up to `count` messages that are held back try again: those whose turn in a queue it is already, then those that
/// were accepted first.
pub fn wake<S: Sql>(sql: &S, gate: Gate<'_>, count: u64) -> Result<()> {
    // Two statements, each in the order of the index: however many wait, nothing is sorted.
    let mut left = count;
    for turn in ["slot IS NOT NULL", "slot IS NULL ORDER BY seq"] {
        let woken = sql.execute(
            &format!(
                "UPDATE messages SET blocked_on = NULL WHERE seq IN \
                 (SELECT seq FROM messages WHERE blocked_on = ? AND {turn} LIMIT ?)"
            ),
            params![gate.name(), left],
        )?;
        left = left.saturating_sub(u64::try_from(woken).unwrap_or(u64::MAX));
    }
    Ok(())
}

/// Lets one message try again.
pub fn release<S: Sql>(sql: &S, id: &str) -> Result<()> {
    sql.execute("UPDATE messages SET blocked_on = NULL WHERE id = ?", params![id])?;
    Ok(())
}

/// How many messages are held back.
pub fn waiting<S: Sql>(sql: &S, gate: Gate<'_>) -> Result<u64> {
    count(sql, "SELECT count(*) FROM messages WHERE blocked_on = ?", &gate.name())
}

/// The number that `query` counts for `name`.
pub fn count<S: Sql>(sql: &S, query: &str, name: &str) -> Result<u64> {
    let rows = sql.query(query, params![name])?;
    rows.first().map_or(Ok(0), |row| row.integer(0)).map(|count| u64::try_from(count).unwrap_or(0))
}
