//! The table of invocations: steps of runs that wait for the end of another run. A row goes when either run ends.

use serde::{Deserialize, Serialize};

use crate::broker::history::Pending;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;

/// A step that waits for the end of another run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invocation {
    /// The key in the database.
    pub key: i64,
    /// The run whose step it is.
    pub parent: i64,
    /// The run that it waits for; 0 if that is on another shard.
    pub child: i64,
    /// The id of that run, if it is on another shard.
    #[serde(default)]
    pub child_id: Option<String>,
    /// The step, and where its result is delivered.
    pub pending: Pending,
}

/// Adds an invocation.
pub fn insert<S: Sql>(sql: &S, parent: i64, child: i64, pending: &Pending) -> Result<()> {
    sql.execute(
        "INSERT INTO invocations (parent, child, step, target, created_at) VALUES (?, ?, ?, ?, ?)",
        params![parent, child, Value::json(&pending.step)?, Value::json(&pending.target)?, pending.since],
    )?;
    Ok(())
}

/// Adds an invocation of a run on another shard.
pub fn insert_remote<S: Sql>(sql: &S, parent: i64, child_id: &str, pending: &Pending) -> Result<()> {
    sql.execute(
        "INSERT INTO invocations (parent, child, child_id, step, target, created_at) VALUES (?, 0, ?, ?, ?, ?)",
        params![parent, child_id, Value::json(&pending.step)?, Value::json(&pending.target)?, pending.since],
    )?;
    Ok(())
}

/// The invocations that wait for a run, oldest first.
pub fn of_child<S: Sql>(sql: &S, child: i64) -> Result<Vec<Invocation>> {
    let rows = sql.query(
        "SELECT key, parent, child, step, target, created_at, child_id FROM invocations WHERE child = ? ORDER BY key",
        params![child],
    )?;
    rows.iter().map(read).collect()
}

/// The invocations that a run waits for, oldest first.
pub fn of_parent<S: Sql>(sql: &S, parent: i64) -> Result<Vec<Invocation>> {
    let rows = sql.query(
        "SELECT key, parent, child, step, target, created_at, child_id FROM invocations WHERE parent = ? ORDER BY key",
        params![parent],
    )?;
    rows.iter().map(read).collect()
}

/// Forgets an invocation.
pub fn remove<S: Sql>(sql: &S, key: i64) -> Result<()> {
    sql.execute("DELETE FROM invocations WHERE key = ?", params![key])?;
    Ok(())
}

/// Forgets what a run waited for.
pub fn remove_of_parent<S: Sql>(sql: &S, parent: i64) -> Result<()> {
    sql.execute("DELETE FROM invocations WHERE parent = ?", params![parent])?;
    Ok(())
}

fn read(row: &Row) -> Result<Invocation> {
    Ok(Invocation {
        key: row.integer(0)?,
        parent: row.integer(1)?,
        child: row.integer(2)?,
        child_id: row.optional(6, Row::text)?,
        pending: Pending { step: row.json(3)?, target: row.json(4)?, since: row.timestamp(5)? },
    })
}
