//! What can be done about a failed run: resume it, restart it, tell its failure again.

use std::collections::BTreeMap;

use crate::broker::accept;
use crate::broker::publication::Publication;
use crate::broker::settings::Defaults;
use crate::broker::shard::place::Name;
use crate::broker::shard::relay::{self, Relay};
use crate::broker::store::dead_letter::{self, DeadLetter};
use crate::broker::store::event::{self, Detail, State};
use crate::broker::store::invocation::{self, Invocation};
use crate::broker::store::message::{self, CallbackTarget, Message, Role, Source};
use crate::broker::store::parked::{self, Parked};
use crate::broker::store::run::{self, Config, FailureState, NewRun, Run};
use crate::broker::store::step::{self, Entry};
use crate::broker::store::waiter::{self, Waiter};
use crate::broker::store::watcher::Watcher;
use crate::broker::store::{Sql, kept_event, webhook};
use crate::broker::{Scope, gate, invoke};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Method, Timestamp, header};

/// How a failed run is taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Where it failed: what was done stays done.
    Resume,
    /// From its payload.
    Restart,
}

/// Starts a new run for the failed run of a dead letter, and forgets the dead letter; must run inside a transaction.
/// Publish headers among `headers` (`Upstash-Retries`, `Upstash-Delay`, `Upstash-Label` …) replace the settings of the
/// failed run.
///
/// [`Code::NotFound`] without such a dead letter, [`Code::InvalidRequest`] if it is not that of a run or the run can't be
/// taken up again.
pub fn take_up<S: Sql>(scope: &mut Scope<'_, S>, dlq_id: &str, mode: Mode, headers: &Headers) -> Result<Run> {
    let failed = failed_run(scope, dlq_id)?;
    let changes = Publication::read(&failed.url, headers, Vec::new(), &scope.settings.limits, scope.at)?;
    let id = match changes.workflow.get(header::WORKFLOW_RUN_ID) {
        Some(id) => accept::check_run_id(id)?.to_owned(),
        None => scope.run_id(),
    };
    if !scope.shard.has(Name::Run(&id)) {
        return Err(Error::new(
            Code::InvalidRequest,
            format!(
                "the run id '{}' has its place on another shard than the failed run: let the broker choose one",
                shown(&id)
            ),
        ));
    }
    if run::find_by_id(scope.sql, &id)?.is_some_and(|run| run.is_active()) {
        return Err(Error::new(
            Code::InvalidRequest,
            format!("the run id '{}' is taken by a run that goes on", shown(&id)),
        ));
    }
    let items = match mode {
        Mode::Resume => parked::of_run(scope.sql, failed.key)?,
        Mode::Restart => Vec::new(),
    };
    if mode == Mode::Resume && items.is_empty() {
        return Err(Error::new(
            Code::InvalidRequest,
            format!(
                "the run '{}' can't be resumed: it failed before this broker kept what that needs; restart it",
                failed.id
            ),
        ));
    }
    let new = start(scope, &failed, &id, &changes)?;
    match mode {
        Mode::Restart => restart(scope, &failed, &new, &changes)?,
        Mode::Resume => resume(scope, &failed, &new, &changes, items)?,
    }
    dead_letter::remove(scope.sql, dlq_id)?;
    Ok(new)
}

/// The run whose failure a dead letter tells.
fn failed_run<S: Sql>(scope: &Scope<'_, S>, dlq_id: &str) -> Result<Run> {
    let letter = dead_letter::find(scope.sql, dlq_id)?.ok_or_else(|| not_found(dlq_id))?;
    let no_run = || Error::new(Code::InvalidRequest, format!("the dead letter '{dlq_id}' is not that of a failed run"));
    let key = letter.run_key.filter(|_| letter.role.is_invocation()).ok_or_else(no_run)?;
    run::find(scope.sql, key)?.ok_or_else(no_run)
}

