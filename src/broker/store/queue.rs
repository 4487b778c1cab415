//! The table of queues: messages of one queue are delivered in order (`qstash/features/queues.mdx`).

use crate::broker::store::gate::count;
use crate::broker::store::sql::{Row, Sql, params};
use crate::error::Result;
use crate::wire::Timestamp;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// How many of its messages may be under way at once.
    pub parallelism: u32,
    /// Whether nothing is delivered for now.
    pub paused: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl Queue {
    /// A queue as its first message makes it.
    pub fn new(name: &str, at: Timestamp) -> Self {
        Self { name: name.to_owned(), parallelism: 1, paused: false, created_at: at, updated_at: at }
    }

    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.text(0)?,
            parallelism: row.count(1)?,
            paused: row.integer(2)? != 0,
            created_at: row.timestamp(3)?,
            updated_at: row.timestamp(4)?,
        })
    }
}

const COLUMNS: &str = "name, parallelism, paused, created_at, updated_at";

/// Adds a queue, or changes it.
pub fn put<S: Sql>(sql: &S, queue: &Queue) -> Result<()> {
    sql.execute(
        &format!("INSERT OR REPLACE INTO queues ({COLUMNS}) VALUES (?, ?, ?, ?, ?)"),
        params![&queue.name, queue.parallelism, u32::from(queue.paused), queue.created_at, queue.updated_at,],
    )?;
    Ok(())
}

/// The queue with a name.
pub fn find<S: Sql>(sql: &S, name: &str) -> Result<Option<Queue>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM queues WHERE name = ?"), params![name])?;
    rows.first().map(Queue::read).transpose()
}

/// All queues, by name.
pub fn all<S: Sql>(sql: &S) -> Result<Vec<Queue>> {
    sql.query(&format!("SELECT {COLUMNS} FROM queues ORDER BY name"), &[])?.iter().map(Queue::read).collect()
}

/// How many queues there are.
pub fn number<S: Sql>(sql: &S) -> Result<u64> {
    count(sql, "SELECT count(*) FROM queues WHERE name <> ?", "")
}

/// Forgets a queue.
pub fn remove<S: Sql>(sql: &S, name: &str) -> Result<()> {
    sql.execute("DELETE FROM queues WHERE name = ?", params![name])?;
    Ok(())
}

/// How many messages of a queue have not ended; callbacks don't count.
pub fn lag<S: Sql>(sql: &S, name: &str) -> Result<u64> {
    count(sql, "SELECT count(*) FROM messages WHERE queue = ? AND role = 'plain'", name)
}

/// How many of a queue's messages have their turn: tried, and not ended with all of their callbacks.
pub fn turns<S: Sql>(sql: &S, name: &str) -> Result<u64> {
    count(sql, "SELECT count(DISTINCT slot) FROM messages WHERE queue = ? AND slot IS NOT NULL", name)
}

/// The message whose turn is next: the one that was accepted first, of those that were not delayed or are due. Clocks can
/// be set back, so an earlier message that was not delayed counts whether it is due or not.
pub fn head<S: Sql>(sql: &S, name: &str, at: Timestamp) -> Result<Option<String>> {
    // Two queries, each with an index of its own: however many are delayed, few are looked at.
    let rows = sql.query(
        "SELECT id FROM (SELECT * FROM (SELECT seq, id FROM messages WHERE queue = ?1 AND slot IS NULL \
         AND role = 'plain' AND not_before <= created_at ORDER BY seq LIMIT 1) \
         UNION ALL SELECT * FROM (SELECT seq, id FROM messages WHERE queue = ?1 AND slot IS NULL \
         AND role = 'plain' AND not_before > created_at AND due_at <= ?2 ORDER BY seq LIMIT 1)) ORDER BY seq LIMIT 1",
        params![name, at],
    )?;
    rows.first().map(|row| row.text(0)).transpose()
}

/// Lets the message whose turn is next try now.
pub fn call_up<S: Sql>(sql: &S, id: &str, at: Timestamp) -> Result<()> {
    sql.execute("UPDATE messages SET blocked_on = NULL, due_at = min(due_at, ?) WHERE id = ?", params![at, id])?;
    Ok(())
}

/// Gives a message its turn.
pub fn take_turn<S: Sql>(sql: &S, id: &str) -> Result<()> {
    sql.execute("UPDATE messages SET slot = id WHERE id = ?", params![id])?;
    Ok(())
}
