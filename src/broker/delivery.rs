//! Handing out deliveries: leases, the request that the destination gets, its signature.

use std::time::Duration;

use crate::broker::shard::ticket;
use crate::broker::store::event::{self, Detail, State};
use crate::broker::store::message::{self, Message, Role};
use crate::broker::store::run::{self, Run};
use crate::broker::store::{Sql, step};
use crate::broker::{Scope, accept, event as events, gate, outcome, private, schedule};
use crate::error::{Code, Error, Result};
use crate::signature::{BodyHash, Claims, sign};
use crate::wire::id::random_text;
use crate::wire::{CallType, Headers, RawStep, Request, base64, header};

/// A request that the host has to send now.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What the outcome is told under.
    pub lease: LeaseId,
    /// The message, for logs.
    pub message_id: String,
    /// The request. Redirects are not followed: a 3xx answer is an answer.
    pub request: Request,
    /// After this the host gives up and tells [`super::Outcome::TimedOut`].
    pub timeout: Duration,
}

/// Names one delivery of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseId(String);

impl LeaseId {
    /// A lease that a host kept as text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The lease as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One call looks at about so many messages: it must not hold up requests. What is left is due at once.
const MOST_LOOKED_AT: usize = 1000;

const USER_AGENT: &str = "Upstash-QStash";

/// Leases up to `limit` due messages. Due messages that need no delivery any more are settled on the way. One that can't
/// be handled is set aside: it must not hold up the others.
pub fn take<S: Sql>(scope: &mut Scope<'_, S>, limit: usize) -> Result<Vec<Delivery>> {
    loop {
        let mut suspect = Suspect::default();
        let taken = take_due(scope, limit, &mut suspect);
        match (taken, suspect) {
            (Err(error), Suspect { message: Some(id), .. }) if error.code() != Code::Storage => {
                outcome::set_aside(scope, &id, &error)?;
            }
            (Err(error), Suspect { waiter: Some(key), .. }) if error.code() != Code::Storage => {
                events::put_off(scope, key)?;
            }
            (taken, _) => return taken,
        }
    }
}

/// What is being looked at.
#[derive(Default)]
struct Suspect {
    message: Option<String>,
    waiter: Option<i64>,
}

fn take_due<S: Sql>(scope: &mut Scope<'_, S>, limit: usize, suspect: &mut Suspect) -> Result<Vec<Delivery>> {
    scope.transaction(|scope| {
        schedule::fire(scope)?;
        events::time_out(scope, &mut suspect.waiter)?;
        gate::renew(scope)?;
        ticket::grant(scope)?;
        let mut deliveries = Vec::new();
        let mut looked_at = 0;
        while deliveries.len() < limit && looked_at < MOST_LOOKED_AT {
            let due = message::due(scope.sql, scope.at, limit - deliveries.len())?;
            if due.is_empty() {
                break;
            }
            looked_at += due.len();
            for message in due {
                suspect.message = Some(message.id.clone());
                if let Some(delivery) = deliver(scope, message)? {
                    deliveries.push(delivery);
                }
                suspect.message = None;
            }
        }
        Ok(deliveries)
    })
}

fn deliver<S: Sql>(scope: &mut Scope<'_, S>, mut message: Message) -> Result<Option<Delivery>> {
    let run = message.run.map(|key| run::find(scope.sql, key)).transpose()?.flatten();
    if message.role.ends_with_run() && !run.as_ref().is_some_and(Run::is_active) {
        // The invocation under way when the run ended is the one that ended it, unless somebody cancelled the run.
        let ended_it = message.lease.is_some() && run.is_some_and(|run| run.state == run::State::Success);
        settle(scope, &message, if ended_it { State::Delivered } else { State::Cancelled }, "the run has ended")?;
        return Ok(None);
    }
    if let Some(run) = run.as_ref().filter(|_| message.lease.is_some() || message.attempt > 0)
        && is_continued(scope, &message, run)?
    {
        settle(scope, &message, State::Delivered, "its answer was lost, what it had to submit has been accepted")?;
        return Ok(None);
    }
    let active = run.as_ref().filter(|run| run.is_active());
    if message.lease.is_some() {
        let error = "the delivery ended without an outcome: its lease ran out";
        let lost = message::count_lost_lease(scope.sql, &message.id)?;
        if lost >= scope.settings.lost_leases {
            outcome::fail_unanswered(scope, &message, active, &format!("{error}, {lost} times in a row"), true)?;
            return Ok(None);
        }
        event::insert(
            scope.sql,
            scope.at,
            State::Error,
            &message,
            &Detail { error: Some(error), ..Detail::default() },
        )?;
    }
    // Checked when it was accepted, but the setting may have changed since.
    if let Err(error) = private::check(&message.url, &scope.settings.limits) {
        outcome::fail_unanswered(scope, &message, active, error.message(), false)?;
        return Ok(None);
    }
    if !gate::pass(scope, &mut message)? {
        return Ok(None);
    }
    lease(scope, message, run.as_ref()).map(Some)
}

/// Whether the history already holds what an earlier delivery of `message` had to submit.
pub fn is_continued<S: Sql>(scope: &Scope<'_, S>, message: &Message, run: &Run) -> Result<bool> {
    let Some(position) = message.position.filter(|_| message.role.is_invocation()) else { return Ok(false) };
    let Some(entry) = step::find(scope.sql, run.key, position)? else { return Ok(false) };
    step::is_continued(scope.sql, &entry, message.role == Role::CallResult)
}

fn settle<S: Sql>(scope: &Scope<'_, S>, message: &Message, state: State, why: &str) -> Result<()> {
    event::insert(scope.sql, scope.at, state, message, &Detail { error: Some(why), ..Detail::default() })?;
    message::remove(scope.sql, message)
}

fn lease<S: Sql>(scope: &mut Scope<'_, S>, message: Message, run: Option<&Run>) -> Result<Delivery> {
    let lease = format!("lease_{}", random_text::<21>(scope.entropy));
    let ends_at = scope.at + message.timeout + scope.settings.lease_margin;
    message::lease(scope.sql, &message.id, &lease, scope.at, ends_at)?;
    event::insert(scope.sql, scope.at, State::Active, &message, &Detail::default())?;
    let headers = headers(&message, run);
    let body = match (message.role, run, message.position) {
        (Role::Start | Role::Step, Some(run), Some(position)) => history(scope, run, position)?,
        _ => message.body,
    };
    let signature = signature(scope, &message.url, &body);
    let mut request = Request { method: message.method, url: message.url, headers, body };
    request.headers.set(header::SIGNATURE, signature);
    Ok(Delivery { lease: LeaseId(lease), message_id: message.id, request, timeout: message.timeout })
}

/// The headers of the workflow's run, then the message's own, then those that only the broker may set.
fn headers(message: &Message, run: Option<&Run>) -> Headers {
    let mut headers = Headers::new();
    if let Some(run) = run.filter(|_| message.role != Role::Call) {
        // A callback must not say the protocol's version, or the SDK takes its body for a history.
        let callback = !matches!(message.role, Role::Start | Role::Step);
        for (name, value) in run.config.headers.iter() {
            let unfit = callback && accept::is_only_for_history(name);
            if !unfit && !message.headers.contains(name) {
                headers.append(name, value);
            }
        }
    }
    for (name, value) in message.headers.iter() {
        headers.append(name, value);
    }
    if message.role != Role::Plain && message.role != Role::Call && !headers.contains(header::CONTENT_TYPE) {
        headers.append(header::CONTENT_TYPE, "application/json");
    }
    if let Some(run) = run.filter(|_| message.role != Role::Call) {
        headers.set(header::WORKFLOW_RUN_ID, &run.id);
        headers.set(header::WORKFLOW_CREATED_AT, run.created_at.millis().to_string());
        if !headers.contains(header::WORKFLOW_URL) {
            headers.set(header::WORKFLOW_URL, &run.url);
        }
        if run.config.unknown_sdk && message.role == Role::Start {
            headers.set(header::WORKFLOW_UNKNOWN_SDK, "true");
        }
    }
    if !headers.contains(header::USER_AGENT) {
        headers.set(header::USER_AGENT, USER_AGENT);
    }
    headers.set(header::MESSAGE_ID, &message.id);
    headers.set(header::RETRIED, message.attempt.to_string());
    for (name, value) in [
        (header::LABEL, &message.label),
        (header::CALLER_IP, &message.caller_ip),
        (header::TOPIC_NAME, &message.source.url_group),
        (header::SCHEDULE_ID, &message.source.schedule),
    ] {
        match value {
            Some(value) => headers.set(name, value),
            None => headers.remove(name),
        }
    }
    headers
}

/// The run's history up to `position`; empty, to be fetched by the endpoint, if it is large and the SDK can do that.
fn history<S: Sql>(scope: &Scope<'_, S>, run: &Run, position: i64) -> Result<Vec<u8>> {
    let mut entries = step::history(scope.sql, run.key, Some(position))?;
    // What the workflow submitted; SDKs skip the rest.
    entries.retain(|entry| entry.call_type == CallType::Step);
    let raw = raw_steps(entries);
    let size: usize = raw.iter().map(|step| step.body.len() + step.message_id.len() + RAW_STEP_BYTES).sum();
    if size > scope.settings.inline_history_bytes && run.config.features.contains("LazyFetch") {
        return Ok(Vec::new());
    }
    serde_json::to_vec(&raw).map_err(|_| Error::new(Code::Internal, "a history can't be written as JSON"))
}

/// What the names and the punctuation of a [`RawStep`] take in JSON.
const RAW_STEP_BYTES: usize = 50;

/// Entries as endpoints see them.
pub fn raw_steps(entries: Vec<step::Entry>) -> Vec<RawStep> {
    entries
        .into_iter()
        .map(|entry| RawStep {
            message_id: entry.message_id,
            body: base64::encode(&entry.body),
            call_type: entry.call_type,
        })
        .collect()
}

fn signature<S: Sql>(scope: &mut Scope<'_, S>, url: &str, body: &[u8]) -> String {
    let token_id = format!("jwt_{}", random_text::<21>(scope.entropy));
    sign(&Claims::of_delivery(url, BodyHash::of(body), scope.at, token_id), scope.keys.borrow().signer())
}