fn start<S: Sql>(scope: &mut Scope<'_, S>, failed: &Run, id: &str, changes: &Publication) -> Result<Run> {
    let mut config = Config {
        retries: changes.retries.unwrap_or(failed.config.retries),
        retry_delay: changes.retry_delay.clone().or_else(|| failed.config.retry_delay.clone()),
        timeout: changes.timeout.unwrap_or(failed.config.timeout),
        flow_key: take_limits(scope, changes)?.or_else(|| failed.config.flow_key.clone()),
        ..failed.config.clone()
    };
    for (name, value) in changes.headers.iter() {
        config.headers.set(name, value);
    }
    if let Some(target) = &changes.failure_callback {
        let known = config.failure_callback.map(|known| known.headers).unwrap_or_default();
        let headers = if target.headers.is_empty() { known } else { target.headers.clone() };
        config.failure_callback = Some(CallbackTarget { url: target.url.clone(), headers });
    }
    let message_id = scope.message_id();
    let key = run::insert(
        scope.sql,
        &NewRun {
            id,
            message_id: &message_id,
            url: &failed.url,
            created_at: scope.at,
            config: &config,
            label: changes.label.as_deref().or(failed.label.as_deref()),
            caller_ip: failed.caller_ip.as_deref(),
        },
    )?;
    run::find(scope.sql, key)?.ok_or_else(|| Error::new(Code::Internal, "a run that was just started is not there"))
}

fn restart<S: Sql>(scope: &mut Scope<'_, S>, failed: &Run, new: &Run, changes: &Publication) -> Result<()> {
    let payload = step::find(scope.sql, failed.key, 0)?
        .ok_or_else(|| Error::new(Code::Internal, "a failed run has no payload"))?;
    let entry = Entry { run: new.key, message_id: new.message_id.clone(), created_at: scope.at, ..payload };
    step::append(scope.sql, &entry)?;
    let message = Message {
        id: new.message_id.clone(),
        role: Role::Start,
        run: Some(new.key),
        position: Some(0),
        url: new.url.clone(),
        method: Method::Post,
        headers: Headers::new(),
        body: Vec::new(),
        created_at: scope.at,
        not_before: changes.not_before,
        due_at: changes.not_before,
        attempt: 0,
        max_retries: new.config.retries,
        retry_delay: new.config.retry_delay.clone(),
        timeout: new.config.timeout,
        lease: None,
        leased_at: None,
        label: new.label.clone(),
        caller_ip: new.caller_ip.clone(),
        callback: None,
        failure_callback: None,
        queue: None,
        slot: None,
        flow_key: new.config.flow_key.clone(),
        source: Source::default(),
        redaction: new.config.redaction.clone(),
    };
    accept::store(scope, &message)
}

fn resume<S: Sql>(
    scope: &mut Scope<'_, S>,
    failed: &Run,
    new: &Run,
    changes: &Publication,
    items: Vec<Parked>,
) -> Result<()> {
    // Messages get ids of their own, and endpoints find their place in a fetched history by them.
    let mut ids = BTreeMap::new();
    for item in &items {
        if let Parked::Message(message) = item {
            let id = match message.role {
                Role::Start => new.message_id.clone(),
                _ => scope.message_id(),
            };
            ids.insert(message.id.clone(), id);
        }
    }
    for entry in step::history(scope.sql, failed.key, None)? {
        let renamed = |id: String| ids.get(&id).cloned().unwrap_or(id);
        let (message_id, cause) = (renamed(entry.message_id), entry.cause.map(renamed));
        step::append(scope.sql, &Entry { run: new.key, message_id, cause, ..entry })?;
    }
    webhook::hand_over(scope.sql, failed.key, new.key)?;
    kept_event::hand_over(scope.sql, failed.key, new.key)?;
    for item in items {
        match item {
            Parked::Message(message) => {
                let id = ids.remove(&message.id).unwrap_or_default();
                accept::store(scope, &again(*message, id, new, changes, scope.at))?;
            }
            Parked::Waiter(waiter) => waiter::insert(scope.sql, &Waiter { run: new.key, ..*waiter })?,
            Parked::Invocation(waiting) => wait_again(scope, new, &waiting)?,
        }
    }
    Ok(())
}

