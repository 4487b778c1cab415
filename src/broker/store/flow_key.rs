//! The table of flow-control keys: limits that all messages of one key share (`qstash/features/flowcontrol.mdx`).

use std::time::Duration;

use crate::broker::store::gate::count;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::Result;
use crate::wire::flow_control::DEFAULT_PERIOD;
use crate::wire::{FlowLimits, Rate, Timestamp};

/// A key, its limits, and how far they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowKey {
    /// Letters, digits, `-`, `_` and `.`.
    pub key: String,
    /// The limits.
    pub limits: FlowLimits,
    /// Whether messages can't change the parallelism.
    pub pinned_parallelism: bool,
    /// Whether messages can't change the rate.
    pub pinned_rate: bool,
    /// Whether nothing is delivered for now.
    pub paused: bool,
    /// When the period began in which [`FlowKey::window_count`] deliveries have started.
    pub window_start: Timestamp,
    /// How many deliveries have started in that period.
    pub window_count: u32,
    /// When the messages that the rate holds back may try again.
    pub wake_at: Option<Timestamp>,
    /// When a message last named it.
    pub used_at: Timestamp,
}

impl FlowKey {
    /// A key without limits.
    pub fn new(key: &str, at: Timestamp) -> Self {
        Self {
            key: key.to_owned(),
            limits: FlowLimits::default(),
            pinned_parallelism: false,
            pinned_rate: false,
            paused: false,
            window_start: Timestamp::default(),
            window_count: 0,
            wake_at: None,
            used_at: at,
        }
    }

    fn read(row: &Row) -> Result<Self> {
        let period = Duration::from_millis(u64::try_from(row.integer(3)?).unwrap_or(0));
        Ok(Self {
            key: row.text(0)?,
            limits: FlowLimits {
                parallelism: row.optional(1, Row::count)?,
                rate: row.optional(2, Row::count)?.map(|count| Rate { count, period }),
            },
            pinned_parallelism: row.integer(4)? != 0,
            pinned_rate: row.integer(5)? != 0,
            paused: row.integer(6)? != 0,
            window_start: row.timestamp(7)?,
            window_count: row.count(8)?,
            wake_at: row.optional(9, Row::timestamp)?,
            used_at: row.timestamp(10)?,
        })
    }
}

const COLUMNS: &str = "key, parallelism, rate, period, pinned_parallelism, pinned_rate, paused, window_start, \
     window_count, wake_at, used_at";

/// Adds a key, or changes it.
pub fn put<S: Sql>(sql: &S, key: &FlowKey) -> Result<()> {
    let period = key.limits.rate.map_or(DEFAULT_PERIOD, |rate| rate.period);
    sql.execute(
        &format!("INSERT OR REPLACE INTO flow_keys ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        params![
            &key.key,
            key.limits.parallelism,
            key.limits.rate.map(|rate| rate.count),
            u64::try_from(period.as_millis()).unwrap_or(u64::MAX),
            u32::from(key.pinned_parallelism),
            u32::from(key.pinned_rate),
            u32::from(key.paused),
            key.window_start,
            key.window_count,
            key.wake_at,
            key.used_at,
        ],
    )?;
    Ok(())
}

/// The state of a key.
pub fn find<S: Sql>(sql: &S, key: &str) -> Result<Option<FlowKey>> {
    Ok(select(sql, "key = ?", params![key])?.into_iter().next())
}

/// The keys that a condition selects; it may end with an order and a limit.
pub fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<FlowKey>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM flow_keys WHERE {condition}"), params)?;
    rows.iter().map(FlowKey::read).collect()
}

/// When the first of the messages that a rate holds back may try again.
pub fn next_wake<S: Sql>(sql: &S) -> Result<Option<Timestamp>> {
    let rows = sql.query("SELECT min(wake_at) FROM flow_keys WHERE wake_at IS NOT NULL", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional(0, Row::timestamp))
}

/// How many deliveries of a key are open.
pub fn open<S: Sql>(sql: &S, key: &str) -> Result<u64> {
    count(sql, "SELECT count(*) FROM messages WHERE flow_key = ? AND lease IS NOT NULL", key)
}

/// Forgets up to `most` keys that say nothing: without messages, not pinned, not paused, last named before `before`.
pub fn sweep<S: Sql>(sql: &S, before: Timestamp, most: u64) -> Result<()> {
    sql.execute(
        "DELETE FROM flow_keys WHERE key IN (SELECT key FROM flow_keys WHERE used_at < ? AND paused = 0 \
         AND pinned_parallelism = 0 AND pinned_rate = 0 \
         AND NOT EXISTS (SELECT 1 FROM messages WHERE flow_key = flow_keys.key) LIMIT ?)",
        params![before, most],
    )?;
    Ok(())
}
