//! Adding to a run's history: what its function submits, and the results that the broker finds for it.

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::broker::publication::Publication;
use crate::broker::settings::Limits;
use crate::broker::store::message::{CallbackTarget, Message, Role};
use crate::broker::store::run::Run;
use crate::broker::store::step::{self, Entry};
use crate::broker::store::{Sql, Value};
use crate::broker::{Scope, accept};
use crate::error::{Code, Error, Result};
use crate::wire::{CallType, Step, Timestamp};

/// Whether an entry belongs to a parallel group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// It stands alone.
    None,
    /// It announces a branch.
    Plan,
    /// It is what became of a branch.
    Member,
}

impl Group {
    /// The group of an entry that is no plan.
    pub fn of_result(concurrent: u32) -> Self {
        if concurrent > 1 { Group::Member } else { Group::None }
    }
}

/// What a run's function submits.
pub struct Submitted<'a> {
    /// The message that carries it.
    pub message_id: &'a str,
    /// What it is.
    pub call_type: CallType,
    /// Whether it belongs to a parallel group.
    pub group: Group,
    /// The id that counts for ordering.
    pub place: u32,
    /// The size of its group.
    pub concurrent: u32,
    /// The step's name.
    pub name: String,
    /// The step's type.
    pub step_type: String,
    /// The bytes that endpoints get; what the log tells of a call, a wait or an invocation.
    pub body: Vec<u8>,
    /// The message whose delivery submits it, where the SDK says so.
    pub cause: Option<&'a str>,
}

/// Appends to the run's history; returns the position.
///
/// [`Code::PayloadTooLarge`] if the run has reached the limit of entries.
pub fn append<S: Sql>(scope: &mut Scope<'_, S>, run: &Run, submitted: Submitted<'_>) -> Result<i64> {
    let position = step::next_position(scope.sql, run.key)?;
    if usize::try_from(position).unwrap_or(usize::MAX) >= scope.settings.limits.history_entries {
        return Err(Error::new(
            Code::PayloadTooLarge,
            format!("the run '{}' has reached the limit of {position} entries in its history", run.id),
        ));
    }
    let plan = plan(scope, run, &submitted)?;
    let invocation = invocation(scope, run.key, plan.as_ref().map(|(_, message)| message.as_str()))?;
    insert(scope, run, position, plan.map(|(group_end, _)| group_end), invocation, submitted)
}

/// A step whose result comes from outside of the run's function: an event, or the end of another run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The step, without its result.
    pub step: Step,
    /// Where its result is delivered.
    pub target: CallbackTarget,
    /// When the run's function asked for it.
    pub since: Timestamp,
}

impl Pending {
    /// The entry that tells what the run waits for.
    pub fn submitted<'a>(
        &self,
        message_id: &'a str,
        details: &serde_json::Value,
        cause: Option<&'a str>,
    ) -> Submitted<'a> {
        Submitted {
            message_id,
            call_type: CallType::ToCallback,
            group: Group::of_result(self.step.concurrent),
            place: self.step.place(),
            concurrent: self.step.concurrent,
            name: self.step.step_name.clone(),
            step_type: self.step.step_type.as_str().to_owned(),
            body: details.to_string().into_bytes(),
            cause,
        }
    }
}

/// What became of a pending step.
pub enum Finding<'a> {
    /// Its result.
    Out(&'a str),
    /// The time for it is over.
    TimedOut,
}

/// Appends the result of a pending step and stores the message that delivers it; returns the message's id.
///
/// It never fails for a limit: what was promised when the step was accepted is kept.
pub fn settle<S: Sql>(scope: &mut Scope<'_, S>, run: &Run, pending: &Pending, finding: &Finding<'_>) -> Result<String> {
    let unwritable = |_| Error::new(Code::Internal, "a step's result can't be written as JSON");
    let place = pending.step.place();
    let out = match finding {
        Finding::Out(out) => {
            let json = serde_json::to_string(out).map_err(unwritable)?;
            Some(RawValue::from_string(json).map_err(unwritable)?)
        }
        Finding::TimedOut => None,
    };
    let wait_timeout = matches!(finding, Finding::TimedOut).then_some(true);
    let step = Step { step_id: place, target_step: None, out, wait_timeout, ..pending.step.clone() };
    let target = &pending.target;
    let publication = Publication::read(&target.url, &target.headers, Vec::new(), &Limits::NONE, scope.at)?;
    // A target that an older build took may name a queue.
    let publication = Publication { content_type: None, queue: None, ..publication };
    let message = accept::message(scope, Role::Step, publication, Some(run), None)?;
    let submitted = Submitted {
        message_id: &message.id,
        call_type: CallType::Step,
        group: Group::of_result(step.concurrent),
        place,
        concurrent: step.concurrent,
        name: step.step_name.clone(),
        step_type: step.step_type.as_str().to_owned(),
        body: serde_json::to_vec(&step).map_err(unwritable)?,
        cause: None,
    };
    let position = step::next_position(scope.sql, run.key)?;
    let group_end = plan(scope, run, &submitted)?.map(|(group_end, _)| group_end);
    insert(scope, run, position, group_end, Some((pending.since, 1)), submitted)?;
    let message = Message { position: Some(position), ..message };
    accept::store(scope, &message)?;
    Ok(message.id)
}

