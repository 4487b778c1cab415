//! The port to SQL: three synchronous methods that a host implements over its SQLite.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Timestamp};

/// What the broker needs of a database: SQLite's dialect, no extension, at most 100 parameters a statement,
/// rows under 2 MB, integers within 2^53. A Durable Object's storage, `node:sqlite` and `rusqlite` all fit.
pub trait Sql {
    /// Runs one statement; returns the number of rows that it changed.
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize>;

    /// Runs one statement; returns every row, its columns in the order of the statement.
    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>>;

    /// Runs `body` so that all of its writes are kept, durably, or none (when it returns an error). Never nested.
    fn transaction<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T>;
}

/// A parameter or a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL's `NULL`.
    Null,
    /// An integer within 2^53.
    Integer(i64),
    /// A floating point number; hosts whose numbers are all floating point may use it for whole ones.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Text that [`Row::json`] reads.
    pub fn json<T: Serialize>(value: &T) -> Result<Self> {
        serde_json::to_string(value)
            .map(Value::Text)
            .map_err(|_| Error::new(Code::Internal, "a value for the database can't be written as JSON"))
    }
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The text in `column`.
    pub fn text(&self, column: usize) -> Result<String> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(text.clone()),
            other => Err(unexpected(column, "text", other)),
        }
    }

    /// The whole number in `column`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // checked to be whole and within 2^53
    pub fn integer(&self, column: usize) -> Result<i64> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => Ok(*number),
            Some(Value::Real(number)) if number.fract() == 0.0 && number.abs() <= MAX_INTEGER as f64 => {
                Ok(*number as i64)
            }
            other => Err(unexpected(column, "an integer", other)),
        }
    }

    /// The moment in `column`.
    pub fn timestamp(&self, column: usize) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(u64::try_from(self.integer(column)?).unwrap_or(0)))
    }

    /// The count in `column`.
    pub fn count(&self, column: usize) -> Result<u32> {
        u32::try_from(self.integer(column)?).map_err(|_| unexpected(column, "a count", self.0.get(column)))
    }

    /// The bytes in `column`.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>> {
        match self.0.get(column) {
            Some(Value::Blob(bytes)) => Ok(bytes.clone()),
            other => Err(unexpected(column, "bytes", other)),
        }
    }

    /// The headers in `column`, stored as JSON.
    pub fn headers(&self, column: usize) -> Result<Headers> {
        serde_json::from_str(&self.text(column)?).map_err(|_| unexpected(column, "headers", None))
    }

    /// What [`Value::json`] stored in `column`.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| unexpected(column, "JSON", None))
    }

    /// `None` if `column` is `NULL`, else what `read` makes of it.
    pub fn optional<T>(&self, column: usize, read: impl FnOnce(&Self, usize) -> Result<T>) -> Result<Option<T>> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => read(self, column).map(Some),
        }
    }
}

/// The largest whole number that every host keeps exactly.
const MAX_INTEGER: i64 = (1 << 53) - 1;

fn unexpected(column: usize, expected: &str, found: Option<&Value>) -> Error {
    let found = match found {
        None => "nothing readable",
        Some(Value::Null) => "NULL",
        Some(Value::Integer(_)) => "an integer",
        Some(Value::Real(_)) => "a number",
        Some(Value::Text(_)) => "text",
        Some(Value::Blob(_)) => "bytes",
    };
    Error::new(Code::Storage, format!("the database holds {found} in column {column} where {expected} was expected"))
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Integer(number.clamp(-MAX_INTEGER, MAX_INTEGER))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::from(i64::try_from(number).unwrap_or(MAX_INTEGER))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Integer(i64::from(number))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Value::from(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Value::from(at.millis())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Blob(bytes)
    }
}

impl From<&Headers> for Value {
    fn from(headers: &Headers) -> Self {
        Value::Text(serde_json::to_string(headers).unwrap_or_else(|_| "[]".to_owned()))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A list of parameters: `params![run, "text", at]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$( $crate::broker::store::sql::Value::from($value) ),*] };
}
pub(in crate::broker) use params;
