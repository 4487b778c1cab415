//! Events: waiting for them, bringing them, keeping those that come too early.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::broker::accept::{self, Part, is_step};
use crate::broker::history::{self, Finding, Pending};
use crate::broker::publication::{MOST_ID_BYTES, Publication, json_headers};
use crate::broker::store::message::CallbackTarget;
use crate::broker::store::run::{self, Run};
use crate::broker::store::waiter::{self, Waiter};
use crate::broker::store::{Sql, kept_event, step, webhook};
use crate::broker::{Scope, invalid_header, refused_step, run as runs};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Step, StepType, base64, header, parse_duration};

/// How long a step waits that does not say it.
const DEFAULT_TIMEOUT: Duration = Duration::from_hours(7 * 24);
/// A wait that can't be ended is looked at again after this.
const PUT_OFF: Duration = Duration::from_hours(1);
/// So many waits end in one transaction at most.
const TIMEOUTS: usize = 500;

/// What a run sends to wait for an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WaitRequest {
    /// The run's endpoint.
    url: String,
    /// A duration, or a number of seconds.
    #[serde(default)]
    timeout: Option<Value>,
    /// Where the end of the wait without an event is delivered; `url` if absent.
    #[serde(default)]
    timeout_url: Option<String>,
    /// Not to be had here: the delivery carries the run's history.
    #[serde(default)]
    timeout_body: Option<Value>,
    /// The publish headers of that delivery; those of the request if absent.
    #[serde(default)]
    timeout_headers: Option<Map<String, Value>>,
    /// The step that waits.
    step: Step,
}

/// Lets a step of a run wait for an event; must run inside a transaction. An event that was kept for it is its result
/// at once. The same step again: nothing. Returns the id of the entry in the run's history.
///
/// [`Code::RunEnded`] if the run has ended, [`Code::StepRefused`] if the wait can't be accepted.
pub fn wait<S: Sql>(scope: &mut Scope<'_, S>, event_id: &str, headers: &Headers, body: &[u8]) -> Result<String> {
    let request: WaitRequest = serde_json::from_slice(body)
        .map_err(|error| Error::new(Code::InvalidRequest, format!("the body is not a request to wait: {error}")))?;
    check_event_id(event_id).map_err(refused_step)?;
    if !is_step(headers) {
        return Err(invalid_header(header::WORKFLOW_RUN_ID, "the headers of a step: only runs can wait for events"));
    }
    let publication = Publication::read(&request.url, headers, Vec::new(), &scope.settings.limits, scope.at);
    let publication = publication.map_err(refused_step)?;
    accept::check_unqueued(&publication).map_err(refused_step)?;
    let Part::Step(id) = Part::of(&publication).map_err(refused_step)? else {
        return Err(Error::new(Code::StepRefused, "a request to wait is a step, neither a call nor an invocation"));
    };
    let run = accept::active_run(scope, &id)?;
    let target = CallbackTarget { url: publication.url, headers: publish_headers(headers) };
    let waiter = waiter(scope, event_id, request, target, &run).map_err(refused_step)?;
    let pending = &waiter.pending;
    if let Some(earlier) = step::pending_at(scope.sql, run.key, pending.step.place())? {
        return Ok(earlier.message_id);
    }
    let message_id = scope.message_id();
    let details = json!({
        "waitEventId": event_id,
        "waitTimeoutDuration": format!("{}s", (waiter.deadline - scope.at).as_secs()),
        "waitTimeoutDeadline": waiter.deadline.millis(),
    });
    let submitted = pending.submitted(&message_id, &details, headers.get(header::WORKFLOW_CAUSE));
    history::append(scope, &run, submitted)?;
    match kept_event::take(scope.sql, run.key, event_id, waiter.is_for_webhook(), scope.at)? {
        Some(event) => {
            history::settle(scope, &run, pending, &Finding::Out(&base64::encode(event.data)))?;
        }
        None => waiter::insert(scope.sql, &waiter)?,
    }
    Ok(message_id)
}

