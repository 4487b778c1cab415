//! `context.invoke`: a run starts another one and waits for its end.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::broker::accept::{self, Accepted};
use crate::broker::history::{self, Finding, Pending};
use crate::broker::publication::{Publication, json_headers};
use crate::broker::shard::place::Name;
use crate::broker::shard::relay::{self, Relay};
use crate::broker::store::message::CallbackTarget;
use crate::broker::store::run::{self, Invoker, Run, State};
use crate::broker::store::watcher::{self, Watcher};
use crate::broker::store::{Sql, invocation, step};
use crate::broker::{Scope, refused_step};
use crate::error::{Code, Error, Result};
use crate::wire::{Step, StepType, base64, header};

/// So deep runs may invoke runs (`workflow/features/invoke.mdx`).
const MAX_DEPTH: u32 = 100;

/// What a run sends to start another one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    /// The payload of the new run.
    #[serde(default)]
    body: Option<String>,
    /// The publish headers of the step's result.
    #[serde(default)]
    headers: Map<String, Value>,
    /// The run that invokes.
    workflow_run_id: String,
    /// Its endpoint.
    workflow_url: String,
    /// The step that waits for the end.
    step: Step,
}

/// Starts the run `id` for another run; must run inside a transaction. The same step again: nothing.
///
/// [`Code::RunEnded`] if the other run has ended, [`Code::StepRefused`] if the invocation can't be accepted.
pub fn accept<S: Sql>(
    scope: &mut Scope<'_, S>,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
) -> Result<Accepted> {
    let envelope: Envelope = serde_json::from_slice(&publication.body).map_err(|error| {
        Error::new(Code::InvalidRequest, format!("the body is not the envelope of an invocation: {error}"))
    })?;
    let parent = accept::active_run(scope, &envelope.workflow_run_id)?;
    let pending = pending(scope, &envelope, &publication, id, &parent).map_err(refused_step)?;
    if let Some(earlier) = step::pending_at(scope.sql, parent.key, pending.step.place())? {
        return Ok(Accepted { message_id: earlier.message_id, deduplicated: true, run: None });
    }
    let cause = accept::cause(&publication);
    let (url, body) = (publication.url.clone(), envelope.body.unwrap_or_default().into_bytes());
    let home = scope.shard.home(Name::Run(id));
    if home != scope.shard.index() {
        return accept_elsewhere(scope, home, id, Publication { body, ..publication }, caller_ip, &parent, &pending);
    }
    let accepted = accept::accept_start(scope, id, Publication { body, ..publication }, caller_ip)?;
    let child = run::find_by_id(scope.sql, id)?
        .ok_or_else(|| Error::new(Code::Internal, "a run that was just started is not there"))?;
    let details = json!({
        "invokedWorkflowRunId": child.id,
        "invokedWorkflowUrl": url,
        "invokedWorkflowCreatedAt": child.created_at.millis(),
    });
    let submitted = pending.submitted(&accepted.message_id, &details, cause.as_deref());
    history::append(scope, &parent, submitted)?;
    if !accepted.deduplicated {
        run::set_invoker(scope.sql, child.key, &invoker(&parent))?;
    }
    if child.is_active() {
        invocation::insert(scope.sql, parent.key, child.key, &pending)?;
    } else {
        // A run with the id that was asked for has just ended: its result is the result.
        settle(scope, &parent, &pending, child.state, &child.result)?;
    }
    Ok(accepted)
}

fn invoker(parent: &Run) -> Invoker {
    Invoker {
        workflow_run_id: parent.id.clone(),
        workflow_url: parent.url.clone(),
        workflow_run_created_at: parent.created_at.millis(),
    }
}

/// Accepts the invocation of a run that has its place on the shard `home`, which is told.
fn accept_elsewhere<S: Sql>(
    scope: &mut Scope<'_, S>,
    home: u32,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
    parent: &Run,
    pending: &Pending,
) -> Result<Accepted> {
    let message_id = scope.shard.with_index(home).message_id(scope.entropy);
    let details = json!({
        "invokedWorkflowRunId": id,
        "invokedWorkflowUrl": publication.url,
        "invokedWorkflowCreatedAt": scope.at.millis(),
    });
    let cause = accept::cause(&publication);
    history::append(scope, parent, pending.submitted(&message_id, &details, cause.as_deref()))?;
    invocation::insert_remote(scope.sql, parent.key, id, pending)?;
    let start = Relay::Start {
        id: id.to_owned(),
        body: base64::encode(&publication.body),
        publication: Box::new(Publication { id: Some(message_id.clone()), body: Vec::new(), ..publication }),
        caller_ip: caller_ip.map(str::to_owned),
        invoker: invoker(parent),
        watcher: Watcher { shard: scope.shard.index(), parent: parent.key, place: pending.step.place() },
    };
    relay::push(scope.sql, home, &start)?;
    Ok(Accepted { message_id, deduplicated: false, run: Some((id.to_owned(), scope.at)) })
}

/// Starts a run for a run of another shard, which waits for its end.
pub fn start_for<S: Sql>(
    scope: &mut Scope<'_, S>,
    id: &str,
    publication: Publication,
    caller_ip: Option<&str>,
    invoker: &Invoker,
    watcher: Watcher,
) -> Result<()> {
    let accepted = accept::accept_start(scope, id, publication, caller_ip)?;
    if !accepted.deduplicated
        && let Some(child) = run::find_by_id(scope.sql, id)?
    {
        run::set_invoker(scope.sql, child.key, invoker)?;
    }
    watch(scope, id, watcher)
}

