//! Bodies of any size in rows of bounded size: small ones inline, large ones in parts.

use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;

/// Up to here a body stays in the row that owns it.
const INLINE_BYTES: usize = 256 * 1024;
/// The size of a part; a Durable Object's row holds at most 2 MB.
const PART_BYTES: usize = 1024 * 1024;

/// Stores `bytes` for `owner`; returns the value of the owner's body column.
pub fn put<S: Sql>(sql: &S, owner: &str, bytes: &[u8]) -> Result<Value> {
    if bytes.len() <= INLINE_BYTES {
        return Ok(Value::Blob(bytes.to_vec()));
    }
    for (part, data) in bytes.chunks(PART_BYTES).enumerate() {
        sql.execute("INSERT INTO parts (owner, part, data) VALUES (?, ?, ?)", params![owner, part, data.to_vec()])?;
    }
    Ok(Value::Null)
}

/// Reads what [`put`] stored.
pub fn load<S: Sql>(sql: &S, owner: &str, row: &Row, column: usize) -> Result<Vec<u8>> {
    if let Some(inline) = row.optional(column, Row::blob)? {
        return Ok(inline);
    }
    let mut bytes = Vec::new();
    for row in sql.query("SELECT data FROM parts WHERE owner = ? ORDER BY part", params![owner])? {
        bytes.extend(row.blob(0)?);
    }
    Ok(bytes)
}

/// Forgets the parts of `owner`.
pub fn remove<S: Sql>(sql: &S, owner: &str) -> Result<()> {
    sql.execute("DELETE FROM parts WHERE owner = ?", params![owner])?;
    Ok(())
}
