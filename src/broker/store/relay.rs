//! The tables of what one shard has to tell the others: a list in order for each of them, when to send from it again,
//! and how far the lists of the others have been followed.

use crate::broker::store::body;
use crate::broker::store::sql::{Row, Sql, params};
use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// The list for another shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The other shard.
    pub shard: u32,
    /// How often sending has failed since it last succeeded.
    pub attempt: u32,
}

/// Adds an item to the list for a shard, to be sent at once.
pub fn push<S: Sql>(sql: &S, shard: u32, item: &[u8]) -> Result<()> {
    let rows = sql.query("INSERT INTO relays (shard) VALUES (?) RETURNING seq", params![shard])?;
    let seq = rows.first().ok_or_else(|| Error::new(Code::Storage, "the database did not tell a new number"))?;
    let seq = seq.integer(0)?;
    let item = body::put(sql, &owner(seq), item)?;
    sql.execute("UPDATE relays SET item = ? WHERE seq = ?", params![item, seq])?;
    sql.execute("INSERT OR IGNORE INTO channels (shard, due_at, attempt) VALUES (?, 0, 0)", params![shard])?;
    Ok(())
}

/// The lists that are to be sent from.
pub fn due<S: Sql>(sql: &S, at: Timestamp) -> Result<Vec<Channel>> {
    let rows = sql.query("SELECT shard, attempt FROM channels WHERE due_at <= ? ORDER BY shard", params![at])?;
    rows.iter().map(|row| Ok(Channel { shard: row.count(0)?, attempt: row.count(1)? })).collect()
}

/// When the next list is to be sent from.
pub fn next_due<S: Sql>(sql: &S) -> Result<Option<Timestamp>> {
    let rows = sql.query("SELECT min(due_at) FROM channels", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))
}

/// The first items for a shard: at most `items`, and no more once they have `bytes`.
pub fn first<S: Sql>(sql: &S, shard: u32, items: usize, bytes: usize) -> Result<Vec<(i64, Vec<u8>)>> {
    let seqs = sql.query("SELECT seq FROM relays WHERE shard = ? ORDER BY seq LIMIT ?", params![shard, items])?;
    let mut first = Vec::new();
    let mut size = 0;
    for seq in seqs {
        let seq = seq.integer(0)?;
        let rows = sql.query("SELECT item FROM relays WHERE seq = ?", params![seq])?;
        let Some(row) = rows.first() else { continue };
        let item = body::load(sql, &owner(seq), row, 0)?;
        size += item.len();
        first.push((seq, item));
        if size >= bytes {
            break;
        }
    }
    Ok(first)
}

/// Sets when to send from a list again.
pub fn put_off<S: Sql>(sql: &S, channel: Channel, due_at: Timestamp) -> Result<()> {
    sql.execute(
        "UPDATE channels SET due_at = ?, attempt = ? WHERE shard = ?",
        params![due_at, channel.attempt, channel.shard],
    )?;
    Ok(())
}

/// Lets every list be sent from by `at`.
pub fn wake<S: Sql>(sql: &S, at: Timestamp) -> Result<()> {
    sql.execute("UPDATE channels SET due_at = min(due_at, ?)", params![at])?;
    Ok(())
}

/// Forgets the items for a shard up to the one with number `last`, and the list if it is empty then.
pub fn forget<S: Sql>(sql: &S, shard: u32, last: i64) -> Result<()> {
    for row in
        sql.query("SELECT seq FROM relays WHERE shard = ? AND seq <= ? AND item IS NULL", params![shard, last])?
    {
        body::remove(sql, &owner(row.integer(0)?))?;
    }
    sql.execute("DELETE FROM relays WHERE shard = ? AND seq <= ?", params![shard, last])?;
    sql.execute(
        "DELETE FROM channels WHERE shard = ? AND NOT EXISTS (SELECT 1 FROM relays WHERE shard = channels.shard)",
        params![shard],
    )?;
    Ok(())
}

/// The number of the last item of a shard's list that was followed.
pub fn last<S: Sql>(sql: &S, shard: u32) -> Result<i64> {
    let rows = sql.query("SELECT seq FROM relayed WHERE shard = ?", params![shard])?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

/// Remembers that number.
pub fn set_last<S: Sql>(sql: &S, shard: u32, seq: i64) -> Result<()> {
    sql.execute("INSERT OR REPLACE INTO relayed (shard, seq) VALUES (?, ?)", params![shard, seq])?;
    Ok(())
}

fn owner(seq: i64) -> String {
    format!("relay:{seq}")
}
