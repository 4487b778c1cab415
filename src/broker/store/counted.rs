//! Counts what is written, so that nobody has to guess whether something changed.

use std::cell::Cell;

use super::{Row, Sql, Value};
use crate::error::Result;

/// A database that counts the statements that changed something; those that are rolled back count, too.
pub struct Counted<S> {
    sql: S,
    writes: Cell<u64>,
}

impl<S> Counted<S> {
    /// Nothing was written yet.
    pub fn new(sql: S) -> Self {
        Self { sql, writes: Cell::new(0) }
    }

    /// How many statements have changed something.
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    fn count(&self, rows: usize) {
        if rows > 0 {
            self.writes.set(self.writes.get() + 1);
        }
    }
}

impl<S: Sql> Sql for Counted<S> {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize> {
        let changed = self.sql.execute(sql, params)?;
        self.count(changed);
        Ok(changed)
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let rows = self.sql.query(sql, params)?;
        // In SQLite this alone makes a write return rows.
        if sql.contains("RETURNING") {
            self.count(rows.len());
        }
        Ok(rows)
    }

    fn transaction<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        self.sql.transaction(body)
    }
}
