//! `/v2/workflows/dlq`: failed runs, newest first, and what can be done about them, one by one or in bulk.

use serde_json::{Map, Value, json};

use super::dead_letters::{self, Kind, found, loaded, named, selected};
use super::filter::numbered;
use super::{Call, tokens, views};
use crate::broker::Scope;
use crate::broker::callback::map;
use crate::broker::recovery::{self, Mode};
use crate::broker::store::dead_letter::{self, DeadLetter};
use crate::broker::store::run::{self, Run};
use crate::broker::store::{Sql, event};
use crate::error::{Code, Error, Result};
use crate::wire::Response;

/// One request takes up at most this many.
const MOST: u64 = 100;

/// Lists failed runs.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (keys, cursor) = selected(scope, &call.query, Kind::FailedRuns, MOST)?;
    let (letters, cursor) = loaded(scope, &keys, cursor)?;
    let messages = letters.iter().map(|letter| view(scope, letter)).collect::<Result<Vec<_>>>()?;
    let page = dead_letters::page("messages", Value::Array(messages), cursor);
    Ok(numbered(page, scope.shard, letters.iter().map(|letter| letter.seq)))
}

/// Shows one.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let letter = failed(scope, &call.parameter)?;
    Ok(Response::json(200, &view(scope, &letter)?))
}

/// Removes one; the run stays in the logs.
pub fn remove<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    scope.transaction(|scope| {
        let letter = failed(scope, &call.parameter)?;
        dead_letter::remove(scope.sql, &letter.id)
    })?;
    Ok(Response::json(200, &json!({ "deleted": 1 })))
}

/// Resumes or restarts one.
pub fn take_up<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>, mode: Mode) -> Result<Response> {
    let headers = &call.request.headers;
    let run = scope.transaction(|scope| recovery::take_up(scope, &call.parameter, mode, headers))?;
    Ok(Response::json(200, &started(&run)))
}

/// Resumes or restarts those that a filter selects: all of them or, if one can't be, none.
pub fn take_up_many<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>, mode: Mode) -> Result<Response> {
    let (query, headers) = (&call.query, &call.request.headers);
    named(query)?;
    let (runs, cursor) = scope.transaction(|scope| {
        let (letters, cursor) = selected(scope, query, Kind::FailedRuns, MOST)?;
        if let Some(missing) = query.all("dlqIds").iter().find(|id| !letters.iter().any(|letter| letter.id == **id)) {
            // Tells why, if the id is there and something else is wrong with it.
            failed(scope, missing)?;
            return Err(Error::new(
                Code::InvalidRequest,
                "the dlqIds and the other filters select different failed runs",
            ));
        }
        let runs = letters
            .iter()
            .map(|letter| recovery::take_up(scope, &letter.id, mode, headers).map(|run| started(&run)))
            .collect::<Result<Vec<_>>>()?;
        Ok((runs, cursor))
    })?;
    Ok(dead_letters::page("workflowRuns", Value::Array(runs), cursor))
}

/// Tells the failure of one again.
pub fn tell_again<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let run = scope.transaction(|scope| recovery::tell_failure_again(scope, &call.parameter))?;
    Ok(Response::json(200, &started(&run)))
}

/// Cancels the message that tells the failure of one.
pub fn cancel_told<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    scope.transaction(|scope| recovery::cancel_failure_told(scope, &call.parameter))?;
    Ok(Response::json(200, &json!({ "cancelled": 1 })))
}

fn started(run: &Run) -> Value {
    json!({ "workflowRunId": run.id, "workflowCreatedAt": run.created_at.millis() })
}

fn failed<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<DeadLetter> {
    let letter = found(scope, id)?;
    if letter.run_key.is_some() && letter.role.is_invocation() {
        return Ok(letter);
    }
    Err(Error::new(Code::InvalidRequest, format!("the dead letter '{id}' is not that of a failed run")))
}

/// A failed run: the message that was given up, and what became of the one that tells it.
pub fn view<S: Sql>(scope: &Scope<'_, S>, letter: &DeadLetter) -> Result<Value> {
    let mut view = dead_letters::view(scope, letter)?;
    let Some(run) = letter.run_key.map(|key| run::find(scope.sql, key)).transpose()?.flatten() else { return Ok(view) };
    view["workflowUrl"] = json!(run.url);
    if let Some(target) = &run.config.failure_callback {
        view["failureCallback"] = json!(target.url);
    }
    let Some(state) = run.failure_state else { return Ok(view) };
    let mut info = Map::new();
    info.insert("state".to_owned(), json!(state.as_str()));
    let events = match &run.failure_message {
        Some(id) => event::of_message(scope.sql, id)?,
        None => Vec::new(),
    };
    if let Some(event) = events.iter().rev().find(|event| event.response_headers.is_some()) {
        info.insert("responseStatus".to_owned(), json!(event.status));
        info.insert("responseHeaders".to_owned(), json!(event.response_headers.as_ref().map(map)));
        views::body(&mut info, "responseBody", event.response_body.as_deref().unwrap_or_default());
    }
    view["failureFunctionState"] = json!(state.as_str());
    view["failureCallbackInfo"] = Value::Object(info);
    tokens::hide(scope.settings, &mut view);
    Ok(view)
}