fn waiter<S: Sql>(
    scope: &Scope<'_, S>,
    event_id: &str,
    request: WaitRequest,
    target: CallbackTarget,
    run: &Run,
) -> Result<Waiter> {
    let step = request.step;
    accept::check_pending(&step)?;
    if !matches!(step.step_type, StepType::Wait | StepType::WaitForWebhook) {
        return Err(Error::new(
            Code::InvalidRequest,
            "a step that waits must have the stepType Wait or WaitForWebhook",
        ));
    }
    if request.timeout_body.is_some_and(|body| !body.is_null()) {
        return Err(Error::new(
            Code::Unsupported,
            "timeoutBody can't be delivered: when the time is over, the run's endpoint gets the run's history",
        ));
    }
    let timeout = timeout(request.timeout.as_ref(), scope.settings.limits.delay)?;
    let timeout_headers = match &request.timeout_headers {
        Some(map) => publish_headers(&json_headers(map)?),
        None => target.headers.clone(),
    };
    let timeout_url = request.timeout_url.as_deref().unwrap_or(&target.url);
    let read = Publication::read(timeout_url, &timeout_headers, Vec::new(), &scope.settings.limits, scope.at)?;
    accept::check_unqueued(&read)?;
    Ok(Waiter {
        key: 0,
        run: run.key,
        event_id: event_id.to_owned(),
        pending: Pending { step, target, since: scope.at },
        timeout_target: CallbackTarget { url: read.url, headers: timeout_headers },
        deadline: scope.at + timeout,
    })
}

