//! The broker's SQL port over the SQLite of a Durable Object.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::broker::{Row, Sql, Value};
use crate::error::{Code, Error, Result};

// The bindings that the `worker` crate has no transaction in, and no error path for reading rows.
#[wasm_bindgen]
extern "C" {
    /// `ctx.storage` of a Durable Object.
    #[wasm_bindgen(extends = js_sys::Object)]
    #[derive(Clone)]
    pub type ObjectStorage;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &ObjectStorage) -> SqlStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &ObjectStorage,
        body: &mut dyn FnMut() -> std::result::Result<JsValue, JsValue>,
    ) -> std::result::Result<JsValue, JsValue>;

    type SqlStorage;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &SqlStorage, sql: &str, params: &Array) -> std::result::Result<Cursor, JsValue>;

    type Cursor;

    #[wasm_bindgen(method, getter, js_name = rowsWritten)]
    fn rows_written(this: &Cursor) -> f64;

    #[wasm_bindgen(method, catch)]
    fn raw(this: &Cursor) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(iterator: &JsValue) -> std::result::Result<Array, JsValue>;
}

/// SQL over the storage of the object that holds it.
pub struct ObjectSql {
    storage: ObjectStorage,
    sql: SqlStorage,
}

impl ObjectSql {
    /// Over `ctx.storage`; the object's class must be one of `new_sqlite_classes`.
    pub fn new(storage: &ObjectStorage) -> Self {
        Self { storage: storage.clone(), sql: storage.sql() }
    }

    fn run(&self, sql: &str, params: &[Value]) -> Result<Cursor> {
        let values: Array = params.iter().map(to_js).collect();
        self.sql.exec(sql, &values).map_err(|error| failed(&error))
    }

    fn rows(cursor: &Cursor) -> Result<Vec<Row>> {
        let rows = cursor.raw().and_then(|raw| array_from(&raw)).map_err(|error| failed(&error))?;
        rows.iter().map(|row| Array::from(&row).iter().map(from_js).collect::<Result<_>>().map(Row)).collect()
    }
}

impl Sql for ObjectSql {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize> {
        // `rowsWritten` also counts what indexes write, so it only tells whether anything changed.
        if self.run(sql, params)?.rows_written() == 0.0 {
            return Ok(0);
        }
        let rows = self.query("SELECT changes()", &[])?;
        let changed = rows.first().map_or(Ok(0), |row| row.integer(0))?;
        Ok(usize::try_from(changed).unwrap_or(0))
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        Self::rows(&self.run(sql, params)?)
    }

    fn transaction<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut body = Some(body);
        let mut outcome = None;
        let committed = self.storage.transaction_sync(&mut || {
            let result = body.take().map(|body| body());
            let rolled_back = matches!(result, Some(Err(_)));
            outcome = result;
            // Whatever is thrown here rolls back; the error itself is in `outcome`.
            if rolled_back { Err(JsValue::from_str("rolled back")) } else { Ok(JsValue::UNDEFINED) }
        });
        match (outcome, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(failed(&error)),
            (Some(Ok(value)), Ok(_)) => Ok(value),
            (None, Ok(_)) => Err(Error::new(Code::Internal, "the storage did not run the transaction")),
        }
    }
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
    if value.is_null() || value.is_undefined() {
        return Ok(Value::Null);
    }
    if let Some(number) = value.as_f64() {
        return Ok(Value::Real(number));
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    match value.dyn_into::<js_sys::ArrayBuffer>() {
        Ok(buffer) => Ok(Value::Blob(Uint8Array::new(&buffer).to_vec())),
        Err(value) => value
            .dyn_into::<Uint8Array>()
            .map(|bytes| Value::Blob(bytes.to_vec()))
            .map_err(|_| Error::new(Code::Storage, "the storage returned a value of an unknown type")),
    }
}

fn failed(error: &JsValue) -> Error {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    let message = message.unwrap_or_else(|| format!("{error:?}"));
    Error::new(Code::Storage, format!("the storage failed: {message}"))
}
