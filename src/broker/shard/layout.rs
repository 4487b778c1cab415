//! Which shard a database is. A database belongs to one place among a number of shards for as long as it holds something
//! that is found by its place: with another number it would be looked for elsewhere.

use super::place::Shard;
use crate::broker::store::Sql;
use crate::broker::store::sql::params;
use crate::error::{Code, Error, Result};

/// What keeps a database in its place, in words, and how many there are.
const HELD: [(&str, &str); 8] = [
    ("messages", "messages"),
    ("runs that go on", "runs WHERE state = 'RUN_STARTED'"),
    ("failed runs that may be resumed", "parked"),
    ("queues", "queues"),
    ("schedules", "schedules"),
    (
        "paused or pinned flow-control keys",
        "flow_keys WHERE paused <> 0 OR pinned_parallelism <> 0 OR pinned_rate <> 0",
    ),
    ("messages for other shards", "relays"),
    ("runs of other shards that wait for one of its runs", "watchers"),
];

/// The shard that a database is; without a word about it the only one.
pub fn read<S: Sql>(sql: &S) -> Result<Shard> {
    let number = |key: &str| -> Result<Option<u32>> {
        let rows = sql.query("SELECT value FROM meta WHERE key = ?", params![key])?;
        rows.first().map(|row| row.count(0)).transpose()
    };
    match (number(INDEX)?, number(COUNT)?) {
        (Some(index), Some(count)) => Shard::new(index, count),
        _ => Ok(Shard::default()),
    }
}

/// Makes a database another shard; must run inside a transaction.
///
/// [`Code::InvalidConfiguration`] if it holds something that would not be found any more.
pub fn change<S: Sql>(sql: &S, from: Shard, to: Shard) -> Result<()> {
    check_vacant(sql, from, to.count())?;
    for (key, value) in [(INDEX, to.index()), (COUNT, to.count())] {
        sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", params![key, value])?;
    }
    Ok(())
}

/// Fails if a database holds something that would not be found any more with `count` shards.
pub fn check_vacant<S: Sql>(sql: &S, from: Shard, count: u32) -> Result<()> {
    let mut held = Vec::new();
    for (what, rows) in HELD {
        let count = sql.query(&format!("SELECT count(*) FROM {rows}"), &[])?;
        let count = count.first().map_or(Ok(0), |row| row.integer(0))?;
        if count > 0 {
            held.push(format!("{count} {what}"));
        }
    }
    if !held.is_empty() {
        return Err(Error::new(
            Code::InvalidConfiguration,
            format!(
                "this broker was laid out for {} shards, its shard {} still has {}: set the number of shards (BROKER_SHARDS) \
                 to {} again, let them end or remove them, then change it to {}",
                from.count(),
                from.index(),
                held.join(", "),
                from.count(),
                count,
            ),
        ));
    }
    Ok(())
}

const INDEX: &str = "shard";
const COUNT: &str = "shards";