fn timeout(value: Option<&Value>, longest: Duration) -> Result<Duration> {
    let timeout = match value {
        None | Some(Value::Null) => Some(DEFAULT_TIMEOUT),
        Some(Value::String(text)) => parse_duration(text.trim()).ok(),
        Some(value) => value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    timeout.filter(|timeout| *timeout <= longest).ok_or_else(|| {
        Error::new(
            Code::InvalidDuration,
            format!("the timeout of a wait must be a duration such as '30s' or '7d', at most {}s", longest.as_secs()),
        )
    })
}

/// What a later delivery needs of a request's headers; never its token.
fn publish_headers(headers: &Headers) -> Headers {
    headers.with_prefix("Upstash-").map(|(name, value)| (format!("Upstash-{name}"), value)).collect()
}

/// Ends the waits whose time is over; must run inside a transaction.
///
/// `looking_at` tells which one it is if one fails.
pub fn time_out<S: Sql>(scope: &mut Scope<'_, S>, looking_at: &mut Option<i64>) -> Result<()> {
    for waiter in waiter::due(scope.sql, scope.at, TIMEOUTS)? {
        *looking_at = Some(waiter.key);
        waiter::remove(scope.sql, waiter.key)?;
        if let Some(run) = run::find(scope.sql, waiter.run)?.filter(Run::is_active) {
            let pending = Pending { target: waiter.timeout_target, ..waiter.pending };
            history::settle(scope, &run, &pending, &Finding::TimedOut)?;
        }
    }
    *looking_at = None;
    Ok(())
}

/// Looks later again at a wait that can't be ended, by a defect of ours or of what is stored: it must not hold up others.
pub fn put_off<S: Sql>(scope: &mut Scope<'_, S>, key: i64) -> Result<()> {
    scope.transaction(|scope| waiter::put_off(scope.sql, key, scope.at + PUT_OFF))
}

/// What became of an event.
pub struct Notified {
    /// Who waited for it; `None` if it is kept.
    pub waiter: Option<Waiter>,
    /// The message that brings it; `None` if it is kept.
    pub message_id: Option<String>,
    /// The run that gets it.
    pub run: Run,
}

/// [`Code::InvalidRequest`] for an id that is too long.
fn check_event_id(event_id: &str) -> Result<()> {
    if event_id.len() <= MOST_ID_BYTES {
        return Ok(());
    }
    Err(Error::new(Code::InvalidRequest, format!("the id of an event may have {MOST_ID_BYTES} bytes")))
}

/// Brings an event to every step that waits for it; must run inside a transaction.
pub fn notify<S: Sql>(scope: &mut Scope<'_, S>, event_id: &str, data: &[u8]) -> Result<Vec<Notified>> {
    let waiters = fitting(scope, event_id, None, false)?;
    waiters.into_iter().filter_map(|waiter| bring(scope, waiter, data).transpose()).collect()
}

/// Brings an event to a run, or keeps it until the run waits for it; must run inside a transaction.
///
/// [`Code::NotFound`] if no such run goes on (a workflow's SDK would take 400 for the end of the run that notifies),
/// [`Code::PayloadTooLarge`] if too many events are kept for it.
pub fn notify_run<S: Sql>(
    scope: &mut Scope<'_, S>,
    run_id: &str,
    event_id: &str,
    data: &[u8],
) -> Result<Vec<Notified>> {
    check_event_id(event_id)?;
    let run = run::find_by_id(scope.sql, run_id)?.ok_or_else(|| runs::not_found(run_id))?;
    if !run.is_active() {
        return Err(Error::new(
            Code::NotFound,
            format!("the run '{}' can't get an event: it has ended", shown(run_id)),
        ));
    }
    bring_or_keep(scope, run, event_id, data, false)
}

/// Takes the call of a webhook, as the data of its event; must run inside a transaction.
///
/// [`Code::NotFound`] unless a run that goes on has made this webhook.
pub fn call_webhook<S: Sql>(scope: &mut Scope<'_, S>, run_id: &str, event_id: &str, data: &[u8]) -> Result<()> {
    let unknown = || Error::new(Code::NotFound, "there is no such webhook, or its run has ended");
    let key = webhook::find(scope.sql, run_id, event_id)?.ok_or_else(unknown)?;
    let run = run::find(scope.sql, key)?.filter(Run::is_active).ok_or_else(unknown)?;
    bring_or_keep(scope, run, event_id, data, true)?;
    Ok(())
}

fn bring_or_keep<S: Sql>(
    scope: &mut Scope<'_, S>,
    run: Run,
    event_id: &str,
    data: &[u8],
    from_webhook: bool,
) -> Result<Vec<Notified>> {
    let waiters = fitting(scope, event_id, Some(run.key), from_webhook)?;
    if !waiters.is_empty() {
        return waiters.into_iter().filter_map(|waiter| bring(scope, waiter, data).transpose()).collect();
    }
    let limit = scope.settings.limits.kept_events;
    if kept_event::count(scope.sql, run.key)? >= limit {
        return Err(Error::new(
            Code::PayloadTooLarge,
            format!("the limit of {limit} events that are kept for a run which does not wait for them is reached"),
        ));
    }
    let ends_at = scope.at + scope.settings.event_lifetime;
    kept_event::insert(scope.sql, run.key, event_id, from_webhook, data, ends_at)?;
    Ok(vec![Notified { waiter: None, message_id: None, run }])
}

/// The waiters for an event whose time is not over.
fn fitting<S: Sql>(scope: &Scope<'_, S>, event_id: &str, run: Option<i64>, from_webhook: bool) -> Result<Vec<Waiter>> {
    let mut waiters = waiter::of_event(scope.sql, event_id, run)?;
    // A wait for a webhook can't do anything with other events.
    waiters.retain(|waiter| waiter.deadline > scope.at && (from_webhook || !waiter.is_for_webhook()));
    Ok(waiters)
}

fn bring<S: Sql>(scope: &mut Scope<'_, S>, waiter: Waiter, data: &[u8]) -> Result<Option<Notified>> {
    waiter::remove(scope.sql, waiter.key)?;
    let Some(run) = run::find(scope.sql, waiter.run)?.filter(Run::is_active) else { return Ok(None) };
    let message_id = history::settle(scope, &run, &waiter.pending, &Finding::Out(&base64::encode(data)))?;
    Ok(Some(Notified { waiter: Some(waiter), message_id: Some(message_id), run }))
}

/// The waiters for an event whose time is not over.
pub fn waiters<S: Sql>(scope: &Scope<'_, S>, event_id: &str) -> Result<Vec<Waiter>> {
    fitting(scope, event_id, None, true)
}
