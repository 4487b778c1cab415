//! The table of runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::broker::redaction::Redaction;
use crate::broker::store::message::CallbackTarget;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::broker::store::{body, step};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Timestamp};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    Started,
    /// Its function returned.
    Success,
    /// An invocation failed for good.
    Failed,
    /// Somebody cancelled it.
    Canceled,
}

impl State {
    const TABLE: [(State, &'static str); 4] = [
        (State::Started, "RUN_STARTED"),
        (State::Success, "RUN_SUCCESS"),
        (State::Failed, "RUN_FAILED"),
        (State::Canceled, "RUN_CANCELED"),
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(state, _)| *state == self).map_or("RUN_STARTED", |(_, name)| name)
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }
}

/// What became of the message that tells a run's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureState {
    /// It waits, or is under way.
    InProgress,
    /// It was delivered.
    Success,
    /// It was given up.
    Failed,
    /// Somebody cancelled it.
    Canceled,
}

impl FailureState {
    const TABLE: [(FailureState, &'static str); 4] = [
        (FailureState::InProgress, "CALLBACK_INPROGRESS"),
        (FailureState::Success, "CALLBACK_SUCCESS"),
        (FailureState::Failed, "CALLBACK_FAIL"),
        (FailureState::Canceled, "CALLBACK_CANCELED"),
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(state, _)| *state == self).map_or("CALLBACK_INPROGRESS", |(_, name)| name)
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }
}

/// What a run remembers of the request that started it, for every later invocation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    /// The headers that every invocation gets.
    pub headers: Headers,
    /// How many tries may follow the first.
    pub retries: u32,
    /// The expression of `Upstash-Retry-Delay`.
    pub retry_delay: Option<String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Where the run's failure is told to.
    pub failure_callback: Option<CallbackTarget>,
    /// What the SDK asked for in `Upstash-Feature-Set`.
    pub features: String,
    /// The flow-control key whose limits its invocations share.
    #[serde(default)]
    pub flow_key: Option<String>,
    /// What views of its messages hide.
    #[serde(default)]
    pub redaction: Option<Redaction>,
    /// Whether the run was triggered without knowing its SDK, which has not told its own headers yet.
    #[serde(default)]
    pub unknown_sdk: bool,
}

/// The run that started another one and waits for its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoker {
    /// Its id.
    pub workflow_run_id: String,
    /// Its endpoint.
    pub workflow_url: String,
    /// When it was accepted; Unix milliseconds.
    pub workflow_run_created_at: u64,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The key in the database; an id may be used again once its run has ended, a key never is.
    pub key: i64,
    /// `wfr_…`.
    pub id: String,
    /// The message that started it.
    pub message_id: String,
    /// The endpoint.
    pub url: String,
    /// Where it stands.
    pub state: State,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it remembers of its trigger.
    pub config: Config,
    /// Labels, joined by commas.
    pub label: Option<String>,
    /// The address of whoever triggered it.
    pub caller_ip: Option<String>,
    /// What its function returned, as JSON.
    pub result: Vec<u8>,
    /// Why it failed.
    pub error: Option<String>,
    /// The message whose failure it is.
    pub failed_message: Option<String>,
    /// The entry in the dead letter queue.
    pub dlq_id: Option<String>,
    /// The message that tells the failure.
    pub failure_message: Option<String>,
    /// The run that started it.
    pub invoker: Option<Invoker>,
    /// What became of the message that tells the failure.
    pub failure_state: Option<FailureState>,
}

const COLUMNS: &str = "key, id, message_id, url, state, created_at, ended_at, config, label, caller_ip, result, error, \
     failed_message, dlq_id, failure_message, invoker, failure_state";

impl Run {
    fn read<S: Sql>(sql: &S, row: &Row) -> Result<Self> {
        let key = row.integer(0)?;
        let unreadable =
            |what: &str| Error::new(Code::Storage, format!("the database holds a run of unreadable {what}"));
        Ok(Self {
            key,
            id: row.text(1)?,
            message_id: row.text(2)?,
            url: row.text(3)?,
            state: State::parse(&row.text(4)?).ok_or_else(|| unreadable("state"))?,
            created_at: row.timestamp(5)?,
            ended_at: row.optional(6, Row::timestamp)?,
            config: serde_json::from_str(&row.text(7)?).map_err(|_| unreadable("configuration"))?,
            label: row.optional(8, Row::text)?,
            caller_ip: row.optional(9, Row::text)?,
            result: body::load(sql, &owner(key), row, 10)?,
            error: row.optional(11, Row::text)?,
            failed_message: row.optional(12, Row::text)?,
            dlq_id: row.optional(13, Row::text)?,
            failure_message: row.optional(14, Row::text)?,
            invoker: row.optional(15, Row::json)?,
            failure_state: row.optional(16, Row::text)?.as_deref().and_then(FailureState::parse),
        })
    }

    /// Whether it goes on.
    pub fn is_active(&self) -> bool {
        self.state == State::Started
    }
}

