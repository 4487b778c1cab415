//! `/v2/dlq`: the messages that were given up, newest first.

use serde_json::{Map, Value, json};

use super::filter::{Filter, PAGE_BYTES, cursor, numbered};
use super::{Call, failed_runs, limits, tokens, views};
use crate::broker::query::Query;
use crate::broker::store::Sql;
use crate::broker::store::dead_letter::{self, DeadLetter, Key};
use crate::broker::store::message::Role;
use crate::broker::store::run::FailureState;
use crate::broker::{Scope, recovery};
use crate::error::{Code, Error, Result};
use crate::wire::Response;
use crate::wire::duration::shown;

const FILTERS: [&str; 20] = [
    "cursor",
    "count",
    "dlqIds",
    "messageId",
    "url",
    "topicName",
    "scheduleId",
    "queueName",
    "responseStatus",
    "callerIp",
    "label",
    "workflowUrl",
    "workflowRunId",
    "workflowCreatedAt",
    "failureFunctionState",
    "source",
    "fromDate",
    "toDate",
    "flowControlKey",
    "qstash_token",
];

/// The most dead letters of a page.
const MOST: u64 = 100;

/// Lists dead letters.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    match call.query.first("source") {
        None => {}
        Some("workflow") => return failed_runs::list(scope, call),
        Some(_) => return Err(Error::new(Code::InvalidRequest, "the query parameter source must be workflow")),
    }
    let (keys, cursor) = selected(scope, &call.query, Kind::All, MOST)?;
    let (letters, cursor) = loaded(scope, &keys, cursor)?;
    let views = letters.iter().map(|letter| view(scope, letter)).collect::<Result<Vec<_>>>()?;
    let page = page("messages", Value::Array(views), cursor);
    Ok(numbered(page, scope.shard, letters.iter().map(|letter| letter.seq)))
}

/// Which dead letters a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any.
    All,
    /// Those of failed runs.
    FailedRuns,
    /// The others.
    Messages,
}

/// The newest dead letters that the filters of a query select, and the cursor of the next page.
pub fn selected<S: Sql>(
    scope: &Scope<'_, S>,
    query: &Query,
    kind: Kind,
    most: u64,
) -> Result<(Vec<Key>, Option<String>)> {
    query.refuse_unknown(&FILTERS)?;
    if let Some(state) = query.all("failureFunctionState").iter().find(|state| FailureState::parse(state).is_none()) {
        return Err(Error::new(
            Code::InvalidRequest,
            format!(
                "'{}' is not the state of a failure function: expected CALLBACK_INPROGRESS, CALLBACK_SUCCESS, \
                 CALLBACK_FAIL or CALLBACK_CANCELED",
                shown(state)
            ),
        ));
    }
    let mut filter = Filter::new();
    filter.one_of(query, "dlqIds", "id")?;
    filter.one_of(query, "messageId", "message_id")?;
    filter.one_of(query, "url", "url")?;
    filter.one_of(query, "workflowUrl", "(SELECT runs.url FROM runs WHERE runs.key = dlq.run)")?;
    filter.one_of(query, "responseStatus", "CAST(status AS TEXT)")?;
    filter.one_of(query, "callerIp", "caller_ip")?;
    filter.holds(query, "label", "label")?;
    filter.one_of(query, "workflowRunId", "run_id")?;
    filter.one_of(query, "workflowCreatedAt", "CAST(run_created_at AS TEXT)")?;
    filter.one_of(query, "failureFunctionState", "(SELECT failure_state FROM runs WHERE runs.key = dlq.run)")?;
    for (name, path) in [
        ("topicName", "$.source.urlGroup"),
        ("scheduleId", "$.source.schedule"),
        ("queueName", "$.queue"),
        ("flowControlKey", "$.flow_key"),
    ] {
        filter.one_of(query, name, &format!("json_extract(message, '{path}')"))?;
    }
    filter.between(query, "failed_at")?;
    filter.after(query, "seq")?;
    match kind {
        Kind::All => {}
        Kind::FailedRuns => filter.and("run IS NOT NULL AND role <> ?", Role::FailureCallback.as_str().into()),
        Kind::Messages => filter.and("(run IS NULL OR role = ?)", Role::FailureCallback.as_str().into()),
    }
    let count = query.count(most, most)?;
    let (condition, params) = filter.newest("seq", count);
    let keys = dead_letter::keys(scope.sql, &condition, &params)?;
    let cursor = cursor(keys.iter().map(|key| key.seq), count);
    Ok((keys, cursor))
}

