//! The table of watchers: runs of other shards that wait for the end of a run. A row goes when that is told.

use serde::{Deserialize, Serialize};

use crate::broker::store::sql::{Sql, params};
use crate::error::Result;

/// A step of another shard's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    /// The other shard.
    pub shard: u32,
    /// The key of its run.
    pub parent: i64,
    /// The place of the step.
    pub place: u32,
}

/// Lets a step wait for the end of the run `child`. Again: nothing.
pub fn insert<S: Sql>(sql: &S, child: i64, watcher: Watcher) -> Result<()> {
    sql.execute(
        "INSERT OR IGNORE INTO watchers (child, shard, parent, place) VALUES (?, ?, ?, ?)",
        params![child, watcher.shard, watcher.parent, watcher.place],
    )?;
    Ok(())
}

/// Takes those that wait for the end of a run.
pub fn take<S: Sql>(sql: &S, child: i64) -> Result<Vec<Watcher>> {
    let rows = sql.query(
        "SELECT shard, parent, place FROM watchers WHERE child = ? ORDER BY shard, parent, place",
        params![child],
    )?;
    if !rows.is_empty() {
        sql.execute("DELETE FROM watchers WHERE child = ?", params![child])?;
    }
    rows.iter().map(|row| Ok(Watcher { shard: row.count(0)?, parent: row.integer(1)?, place: row.count(2)? })).collect()
}
