//! `/v2/events` and `/v2/logs`: what happened to the messages, newest first.

use serde_json::{Map, Value, json};

use super::filter::{Filter, cursor, numbered};
use super::{Call, views};
use crate::broker::Scope;
use crate::broker::store::Sql;
use crate::broker::store::event::{self, State};
use crate::error::{Code, Error, Result};
use crate::wire::Response;

const FILTERS: [&str; 12] = [
    "cursor",
    "count",
    "messageId",
    "messageIds",
    "state",
    "url",
    "label",
    "workflowRunId",
    "fromDate",
    "toDate",
    "trimBody",
    "qstash_token",
];
const MOST: u64 = 1000;

/// Lists events under the member `key`.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>, key: &str) -> Result<Response> {
    let query = &call.query;
    query.refuse_unknown(&FILTERS)?;
    if let Some(state) = query.all("state").iter().find(|state| !State::is_known(state)) {
        let state = crate::wire::duration::shown(state);
        return Err(Error::new(Code::InvalidRequest, format!("'{state}' is not the state of a message")));
    }
    let mut filter = Filter::new();
    filter.one_of(query, "messageId", "message_id")?;
    filter.one_of(query, "messageIds", "message_id")?;
    filter.any(query, "state", "state = replace(?, 'CANCELLED', 'CANCELED')")?;
    filter.one_of(query, "url", "url")?;
    filter.holds(query, "label", "label")?;
    filter.one_of(query, "workflowRunId", "run_id")?;
    filter.between(query, "time")?;
    filter.after(query, "seq")?;
    let count = query.count(100, MOST)?;
    let (condition, params) = filter.newest("seq", count);
    let events = event::select(scope.sql, &condition, &params)?;
    let mut answer = Map::new();
    if let Some(cursor) = cursor(events.iter().map(|event| event.seq), count) {
        answer.insert("cursor".to_owned(), json!(cursor));
    }
    answer.insert(key.to_owned(), events.iter().map(views::event).collect());
    let numbers = events.iter().map(|event| event.seq);
    Ok(numbered(Response::json(200, &Value::Object(answer)), scope.shard, numbers))
}
