//! `/v2/publish/{destination}` and `/v2/messages/{id}`.

use serde_json::json;

use super::filter::Filter;
use super::{Call, caller_ip, limits, tokens, views};
use crate::broker::dispatch;
use crate::broker::query::{Query, decode, pairs};
use crate::broker::store::message::{Role, Source};
use crate::broker::store::{Sql, message, step};
use crate::broker::{Scope, Settings, access, recovery};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Response, header};

/// Publishes one message, or one to each endpoint of a URL group. 202 if all were duplicates.
pub fn publish<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (destination, headers) = addressed(scope.settings, call, &call.parameter);
    publish_to(scope, call, &destination, &headers)
}

/// Publishes the request's body.
pub fn publish_to<S: Sql>(
    scope: &mut Scope<'_, S>,
    call: &Call<'_>,
    destination: &str,
    headers: &Headers,
) -> Result<Response> {
    let body = call.request.body.clone();
    let published = scope.transaction(|scope| {
        dispatch::publish(scope, destination, headers, body, caller_ip(call.request), &Source::default())
    })?;
    Ok(Response::json(if published.is_duplicate() { 202 } else { 200 }, &published.answer()))
}

/// The destination, which stands in `path`, and the publish headers. Services that can't set headers write them into the query
/// (`?upstash-retries=3`); the rest of the query belongs to the destination.
pub fn addressed(settings: &Settings, call: &Call<'_>, path: &str) -> (String, Headers) {
    let mut headers = call.request.headers.clone();
    if headers.get(header::AUTHORIZATION).is_some_and(|value| access::is_own(settings, &call.query, value)) {
        headers.remove(header::AUTHORIZATION);
    }
    let mut query = Vec::new();
    for (raw, name, value) in pairs(call.raw_query) {
        if name.to_ascii_lowercase().starts_with("upstash-") {
            headers.set(name, value);
        } else if name != access::TOKEN_PARAMETER {
            query.push(raw);
        }
    }
    let lower = path.to_ascii_lowercase();
    let mut destination = if lower.starts_with("http%3a") || lower.starts_with("https%3a") {
        decode(path, false)
    } else {
        path.to_owned()
    };
    // Proxies that clean paths up turn `https://` into `https:/`.
    for scheme in ["http:/", "https:/"] {
        if destination.strip_prefix(scheme).is_some_and(|rest| !rest.starts_with('/')) {
            destination.insert(scheme.len(), '/');
        }
    }
    if !query.is_empty() {
        destination.push(if destination.contains('?') { '&' } else { '?' });
        destination.push_str(&query.join("&"));
    }
    (destination, headers)
}

/// Shows a message that has not ended yet.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let message = found(scope, &call.parameter)?;
    let (run, body) = match (message.run, message.position) {
        (Some(key), Some(position)) if message.body.is_empty() => {
            (run_of(scope, key)?, step::find(scope.sql, key, position)?.map(|entry| entry.body))
        }
        (Some(key), _) => (run_of(scope, key)?, None),
        _ => (None, None),
    };
    let limits = limits(scope, &message)?;
    let mut view = views::message(&message, body.as_deref(), run.as_ref(), limits);
    tokens::hide(scope.settings, &mut view);
    Ok(Response::json(200, &view))
}

fn run_of<S: Sql>(scope: &Scope<'_, S>, key: i64) -> Result<Option<crate::broker::store::run::Run>> {
    crate::broker::store::run::find(scope.sql, key)
}

/// Cancels a message that has not ended yet. A delivery under way is not called back, its outcome is ignored.
pub fn cancel<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    scope.transaction(|scope| {
        let message = found(scope, &call.parameter)?;
        if message.role.ends_with_run() {
            return Err(Error::new(
                Code::InvalidRequest,
                "the message belongs to a run, which would never end without it; cancel the run instead",
            ));
        }
        recovery::cancel(scope, &message)
    })?;
    Ok(Response::json(200, &json!({ "cancelled": 1 })))
}

const FILTERS: [&str; 14] = [
    "messageIds",
    "topicName",
    "queueName",
    "url",
    "host",
    "path",
    "label",
    "flowControlKey",
    "fromDate",
    "toDate",
    "scheduleId",
    "callerIp",
    "count",
    "qstash_token",
];

/// Cancels the messages that a filter selects; without a filter all. Those of runs are left alone.
///
/// The official SDK always sends a `count` and promises that one call is enough for all, so `count` limits nothing.
pub fn cancel_many<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let mut query = call.query.clone();
    query.refuse_unknown(&FILTERS)?;
    query.take_ids("messageIds", &call.request.body)?;
    query.number("count")?;
    let mut cancelled = 0;
    loop {
        let (condition, params) = selection(&query)?.newest("seq", CANCELLED_AT_ONCE);
        let number = scope.transaction(|scope| {
            let messages = message::select(scope.sql, &condition, &params)?;
            messages.iter().try_for_each(|message| recovery::cancel(scope, message))?;
            Ok(messages.len())
        })?;
        if number == 0 {
            return Ok(Response::json(200, &json!({ "cancelled": cancelled })));
        }
        cancelled += number;
    }
}

/// So many messages are cancelled in one transaction.
const CANCELLED_AT_ONCE: u64 = 500;

fn selection(query: &Query) -> Result<Filter> {
    let mut filter = Filter::new();
    filter.one_of(query, "messageIds", "id")?;
    filter.one_of(query, "topicName", "json_extract(source, '$.urlGroup')")?;
    filter.one_of(query, "scheduleId", "json_extract(source, '$.schedule')")?;
    filter.one_of(query, "queueName", "queue")?;
    filter.one_of(query, "flowControlKey", "flow_key")?;
    filter.one_of(query, "url", "url")?;
    filter.located(query, "url")?;
    filter.holds(query, "label", "label")?;
    filter.one_of(query, "callerIp", "caller_ip")?;
    filter.between(query, "created_at")?;
    filter.and("(run IS NULL OR role = ?)", Role::FailureCallback.as_str().into());
    filter.and("role <> ?", Role::Ticket.as_str().into());
    Ok(filter)
}

fn found<S: Sql>(scope: &Scope<'_, S>, id: &str) -> Result<message::Message> {
    message::find(scope.sql, id)?.filter(|message| message.role != Role::Ticket).ok_or_else(|| {
        Error::new(
            Code::NotFound,
            format!("no message with the id '{}' waits for delivery; it may have been delivered", shown(id)),
        )
    })
}
