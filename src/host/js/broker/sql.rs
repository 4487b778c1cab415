//! The broker's SQL port over a database that JavaScript holds.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::broker::{Row, Sql, Value};
use crate::error::{Code, Error, Result};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export type SqlValue = null | number | string | Uint8Array;

/** A database; every method throws what fails. Transactions are never nested. */
export interface Database {
  /** Runs one statement; returns the number of rows that it changed. */
  execute(sql: string, params: SqlValue[]): number;
  /** Runs one statement; returns every row, its columns in the order of the statement. */
  query(sql: string, params: SqlValue[]): SqlValue[][];
  /** Begins a transaction that may write. */
  begin(): void;
  /** Returns when the transaction is on disk. */
  commit(): void;
  rollback(): void;
}
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "Database")]
    pub type Database;

    #[wasm_bindgen(method, catch)]
    fn execute(this: &Database, sql: &str, params: &Array) -> std::result::Result<f64, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn query(this: &Database, sql: &str, params: &Array) -> std::result::Result<Array, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn begin(this: &Database) -> std::result::Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn commit(this: &Database) -> std::result::Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn rollback(this: &Database) -> std::result::Result<(), JsValue>;
}

/// SQL over a [`Database`].
pub struct DatabaseSql(Database);

impl DatabaseSql {
    /// Over a database that nobody else writes to.
    pub fn new(database: Database) -> Self {
        Self(database)
    }
}

impl Sql for DatabaseSql {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The cast saturates.
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize> {
        let changed = self.0.execute(sql, &to_array(params)).map_err(|error| failed(&error))?;
        Ok(changed as usize)
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let rows = self.0.query(sql, &to_array(params)).map_err(|error| failed(&error))?;
        rows.iter().map(|row| Array::from(&row).iter().map(from_js).collect::<Result<_>>().map(Row)).collect()
    }

    fn transaction<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        self.0.begin().map_err(|error| failed(&error))?;
        let result = body();
        let ended = if result.is_ok() { self.0.commit() } else { self.0.rollback() };
        match (result, ended) {
            // A commit that fails may leave the transaction open; what fails twice was over already.
            (Ok(_), Err(error)) => {
                let _ = self.0.rollback();
                Err(failed(&error))
            }
            (result, _) => result,
        }
    }
}

fn to_array(params: &[Value]) -> Array {
    params.iter().map(to_js).collect()
}

fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        #[allow(clippy::cast_precision_loss)] // the port keeps integers within 2^53
        Value::Integer(number) => JsValue::from_f64(*number as f64),
        Value::Real(number) => JsValue::from_f64(*number),
        Value::Text(text) => JsValue::from_str(text),
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    }
}

/// Whole numbers arrive as floating point ones; [`Row::integer`] reads both.
fn from_js(value: JsValue) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Some(number) = value.as_f64() {
        return Ok(Value::Real(number));
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    value
        .dyn_into::<Uint8Array>()
        .map(|bytes| Value::Blob(bytes.to_vec()))
        .map_err(|_| Error::new(Code::Storage, "the database returned a value of an unknown type"))
}

fn failed(error: &JsValue) -> Error {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    let message = message.unwrap_or_else(|| format!("{error:?}"));
    Error::new(Code::Storage, format!("the database failed: {message}"))
}