/// A message as it was before its first try, with the settings of the new run.
fn again(message: Message, id: String, new: &Run, changes: &Publication, at: Timestamp) -> Message {
    let waits = message.attempt == 0 && message.lease.is_none() && message.due_at > at;
    let due_at = if waits { message.due_at.max(changes.not_before) } else { changes.not_before };
    let own = message.role == Role::Call;
    Message {
        id,
        run: Some(new.key),
        created_at: at,
        not_before: due_at,
        due_at,
        attempt: 0,
        max_retries: changes.retries.filter(|_| !own).unwrap_or(message.max_retries),
        retry_delay: changes.retry_delay.clone().filter(|_| !own).or(message.retry_delay),
        timeout: changes.timeout.filter(|_| !own).unwrap_or(message.timeout),
        lease: None,
        leased_at: None,
        label: new.label.clone(),
        failure_callback: changes
            .failure_callback
            .as_ref()
            .and(new.config.failure_callback.clone())
            .or(message.failure_callback),
        flow_key: if own { message.flow_key } else { new.config.flow_key.clone() },
        ..message
    }
}

/// Lets the new run wait for the run that the failed one had invoked; it may have ended meanwhile.
fn wait_again<S: Sql>(scope: &mut Scope<'_, S>, new: &Run, waiting: &Invocation) -> Result<()> {
    if let Some(child_id) = &waiting.child_id {
        invocation::insert_remote(scope.sql, new.key, child_id, &waiting.pending)?;
        let watcher = Watcher { shard: scope.shard.index(), parent: new.key, place: waiting.pending.step.place() };
        let home = scope.shard.home(Name::Run(child_id));
        return relay::push(scope.sql, home, &Relay::Watch { id: child_id.clone(), watcher });
    }
    invocation::insert(scope.sql, new.key, waiting.child, &waiting.pending)?;
    match run::find(scope.sql, waiting.child)? {
        Some(child) if child.is_active() => Ok(()),
        Some(child) => invoke::tell_end(scope, &child, child.state, &child.result),
        None => invoke::tell_forgotten(scope, waiting.child),
    }
}

/// Delivers a dead letter again, as a new message, and forgets the dead letter; must run inside a transaction. Publish
/// headers among `headers` replace the settings of the message. Returns the id of the new message.
///
/// [`Code::NotFound`] without such a dead letter, [`Code::InvalidRequest`] if it is that of a failed run.
pub fn retry<S: Sql>(scope: &mut Scope<'_, S>, dlq_id: &str, headers: &Headers) -> Result<String> {
    let letter = dead_letter::find(scope.sql, dlq_id)?.ok_or_else(|| not_found(dlq_id))?;
    if letter.role.is_invocation() {
        return Err(Error::new(
            Code::InvalidRequest,
            format!("the dead letter '{dlq_id}' is that of a failed run: resume or restart it at /v2/workflows/dlq"),
        ));
    }
    let changes = Publication::read(&letter.url, headers, Vec::new(), &scope.settings.limits, scope.at)?;
    let flow_key = take_limits(scope, &changes)?;
    let (letter_message_id, known) = (letter.message_id.clone(), restored(letter, &scope.settings.defaults)?);
    let mut message = Message {
        id: scope.message_id(),
        position: None,
        method: if headers.contains(header::METHOD) { changes.method } else { known.method },
        created_at: scope.at,
        not_before: changes.not_before,
        due_at: changes.not_before,
        attempt: 0,
        max_retries: changes.retries.unwrap_or(known.max_retries),
        retry_delay: changes.retry_delay.or(known.retry_delay),
        timeout: changes.timeout.unwrap_or(known.timeout),
        lease: None,
        leased_at: None,
        label: changes.label.or(known.label),
        callback: changes.callback.or(known.callback),
        failure_callback: changes.failure_callback.or(known.failure_callback),
        // It queues up again, behind the others.
        queue: changes.queue.or(known.queue),
        slot: None,
        flow_key: flow_key.or(known.flow_key),
        redaction: changes.redaction.or(known.redaction),
        ..known
    };
    for (name, value) in changes.headers.iter() {
        message.headers.set(name, value);
    }
    if let Some(queue) = message.queue.as_deref().filter(|queue| !scope.shard.has(Name::Queue(queue))) {
        return Err(Error::new(
            Code::InvalidRequest,
            format!(
                "the queue '{}' has its place on another shard than the dead letter: publish it anew",
                shown(queue)
            ),
        ));
    }
    accept::store(scope, &message)?;
    let failed = message.run.map(|key| run::find(scope.sql, key)).transpose()?.flatten();
    if let Some(failed) = failed.filter(|run| run.failure_message.as_ref() == Some(&letter_message_id)) {
        run::set_failure_message(scope.sql, failed.key, &message.id)?;
    }
    dead_letter::remove(scope.sql, dlq_id)?;
    Ok(message.id)
}