/// Lets a run of another shard wait for the end of a run, which may have come already.
pub fn watch<S: Sql>(scope: &mut Scope<'_, S>, id: &str, watcher: Watcher) -> Result<()> {
    match run::find_by_id(scope.sql, id)? {
        Some(child) if child.is_active() => watcher::insert(scope.sql, child.key, watcher),
        Some(child) => tell_watcher(scope, watcher, child.state, &child.result),
        // It ended so long ago that it is forgotten.
        None => tell_watcher(scope, watcher, State::Failed, &[]),
    }
}

/// Tells a run of another shard that the run it waits for could not be started: it counts as failed.
pub fn tell_refusal<S: Sql>(scope: &mut Scope<'_, S>, watcher: Watcher, error: &Error) -> Result<()> {
    tell_watcher(scope, watcher, State::Failed, error.message().as_bytes())
}

fn tell_watcher<S: Sql>(scope: &Scope<'_, S>, watcher: Watcher, end: State, result: &[u8]) -> Result<()> {
    let (parent, place) = (watcher.parent, watcher.place);
    let told = Relay::End { parent, place, end: end.as_str().to_owned(), result: base64::encode(result) };
    relay::push(scope.sql, watcher.shard, &told)
}

/// Hears that a run of another shard has ended. If the step does not wait for that any more: nothing.
pub fn hear_end<S: Sql>(scope: &mut Scope<'_, S>, parent: i64, place: u32, end: &str, result: &[u8]) -> Result<()> {
    let end = State::parse(end).ok_or_else(|| Error::new(Code::Internal, "a run ended in an unknown way"))?;
    let waiting = invocation::of_parent(scope.sql, parent)?
        .into_iter()
        .find(|waiting| waiting.child_id.is_some() && waiting.pending.step.place() == place);
    let Some(waiting) = waiting else { return Ok(()) };
    invocation::remove(scope.sql, waiting.key)?;
    match run::find(scope.sql, parent)?.filter(Run::is_active) {
        Some(parent) => settle(scope, &parent, &waiting.pending, end, result),
        None => Ok(()),
    }
}

fn pending<S: Sql>(
    scope: &Scope<'_, S>,
    envelope: &Envelope,
    publication: &Publication,
    id: &str,
    parent: &Run,
) -> Result<Pending> {
    accept::check_pending(&envelope.step)?;
    if envelope.step.step_type != StepType::Invoke {
        return Err(Error::new(Code::InvalidRequest, "the step of an invocation must have the stepType Invoke"));
    }
    let depth = publication.headers.get(header::WORKFLOW_INVOKE_COUNT).unwrap_or("0");
    if !depth.trim().parse().is_ok_and(|depth: u32| depth <= MAX_DEPTH) {
        return Err(Error::new(
            Code::StepRefused,
            format!("runs may invoke runs {MAX_DEPTH} deep; the run '{}' would go deeper", parent.id),
        ));
    }
    if id == parent.id {
        return Err(Error::new(Code::StepRefused, format!("the run '{id}' invokes itself; it would wait forever")));
    }
    let headers = json_headers(&envelope.headers)?;
    let read = Publication::read(&envelope.workflow_url, &headers, Vec::new(), &scope.settings.limits, scope.at)?;
    accept::check_unqueued(publication)?;
    accept::check_unqueued(&read)?;
    let target = CallbackTarget { url: read.url, headers };
    Ok(Pending { step: envelope.step.clone(), target, since: scope.at })
}

/// Gives the end of a run to the steps that wait for it.
pub fn tell_end<S: Sql>(scope: &mut Scope<'_, S>, child: &Run, end: State, result: &[u8]) -> Result<()> {
    tell(scope, child.key, end, result)
}

/// Tells that a run has ended so long ago that its result is forgotten: it counts as failed.
pub fn tell_forgotten<S: Sql>(scope: &mut Scope<'_, S>, child: i64) -> Result<()> {
    tell(scope, child, State::Failed, &[])
}

fn tell<S: Sql>(scope: &mut Scope<'_, S>, child: i64, end: State, result: &[u8]) -> Result<()> {
    for waiting in invocation::of_child(scope.sql, child)? {
        invocation::remove(scope.sql, waiting.key)?;
        if let Some(parent) = run::find(scope.sql, waiting.parent)?.filter(Run::is_active) {
            settle(scope, &parent, &waiting.pending, end, result)?;
        }
    }
    for watcher in watcher::take(scope.sql, child)? {
        tell_watcher(scope, watcher, end, result)?;
    }
    Ok(())
}

fn settle<S: Sql>(scope: &mut Scope<'_, S>, parent: &Run, pending: &Pending, end: State, result: &[u8]) -> Result<()> {
    let mut out = json!({ "isFailed": end == State::Failed, "isCanceled": end == State::Canceled });
    if !result.is_empty() {
        out["body"] = json!(String::from_utf8_lossy(result));
    }
    history::settle(scope, parent, pending, &Finding::Out(&out.to_string()))?;
    Ok(())
}
