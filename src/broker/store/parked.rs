//! The table of parked items: what a run was waiting for when it failed, so that it can be resumed. The rows go with the
//! entry in the dead letter queue.

use serde::{Deserialize, Serialize};

use crate::broker::store::body;
use crate::broker::store::invocation::Invocation;
use crate::broker::store::message::Message;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::broker::store::waiter::Waiter;
use crate::error::{Code, Error, Result};

/// What a run was waiting for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Parked {
    /// A message that had not been delivered: the one that failed, and others of the run.
    Message(Box<Message>),
    /// A step that waits for an event.
    Waiter(Box<Waiter>),
    /// A step that waits for the end of another run.
    Invocation(Box<Invocation>),
}

/// Parks an item of a run.
pub fn insert<S: Sql>(sql: &S, run: i64, item: &Parked) -> Result<()> {
    let rows =
        sql.query("INSERT INTO parked (run, item) VALUES (?, ?) RETURNING key", params![run, Value::json(item)?])?;
    let unknown = || Error::new(Code::Storage, "the database did not tell the key of a parked item");
    let key = rows.first().ok_or_else(unknown)?.integer(0)?;
    if let Parked::Message(message) = item {
        let body = body::put(sql, &owner(run, key), &message.body)?;
        sql.execute("UPDATE parked SET body = ? WHERE key = ?", &[body, key.into()])?;
    }
    Ok(())
}

/// The items of a run, in the order in which they were parked.
pub fn of_run<S: Sql>(sql: &S, run: i64) -> Result<Vec<Parked>> {
    let rows = sql.query("SELECT key, item, body FROM parked WHERE run = ? ORDER BY key", params![run])?;
    rows.iter().map(|row| read(sql, run, row)).collect()
}

/// Forgets the items of a run.
pub fn remove_of_run<S: Sql>(sql: &S, run: i64) -> Result<()> {
    sql.execute(
        "DELETE FROM parts WHERE owner >= ? AND owner < ?",
        params![format!("parked:{run}:"), format!("parked:{run};")],
    )?;
    sql.execute("DELETE FROM parked WHERE run = ?", params![run])?;
    Ok(())
}

fn read<S: Sql>(sql: &S, run: i64, row: &Row) -> Result<Parked> {
    let mut item: Parked = row.json(1)?;
    if let Parked::Message(message) = &mut item {
        message.body = body::load(sql, &owner(run, row.integer(0)?), row, 2)?;
    }
    Ok(item)
}

fn owner(run: i64, key: i64) -> String {
    format!("parked:{run}:{key}")
}
