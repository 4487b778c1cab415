//! `/v2/workflows/runs`: histories, and the end of runs.

use serde_json::json;

use super::Call;
use super::filter::Filter;
use crate::broker::delivery::raw_steps;
use crate::broker::store::run::{self, Run, State};
use crate::broker::store::{Sql, Value, step};
use crate::broker::{Scope, run as runs};
use crate::error::{Code, Error, Result};
use crate::wire::Response;

/// The history of a run that goes on, for endpoints that got an empty body.
pub fn steps<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let run = run::find_by_id(scope.sql, &call.parameter)?
        .filter(Run::is_active)
        .ok_or_else(|| runs::not_found(&call.parameter))?;
    let history = raw_steps(step::history(scope.sql, run.key, None)?);
    let body =
        serde_json::to_vec(&history).map_err(|_| Error::new(Code::Internal, "a history can't be written as JSON"))?;
    Ok(Response::new(200).header("content-type", "application/json").body(body))
}

/// Ends a run: `?cancel=false` with the result as body when its function has returned, else cancels it.
pub fn end<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["cancel", "qstash_token"])?;
    let id = &call.parameter;
    match call.query.first("cancel") {
        Some("false") => {
            scope.transaction(|scope| runs::finish(scope, id, &call.request.body))?;
            Ok(Response::json(200, &json!({ "workflowRunId": id })))
        }
        None | Some("true") => {
            scope.transaction(|scope| runs::cancel(scope, id))?;
            Ok(Response::json(200, &json!({ "workflowRunId": id, "cancelled": 1 })))
        }
        Some(_) => Err(Error::new(Code::InvalidRequest, "the query parameter cancel must be true or false")),
    }
}

const FILTERS: [&str; 13] = [
    "flowControlKey",
    "host",
    "path",
    "workflowRunIds",
    "workflowUrl",
    "workflowUrlExactMatch",
    "fromDate",
    "toDate",
    "callerIp",
    "label",
    "count",
    "cursor",
    "qstash_token",
];
const MOST: u64 = 1000;

/// Cancels the runs that a filter selects, at most `count`; without a filter, any that go on.
pub fn cancel_many<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let query = &call.query;
    query.refuse_unknown(&FILTERS)?;
    let mut filter = Filter::new();
    filter.one_of(query, "workflowRunIds", "id")?;
    match query.first("workflowUrlExactMatch") {
        None | Some("false") => filter.begins(query, "workflowUrl", "url")?,
        Some("true") => filter.one_of(query, "workflowUrl", "url")?,
        Some(_) => {
            return Err(Error::new(
                Code::InvalidRequest,
                "the query parameter workflowUrlExactMatch must be true or false",
            ));
        }
    }
    filter.between(query, "created_at")?;
    filter.located(query, "url")?;
    filter.one_of(query, "callerIp", "caller_ip")?;
    filter.holds(query, "label", "label")?;
    filter.one_of(query, "flowControlKey", "json_extract(config, '$.flow_key')")?;
    let unnamed = filter.is_empty() && query.first("count").is_none();
    if unnamed {
        return Err(Error::new(
            Code::InvalidRequest,
            "the request names no run: give workflowRunIds or a filter, or count to cancel any",
        ));
    }
    filter.and("state = ?", Value::from(State::Started.as_str()));
    let count = query.count(100, MOST)?;
    let (condition, params) = filter.newest("key", count);
    let cancelled = scope.transaction(|scope| {
        let selected = run::select(scope.sql, &condition, &params)?;
        for run in &selected {
            runs::cancel_active(scope, run)?;
        }
        Ok(selected.len())
    })?;
    Ok(Response::json(200, &json!({ "cancelled": cancelled })))
}
