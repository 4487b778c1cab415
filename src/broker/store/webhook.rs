//! The table of webhooks: the events that a run's webhooks cause. A row goes with its run's end.

use crate::broker::store::sql::{Sql, params};
use crate::error::Result;

/// Remembers that calls of a webhook cause an event of a run.
pub fn insert<S: Sql>(sql: &S, run: i64, event_id: &str) -> Result<()> {
    sql.execute("INSERT OR IGNORE INTO webhooks (run, event_id) VALUES (?, ?)", params![run, event_id])?;
    Ok(())
}

/// Whether a run has such a webhook.
pub fn exists<S: Sql>(sql: &S, run: i64, event_id: &str) -> Result<bool> {
    let rows = sql.query("SELECT 1 FROM webhooks WHERE run = ? AND event_id = ?", params![run, event_id])?;
    Ok(!rows.is_empty())
}

/// Forgets the webhooks of a run.
pub fn remove_of_run<S: Sql>(sql: &S, run: i64) -> Result<()> {
    sql.execute("DELETE FROM webhooks WHERE run = ?", params![run])?;
    Ok(())
}
