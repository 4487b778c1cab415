//! What follows from the outcome of a delivery.

use std::time::Duration;

use crate::broker::delivery::{LeaseId, is_continued};
use crate::broker::publication::Publication;
use crate::broker::store::event::{self, Detail, State};
use crate::broker::store::message::{self, Message, Role};
use crate::broker::store::run::{self, FailureState, Run};
use crate::broker::store::{Sql, dead_letter, logged};
use crate::broker::{Scope, accept, backoff, callback, run as runs};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Response, header};

/// How a delivery went.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The destination answered, whatever the status.
    Answered(Response),
    /// There was no answer: no connection, or it broke.
    Unreachable {
        /// What the host knows about the reason.
        error: String,
    },
    /// There was no answer within the delivery's timeout.
    TimedOut,
    /// The host did not send it, and would not the next time: the destination's name leads to an address that
    /// [`Broker::check_address`](super::Broker::check_address) refuses.
    Refused {
        /// Why, as the refusal says it.
        error: String,
    },
}

/// The status that says: don't try again (with the header [`header::NON_RETRYABLE_ERROR`]).
const NON_RETRYABLE: u16 = 489;

/// What a run fails with when its endpoint is not a workflow; the text is QStash's.
const NOT_A_WORKFLOW: &str = "detected a non-workflow destination for trigger/invoke. make sure you are sending the request to the correct endpoint";

/// What a run that was triggered by REST fails with when its SDK does not know how to go on; the text is QStash's.
const OLD_SDK: &str = "trigger rest api is only usable with sdk versions after v1.0.0 major version";

/// A try that is over: the answer, cut to what is kept, what went wrong, and how long it took, if its host has told.
struct Try {
    answer: Response,
    error: Option<String>,
    retryable: bool,
    took: Option<Duration>,
}

impl Try {
    fn unanswered(error: String, retryable: bool) -> Self {
        Self { answer: Response::new(0).body(error.as_str()), error: Some(error), retryable, took: None }
    }
}

/// Counts a try without an answer of which no host will tell: it was not sent, or nobody is left who could tell.
pub fn fail_unanswered<S: Sql>(
    scope: &mut Scope<'_, S>,
    message: &Message,
    run: Option<&Run>,
    error: &str,
    retryable: bool,
) -> Result<()> {
    fail(scope, message, run, &Try::unanswered(error.to_owned(), retryable), error)
}

/// Gives a message up that can't be handled, by a defect of ours or of what is stored. Nobody is called back: that may be
/// what fails.
pub fn set_aside<S: Sql>(scope: &mut Scope<'_, S>, id: &str, error: &Error) -> Result<()> {
    scope.transaction(|scope| {
        let Some(message) = message::find(scope.sql, id)? else { return Ok(()) };
        let run = message.run.map(|key| run::find(scope.sql, key)).transpose()?.flatten().filter(Run::is_active);
        let text = format!("the broker can't handle the message: {error}");
        let answer = Response::new(0).body(text.as_str());
        log(scope, State::Failed, &message, &answer, Some(&text), None)?;
        message::remove(scope.sql, &message)?;
        note_failure_told(scope, &message, FailureState::Failed)?;
        match run.filter(|_| message.role.ends_with_run()) {
            Some(run) => runs::fail(scope, &run, &message, &answer, &text, false),
            None => dead_letter::insert(scope.sql, scope.at, &message, None, &text, &answer).map(drop),
        }
    })
}

/// Gives a message up that another shard has accepted for this one, which can't take it; must run inside a transaction.
pub fn turn_away<S: Sql>(
    scope: &mut Scope<'_, S>,
    publication: Publication,
    caller_ip: Option<&str>,
    error: &Error,
) -> Result<()> {
    let queue = publication.queue.clone();
    let flow_key = publication.flow_control.as_ref().map(|(key, _)| key.clone());
    let known = Publication { queue: None, flow_control: None, ..publication };
    let message = accept::message(scope, Role::Plain, known, None, caller_ip)?;
    let message = Message { queue, flow_key, ..message };
    let text = format!("the shard where the message has its place can't take it: {error}");
    let answer = Response::new(0).body(text.as_str());
    logged::insert(scope.sql, &message)?;
    event::insert(scope.sql, scope.at, State::Created, &message, &Detail::default())?;
    log(scope, State::Failed, &message, &answer, Some(&text), None)?;
    dead_letter::insert(scope.sql, scope.at, &message, None, &text, &answer).map(drop)
}