/// A run that is about to begin.
pub struct NewRun<'a> {
    /// `wfr_…`.
    pub id: &'a str,
    /// The message that starts it.
    pub message_id: &'a str,
    /// The endpoint.
    pub url: &'a str,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// What it remembers of its trigger.
    pub config: &'a Config,
    /// Labels, joined by commas.
    pub label: Option<&'a str>,
    /// The address of whoever triggered it.
    pub caller_ip: Option<&'a str>,
}

/// Adds a run; returns its key.
pub fn insert<S: Sql>(sql: &S, run: &NewRun<'_>) -> Result<i64> {
    let config = serde_json::to_string(run.config)
        .map_err(|_| Error::new(Code::Internal, "a run's configuration can't be written as JSON"))?;
    let rows = sql.query(
        "INSERT INTO runs (id, message_id, url, state, created_at, config, label, caller_ip)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING key",
        params![
            run.id,
            run.message_id,
            run.url,
            State::Started.as_str(),
            run.created_at,
            config,
            run.label,
            run.caller_ip
        ],
    )?;
    rows.first().ok_or_else(|| Error::new(Code::Storage, "the database did not tell the key of a new run"))?.integer(0)
}

/// Replaces what a run remembers of its trigger.
pub fn set_config<S: Sql>(sql: &S, key: i64, config: &Config) -> Result<()> {
    sql.execute("UPDATE runs SET config = ? WHERE key = ?", params![Value::json(config)?, key])?;
    Ok(())
}

/// Remembers which message tells a run's failure now.
pub fn set_failure_message<S: Sql>(sql: &S, key: i64, message_id: &str) -> Result<()> {
    sql.execute(
        "UPDATE runs SET failure_message = ?, failure_state = ? WHERE key = ?",
        params![message_id, FailureState::InProgress.as_str(), key],
    )?;
    Ok(())
}

/// Remembers what became of the message that tells a run's failure.
pub fn set_failure_state<S: Sql>(sql: &S, key: i64, state: FailureState) -> Result<()> {
    sql.execute("UPDATE runs SET failure_state = ? WHERE key = ?", params![state.as_str(), key])?;
    Ok(())
}

/// Remembers which run started another one.
pub fn set_invoker<S: Sql>(sql: &S, key: i64, invoker: &Invoker) -> Result<()> {
    sql.execute("UPDATE runs SET invoker = ? WHERE key = ?", params![Value::json(invoker)?, key])?;
    Ok(())
}

/// The run with a key.
pub fn find<S: Sql>(sql: &S, key: i64) -> Result<Option<Run>> {
    Ok(select(sql, "key = ?", params![key])?.into_iter().next())
}

/// The newest run with an id.
pub fn find_by_id<S: Sql>(sql: &S, id: &str) -> Result<Option<Run>> {
    Ok(select(sql, "id = ? ORDER BY key DESC LIMIT 1", params![id])?.into_iter().next())
}

/// The runs that a condition selects; it may end with an order and a limit.
pub fn select<S: Sql>(sql: &S, condition: &str, params: &[Value]) -> Result<Vec<Run>> {
    let rows = sql.query(&format!("SELECT {COLUMNS} FROM runs WHERE {condition}"), params)?;
    rows.iter().map(|row| Run::read(sql, row)).collect()
}

/// Ends a run with what its function returned.
pub fn succeed<S: Sql>(sql: &S, key: i64, at: Timestamp, result: &[u8]) -> Result<()> {
    let result = body::put(sql, &owner(key), result)?;
    sql.execute(
        "UPDATE runs SET state = ?, ended_at = ?, result = ? WHERE key = ?",
        &[Value::from(State::Success.as_str()), Value::from(at), result, Value::from(key)],
    )?;
    Ok(())
}

/// Ends a run because somebody cancelled it.
pub fn cancel<S: Sql>(sql: &S, key: i64, at: Timestamp) -> Result<()> {
    sql.execute("UPDATE runs SET state = ?, ended_at = ? WHERE key = ?", params![State::Canceled.as_str(), at, key])?;
    Ok(())
}

/// How a run failed.
pub struct Failure<'a> {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub error: &'a str,
    /// The message whose failure it is.
    pub message_id: &'a str,
    /// The entry in the dead letter queue.
    pub dlq_id: &'a str,
    /// The message that tells it.
    pub failure_message: Option<&'a str>,
}

/// Ends a run because an invocation failed for good.
pub fn fail<S: Sql>(sql: &S, key: i64, failure: &Failure<'_>) -> Result<()> {
    sql.execute(
        "UPDATE runs SET state = ?, ended_at = ?, error = ?, failed_message = ?, dlq_id = ?, failure_message = ?,
            failure_state = ?
         WHERE key = ?",
        params![
            State::Failed.as_str(),
            failure.at,
            failure.error,
            failure.message_id,
            failure.dlq_id,
            failure.failure_message,
            failure.failure_message.map(|_| FailureState::InProgress.as_str()),
            key
        ],
    )?;
    Ok(())
}

/// Forgets a run and its history.
pub fn remove<S: Sql>(sql: &S, key: i64) -> Result<()> {
    step::remove(sql, key)?;
    body::remove(sql, &owner(key))?;
    sql.execute("DELETE FROM runs WHERE key = ?", params![key])?;
    Ok(())
}

fn owner(key: i64) -> String {
    format!("run:{key}")
}
