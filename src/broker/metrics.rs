//! How the broker is doing, in numbers: what `GET /v2/metrics` answers, and how the answers of several shards make one.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::wire::{Response, Timestamp};

/// Upper bounds, in milliseconds, of the durations that a [`Bucket`] counts apart. What takes longer than the last one is
/// counted, too: a histogram has one count more than there are bounds.
pub const LATENCY_BOUNDS: [u64; 25] = [
    5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000,
    30_000, 60_000, 300_000, 900_000,
];

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// The beginning of the first bucket.
    pub from: Timestamp,
    /// The moment of the answer; the last bucket, which is under way, ends later.
    pub to: Timestamp,
    /// How long a bucket is. Buckets begin at multiples of it.
    pub bucket_ms: u64,
    /// From here on nothing that the log has to tell was forgotten; `from` if all is there.
    pub counted_from: Timestamp,
    /// What has not ended.
    pub backlog: Backlog,
    /// The runs that go on.
    pub runs: Runs,
    /// How many dead letters there are.
    pub dead_letters: u64,
    /// Whether somebody should look.
    pub health: Health,
    /// What happened, oldest first.
    pub series: Vec<Bucket>,
    /// [`LATENCY_BOUNDS`].
    pub latency_bounds: Vec<u64>,
}

impl Metrics {
    /// What several shards tell. Their clocks may differ a little: the one that is ahead says which buckets there are.
    /// `None` without any.
    pub fn sum(shards: Vec<Self>) -> Option<Self> {
        let from = shards.iter().map(|shard| shard.from).max()?;
        let mut shards = shards.into_iter();
        let first = shards.next()?;
        let sum = Self { series: framed(&first, from), from, ..first };
        let mut sum = shards.fold(sum, |sum, shard| sum.with(&shard));
        sum.counted_from = sum.counted_from.max(from);
        Some(sum)
    }

    /// The answer as a response.
    pub fn answer(&self) -> Result<Response> {
        let unwritable = |_| Error::new(Code::Internal, "the metrics can't be written as JSON");
        Ok(Response::json(200, &serde_json::to_value(self).map_err(unwritable)?))
    }

    fn with(self, other: &Self) -> Self {
        let theirs = framed(other, self.from);
        Self {
            to: self.to.max(other.to),
            counted_from: self.counted_from.max(other.counted_from),
            backlog: self.backlog.with(&other.backlog),
            runs: Runs {
                active: self.runs.active + other.runs.active,
                oldest_active_at: earliest(self.runs.oldest_active_at, other.runs.oldest_active_at),
            },
            dead_letters: self.dead_letters + other.dead_letters,
            health: Health::of(self.health.reasons.into_iter().chain(other.health.reasons.iter().cloned())),
            series: self.series.into_iter().zip(&theirs).map(|(bucket, other)| bucket.with(other)).collect(),
            ..self
        }
    }
}

/// As many empty buckets as `count`, from `from` on.
pub fn empty(from: Timestamp, bucket_ms: u64, count: u64) -> Vec<Bucket> {
    let at = |index: u64| Timestamp::from_millis(from.millis().saturating_add(index.saturating_mul(bucket_ms)));
    (0..count).map(|index| Bucket::new(at(index))).collect()
}

/// The buckets of a shard, in a frame that begins at `from`.
fn framed(shard: &Metrics, from: Timestamp) -> Vec<Bucket> {
    let count = u64::try_from(shard.series.len()).unwrap_or(0);
    let known = |at: Timestamp| shard.series.iter().find(|bucket| bucket.at == at).cloned();
    empty(from, shard.bucket_ms, count).into_iter().map(|bucket| known(bucket.at).unwrap_or(bucket)).collect()
}

/// Messages that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// Without a delivery under way, for whatever reason.
    pub waiting: u64,
    /// Those of them whose time has come and that nothing holds back.
    pub due: u64,
    /// Those of them that a queue or a flow-control key holds back.
    pub held: u64,
    /// Deliveries under way.
    pub active: u64,
    /// Since when the first of the due ones has been due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_due_at: Option<Timestamp>,
    /// When the oldest of all was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Timestamp>,
}

impl Backlog {
    fn with(self, other: &Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            due: self.due + other.due,
            held: self.held + other.held,
            active: self.active + other.active,
            oldest_due_at: earliest(self.oldest_due_at, other.oldest_due_at),
            oldest_at: earliest(self.oldest_at, other.oldest_at),
        }
    }
}

/// Runs that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Runs {
    /// How many.
    pub active: u64,
    /// When the oldest was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_active_at: Option<Timestamp>,
}

/// What happened in one span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// When it begins.
    pub at: Timestamp,
    /// Messages that were accepted, those of runs and callbacks among them.
    pub accepted: u64,
    /// Messages that were delivered.
    pub delivered: u64,
    /// Tries that failed.
    pub errors: u64,
    /// Messages that were given up.
    pub failed: u64,
    /// Messages that were cancelled, or dropped with their run. With those that were delivered and given up, these are all
    /// that left the backlog.
    pub canceled: u64,
    /// When the oldest of the messages that left the backlog was accepted: what waited at any earlier time comes from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ended_at: Option<Timestamp>,
    /// Runs that began.
    pub runs_started: u64,
    /// Runs whose function returned.
    pub runs_succeeded: u64,
    /// Runs that failed.
    pub runs_failed: u64,
    /// Runs that were cancelled.
    pub runs_canceled: u64,
    /// How many tries took how long, from when each was handed out until its outcome was known, by [`LATENCY_BOUNDS`].
    pub latency: Vec<u64>,
}

impl Bucket {
    fn new(at: Timestamp) -> Self {
        Self { at, latency: vec![0; LATENCY_BOUNDS.len() + 1], ..Self::default() }
    }