/// A page of those with these keys: all of them, or the first that are not too much for one answer.
pub fn loaded<S: Sql>(
    scope: &Scope<'_, S>,
    keys: &[Key],
    cursor: Option<String>,
) -> Result<(Vec<DeadLetter>, Option<String>)> {
    let mut letters: Vec<DeadLetter> = Vec::with_capacity(keys.len());
    let mut bytes = 0;
    for key in keys {
        if bytes >= PAGE_BYTES {
            let last = letters.last().map(|letter| letter.seq.to_string());
            return Ok((letters, last));
        }
        if let Some(letter) = dead_letter::find(scope.sql, &key.id)? {
            bytes += letter.body.len() + letter.response_body.len();
            letters.push(letter);
        }
    }
    Ok((letters, cursor))
}

/// An answer with a member and, if there is more, a cursor.
pub fn page(name: &str, value: Value, cursor: Option<String>) -> Response {
    let mut answer = Map::new();
    if let Some(cursor) = cursor {
        answer.insert("cursor".to_owned(), json!(cursor));
    }
    answer.insert(name.to_owned(), value);
    Response::json(200, &Value::Object(answer))
}

/// Shows one dead letter.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let letter = found(scope, &call.parameter)?;
    Ok(Response::json(200, &view(scope, &letter)?))
}

/// A dead letter in JSON.
pub fn view<S: Sql>(scope: &Scope<'_, S>, letter: &DeadLetter) -> Result<Value> {
    let limits = letter.message.as_ref().map(|message| limits(scope, message)).transpose()?.flatten();
    let mut view = views::dead_letter(letter, limits);
    tokens::hide(scope.settings, &mut view);
    Ok(view)
}

/// Delivers one dead letter again.
pub fn retry<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let headers = &call.request.headers;
    let message_id = scope.transaction(|scope| recovery::retry(scope, &call.parameter, headers))?;
    Ok(Response::json(201, &json!({ "messageId": message_id })))
}

/// Delivers those again that a filter selects: all of them or, if one can't be, none.
pub fn retry_many<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (mut query, headers) = (call.query.clone(), &call.request.headers);
    query.take_ids("dlqIds", &call.request.body)?;
    let query = &query;
    named(query)?;
    let (responses, cursor) = scope.transaction(|scope| {
        let (letters, cursor) = selected(scope, query, Kind::Messages, MOST)?;
        if let Some(missing) = query.all("dlqIds").iter().find(|id| !letters.iter().any(|letter| letter.id == **id)) {
            // Tells why, if the id is there and something else is wrong with it.
            recovery::retry(scope, missing, headers)?;
            return Err(Error::new(
                Code::InvalidRequest,
                "the dlqIds and the other filters select different dead letters",
            ));
        }
        let responses = letters
            .iter()
            .map(|letter| recovery::retry(scope, &letter.id, headers).map(|id| json!({ "messageId": id })))
            .collect::<Result<Vec<_>>>()?;
        Ok((responses, cursor))
    })?;
    let page = page("responses", Value::Array(responses), cursor);
    Ok(Response { status: 201, ..page })
}

/// Removes those that a filter selects.
pub fn remove_many<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>, kind: Kind) -> Result<Response> {
    let mut query = call.query.clone();
    query.take_ids("dlqIds", &call.request.body)?;
    named(&query)?;
    let (deleted, cursor) = scope.transaction(|scope| {
        let (letters, cursor) = selected(scope, &query, kind, MOST)?;
        letters.iter().try_for_each(|letter| dead_letter::remove(scope.sql, &letter.id))?;
        Ok((letters.len(), cursor))
    })?;
    Ok(page("deleted", json!(deleted), cursor))
}

/// Refuses a bulk request that says nothing about what it is for.
pub fn named(query: &Query) -> Result<()> {
    if query.names().any(|name| !matches!(name, "cursor" | "qstash_token")) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidRequest,
        "the request names no dead letter: give dlqIds or a filter, or count to take any",
    ))
}

/// Removes one dead letter.
pub fn remove<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    scope.transaction(|scope| {
        let letter = found(scope, &call.parameter)?;
        dead_letter::remove(scope.sql, &letter.id)
    })?;
    Ok(Response::json(200, &json!({ "deleted": 1 })))
}

/// The dead letter with an id.
pub fn found<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<DeadLetter> {
    dead_letter::find(scope.sql, id)?.ok_or_else(|| recovery::not_found(id))
}
