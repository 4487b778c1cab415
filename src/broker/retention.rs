//! Forgetting what has ended, by age and by number, so that the database stays bounded.

use std::time::Duration;

use crate::broker::Scope;
use crate::broker::settings::Retention;
use crate::broker::store::sql::params;
use crate::broker::store::{Row, Sql, dead_letter, flow_key, kept_event, logged, run};
use crate::error::Result;
use crate::wire::Timestamp;

/// One sweep removes at most this many rows of a table: it must not hold up deliveries.
const BATCH: u64 = 500;

/// A flow-control key that nobody has named for so long, and that waits for nothing, says nothing any more: the next
/// message brings its limits with it.
const FORGOTTEN_KEYS: Duration = Duration::from_hours(8 * 24);

/// A failed run is kept as long as its entry in the dead letter queue.
const NOT_RESUMABLE: &str = "NOT EXISTS (SELECT 1 FROM dlq WHERE dlq.run = runs.key)";

/// Forgets what the settings don't want to be kept. Returns whether there is more of it: one sweep is bounded.
pub fn sweep<S: Sql>(scope: &mut Scope<'_, S>) -> Result<bool> {
    scope.transaction(|scope| {
        let more = [events(scope)?, dead_letters(scope)?, runs(scope)?].contains(&true);
        kept_event::sweep(scope.sql, scope.at, BATCH)?;
        flow_key::sweep(scope.sql, before(scope, FORGOTTEN_KEYS), BATCH)?;
        let ended = scope.sql.execute(
            "DELETE FROM deduplications WHERE key IN (SELECT key FROM deduplications WHERE ends_at <= ? LIMIT ?)",
            params![scope.at, BATCH],
        )?;
        Ok(more || u64::try_from(ended).unwrap_or(u64::MAX) >= BATCH)
    })
}

/// When the oldest of what is kept for a time is to be forgotten. What is forgotten by number goes when more comes.
pub fn next_expiry<S: Sql>(sql: &S, retention: &Retention) -> Result<Option<Timestamp>> {
    let mut expiry = None;
    for (oldest, age) in [
        ("SELECT min(time) FROM events", retention.event_age),
        ("SELECT min(ended_at) FROM runs WHERE ended_at IS NOT NULL", retention.run_age),
        ("SELECT min(failed_at) FROM dlq", retention.dead_letter_age),
    ] {
        let rows = sql.query(oldest, &[])?;
        let oldest = rows.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))?;
        expiry = expiry.into_iter().chain(oldest.map(|oldest| oldest + age)).min();
    }
    Ok(expiry)
}

/// Whether a statement that removes a batch at most has left something.
fn is_full(rows: &[Row]) -> bool {
    u64::try_from(rows.len()).unwrap_or(u64::MAX) >= BATCH
}

fn events<S: Sql>(scope: &Scope<'_, S>) -> Result<bool> {
    let retention = &scope.settings.retention;
    let old = scope.sql.query(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE time < ? ORDER BY time LIMIT ?) \
         RETURNING message_id",
        params![before(scope, retention.event_age), BATCH],
    )?;
    let surplus = scope.sql.query(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= (SELECT max(seq) FROM events) - ? \
         ORDER BY seq LIMIT ?) RETURNING message_id",
        params![retention.events, BATCH],
    )?;
    logged::sweep(scope.sql, &old)?;
    logged::sweep(scope.sql, &surplus)?;
    Ok(is_full(&old) || is_full(&surplus))
}

fn runs<S: Sql>(scope: &Scope<'_, S>) -> Result<bool> {
    let retention = &scope.settings.retention;
    let old = scope.sql.query(
        &format!("SELECT key FROM runs WHERE ended_at < ? AND {NOT_RESUMABLE} ORDER BY ended_at LIMIT ?"),
        params![before(scope, retention.run_age), BATCH],
    )?;
    let surplus = scope.sql.query(
        &format!("SELECT key FROM runs WHERE ended_at IS NOT NULL AND {NOT_RESUMABLE} ORDER BY ended_at DESC LIMIT ? OFFSET ?"),
        params![BATCH, retention.runs],
    )?;
    for row in old.iter().chain(&surplus) {
        run::remove(scope.sql, row.integer(0)?)?;
    }
    Ok(is_full(&old) || is_full(&surplus))
}

fn dead_letters<S: Sql>(scope: &Scope<'_, S>) -> Result<bool> {
    let retention = &scope.settings.retention;
    let old = scope.sql.query(
        "SELECT id FROM dlq WHERE failed_at < ? ORDER BY failed_at LIMIT ?",
        params![before(scope, retention.dead_letter_age), BATCH],
    )?;
    let surplus = scope
        .sql
        .query("SELECT id FROM dlq ORDER BY seq DESC LIMIT ? OFFSET ?", params![BATCH, retention.dead_letters])?;
    for row in old.iter().chain(&surplus) {
        dead_letter::remove(scope.sql, &row.text(0)?)?;
    }
    Ok(is_full(&old) || is_full(&surplus))
}

fn before<S: Sql>(scope: &Scope<'_, S>, age: Duration) -> Timestamp {
    Timestamp::default() + (scope.at - Timestamp::default()).saturating_sub(age)
}
