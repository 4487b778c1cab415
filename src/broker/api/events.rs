//! `/v2/events` and `/v2/logs`: what happened to the messages, newest first.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::filter::{Filter, PAGE_BYTES, cursor, numbered, size};
use super::tokens;
use super::trim::Trim;
use super::views::{self, Logged};
use super::{Call, limits};
use crate::broker::Scope;
use crate::broker::redaction::hidden;
use crate::broker::store::event::{self, State};
use crate::broker::store::message::Message;
use crate::broker::store::{Sql, logged, step};
use crate::error::{Code, Error, Result};
use crate::wire::Response;
use crate::wire::duration::shown;

const FILTERS: [&str; 20] = [
    "cursor",
    "count",
    "order",
    "messageId",
    "messageIds",
    "state",
    "url",
    "host",
    "path",
    "topicName",
    "scheduleId",
    "queueName",
    "flowControlKey",
    "callerIp",
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
    let mut filter = Filter::new();
    filter.one_of(query, "messageId", "message_id")?;
    filter.one_of(query, "messageIds", "message_id")?;
    let mut states = Vec::new();
    for state in query.all("state") {
        let meant = State::meant(&state).ok_or_else(|| {
            Error::new(Code::InvalidRequest, format!("'{}' is not the state of a message", shown(&state)))
        })?;
        states.extend(meant);
    }
    filter.among("state", states)?;
    filter.one_of(query, "url", "url")?;
    filter.located(query, "url")?;
    filter.holds(query, "label", "label")?;
    filter.one_of(query, "workflowRunId", "run_id")?;
    for (name, path) in [
        ("topicName", "$.source.urlGroup"),
        ("scheduleId", "$.source.schedule"),
        ("queueName", "$.queue"),
        ("flowControlKey", "$.flow_key"),
        ("callerIp", "$.caller_ip"),
    ] {
        let value = format!("json_extract(message, '{path}')");
        if logged::are_few(scope.sql, &value, &query.all(name))? {
            filter.any(query, name, &format!("message_id IN (SELECT message_id FROM logged WHERE {value} = ?)"))?;
        } else {
            // Most of the newest events are theirs: these are found soonest one after the other.
            let of_event = "SELECT 1 FROM logged WHERE logged.message_id = events.message_id";
            filter.any(query, name, &format!("EXISTS ({of_event} AND {value} = ?)"))?;
        }
    }
    filter.between(query, "time")?;
    let trim = Trim::read(query)?;
    let count = query.count(100, MOST)?;
    let (condition, params) = match query.first("order") {
        None | Some("latestFirst") => {
            filter.after(query, "seq")?;
            filter.newest("seq", count)
        }
        Some("earliestFirst") if !scope.shard.is_single() => {
            let text = "a broker of several shards tells its log latestFirst only";
            return Err(Error::new(Code::Unsupported, text));
        }
        Some("earliestFirst") => {
            filter.before(query, "seq")?;
            filter.oldest("seq", count)
        }
        Some(_) => {
            let text = "the query parameter order must be latestFirst or earliestFirst";
            return Err(Error::new(Code::InvalidRequest, text));
        }
    };
    let numbers = event::numbers(scope.sql, &condition, &params)?;
    let mut next = cursor(numbers.iter().copied(), count);
    let mut logs: BTreeMap<String, Option<Logged>> = BTreeMap::new();
    let mut views = Vec::with_capacity(numbers.len());
    let mut bytes = 0;
    for (number, following) in numbers.iter().zip(1..) {
        for event in event::select(scope.sql, "seq = ?", &[(*number).into()])? {
            if !logs.contains_key(&event.message_id) {
                logs.insert(event.message_id.clone(), logged(scope, &event.message_id)?);
            }
            let mut view = views::event(&event, logs.get(&event.message_id).and_then(Option::as_ref));
            trim.apply(&mut view, &["body"]);
            tokens::hide(scope.settings, &mut view);
            bytes += size(&view);
            views.push(view);
        }
        if bytes >= PAGE_BYTES && following < numbers.len() {
            next = Some(number.to_string());
            break;
        }
    }
    let shown: Vec<i64> = numbers.into_iter().take(views.len()).collect();
    let mut answer = Map::new();
    if let Some(cursor) = next {
        answer.insert("cursor".to_owned(), json!(cursor));
    }
    answer.insert(key.to_owned(), Value::Array(views));
    Ok(numbered(Response::json(200, &Value::Object(answer)), scope.shard, shown.into_iter()))
}

/// What the log tells of a message.
fn logged<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<Option<Logged>> {
    let Some(mut message) = logged::find(scope.sql, id)? else { return Ok(None) };
    tokens::hide_in_body(scope.settings, &mut message.body);
    let limits = limits(scope, &message)?;
    let (Some(run), Some(position), true) = (message.run, message.position, message.body.is_empty()) else {
        return Ok(Some(Logged { message, limits }));
    };
    // What it submitted stands in the history of its run, if that is still there.
    let mut body = step::find(scope.sql, run, position)?.map(|entry| entry.body).unwrap_or_default();
    if message.redaction.as_ref().is_some_and(|redaction| redaction.body) {
        body = hidden(&body).into_bytes();
    }
    body.truncate(logged::BODY_BYTES);
    Ok(Some(Logged { message: Message { body, ..message }, limits }))
}
