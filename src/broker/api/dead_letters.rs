//! `/v2/dlq`: the messages that were given up, newest first.

use serde_json::{Map, Value, json};

use super::filter::{Filter, cursor};
use super::{Call, failed_runs, views};
use crate::broker::Scope;
use crate::broker::query::Query;
use crate::broker::store::Sql;
use crate::broker::store::dead_letter::{self, DeadLetter};
use crate::broker::store::message::Role;
use crate::broker::store::run::FailureState;
use crate::error::{Code, Error, Result};
use crate::wire::Response;
use crate::wire::duration::shown;

const FILTERS: [&str; 17] = [
    "cursor",
    "count",
    "dlqIds",
    "messageId",
    "url",
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
    let (letters, cursor) = selected(scope, &call.query, false, MOST)?;
    Ok(page("messages", letters.iter().map(views::dead_letter).collect(), cursor))
}

/// The newest dead letters that the filters of a query select, and the cursor of the next page: all, or failed runs only.
pub fn selected<S: Sql>(
    scope: &Scope<'_, S>,
    query: &Query,
    failed_runs: bool,
    most: u64,
) -> Result<(Vec<DeadLetter>, Option<String>)> {
    query.refuse_unknown(&FILTERS)?;
    if query.first("flowControlKey").is_some() {
        return Err(Error::new(
            Code::Unsupported,
            "the query parameter flowControlKey asks for flow control, which this broker does not offer",
        ));
    }
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
    filter.between(query, "failed_at")?;
    filter.after(query, "seq")?;
    if failed_runs {
        filter.and("run IS NOT NULL AND role <> ?", Role::FailureCallback.as_str().into());
    }
    let count = query.count(most, most)?;
    let (condition, params) = filter.newest("seq", count);
    let letters = dead_letter::select(scope.sql, &condition, &params)?;
    let cursor = cursor(letters.iter().map(|letter| letter.seq), count);
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
    Ok(Response::json(200, &views::dead_letter(&found(scope, &call.parameter)?)))
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
    dead_letter::find(scope.sql, id)?
        .ok_or_else(|| Error::new(Code::NotFound, format!("no dead letter has the id '{}'", shown(id))))
}
