//! `/v2/schedules`: messages that are published by cron.

use serde_json::{Map, Value, json};

use super::views::put;
use super::{Call, caller_ip, messages, tokens, views};
use crate::broker::callback::map;
use crate::broker::forwarding::explicit;
use crate::broker::publication::{PLAIN, Publication, is_plain};
use crate::broker::schedule::{self as schedules, Wanted};
use crate::broker::settings::Limits;
use crate::broker::store::event::State;
use crate::broker::store::schedule::{self, Schedule};
use crate::broker::store::{Sql, event, message};
use crate::broker::{Scope, invalid_header};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Response, Timestamp, header};

/// Makes a schedule, or changes the one that `Upstash-Schedule-Id` names.
pub fn create<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (destination, headers) = messages::addressed(scope.settings, call, &call.parameter);
    let id = headers.get(header::SCHEDULE_ID);
    if id.is_some_and(|id| !is_plain(id)) {
        return Err(invalid_header(header::SCHEDULE_ID, PLAIN));
    }
    let wanted = Wanted {
        id,
        cron: headers.get(header::CRON).unwrap_or_default(),
        destination: &destination,
        headers: publish_headers(&*explicit(&headers)?),
        body: call.request.body.clone(),
        caller_ip: caller_ip(call.request),
    };
    let id = scope.transaction(|scope| schedules::put(scope, wanted))?;
    Ok(Response::json(200, &json!({ "scheduleId": id })))
}

/// What a request says about each message. The rest, its token above all, is not kept.
fn publish_headers(headers: &Headers) -> Headers {
    let own = |name: &str| name.eq_ignore_ascii_case(header::CRON) || name.eq_ignore_ascii_case(header::SCHEDULE_ID);
    let says = |name: &str| {
        name.eq_ignore_ascii_case(header::CONTENT_TYPE) || name.to_ascii_lowercase().starts_with("upstash-")
    };
    headers
        .iter()
        .filter(|(name, _)| says(name) && !own(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Lists the schedules, oldest first.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    call.query.refuse_unknown(&["qstash_token"])?;
    let views = schedule::all(scope.sql)?.iter().map(|schedule| view(scope, schedule)).collect::<Result<_>>()?;
    Ok(Response::json(200, &Value::Array(views)))
}

/// Shows one schedule.
pub fn show<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let schedule = schedule::find(scope.sql, &call.parameter)?.ok_or_else(|| none(&call.parameter))?;
    Ok(Response::json(200, &view(scope, &schedule)?))
}

/// Removes a schedule, if there is one; what it has published is delivered all the same.
pub fn remove<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    scope.transaction(|scope| schedule::remove(scope.sql, &call.parameter))?;
    Ok(Response::new(200))
}

/// Pauses or resumes a schedule.
pub fn set_paused<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>, paused: bool) -> Result<Response> {
    scope.transaction(|scope| {
        let schedule = schedule::find(scope.sql, &call.parameter)?.ok_or_else(|| none(&call.parameter))?;
        schedules::set_paused(scope, &schedule, paused)
    })?;
    Ok(Response::new(200))
}

fn none(id: &str) -> Error {
    Error::new(Code::NotFound, format!("no schedule has the id '{}'", shown(id)))
}

fn view<S: Sql>(scope: &Scope<'_, S>, schedule: &Schedule) -> Result<Value> {
    let destination = schedule.destination.clone();
    let publication = Publication::of(destination, &schedule.headers, Vec::new(), &Limits::NONE, scope.at)?;
    let mut view = Map::new();
    put(&mut view, "scheduleId", json!(schedule.id));
    put(&mut view, "cron", json!(schedule.cron));
    put(&mut view, "createdAt", json!(schedule.created_at.millis()));
    put(&mut view, "destination", json!(schedule.destination));
    put(&mut view, "isPaused", json!(schedule.paused));
    put(&mut view, "nextScheduleTime", json!(schedule.next_at.map(Timestamp::millis)));
    views::caller(&mut view, schedule.caller_ip.as_deref());
    let redaction = publication.redaction.as_ref();
    views::shown_body(&mut view, "body", redaction, &schedule.body);
    put(&mut view, "header", json!(map(&shown_headers(&publication))));
    publish_settings(&mut view, publication, scope);
    if let Some(last) = &schedule.last {
        put(&mut view, "lastScheduleTime", json!(last.at.millis()));
        put(&mut view, "lastScheduleStates", states(scope, &last.messages)?);
        put(&mut view, "lastScheduleError", json!(last.error));
    }
    let mut view = Value::Object(view);
    tokens::hide(scope.settings, &mut view);
    Ok(view)
}

fn shown_headers(publication: &Publication) -> Headers {
    let mut headers = publication.headers.clone();
    if let Some(content_type) = publication.content_type.as_ref().filter(|_| !headers.contains(header::CONTENT_TYPE)) {
        headers.append(header::CONTENT_TYPE, content_type);
    }
    match &publication.redaction {
        Some(redaction) => redaction.headers(&headers),
        None => headers,
    }
}

fn publish_settings<S: Sql>(view: &mut Map<String, Value>, publication: Publication, scope: &Scope<'_, S>) {
    let delay = publication.not_before - scope.at;
    put(view, "method", json!(publication.method.as_str()));
    put(view, "retries", json!(publication.retries.unwrap_or(scope.settings.defaults.retries)));
    put(view, "retryDelayExpression", json!(publication.retry_delay));
    put(view, "delay", json!(Some(delay.as_secs()).filter(|seconds| *seconds > 0)));
    put(view, "timeout", json!(publication.timeout.map(|timeout| timeout.as_secs())));
    put(view, "callback", json!(publication.callback.map(|target| target.url)));
    put(view, "failureCallback", json!(publication.failure_callback.map(|target| target.url)));
    put(view, "queueName", json!(publication.queue));
    if let Some((key, limits)) = publication.flow_control {
        let limits = limits.unwrap_or_default();
        put(view, "flowControlKey", json!(key));
        put(view, "parallelism", json!(limits.parallelism));
        put(view, "rate", json!(limits.rate.map(|rate| rate.count)));
        put(view, "period", json!(limits.rate.map(|rate| rate.period.as_secs())));
    }
    views::labels(view, publication.label.as_deref());
}

/// What has become of messages. Those are left out that the log has forgotten, or that went to a queue of another shard.
fn states<S: Sql>(scope: &Scope<'_, S>, messages: &[String]) -> Result<Value> {
    let mut states = Map::new();
    for id in messages {
        let state = if message::find(scope.sql, id)?.is_some() {
            "IN_PROGRESS"
        } else {
            let events = event::of_message(scope.sql, id)?;
            match events.last() {
                None => continue,
                Some(last) if last.state == State::Delivered.as_str() => "SUCCESS",
                Some(_) => "FAIL",
            }
        };
        states.insert(id.clone(), json!(state));
    }
    Ok(Value::Object(states))
}
