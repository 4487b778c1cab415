//! The SQL port over `rusqlite`.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use orchestration::broker::{Row, Sql, Value};
use orchestration::{Code, Error, Result};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

/// A database in memory or in a file. Clones share the connection.
#[derive(Clone)]
pub struct Sqlite(Rc<Connection>, Rc<Cell<Option<u64>>>);

impl Sqlite {
    pub fn in_memory() -> Self {
        Self(Rc::new(Connection::open_in_memory().unwrap()), Rc::default())
    }

    pub fn file(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        // Durability against power loss is SQLite's business, not these tests'.
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").unwrap();
        Self(Rc::new(connection), Rc::default())
    }

    /// The number of rows of a table.
    pub fn count(&self, table: &str) -> u64 {
        self.0.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    /// Lets the statement after `statements` others fail, as if the process had died there; `None` ends that.
    pub fn break_after(&self, statements: Option<u64>) {
        self.1.set(statements);
    }

    fn burn(&self) -> Result<()> {
        match self.1.get() {
            Some(0) => Err(Error::new(Code::Storage, "the process died here")),
            left => {
                self.1.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }

    pub fn run(&self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }
}

struct Param<'a>(&'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn failed(error: &rusqlite::Error) -> Error {
    Error::new(Code::Storage, error.to_string())
}

fn checked(params: &[Value]) {
    assert!(params.len() <= 100, "a Durable Object takes 100 parameters, not {}", params.len());
    for param in params {
        match param {
            Value::Integer(number) => assert!(number.abs() < 1 << 53, "{number} is beyond 2^53"),
            Value::Text(text) => assert!(text.len() < 2_000_000, "a text of {} bytes", text.len()),
            Value::Blob(bytes) => assert!(bytes.len() < 2_000_000, "a blob of {} bytes", bytes.len()),
            _ => {}
        }
    }
}

impl Sql for Sqlite {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize> {
        checked(params);
        self.burn()?;
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failed(&error))?;
        statement.execute(params_from_iter(params.iter().map(Param))).map_err(|error| failed(&error))
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        checked(params);
        self.burn()?;
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failed(&error))?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(params.iter().map(Param)), |row| {
            (0..columns)
                .map(|column| {
                    Ok(match row.get_ref(column)? {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(number) => Value::Integer(number),
                        ValueRef::Real(number) => Value::Real(number),
                        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
                    })
                })
                .collect::<rusqlite::Result<Vec<_>>>()
                .map(Row)
        });
        rows.and_then(Iterator::collect).map_err(|error| failed(&error))
    }

    fn transaction<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        self.0.execute_batch("BEGIN IMMEDIATE").map_err(|error| failed(&error))?;
        let result = body();
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.0.execute_batch(end).map_err(|error| failed(&error))?;
        result
    }
}