/// Takes the outcome of a delivery. A message that can't be handled is set aside.
pub fn handle<S: Sql>(scope: &mut Scope<'_, S>, lease: &LeaseId, outcome: Outcome) -> Result<()> {
    let mut looking_at = None;
    match (take(scope, lease, outcome, &mut looking_at), looking_at) {
        (Err(error), Some(id)) if error.code() != Code::Storage => set_aside(scope, &id, &error),
        (taken, _) => taken,
    }
}

fn take<S: Sql>(
    scope: &mut Scope<'_, S>,
    lease: &LeaseId,
    outcome: Outcome,
    looking_at: &mut Option<String>,
) -> Result<()> {
    scope.transaction(|scope| {
        let Some(message) = message::find_by_lease(scope.sql, lease.as_str())? else { return Ok(()) };
        *looking_at = Some(message.id.clone());
        let run = message.run.map(|key| run::find(scope.sql, key)).transpose()?.flatten();
        let ended = message.role.ends_with_run() && !run.as_ref().is_some_and(Run::is_active);
        let run = run.filter(Run::is_active);
        let mut done = judge(&message, outcome, scope.settings.response_bytes);
        done.took = message.leased_at.map(|leased_at| scope.at - leased_at);
        // A newer SDK would have told its headers before it answered.
        let is_old = run.as_ref().is_some_and(|run| run.config.unknown_sdk) && message.role == Role::Start;
        if is_old && done.error.is_none() {
            done = Try { error: Some(OLD_SDK.to_owned()), retryable: false, ..done };
        }
        match &done.error {
            None => succeed(scope, &message, run.as_ref(), &done),
            Some(error) if ended => {
                log(scope, State::Error, &message, &done.answer, Some(error), done.took)?;
                log(scope, State::Cancelled, &message, &done.answer, Some("the run has ended"), None)?;
                message::remove(scope.sql, &message)
            }
            Some(error) => fail(scope, &message, run.as_ref(), &done, error),
        }
    })
}

fn judge(message: &Message, outcome: Outcome, response_bytes: usize) -> Try {
    let unanswered = |error: String| Try::unanswered(error, true);
    let mut answer = match outcome {
        Outcome::Unreachable { error } => {
            return unanswered(format!("the destination can't be reached: {}", shown(&error)));
        }
        Outcome::Refused { error } => return Try::unanswered(error, false),
        Outcome::TimedOut => {
            return unanswered(format!("the destination did not answer within {} s", message.timeout.as_secs_f64()));
        }
        Outcome::Answered(answer) => answer,
    };
    answer.body.truncate(response_bytes);
    if !answer.is_success() {
        let final_ = answer.status == NON_RETRYABLE
            && answer.headers.get(header::NON_RETRYABLE_ERROR).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let error = format!("the destination answered {}", answer.status);
        return Try { answer, error: Some(error), retryable: !final_, took: None };
    }
    if message.role.is_invocation() && !answer.headers.contains(header::WORKFLOW_SDK_VERSION) {
        return Try { answer, error: Some(NOT_A_WORKFLOW.to_owned()), retryable: false, took: None };
    }
    Try { answer, error: None, retryable: true, took: None }
}

fn succeed<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, run: Option<&Run>, done: &Try) -> Result<()> {
    let answer = &done.answer;
    log(scope, State::Delivered, message, answer, None, done.took)?;
    message::remove(scope.sql, message)?;
    note_failure_told(scope, message, FailureState::Success)?;
    match (message.role, run) {
        (Role::Call, Some(run)) => callback::tell_call(scope, message, run, answer),
        (Role::Call, None) => Ok(()),
        _ => callback::tell(scope, message, answer),
    }
}

