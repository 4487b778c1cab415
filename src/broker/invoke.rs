//! `context.invoke`: a run starts another one and waits for its end.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::broker::accept::{self, Accepted};
use crate::broker::history::{self, Finding, Pending};
use crate::broker::publication::{Publication, json_headers};
use crate::broker::store::message::CallbackTarget;
use crate::broker::store::run::{self, Invoker, Run, State};
use crate::broker::store::{Sql, invocation, step};
use crate::broker::{Scope, refused_step};
use crate::error::{Code, Error, Result};
use crate::wire::{Step, StepType, header};

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
        let invoker = Invoker {
            workflow_run_id: parent.id.clone(),
            workflow_url: parent.url.clone(),
            workflow_run_created_at: parent.created_at.millis(),
        };
        run::set_invoker(scope.sql, child.key, &invoker)?;
    }
    if child.is_active() {
        invocation::insert(scope.sql, parent.key, child.key, &pending)?;
    } else {
        // A run with the id that was asked for has just ended: its result is the result.
        settle(scope, &parent, &pending, child.state, &child.result)?;
    }
    Ok(accepted)
}

fn pending<S: Sql>(
    scope: &Scope<'_, S>,
    envelope: &Envelope,
    publication: &Publication,
    id: &str,
    parent: &Run,
) -> Result<Pending> {
    accept::check_step(&envelope.step)?;
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