/// Notes that a third party has answered the call at `position`, and which message tells it.
pub fn append_answer<S: Sql>(
    scope: &mut Scope<'_, S>,
    run: &Run,
    position: i64,
    message_id: &str,
    status: u16,
) -> Result<()> {
    let Some(call) = step::find(scope.sql, run.key, position)? else { return Ok(()) };
    let position = step::next_position(scope.sql, run.key)?;
    let body = json!({ "callResponseStatus": status }).to_string().into_bytes();
    let (message_id, created_at) = (message_id.to_owned(), scope.at);
    step::append(
        scope.sql,
        &Entry { position, message_id, call_type: CallType::FromCallback, body, created_at, ..call },
    )
}

/// The plan that announced an entry: the last place of its group, and the message that carried it.
fn plan<S: Sql>(scope: &Scope<'_, S>, run: &Run, submitted: &Submitted<'_>) -> Result<Option<(u32, String)>> {
    if submitted.group == Group::Member { step::plan_of(scope.sql, run.key, submitted.place) } else { Ok(None) }
}

fn insert<S: Sql>(
    scope: &Scope<'_, S>,
    run: &Run,
    position: i64,
    group_end: Option<u32>,
    invocation: Option<(Timestamp, u32)>,
    submitted: Submitted<'_>,
) -> Result<i64> {
    let place = submitted.place;
    let group_end = match group_end {
        None if submitted.group == Group::Plan => {
            plan_group_end(scope, run.key, position, place, submitted.concurrent)?
        }
        known => known.unwrap_or(place),
    };
    step::append(
        scope.sql,
        &Entry {
            run: run.key,
            position,
            message_id: submitted.message_id.to_owned(),
            call_type: submitted.call_type,
            is_plan: submitted.group == Group::Plan,
            place,
            group_end,
            concurrent: submitted.concurrent,
            name: submitted.name,
            step_type: submitted.step_type,
            body: submitted.body,
            created_at: scope.at,
            started_at: invocation.map(|(started_at, _)| started_at),
            attempts: invocation.map(|(_, attempts)| attempts),
            cause: submitted.cause.map(str::to_owned),
        },
    )?;
    Ok(position)
}

/// The last place of a plan's group. The plans of a group are submitted together and in order.
fn plan_group_end<S: Sql>(scope: &Scope<'_, S>, run: i64, position: i64, place: u32, concurrent: u32) -> Result<u32> {
    let before = step::find(scope.sql, run, position - 1)?;
    Ok(match before {
        Some(before) if before.is_plan && before.place.checked_add(1) == Some(place) && before.group_end >= place => {
            before.group_end
        }
        _ => place.saturating_add(concurrent - 1),
    })
}

/// When the invocation began that is submitting a step now, and which try it is: that of the step's plan,
/// or the one that is furthest in the history.
fn invocation<S: Sql>(scope: &Scope<'_, S>, run: i64, plan: Option<&str>) -> Result<Option<(Timestamp, u32)>> {
    let rows = scope.sql.query(
        "SELECT leased_at, attempt FROM messages WHERE run = ? AND lease IS NOT NULL AND role <> 'call'
         ORDER BY id = ? DESC, position DESC LIMIT 1",
        &[Value::from(run), Value::from(plan.unwrap_or_default())],
    )?;
    rows.first().map(|row| Ok((row.timestamp(0)?, row.count(1)?.saturating_add(1)))).transpose()
}