/// The message of a dead letter. Older databases kept only a part of it.
fn restored(letter: DeadLetter, defaults: &Defaults) -> Result<Message> {
    if let Some(message) = letter.message {
        return Ok(Message { headers: letter.headers, body: letter.body, ..message });
    }
    let told = |url: Option<String>| url.map(|url| CallbackTarget { url, headers: Headers::new() });
    Ok(Message {
        id: letter.message_id,
        role: letter.role,
        run: letter.run_key,
        position: None,
        url: letter.url,
        method: Method::parse(&letter.method)?,
        headers: letter.headers,
        body: letter.body,
        created_at: letter.created_at,
        not_before: letter.created_at,
        due_at: letter.created_at,
        attempt: 0,
        max_retries: letter.max_retries,
        retry_delay: letter.retry_delay,
        timeout: defaults.timeout,
        lease: None,
        leased_at: None,
        label: letter.label,
        caller_ip: letter.caller_ip,
        callback: told(letter.callback),
        failure_callback: told(letter.failure_callback),
        queue: None,
        slot: None,
        flow_key: None,
        source: Source::default(),
        redaction: None,
    })
}

/// Notes what a request says about a flow-control key; returns the key.
fn take_limits<S: Sql>(scope: &Scope<'_, S>, changes: &Publication) -> Result<Option<String>> {
    let Some((key, limits)) = &changes.flow_control else { return Ok(None) };
    gate::limit(scope, key, *limits)?;
    Ok(Some(key.clone()))
}

/// The error for a dead letter that does not exist, or not any more.
pub fn not_found(dlq_id: &str) -> Error {
    Error::new(Code::NotFound, format!("no dead letter has the id '{}'", shown(dlq_id)))
}

/// Tells the failure of a run again, after the message that told it was given up; must run inside a transaction.
///
/// [`Code::NotFound`] without such a dead letter, [`Code::InvalidRequest`] if no message was given up.
pub fn tell_failure_again<S: Sql>(scope: &mut Scope<'_, S>, dlq_id: &str) -> Result<Run> {
    let failed = failed_run(scope, dlq_id)?;
    let refused = |reason: &str| Error::new(Code::InvalidRequest, format!("the failure of '{}' {reason}", failed.id));
    match failed.failure_state {
        Some(FailureState::Failed) => {}
        None => return Err(refused("has no failure function to be told to")),
        Some(FailureState::InProgress) => return Err(refused("is being told")),
        Some(FailureState::Success) => return Err(refused("has been told")),
        Some(FailureState::Canceled) => return Err(refused("was not to be told: somebody cancelled that")),
    }
    let given_up = failed.failure_message.as_deref().map(|id| dead_letter::of_message(scope.sql, id)).transpose()?;
    let letter = given_up.flatten().ok_or_else(|| refused("can't be told again: what told it has been forgotten"))?;
    retry(scope, &letter.id, &Headers::new())?;
    Ok(failed)
}

/// Cancels the message that tells the failure of a run; must run inside a transaction.
///
/// [`Code::NotFound`] without such a dead letter, [`Code::InvalidRequest`] if no message is waiting or under way.
pub fn cancel_failure_told<S: Sql>(scope: &mut Scope<'_, S>, dlq_id: &str) -> Result<()> {
    let failed = failed_run(scope, dlq_id)?;
    let waiting = failed.failure_message.as_deref().map(|id| message::find(scope.sql, id)).transpose()?.flatten();
    let message = waiting
        .ok_or_else(|| Error::new(Code::InvalidRequest, format!("the failure of '{}' is not being told", failed.id)))?;
    cancel(scope, &message)
}

/// Cancels a message that no run needs. A delivery under way is not called back, its outcome is ignored.
pub fn cancel<S: Sql>(scope: &mut Scope<'_, S>, message: &Message) -> Result<()> {
    for state in [State::CancelRequested, State::Cancelled] {
        event::insert(scope.sql, scope.at, state, message, &Detail::default())?;
    }
    message::remove(scope.sql, message)?;
    match message.run.filter(|_| message.role == Role::FailureCallback) {
        Some(run) => run::set_failure_state(scope.sql, run, FailureState::Canceled),
        None => Ok(()),
    }
}
