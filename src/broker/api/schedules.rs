//! `/v2/schedules`: messages that are published by cron.

use serde_json::{Map, Value, json};

use super::{Call, caller_ip, messages, views};
use crate::broker::callback::map;
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
    let (destination, headers) = messages::addressed(call, &call.parameter);
    let id = headers.get(header::SCHEDULE_ID);
    if id.is_some_and(|id| !is_plain(id)) {
        return Err(invalid_header(header::SCHEDULE_ID, PLAIN));
    }
    let wanted = Wanted {
        id,
        cron: headers.get(header::CRON).unwrap_or_default(),
        destination: &destination,
        headers: publish_headers(&headers),
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
    let at = scope.at;
    let publication = Publication::of(schedule.destination.clone(), &schedule.headers, Vec::new(), &Limits::NONE, at)?;
    let mut view = Map::new();
    let mut set = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    set("scheduleId", json!(schedule.id));
    set("cron", json!(schedule.cron));
    set("createdAt", json!(schedule.created_at.millis()));
    set("destination", json!(schedule.destination));
    set("method", json!(publication.method.as_str()));
    let mut headers = publication.headers;
    if let Some(content_type) = publication.content_type.filter(|_| !headers.contains(header::CONTENT_TYPE)) {
        headers.append(header::CONTENT_TYPE, content_type);
    }
    set("header", json!(map(&headers)));
    set("retries", json!(publication.retries.unwrap_or(scope.settings.defaults.retries)));
    set("isPaused", json!(schedule.paused));
    let delay = publication.not_before - at;
    for (name, value) in [
        ("delay", Some(delay).filter(|delay| !delay.is_zero()).map(|delay| delay.as_secs())),
        ("timeout", publication.timeout.map(|timeout| timeout.as_secs())),
        ("nextScheduleTime", schedule.next_at.map(Timestamp::millis)),
    ] {
        if let Some(value) = value {
            set(name, json!(value));
        }
    }
    for (name, value) in [
        ("retryDelayExpression", publication.retry_delay),
        ("callback", publication.callback.map(|target| target.url)),
        ("failureCallback", publication.failure_callback.map(|target| target.url)),
        ("callerIP", schedule.caller_ip.clone()),
        ("queueName", publication.queue),
    ] {
        if let Some(value) = value {
            set(name, json!(value));
        }
    }
    if let Some((key, limits)) = publication.flow_control {
        set("flowControlKey", json!(key));
        let limits = limits.unwrap_or_default();
        if let Some(parallelism) = limits.parallelism {
            set("parallelism", json!(parallelism));
        }
        if let Some(rate) = limits.rate {
            set("rate", json!(rate.count));
            set("period", json!(rate.period.as_secs()));
        }
    }
    if let Some(last) = &schedule.last {
        set("lastScheduleTime", json!(last.at.millis()));
        set("lastScheduleStates", states(scope, &last.messages)?);
        if let Some(error) = &last.error {
            set("lastScheduleError", json!(error));
        }
    }
    views::labels(&mut view, publication.label.as_deref());
    views::body(&mut view, "body", &schedule.body);
    Ok(Value::Object(view))
}

/// What has become of messages; those that the log has forgotten are left out.
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
