//! `/v2/notify/{eventId}` and `/v2/notify/{runId}/{eventId}`: events for steps that wait.

use serde_json::{Value, json};

use super::{Call, views};
use crate::broker::Scope;
use crate::broker::event::{self as events, Notified};
use crate::broker::query::decode;
use crate::broker::store::{Sql, run};
use crate::error::Result;
use crate::wire::{Response, RunId};

/// Brings an event to all who wait for it, or, if the path names a run, to that run: now, or once it waits for it.
pub fn notify<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["qstash_token"])?;
    let data = &call.request.body;
    let notified = scope.transaction(|scope| match addressed(scope, &call.parameter)? {
        (Some(run_id), event_id) => events::notify_run(scope, &run_id, &event_id, data),
        (None, event_id) => events::notify(scope, &event_id, data),
    })?;
    Ok(Response::json(201, &Value::Array(notified.iter().map(view).collect())))
}

/// The run and the event of a path. An event id may hold a slash: what stands before the first one names a run only if
/// it looks like a run's id or is one.
fn addressed<S: Sql>(scope: &Scope<'_, S>, path: &str) -> Result<(Option<String>, String)> {
    if let Some((run_id, event_id)) = path.split_once('/').filter(|(_, event_id)| !event_id.is_empty()) {
        let run_id = decode(run_id, false);
        if run_id.starts_with(RunId::PREFIX) || run::find_by_id(scope.sql, &run_id)?.is_some() {
            return Ok((Some(run_id), decode(event_id, false)));
        }
    }
    Ok((None, decode(path, false)))
}

fn view(notified: &Notified) -> Value {
    let mut view = json!({
        "messageId": notified.message_id.as_deref().unwrap_or_default(),
        "deduplicated": false,
        "error": "",
        "workflowRunId": notified.run.id,
        "workflowCreatedAt": notified.run.created_at.millis(),
    });
    if let Some(waiter) = &notified.waiter {
        view["waiter"] = views::waiter(waiter);
    }
    view
}