fn fail<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, run: Option<&Run>, done: &Try, error: &str) -> Result<()> {
    log(scope, State::Error, message, &done.answer, Some(error), done.took)?;
    if let Some(run) = run
        && is_continued(scope, message, run)?
    {
        let why = "its answer is an error, but what it had to submit has been accepted";
        log(scope, State::Delivered, message, &done.answer, Some(why), None)?;
        return message::remove(scope.sql, message);
    }
    if done.retryable && message.attempt < message.max_retries {
        retry(scope, message, done)
    } else {
        give_up(scope, message, run, done, error)
    }
}

fn retry<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, done: &Try) -> Result<()> {
    let delay = backoff::delay(message.attempt, message.retry_delay.as_deref(), &done.answer.headers, scope.at);
    let next = scope.at + delay;
    message::reschedule(scope.sql, message, message.attempt + 1, next)?;
    let detail = Detail { next_delivery: Some(next), status: status(&done.answer), ..Detail::default() };
    event::insert(scope.sql, scope.at, State::Retry, message, &detail)?;
    if message.role == Role::Call { Ok(()) } else { callback::tell(scope, message, &done.answer) }
}

fn give_up<S: Sql>(
    scope: &mut Scope<'_, S>,
    message: &Message,
    run: Option<&Run>,
    done: &Try,
    error: &str,
) -> Result<()> {
    log(scope, State::Failed, message, &done.answer, Some(error), None)?;
    message::remove(scope.sql, message)?;
    note_failure_told(scope, message, FailureState::Failed)?;
    match (message.role, run) {
        // The workflow gets the third party's failure as the call's result and decides for itself.
        (Role::Call, Some(run)) => callback::tell_call(scope, message, run, &done.answer),
        (role, Some(run)) if role.is_invocation() => {
            let told = match error {
                NOT_A_WORKFLOW | OLD_SDK => explained(&done.answer, error),
                _ => done.answer.clone(),
            };
            runs::fail(scope, run, message, &told, error, true)
        }
        _ => {
            let dlq_id = dead_letter::insert(scope.sql, scope.at, message, run, error, &done.answer)?;
            callback::tell(scope, message, &done.answer)?;
            callback::tell_failure(scope, message, &done.answer, &dlq_id)
        }
    }
}

/// The run remembers whether its failure was told.
fn note_failure_told<S: Sql>(scope: &Scope<'_, S>, message: &Message, state: FailureState) -> Result<()> {
    match message.run.filter(|_| message.role == Role::FailureCallback) {
        Some(run) => run::set_failure_state(scope.sql, run, state),
        None => Ok(()),
    }
}

/// The answer of a destination that does not serve the workflow, in the form that a failure function understands.
fn explained(answer: &Response, error: &str) -> Response {
    let body = serde_json::json!({ "error": "Error", "message": error });
    Response { headers: answer.headers.clone(), ..Response::json(answer.status, &body) }
}

fn log<S: Sql>(
    scope: &Scope<'_, S>,
    state: State,
    message: &Message,
    answer: &Response,
    error: Option<&str>,
    took: Option<Duration>,
) -> Result<()> {
    // What an invocation answers when all is well is boilerplate.
    let kept = state != State::Cancelled && !(state == State::Delivered && message.role.is_invocation());
    let detail = Detail {
        status: status(answer),
        error,
        took,
        next_delivery: None,
        response_headers: (kept && state != State::Failed && answer.status != 0).then_some(&answer.headers),
        response_body: (kept && state != State::Failed && answer.status != 0).then_some(answer.body.as_slice()),
    };
    event::insert(scope.sql, scope.at, state, message, &detail)
}

fn status(answer: &Response) -> Option<u16> {
    (answer.status != 0).then_some(answer.status)
}
