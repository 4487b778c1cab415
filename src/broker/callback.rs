//! Telling how a try went: callbacks, failure callbacks, and the answers of `context.call`.

use std::collections::BTreeMap;

use crate::broker::publication::Publication;
use crate::broker::settings::Limits;
use crate::broker::store::message::{CallbackTarget, Message, Role};
use crate::broker::store::run::Run;
use crate::broker::store::{Sql, step};
use crate::broker::{Scope, accept, history};
use crate::error::{Code, Error, Result};
use crate::wire::callback::CallbackBody;
use crate::wire::{Headers, Response, base64, header};

/// Tells a try to the message's callback, if it has one.
pub fn tell<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, answer: &Response) -> Result<()> {
    let Some(target) = &message.callback else { return Ok(()) };
    let body = body(message, answer);
    let callback = build(scope, Role::Callback, target, &body, message, None)?;
    accept::store(scope, &callback)
}

/// Hands the third party's answer to the run's endpoint.
pub fn tell_call<S: Sql>(scope: &mut Scope<'_, S>, message: &Message, run: &Run, answer: &Response) -> Result<()> {
    let Some(target) = &message.callback else {
        return Err(Error::new(Code::Internal, "a context.call was stored without its callback"));
    };
    // The SDK ignores a failure after which retries are left; none follows this answer.
    let body = CallbackBody { max_retries: message.attempt, ..body(message, answer) };
    let result = build(scope, Role::CallResult, target, &body, message, Some(run))?;
    if let Some(position) = message.position {
        history::append_answer(scope, run, position, &result.id, answer.status)?;
    }
    accept::store(scope, &Message { position: message.position, ..result })
}

/// Tells the failure of a message that belongs to no run.
pub fn tell_failure<S: Sql>(
    scope: &mut Scope<'_, S>,
    message: &Message,
    answer: &Response,
    dlq_id: &str,
) -> Result<()> {
    let Some(target) = &message.failure_callback else { return Ok(()) };
    let body = CallbackBody { dlq_id: Some(dlq_id.to_owned()), ..body(message, answer) };
    let callback = build(scope, Role::FailureCallback, target, &body, message, None)?;
    accept::store(scope, &callback)
}

/// Tells the failure of a run; returns the id of the message that does.
pub fn tell_run_failure<S: Sql>(
    scope: &mut Scope<'_, S>,
    message: &Message,
    run: &Run,
    answer: &Response,
    dlq_id: &str,
) -> Result<Option<String>> {
    let Some(target) = message.failure_callback.as_ref().or(run.config.failure_callback.as_ref()) else {
        return Ok(None);
    };
    let payload = step::find(scope.sql, run.key, 0)?.map(|entry| entry.body).unwrap_or_default();
    let body = CallbackBody {
        // The failure function gets the payload of the run, not the body of one invocation.
        source_body: base64::encode(payload),
        url: run.url.clone(),
        dlq_id: Some(dlq_id.to_owned()),
        workflow_run_id: Some(run.id.clone()),
        workflow_created_at: Some(run.created_at.millis()),
        ..body(message, answer)
    };
    let callback = build(scope, Role::FailureCallback, target, &body, message, Some(run))?;
    accept::store(scope, &callback)?;
    Ok(Some(callback.id))
}

fn body(message: &Message, answer: &Response) -> CallbackBody {
    CallbackBody {
        status: answer.status,
        header: map(&answer.headers),
        body: base64::encode(&answer.body),
        retried: message.attempt,
        max_retries: message.max_retries,
        source_message_id: message.id.clone(),
        url: message.url.clone(),
        method: message.method.as_str().to_owned(),
        source_header: map(&message.headers),
        source_body: base64::encode(&message.body),
        not_before: message.not_before.millis().to_string(),
        created_at: message.created_at.millis().to_string(),
        caller_ip: message.caller_ip.clone(),
        topic_name: message.source.url_group.clone(),
        endpoint_name: message.source.endpoint.clone(),
        schedule_id: message.source.schedule.clone(),
        dlq_id: None,
        workflow_run_id: None,
        workflow_created_at: None,
    }
}

/// A callback is a message like any other; its publish headers are those with the callback's prefix.
fn build<S: Sql>(
    scope: &mut Scope<'_, S>,
    role: Role,
    target: &CallbackTarget,
    body: &CallbackBody,
    source: &Message,
    run: Option<&Run>,
) -> Result<Message> {
    let body = serde_json::to_vec(body)
        .map_err(|_| Error::new(Code::Internal, "a callback's body can't be written as JSON"))?;
    // Checked when the source was accepted; the limits may have changed since, the promise has not.
    let mut publication = Publication::read(&target.url, &target.headers, body, &Limits::NONE, scope.at)?;
    for (name, value) in publication.workflow.iter().filter(|(name, _)| !accept::is_only_for_history(name)) {
        if !publication.headers.contains(name) {
            publication.headers.append(name, value);
        }
    }
    // Targets that an older build took may name one.
    publication.queue = None;
    publication.label = publication.label.or_else(|| source.label.clone());
    if !publication.headers.contains(header::CONTENT_TYPE) {
        publication.headers.append(header::CONTENT_TYPE, "application/json");
    }
    let callback = accept::message(scope, role, publication, run, source.caller_ip.as_deref())?;
    if role == Role::CallResult {
        return Ok(callback);
    }
    // The next message of a queue waits for the callbacks of this one.
    let (queue, slot) = (source.queue.clone(), source.slot.clone());
    // Its body holds that of the source.
    let redaction = callback.redaction.or_else(|| source.redaction.clone());
    Ok(Message { queue, slot, source: source.source.clone(), redaction, ..callback })
}

/// Headers as QStash writes them in JSON: each name, spelt `Content-Type`, with the list of its values. A workflow
/// looks for them under these names, whatever the HTTP version made of the names on the way.
pub fn map(headers: &Headers) -> BTreeMap<String, Vec<String>> {
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers.iter() {
        map.entry(canonical(name)).or_default().push(value.to_owned());
    }
    map
}

/// The first letter and those after a hyphen are large, the others small.
fn canonical(name: &str) -> String {
    let mut starts = true;
    name.chars()
        .map(|letter| {
            let spelt = if starts { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            starts = letter == '-';
            spelt
        })
        .collect()
}
