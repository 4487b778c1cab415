//! The table of the signing keys, once they were rotated: one row.

use crate::broker::store::sql::{Row, Sql, params};
use crate::error::Result;
use crate::wire::Timestamp;

/// A pair of keys that a rotation has made.
#[derive(Clone)]
pub struct Rotated {
    /// The key that signs.
    pub current: String,
    /// The key that follows it.
    pub next: String,
    /// Names the pair of the settings that the first rotation began from.
    pub configured: String,
}

/// The pair that the last rotation made.
pub fn find<S: Sql>(sql: &S) -> Result<Option<Rotated>> {
    let rows = sql.query("SELECT current, next, configured FROM signing_keys", &[])?;
    let read = |row: &Row| Ok(Rotated { current: row.text(0)?, next: row.text(1)?, configured: row.text(2)? });
    rows.first().map(read).transpose()
}

/// Keeps a pair in the place of the one before.
pub fn replace<S: Sql>(sql: &S, rotated: &Rotated, at: Timestamp) -> Result<()> {
    sql.execute(
        "INSERT OR REPLACE INTO signing_keys (id, current, next, configured, rotated_at) VALUES (1, ?, ?, ?, ?)",
        params![&rotated.current, &rotated.next, &rotated.configured, at],
    )?;
    Ok(())
}

/// Forgets the pair.
pub fn remove<S: Sql>(sql: &S) -> Result<()> {
    sql.execute("DELETE FROM signing_keys", &[])?;
    Ok(())
}
