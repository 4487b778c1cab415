//! The table of webhooks: the events that a run's webhooks cause. A row goes with its run's end.

use crate::broker::store::sql::{Sql, params};
use crate::error::Result;

/// Remembers that calls of a webhook cause an event of a run. Its address holds the run's id.
pub fn insert<S: Sql>(sql: &S, run: i64, run_id: &str, event_id: &str) -> Result<()> {
    sql.execute(
        "INSERT OR IGNORE INTO webhooks (run, run_id, event_id) VALUES (?, ?, ?)",
        params![run, run_id, event_id],
    )?;
    Ok(())
}

/// The run that gets the calls of a webhook, by its address.
pub fn find<S: Sql>(sql: &S, run_id: &str, event_id: &str) -> Result<Option<i64>> {
    let rows = sql.query(
        "SELECT run FROM webhooks WHERE run_id = ? AND event_id = ? ORDER BY run DESC LIMIT 1",
        params![run_id, event_id],
    )?;
    rows.first().map(|row| row.integer(0)).transpose()
}

/// Gives the webhooks of a run to the run that resumes it.
pub fn hand_over<S: Sql>(sql: &S, from: i64, to: i64) -> Result<()> {
    sql.execute("UPDATE webhooks SET run = ? WHERE run = ?", params![to, from])?;
    Ok(())
}

/// Forgets the webhooks of a run.
pub fn remove_of_run<S: Sql>(sql: &S, run: i64) -> Result<()> {
    sql.execute("DELETE FROM webhooks WHERE run = ?", params![run])?;
    Ok(())
}
