//! What is the same for all shards, as a whole: the tables of URL groups and of rotated signing keys, and their number.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::{Code, Error, Result};

/// The tables and their columns, which are texts, whole numbers or `NULL`.
const TABLES: &[(&str, &[&str])] = &[
    ("url_groups", &["name", "headers", "created_at", "updated_at"]),
    ("signing_keys", &["id", "current", "next", "configured", "rotated_at"]),
    ("url_group_endpoints", &["url_group", "position", "url", "name"]),
];

/// Everything in these tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// A later one has a greater number.
    pub number: i64,
    /// The rows, in the order of `TABLES`.
    pub tables: Vec<Vec<Vec<Json>>>,
}

/// Reads everything.
pub fn read<S: Sql>(sql: &S) -> Result<Snapshot> {
    let tables = TABLES.iter().map(|(table, columns)| {
        let columns = columns.join(", ");
        let rows = sql.query(&format!("SELECT {columns} FROM {table} ORDER BY {columns}"), &[])?;
        rows.iter().map(row).collect::<Result<_>>()
    });
    Ok(Snapshot { number: number(sql)?, tables: tables.collect::<Result<_>>()? })
}

/// Replaces everything.
pub fn write<S: Sql>(sql: &S, snapshot: &Snapshot) -> Result<()> {
    if snapshot.tables.len() != TABLES.len() {
        return Err(Error::new(Code::InvalidRequest, "the directory is that of another build"));
    }
    for ((table, columns), rows) in TABLES.iter().zip(&snapshot.tables) {
        sql.execute(&format!("DELETE FROM {table}"), &[])?;
        let marks = vec!["?"; columns.len()].join(", ");
        for row in rows {
            let values = row.iter().map(value).collect::<Result<Vec<_>>>()?;
            sql.execute(&format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", ")), &values)?;
        }
    }
    set_number(sql, snapshot.number)
}

/// The number of what is there.
pub fn number<S: Sql>(sql: &S) -> Result<i64> {
    let rows = sql.query("SELECT value FROM meta WHERE key = ?", params![NUMBER])?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

/// Sets it.
pub fn set_number<S: Sql>(sql: &S, number: i64) -> Result<()> {
    sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", params![NUMBER, number])?;
    Ok(())
}

const NUMBER: &str = "directory";

fn row(row: &Row) -> Result<Vec<Json>> {
    (0..row.0.len())
        .map(|column| match &row.0[column] {
            Value::Null => Ok(Json::Null),
            Value::Text(text) => Ok(Json::from(text.as_str())),
            _ => row.integer(column).map(Json::from),
        })
        .collect()
}

fn value(json: &Json) -> Result<Value> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::String(text) => Ok(Value::from(text.as_str())),
        Json::Number(number) if number.is_i64() => Ok(Value::from(number.as_i64().unwrap_or(0))),
        _ => Err(Error::new(Code::InvalidRequest, "the directory holds a value of an unknown type")),
    }
}
