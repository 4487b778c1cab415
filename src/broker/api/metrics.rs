//! `GET /v2/metrics`: how the broker is doing, for a dashboard. QStash has no such endpoint.

use super::Call;
use crate::broker::Scope;
use crate::broker::metrics::{FAILED_RELAYS, Health, LATENCY_BOUNDS, Metrics, OVERDUE_MS, Reason, Symptom, empty};
use crate::broker::query::Query;
use crate::broker::store::Sql;
use crate::broker::store::metrics::{self, Frame};
use crate::error::{Code, Error, Result};
use crate::wire::{Response, Timestamp};

const DEFAULT_WINDOW_MS: u64 = 60 * 60 * 1000;
const SHORTEST_WINDOW_MS: u64 = 1000;
const LONGEST_WINDOW_MS: u64 = 30 * 24 * 60 * 60 * 1000;
const DEFAULT_BUCKETS: u64 = 60;
const MOST_BUCKETS: u64 = 240;

/// Tells what happened in the last `window` milliseconds, in `buckets` of one length, and what is there now.
///
/// What happened is counted from the log and the runs, so what [`Retention`](crate::broker::Retention) has forgotten is
/// not counted; `countedFrom` tells since when the log is complete.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let query = &call.query;
    query.refuse_unknown(&["window", "buckets", "qstash_token"])?;
    let window = within(query, "window", SHORTEST_WINDOW_MS, LONGEST_WINDOW_MS, " (milliseconds)")?;
    let buckets = within(query, "buckets", 1, MOST_BUCKETS, "")?.unwrap_or(DEFAULT_BUCKETS);
    let frame = frame(scope.at, window.unwrap_or(DEFAULT_WINDOW_MS), buckets);
    let mut series = empty(frame.from, frame.bucket_ms, frame.count);
    metrics::count_events(scope.sql, &frame, &mut series)?;
    metrics::count_runs(scope.sql, &frame, &mut series)?;
    let logged_since = metrics::logged_since(scope.sql, scope.at, &scope.settings.retention)?;
    Metrics {
        from: frame.from,
        to: scope.at,
        bucket_ms: frame.bucket_ms,
        counted_from: logged_since.unwrap_or_default().max(frame.from),
        backlog: metrics::backlog(scope.sql, scope.at, !scope.shard.is_single())?,
        runs: metrics::active_runs(scope.sql)?,
        dead_letters: metrics::dead_letters(scope.sql, Timestamp::default())?,
        health: health(scope, frame.from)?,
        series,
        latency_bounds: LATENCY_BOUNDS.to_vec(),
    }
    .answer()
}

/// The buckets that end with the one of `at`. They begin at multiples of their length, so they stay the same from one
/// request to the next, and on all shards.
fn frame(at: Timestamp, window_ms: u64, count: u64) -> Frame {
    let bucket_ms = window_ms.div_ceil(count);
    let last = at.millis() / bucket_ms * bucket_ms;
    Frame { from: Timestamp::from_millis(last.saturating_sub((count - 1) * bucket_ms)), bucket_ms, count }
}

fn health<S: Sql>(scope: &Scope<'_, S>, from: Timestamp) -> Result<Health> {
    let late = Timestamp::from_millis(scope.at.millis().saturating_sub(OVERDUE_MS));
    let has_tickets = !scope.shard.is_single();
    let overdue = metrics::due(scope.sql, late, has_tickets)?;
    let since = metrics::oldest_due(scope.sql, late)?;
    let given_up = metrics::dead_letters(scope.sql, from)?;
    let unreachable = metrics::unreachable_shards(scope.sql, FAILED_RELAYS)?;
    Ok(Health::of([
        Reason::new(Symptom::Overdue, overdue, since),
        Reason::new(Symptom::DeadLetters, given_up, None),
        Reason::new(Symptom::ShardUnreachable, unreachable, None),
    ]))
}

fn within(query: &Query, name: &str, least: u64, most: u64, unit: &str) -> Result<Option<u64>> {
    let number = query.number(name)?;
    if number.is_none_or(|number| (least..=most).contains(&number)) {
        return Ok(number);
    }
    let text = format!("the query parameter {name} must be from {least} to {most}{unit}");
    Err(Error::new(Code::InvalidRequest, text))
}
