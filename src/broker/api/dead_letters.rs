//! `/v2/dlq`: the messages that were given up, newest first.

use serde_json::{Map, Value, json};

use super::filter::{Filter, cursor};
use super::{Call, views};
use crate::broker::Scope;
use crate::broker::store::Sql;
use crate::broker::store::dead_letter::{self, DeadLetter};
use crate::error::{Code, Error, Result};
use crate::wire::Response;
use crate::wire::duration::shown;

const FILTERS: [&str; 13] = [
    "cursor",
    "count",
    "dlqIds",
    "messageId",
    "url",
    "responseStatus",
    "callerIp",
    "label",
    "workflowRunId",
    "source",
    "fromDate",
    "toDate",
    "qstash_token",
];

/// Lists dead letters.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let query = &call.query;
    query.refuse_unknown(&FILTERS)?;
    let mut filter = Filter::new();
    filter.one_of(query, "dlqIds", "id")?;
    filter.one_of(query, "messageId", "message_id")?;
    filter.one_of(query, "url", "url")?;
    filter.one_of(query, "responseStatus", "CAST(status AS TEXT)")?;
    filter.one_of(query, "callerIp", "caller_ip")?;
    filter.holds(query, "label", "label")?;
    filter.one_of(query, "workflowRunId", "run_id")?;
    filter.between(query, "failed_at")?;
    filter.after(query, "seq")?;
    match query.first("source") {
        None => {}
        Some("workflow") => filter.and("run IS NOT NULL AND role <> ?", crate::broker::Value::from("failureCallback")),
        Some(_) => return Err(Error::new(Code::InvalidRequest, "the query parameter source must be workflow")),
    }
    let count = query.count(100, 100)?;
    let (condition, params) = filter.newest("seq", count);
    let letters = dead_letter::select(scope.sql, &condition, &params)?;
    let mut answer = Map::new();
    if let Some(cursor) = cursor(letters.iter().map(|letter| letter.seq), count) {
        answer.insert("cursor".to_owned(), json!(cursor));
    }
    answer.insert("messages".to_owned(), letters.iter().map(views::dead_letter).collect());
    Ok(Response::json(200, &Value::Object(answer)))
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

fn found<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<DeadLetter> {
    dead_letter::find(scope.sql, id)?
        .ok_or_else(|| Error::new(Code::NotFound, format!("no dead letter has the id '{}'", shown(id))))
}
