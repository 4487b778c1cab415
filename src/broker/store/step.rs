//! The table of steps: the histories of the runs. Position 0 is the run's payload.

use crate::broker::store::body;
use crate::broker::store::sql::{Row, Sql, Value, params};
use crate::error::{Code, Error, Result};
use crate::wire::{CallType, Timestamp};

/// One entry of a run's history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key of the run.
    pub run: i64,
    /// The place in the history, from 0.
    pub position: i64,
    /// The message that carried it.
    pub message_id: String,
    /// Where it came from.
    pub call_type: CallType,
    /// Whether it only announces a branch of a parallel group.
    pub is_plan: bool,
    /// The id that counts for ordering: a plan's target, else the step's own.
    pub place: u32,
    /// The last place of the parallel group that it belongs to; its own place outside of one.
    pub group_end: u32,
    /// The size of that group.
    pub concurrent: u32,
    /// The step's name.
    pub name: String,
    /// The step's type.
    pub step_type: String,
    /// The bytes that were submitted.
    pub body: Vec<u8>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When the invocation that submitted it began.
    pub started_at: Option<Timestamp>,
    /// How many tries that invocation took.
    pub attempts: Option<u32>,
    /// The message whose delivery submitted it, where the SDK says so (`Upstash-Workflow-Cause`).
    pub cause: Option<String>,
}

const COLUMNS: &str = "run, position, message_id, call_type, is_plan, place, group_end, concurrent, name, type, body, \
     created_at, started_at, attempts, cause";

impl Entry {
    fn read<S: Sql>(sql: &S, row: &Row) -> Result<Self> {
        let (run, position) = (row.integer(0)?, row.integer(1)?);
        Ok(Self {
            run,
            position,
            message_id: row.text(2)?,
            call_type: parse_call_type(&row.text(3)?)?,
            is_plan: row.integer(4)? != 0,
            place: row.count(5)?,
            group_end: row.count(6)?,
            concurrent: row.count(7)?,
            name: row.text(8)?,
            step_type: row.text(9)?,
            body: body::load(sql, &owner(run, position), row, 10)?,
            created_at: row.timestamp(11)?,
            started_at: row.optional(12, Row::timestamp)?,
            attempts: row.optional(13, Row::count)?,
            cause: row.optional(14, Row::text)?,
        })
    }
}

/// Appends an entry; its position must be [`next_position`].
pub fn append<S: Sql>(sql: &S, entry: &Entry) -> Result<()> {
    let body = body::put(sql, &owner(entry.run, entry.position), &entry.body)?;
    sql.execute(
        &format!("INSERT INTO steps ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        &[
            Value::from(entry.run),
            Value::from(entry.position),
            Value::from(&entry.message_id),
            Value::from(call_type_name(entry.call_type)),
            Value::from(u32::from(entry.is_plan)),
            Value::from(entry.place),
            Value::from(entry.group_end),
            Value::from(entry.concurrent),
            Value::from(&entry.name),
            Value::from(&entry.step_type),
            body,
            Value::from(entry.created_at),
            Value::from(entry.started_at),
            Value::from(entry.attempts),
            Value::from(entry.cause.as_deref()),
        ],
    )?;
    Ok(())
}

/// The position of the next entry of a run.
pub fn next_position<S: Sql>(sql: &S, run: i64) -> Result<i64> {
    let rows = sql.query("SELECT coalesce(max(position) + 1, 0) FROM steps WHERE run = ?", params![run])?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

/// The entries of a run up to and including `until`, or all of them.
pub fn history<S: Sql>(sql: &S, run: i64, until: Option<i64>) -> Result<Vec<Entry>> {
    let rows = sql.query(
        &format!("SELECT {COLUMNS} FROM steps WHERE run = ? AND position <= ? ORDER BY position"),
        params![run, until.unwrap_or(i64::MAX)],
    )?;
    rows.iter().map(|row| Entry::read(sql, row)).collect()
}

/// The entry at a position.
pub fn find<S: Sql>(sql: &S, run: i64, position: i64) -> Result<Option<Entry>> {
    let rows =
        sql.query(&format!("SELECT {COLUMNS} FROM steps WHERE run = ? AND position = ?"), params![run, position])?;
    rows.first().map(|row| Entry::read(sql, row)).transpose()
}

/// The plan that announced `place`: its position, its group's last place, and the message that carried it.
pub fn plan_of<S: Sql>(sql: &S, run: i64, place: u32) -> Result<Option<(u32, String)>> {
    let rows = sql.query(
        "SELECT group_end, message_id FROM steps WHERE run = ? AND is_plan = 1 AND place = ? ORDER BY position LIMIT 1",
        params![run, place],
    )?;
    rows.first().map(|row| Ok((row.count(0)?, row.text(1)?))).transpose()
}

/// The entry that tells what a step waits for: a call, an event, another run.
pub fn pending_at<S: Sql>(sql: &S, run: i64, place: u32) -> Result<Option<Entry>> {
    let rows = sql.query(
        &format!("SELECT {COLUMNS} FROM steps WHERE run = ? AND place = ? AND call_type = 'toCallback' LIMIT 1"),
        params![run, place],
    )?;
    rows.first().map(|row| Entry::read(sql, row)).transpose()
}

/// Whether what an entry's invocation has to submit is already in the history: for a plan its result,
/// for the third party's answer to a call the call's result, else what it is said to be the cause of, or any later entry
/// beyond its group that says no cause. Such an entry is the first at its place: what follows from it has its cause.
pub fn is_continued<S: Sql>(sql: &S, entry: &Entry, answers_call: bool) -> Result<bool> {
    let rows = if answers_call || entry.is_plan {
        let condition =
            if answers_call { "is_plan = 0 AND call_type = 'step' AND place = ?" } else { "is_plan = 0 AND place = ?" };
        sql.query(
            &format!("SELECT 1 FROM steps WHERE run = ? AND {condition} LIMIT 1"),
            params![entry.run, entry.place],
        )?
    } else {
        sql.query(
            "SELECT 1 FROM steps AS later WHERE run = ? AND (cause = ? OR cause IS NULL AND place > ? AND position > ?
             AND NOT EXISTS (SELECT 1 FROM steps AS earlier WHERE earlier.run = later.run
                             AND earlier.place = later.place AND earlier.position < later.position)) LIMIT 1",
            params![entry.run, &entry.message_id, entry.group_end, entry.position],
        )?
    };
    Ok(!rows.is_empty())
}

/// Forgets the history of a run.
pub fn remove<S: Sql>(sql: &S, run: i64) -> Result<()> {
    sql.execute(
        "DELETE FROM parts WHERE owner >= ? AND owner < ?",
        params![format!("step:{run}:"), format!("step:{run};")],
    )?;
    sql.execute("DELETE FROM steps WHERE run = ?", params![run])?;
    Ok(())
}

/// The name of a call type on the wire and in the database.
pub fn call_type_name(call_type: CallType) -> &'static str {
    match call_type {
        CallType::Step => "step",
        CallType::ToCallback => "toCallback",
        CallType::FromCallback => "fromCallback",
    }
}

fn parse_call_type(name: &str) -> Result<CallType> {
    [CallType::Step, CallType::ToCallback, CallType::FromCallback]
        .into_iter()
        .find(|call_type| call_type_name(*call_type) == name)
        .ok_or_else(|| Error::new(Code::Storage, format!("the database holds a step of unknown call type '{name}'")))
}

fn owner(run: i64, position: i64) -> String {
    format!("step:{run}:{position}")
}