    fn with(self, other: &Self) -> Self {
        Self {
            at: self.at,
            accepted: self.accepted + other.accepted,
            delivered: self.delivered + other.delivered,
            errors: self.errors + other.errors,
            failed: self.failed + other.failed,
            canceled: self.canceled + other.canceled,
            oldest_ended_at: earliest(self.oldest_ended_at, other.oldest_ended_at),
            runs_started: self.runs_started + other.runs_started,
            runs_succeeded: self.runs_succeeded + other.runs_succeeded,
            runs_failed: self.runs_failed + other.runs_failed,
            runs_canceled: self.runs_canceled + other.runs_canceled,
            latency: self.latency.iter().zip(&other.latency).map(|(own, other)| own + other).collect(),
        }
    }
}

/// Whether somebody should look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `Degraded` if there is a reason.
    pub status: Status,
    /// Each code at most once.
    pub reasons: Vec<Reason>,
}

/// Whether all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Nothing to report.
    Ok,
    /// It works, but something does not go as it should.
    Degraded,
}

/// What does not go as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is.
    pub code: Symptom,
    /// How many things it concerns.
    pub count: u64,
    /// How long it has been so, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The same in words, and what to do.
    pub message: String,
}

/// The kinds of [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Symptom {
    /// Deliveries have been due for more than [`OVERDUE_MS`] and have not begun.
    Overdue,
    /// Messages were given up within the window, and their dead letters are still there.
    DeadLetters,
    /// Shards have tried in vain, [`FAILED_RELAYS`] times at least, to tell others what these have to know.
    ShardUnreachable,
}

/// A delivery may be due for so long before it counts as overdue.
pub const OVERDUE_MS: u64 = 60_000;

/// Shards that did not reach each other so often in a row count as out of reach.
pub const FAILED_RELAYS: u32 = 3;

impl Health {
    /// What reasons amount to; those of one kind are added up, and those that concern nothing left out.
    pub fn of(reasons: impl IntoIterator<Item = Reason>) -> Self {
        let mut sums: Vec<Reason> = Vec::new();
        for reason in reasons.into_iter().filter(|reason| reason.count > 0) {
            match sums.iter_mut().find(|sum| sum.code == reason.code) {
                Some(sum) => {
                    *sum = Reason::new(reason.code, sum.count + reason.count, earliest(sum.since, reason.since));
                }
                None => sums.push(reason),
            }
        }
        sums.sort_by_key(|reason| reason.code);
        Self { status: if sums.is_empty() { Status::Ok } else { Status::Degraded }, reasons: sums }
    }
}

impl Reason {
    /// A reason, in words too.
    pub fn new(code: Symptom, count: u64, since: Option<Timestamp>) -> Self {
        let message = match code {
            Symptom::Overdue => format!(
                "messages due for over a minute: {count}; the broker does not run, or has as many deliveries under way as \
                 it may"
            ),
            Symptom::DeadLetters => {
                format!("messages given up within the window: {count}; look at them in the dead letter queue")
            }
            Symptom::ShardUnreachable => {
                format!("ways between shards that fail: {count}; what is to be told is sent again until it arrives")
            }
        };
        Self { code, count, since, message }
    }
}

/// The earlier of two moments that may not be known.
pub fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    /// The metrics of a shard at `now`, in three buckets of ten seconds; one message was accepted in each.
    fn shard(now: u64) -> Metrics {
        let from = at(now / 10 * 10 - 20);
        let mut series = empty(from, 10_000, 3);
        for bucket in &mut series {
            bucket.accepted = 1;
            bucket.canceled = 1;
            bucket.oldest_ended_at = Some(at(now - bucket.at.millis() / 10_000));
        }
        Metrics {
            from,
            to: at(now),
            bucket_ms: 10_000,
            counted_from: from,
            backlog: Backlog::default(),
            runs: Runs { active: 1, oldest_active_at: Some(at(now)) },
            dead_letters: 1,
            health: Health::of([Reason::new(Symptom::Overdue, 2, Some(at(now)))]),
            series,
            latency_bounds: LATENCY_BOUNDS.to_vec(),
        }
    }

    #[test]
    fn the_clock_that_is_ahead_says_which_buckets_there_are() {
        for shards in [vec![shard(99), shard(100)], vec![shard(100), shard(99)]] {
            let sum = Metrics::sum(shards).unwrap();
            assert_eq!((sum.from, sum.to, sum.counted_from), (at(80), at(100), at(80)));
            let accepted: Vec<_> = sum.series.iter().map(|bucket| (bucket.at, bucket.accepted)).collect();
            assert_eq!(accepted, [(at(80), 2), (at(90), 2), (at(100), 1)]);
            let ended: Vec<_> = sum.series.iter().map(|bucket| (bucket.canceled, bucket.oldest_ended_at)).collect();
            assert_eq!(ended, [(2, Some(at(91))), (2, Some(at(90))), (1, Some(at(90)))]);
            assert_eq!(sum.runs, Runs { active: 2, oldest_active_at: Some(at(99)) });
            assert_eq!(sum.health, Health::of([Reason::new(Symptom::Overdue, 4, Some(at(99)))]));
        }
    }

    #[test]
    fn what_concerns_nothing_is_no_reason() {
        let health = Health::of([Reason::new(Symptom::Overdue, 0, None), Reason::new(Symptom::DeadLetters, 1, None)]);
        assert_eq!((health.status, health.reasons.len()), (Status::Degraded, 1));
        assert_eq!(Health::of([]).status, Status::Ok);
        assert!(Metrics::sum(Vec::new()).is_none());
    }
}
