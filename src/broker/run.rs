//! How runs end. A run ends once; what was still waiting for it is dropped.

use crate::broker::delivery::is_continued;
use crate::broker::store::event::{self, Detail, State};
use crate::broker::store::message::{self, Message};
use crate::broker::store::parked::{self, Parked};
use crate::broker::store::run::{self, Failure, Run};
use crate::broker::store::{Sql, dead_letter, invocation, kept_event, waiter, webhook};
use crate::broker::{Scope, callback, invoke};
use crate::error::{Code, Error, Result};
use crate::wire::Response;

/// Ends a run with what its function returned. Again, for the run that has succeeded: nothing.
///
/// [`Code::NotFound`] without such a run, [`Code::InvalidRequest`] if it ended in another way.
pub fn finish<S: Sql>(scope: &mut Scope<'_, S>, id: &str, result: &[u8]) -> Result<()> {
    let run = known(scope, id)?;
    match run.state {
        run::State::Success => Ok(()),
        run::State::Started => {
            run::succeed(scope.sql, run.key, scope.at, result)?;
            forget_events(scope, &run)?;
            drop_waiting(scope, &run)?;
            invoke::tell_end(scope, &run, run::State::Success, result)
        }
        run::State::Failed | run::State::Canceled => Err(Error::new(
            Code::InvalidRequest,
            format!("the run '{id}' can't be finished: it has {} before", ended(run.state)),
        )),
    }
}

/// Ends a run because its function, or somebody else, asked for it. Again, for the run that was cancelled: nothing.
///
/// [`Code::NotFound`] if no such run goes on.
pub fn cancel<S: Sql>(scope: &mut Scope<'_, S>, id: &str) -> Result<()> {
    let run = known(scope, id)?;
    match run.state {
        run::State::Canceled => Ok(()),
        run::State::Started => cancel_active(scope, &run),
        state => Err(Error::new(
            Code::NotFound,
            format!("the run '{id}' can't be cancelled: it has {} before", ended(state)),
        )),
    }
}

/// Cancels a run that is known to go on.
pub fn cancel_active<S: Sql>(scope: &mut Scope<'_, S>, run: &Run) -> Result<()> {
    run::cancel(scope.sql, run.key, scope.at)?;
    forget_events(scope, run)?;
    drop_waiting(scope, run)?;
    invoke::tell_end(scope, run, run::State::Canceled, &[])
}

/// Ends a run because an invocation was given up: the message goes to the dead letter queue, the failure is told unless
/// telling it may be what fails.
pub fn fail<S: Sql>(
    scope: &mut Scope<'_, S>,
    run: &Run,
    message: &Message,
    answer: &Response,
    error: &str,
    told: bool,
) -> Result<()> {
    let dlq_id = dead_letter::insert(scope.sql, scope.at, message, Some(run), error, answer)?;
    park(scope, run, message)?;
    let failure_message = if told { callback::tell_run_failure(scope, message, run, answer, &dlq_id)? } else { None };
    run::fail(
        scope.sql,
        run.key,
        &Failure {
            at: scope.at,
            error,
            message_id: &message.id,
            dlq_id: &dlq_id,
            failure_message: failure_message.as_deref(),
        },
    )?;
    drop_waiting(scope, run)?;
    invoke::tell_end(scope, run, run::State::Failed, &[])
}

fn known<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<Run> {
    run::find_by_id(scope.sql, id)?.ok_or_else(|| not_found(id))
}

/// The error for a run that does not exist, or not any more.
pub fn not_found(id: &str) -> Error {
    Error::new(Code::NotFound, format!("no run has the id '{}'", crate::wire::duration::shown(id)))
}

fn ended(state: run::State) -> &'static str {
    match state {
        run::State::Started => "begun",
        run::State::Success => "succeeded",
        run::State::Failed => "failed",
        run::State::Canceled => "been cancelled",
    }
}

/// Keeps what a failing run waits for, so that it can be resumed: the message that was given up, the others that were
/// not delivered, steps that wait. Its events and webhooks stay as they are.
fn park<S: Sql>(scope: &Scope<'_, S>, run: &Run, failed: &Message) -> Result<()> {
    parked::insert(scope.sql, run.key, &Parked::Message(Box::new(failed.clone())))?;
    for message in message::of_run(scope.sql, run.key)? {
        if message.role.ends_with_run() && !is_continued(scope, &message, run)? {
            parked::insert(scope.sql, run.key, &Parked::Message(Box::new(message)))?;
        }
    }
    for waiter in waiter::of_run(scope.sql, run.key)? {
        parked::insert(scope.sql, run.key, &Parked::Waiter(Box::new(waiter)))?;
    }
    for invocation in invocation::of_parent(scope.sql, run.key)? {
        parked::insert(scope.sql, run.key, &Parked::Invocation(Box::new(invocation)))?;
    }
    Ok(())
}

fn forget_events<S: Sql>(scope: &Scope<'_, S>, run: &Run) -> Result<()> {
    kept_event::remove_of_run(scope.sql, run.key)?;
    webhook::remove_of_run(scope.sql, run.key)
}

/// Drops the messages that wait for a run that has ended, and what the run waited for. Deliveries under way are settled
/// when they end.
fn drop_waiting<S: Sql>(scope: &mut Scope<'_, S>, run: &Run) -> Result<()> {
    waiter::remove_of_run(scope.sql, run.key)?;
    invocation::remove_of_parent(scope.sql, run.key)?;
    for message in message::of_run(scope.sql, run.key)? {
        if message.role.ends_with_run() && message.lease.is_none() {
            let detail = Detail { error: Some("the run has ended"), ..Detail::default() };
            event::insert(scope.sql, scope.at, State::Cancelled, &message, &detail)?;
            message::remove(scope.sql, &message)?;
        }
    }
    Ok(())
}
