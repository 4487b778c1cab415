//! `/v2/workflows/logs` and `/v2/workflows/events`: the runs, newest first, with their steps.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::filter::{Filter, PAGE_BYTES, cursor, numbered};
use super::trim::Trim;
use super::{Call, tokens, views};
use crate::broker::Scope;
use crate::broker::callback::map;
use crate::broker::redaction::hidden;
use crate::broker::store::event::{self, Event};
use crate::broker::store::message::{self, Message, Role};
use crate::broker::store::run::{self, FailureState, Run, State};
use crate::broker::store::step::{self, Entry};
use crate::broker::store::{Sql, dead_letter};
use crate::error::{Code, Error, Result};
use crate::wire::{CallType, Response, Step, Timestamp, base64};

const FILTERS: [&str; 18] = [
    "host",
    "path",
    "cursor",
    "count",
    "workflowRunId",
    "workflowUrl",
    "workflowCreatedAt",
    "workflowRuns",
    "messageId",
    "flowControlKey",
    "state",
    "label",
    "callerIp",
    "fromDate",
    "toDate",
    "groupBy",
    "trimBody",
    "qstash_token",
];
const MOST: u64 = 100;

/// Lists runs.
pub fn list<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let query = &call.query;
    query.refuse_unknown(&FILTERS)?;
    if query.first("groupBy").is_some_and(|group| group != "workflowRunId") {
        return Err(Error::new(Code::InvalidRequest, "the query parameter groupBy must be workflowRunId"));
    }
    if let Some(state) = query.all("state").iter().find(|state| State::parse(state).is_none()) {
        let state = crate::wire::duration::shown(state);
        return Err(Error::new(
            Code::InvalidRequest,
            format!(
                "'{state}' is not the state of a run: expected RUN_STARTED, RUN_SUCCESS, RUN_FAILED or RUN_CANCELED"
            ),
        ));
    }
    let trim = Trim::read(query)?;
    let mut filter = Filter::new();
    filter.one_of(query, "workflowRunId", "id")?;
    filter.one_of(query, "workflowUrl", "url")?;
    filter.one_of(query, "workflowCreatedAt", "CAST(created_at AS TEXT)")?;
    // Runs named as `ID@TS`: the id and when the run was created.
    filter.one_of(query, "workflowRuns", "(id || '@' || created_at)")?;
    filter.any(query, "messageId", "key IN (SELECT run FROM events WHERE message_id = ?)")?;
    filter.one_of(query, "flowControlKey", "json_extract(config, '$.flow_key')")?;
    filter.one_of(query, "state", "state")?;
    filter.holds(query, "label", "label")?;
    filter.located(query, "url")?;
    filter.one_of(query, "callerIp", "caller_ip")?;
    filter.between(query, "created_at")?;
    filter.after(query, "key")?;
    let count = query.count(10, MOST)?;
    let (condition, params) = filter.newest("key", count);
    let runs = run::select(scope.sql, &condition, &params)?;
    let mut next = cursor(runs.iter().map(|run| run.key), count);
    let mut views = Vec::with_capacity(runs.len());
    let mut bytes = 0;
    for (run, following) in runs.iter().zip(1..) {
        let log = Log::read(scope, run)?;
        bytes += run.result.len() + log.entries.iter().map(|entry| entry.body.len()).sum::<usize>();
        views.push(log.view(run));
        if bytes >= PAGE_BYTES && following < runs.len() {
            next = Some(run.key.to_string());
            break;
        }
    }
    let numbers = runs.iter().take(views.len()).map(|run| run.key);
    let mut answer = Map::new();
    if let Some(cursor) = next {
        answer.insert("cursor".to_owned(), json!(cursor));
    }
    let mut views = Value::Array(views);
    trim.apply(&mut views, &[]);
    tokens::hide(scope.settings, &mut views);
    answer.insert("runs".to_owned(), views);
    Ok(numbered(Response::json(200, &Value::Object(answer)), scope.shard, numbers))
}

/// Everything that is known about one run.
struct Log {
    entries: Vec<Entry>,
    /// By message.
    events: BTreeMap<String, Vec<Event>>,
    /// The messages that still wait.
    waiting: Vec<Message>,
    /// The last answer, if the run failed.
    failure: Option<dead_letter::DeadLetter>,
    /// The messages of invoked runs that have ended, whether or not somebody still waited for that.
    ended: Vec<String>,
}

impl Log {
    fn read<S: Sql>(scope: &Scope<'_, S>, run: &Run) -> Result<Self> {
        let mut events: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for event in event::select(scope.sql, "run = ? ORDER BY seq", &[run.key.into()])? {
            events.entry(event.message_id.clone()).or_default().push(event);
        }
        let failure = run.dlq_id.as_ref().map(|id| dead_letter::find(scope.sql, id)).transpose()?.flatten();
        let entries = step::history(scope.sql, run.key, None)?;
        Ok(Self {
            ended: ended_invocations(scope, &entries)?,
            entries,
            events,
            waiting: message::of_run(scope.sql, run.key)?,
            failure,
        })
    }

    fn view(&self, run: &Run) -> Value {
        let mut view = Map::new();
        let mut set = |name: &str, value: Value| {
            view.insert(name.to_owned(), value);
        };
        set("workflowRunId", json!(run.id));
        set("workflowUrl", json!(run.url));
        set("workflowState", json!(run.state.as_str()));
        set("workflowRunCreatedAt", json!(run.created_at.millis()));
        if let Some(at) = run.ended_at {
            set("workflowRunCompletedAt", json!(at.millis()));
        }
        if run.state == State::Success && !run.result.is_empty() {
            set("workflowRunResponse", json!(shown(run, &run.result)));
        }
        for (name, value) in [
            ("dlqId", &run.dlq_id),
            ("error", &run.error),
            ("workflowRunCallerIp", &run.caller_ip),
            ("flowControlKey", &run.config.flow_key),
        ] {
            if let Some(value) = value {
                set(name, json!(value));
            }
        }
        if let Some(invoker) = &run.invoker {
            set("invoker", json!(invoker));
        }
        if let Some(function) = self.failure_function(run) {
            set("failureFunction", function);
        }
        set("steps", Value::Array(self.groups(run)));
        if run.is_active() {
            set("waitsFor", Value::Array(self.waits_for()));
        }
        views::labels(&mut view, run.label.as_deref());
        Value::Object(view)
    }

    /// What has to happen for the run to go on: an `event`, the end of a `run`, the `answer` of a third party or of the
    /// `endpoint`, the end of a `sleep`, the time of a `retry` or of a `delivery`. Nothing of that but a `submission`: the endpoint has
    /// answered without submitting anything, so the run goes on only if somebody does, or cancels it.
    fn waits_for(&self) -> Vec<Value> {
        let done = |place: u32| self.entries.iter().any(|entry| entry.place == place && is_result(entry));
        let pending = self.entries.iter().filter(|entry| entry.call_type == CallType::ToCallback && !done(entry.place));
        let steps = pending.map(|entry| {
            let what = match entry.step_type.as_str() {
                "Invoke" => "run",
                "Call" => "answer",
                _ => "event",
            };
            let mut view: Map<String, Value> = serde_json::from_slice(&entry.body).unwrap_or_default();
            view.insert("for".to_owned(), json!(what));
            view.insert("stepName".to_owned(), json!(entry.name));
            Value::Object(view)
        });
        let messages = self.waiting.iter().filter(|message| message.role.is_invocation()).map(|message| {
            let step = self.entries.iter().find(|entry| entry.message_id == message.id);
            let asleep = step.is_some_and(|step| step.step_type.starts_with("Sleep"));
            let (what, name, at) = match message.leased_at.filter(|_| message.lease.is_some()) {
                Some(at) => ("endpoint", "since", at),
                None if message.attempt > 0 => ("retry", "until", message.due_at),
                None if asleep => ("sleep", "until", message.due_at),
                None => ("delivery", "until", message.due_at),
            };
            let mut view = json!({ "for": what, "messageId": message.id, name: at.millis() });
            if let Some(step) = step {
                view["stepName"] = json!(step.name);
            }
            view
        });
        let mut waits: Vec<Value> = steps.chain(messages).collect();
        if waits.is_empty() {
            let last = self.events.values().flatten().map(|event| event.time).max();
            waits.push(json!({ "for": "submission", "since": last.map(Timestamp::millis) }));
        }
        waits
    }

    /// Steps one after the other, steps side by side, and what comes next.
    fn groups(&self, run: &Run) -> Vec<Value> {
        let mut groups: Vec<(u32, Vec<Value>)> = Vec::new();
        for entry in self.shown() {
            let step = self.step(run, entry);
            // Members of one parallel group share its last place.
            match groups.iter_mut().find(|(group, _)| entry.concurrent > 1 && *group == entry.group_end) {
                Some((_, steps)) => steps.push(step),
                None => groups.push((entry.group_end, vec![step])),
            }
        }
        let parallel = |group: u32| self.entries.iter().any(|entry| entry.group_end == group && entry.concurrent > 1);
        let mut views: Vec<Value> = groups
            .into_iter()
            .map(|(group, steps)| json!({ "type": if parallel(group) { "parallel" } else { "sequential" }, "steps": steps }))
            .collect();
        let next: Vec<Value> = self.next(run);
        if !next.is_empty() {
            views.push(json!({ "type": "next", "steps": next }));
        }
        views
    }

    /// One entry for each step: its result, else what it waits for, else its plan.
    fn shown(&self) -> impl Iterator<Item = &Entry> {
        let rank = |entry: &Entry| match (entry.is_plan, entry.call_type) {
            (false, CallType::Step) => 0,
            (false, CallType::FromCallback) => 1,
            (false, CallType::ToCallback) => 2,
            (true, _) => 3,
        };
        let mut best: BTreeMap<u32, &Entry> = BTreeMap::new();
        for entry in &self.entries {
            let known = best.entry(entry.place).or_insert(entry);
            if rank(entry) < rank(known) {
                *known = entry;
            }
        }
        best.into_values()
    }

    fn step(&self, run: &Run, entry: &Entry) -> Value {
        let call =
            self.entries.iter().find(|other| other.place == entry.place && other.call_type == CallType::ToCallback);
        let submitted: Option<Step> = serde_json::from_slice(&entry.body).ok();
        let mut view = Map::new();
        let mut set = |name: &str, value: Value| {
            view.insert(name.to_owned(), value);
        };
        set("stepId", json!(entry.place));
        set("stepName", json!(entry.name));
        set("stepType", json!(entry.step_type));
        set("callType", json!(step::call_type_name(entry.call_type)));
        set("messageId", json!(entry.message_id));
        set("concurrent", json!(entry.concurrent));
        let failed = entry.is_plan && run.failed_message.as_ref() == Some(&entry.message_id);
        set("state", json!(if failed { "STEP_FAILED" } else { self.state(entry) }));
        set("createdAt", json!(entry.created_at.millis()));
        set("headers", json!({}));
        let started_at = call.map(|call| call.created_at).or(entry.started_at);
        let attempts = match call {
            Some(call) => self.tries(&call.message_id),
            None => entry.attempts,
        };
        if let Some(started_at) = started_at {
            set("startedAt", json!(started_at.millis()));
        }
        set("attempts", json!(attempts.unwrap_or(1)));
        set("retries", json!(attempts.unwrap_or(1).saturating_sub(1)));
        if entry.place == 0 {
            set("out", json!(shown(run, &entry.body)));
        } else if let Some(step) = submitted {
            let out = step.out.map(|out| if hides_bodies(run) { json!(hidden_json(out.get())) } else { json!(out) });
            for (name, value) in [
                ("out", json!(out)),
                ("sleepFor", json!(step.sleep_for)),
                ("sleepUntil", json!(step.sleep_until)),
                ("waitTimeout", json!(step.wait_timeout)),
            ] {
                if !value.is_null() {
                    set(name, value);
                }
            }
        }
        for entry in self.entries.iter().filter(|other| other.place == entry.place && other.call_type != CallType::Step)
        {
            // What was called, awaited or invoked.
            view.extend(serde_json::from_slice::<Map<String, Value>>(&entry.body).unwrap_or_default());
        }
        if failed {
            view.insert("errors".to_owned(), Value::Array(self.errors(&entry.message_id)));
        }
        Value::Object(view)
    }

    /// A plan, a call under way and a sleep that is not over are in progress.
    fn state(&self, entry: &Entry) -> &'static str {
        let asleep = entry.step_type.starts_with("Sleep")
            && self
                .waiting
                .iter()
                .any(|message| message.id == entry.message_id && message.lease.is_none() && message.attempt == 0);
        let pending = entry.is_plan || entry.call_type != CallType::Step || asleep;
        if pending && !self.ended.contains(&entry.message_id) { "STEP_PROGRESS" } else { "STEP_SUCCESS" }
    }

    fn tries(&self, message: &str) -> Option<u32> {
        let tries = self.events.get(message)?.iter().filter(|event| event.state == "ACTIVE").count();
        u32::try_from(tries).ok()
    }

    /// The invocations that wait or failed: what they compute has no result yet.
    fn next(&self, run: &Run) -> Vec<Value> {
        if run.state == State::Success {
            // The delivery that ended the run may still be under way.
            return Vec::new();
        }
        let waiting = self.waiting.iter().filter(|message| message.role != Role::FailureCallback).map(|message| {
            let state = if message.attempt > 0 { "STEP_RETRY" } else { "STEP_PROGRESS" };
            let mut view = self.invocation(&message.id, state);
            view["retries"] = json!(message.attempt);
            view["maxRetries"] = json!(message.max_retries);
            if message.lease.is_none() {
                view["nextDeliveryTime"] = json!(message.due_at.millis());
            }
            if let Some(delay) = &message.retry_delay {
                view["retryDelay"] = json!(delay);
            }
            view
        });
        // A failed member of a parallel group stands in its group.
        let planned = |id: &String| self.shown().any(|entry| entry.is_plan && entry.message_id == *id);
        let failed = run.failed_message.iter().filter(|id| !planned(id)).map(|id| self.invocation(id, "STEP_FAILED"));
        waiting.chain(failed).collect()
    }

    fn invocation(&self, message: &str, state: &str) -> Value {
        let events = self.events.get(message).map(Vec::as_slice).unwrap_or_default();
        let errors = self.errors(message);
        let name = events.iter().rev().find_map(|event| {
            event.response_headers.as_ref()?.get(crate::wire::header::ERROR_STEP_NAME).map(str::to_owned)
        });
        let mut view = json!({
            "messageId": message,
            "state": state,
            "retries": errors.len().saturating_sub(1),
        });
        if let Some(name) = name {
            view["stepName"] = json!(name);
        }
        if !errors.is_empty() {
            view["errors"] = Value::Array(errors);
        }
        view
    }

    /// The tries of a message that failed.
    fn errors(&self, message: &str) -> Vec<Value> {
        let events = self.events.get(message).map(Vec::as_slice).unwrap_or_default();
        events.iter().filter(|event| event.state == "ERROR").map(error).collect()
    }

    fn failure_function(&self, run: &Run) -> Option<Value> {
        let id = run.failure_message.as_ref()?;
        let failure = self.failure.as_ref();
        let events = self.events.get(id).map(Vec::as_slice).unwrap_or_default();
        let last =
            events.iter().rev().find(|event| matches!(event.state.as_str(), "DELIVERED" | "FAILED" | "CANCELED"));
        let mut view = json!({
            "messageId": id,
            "url": events.first().map_or(run.url.as_str(), |event| event.url.as_str()),
            "state": run.failure_state.map(FailureState::as_str),
            "dlqId": run.dlq_id,
            "failStatus": failure.map_or(0, |failure| failure.status),
            "failHeaders": failure.map(|failure| map(&failure.response_headers)),
            "failResponse": failure.map(|failure| String::from_utf8_lossy(&failure.response_body).into_owned()),
        });
        let errors: Vec<Value> = events.iter().filter(|event| event.state == "ERROR").map(error).collect();
        if !errors.is_empty() {
            view["errors"] = Value::Array(errors);
        }
        if let Some(event) = last.filter(|event| event.status.is_some()) {
            view["responseStatus"] = json!(event.status);
            view["responseBody"] = json!(event.response_body.as_ref().map(|body| String::from_utf8_lossy(body)));
            view["responseHeaders"] = json!(event.response_headers.as_ref().map(map));
        }
        Some(view)
    }
}

/// Runs go on when the run that invoked them has ended, and end without telling it.
fn ended_invocations<S: Sql>(scope: &Scope<'_, S>, entries: &[Entry]) -> Result<Vec<String>> {
    let mut ended = Vec::new();
    for entry in entries.iter().filter(|entry| entry.call_type == CallType::ToCallback) {
        let details: Map<String, Value> = serde_json::from_slice(&entry.body).unwrap_or_default();
        if let Some(id) = details.get("invokedWorkflowRunId").and_then(Value::as_str)
            && run::find_by_id(scope.sql, id)?.is_some_and(|run| !run.is_active())
        {
            ended.push(entry.message_id.clone());
        }
    }
    Ok(ended)
}

/// Whether payload, results and response of a run are hidden: the bodies of its steps
/// (`workflow/howto/redact-fields.mdx`).
fn hides_bodies(run: &Run) -> bool {
    run.config.redaction.as_ref().is_some_and(|redaction| redaction.body)
}

fn shown(run: &Run, bytes: &[u8]) -> String {
    if hides_bodies(run) { hidden(bytes) } else { String::from_utf8_lossy(bytes).into_owned() }
}

/// The hash is that of a text itself, not of its quotes.
fn hidden_json(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) => hidden(text.as_bytes()),
        Err(_) => hidden(json.as_bytes()),
    }
}

fn is_result(entry: &Entry) -> bool {
    entry.call_type == CallType::Step && !entry.is_plan
}

/// A try that failed, as the SDK's types name its members.
fn error(event: &Event) -> Value {
    let body = event.response_body.as_deref().unwrap_or_default();
    json!({
        "error": event.error,
        "body": std::str::from_utf8(body).map_or_else(|_| base64::encode(body), str::to_owned),
        "headers": event.response_headers.as_ref().map(map),
        "status": event.status.unwrap_or(0),
        "time": event.time.millis(),
    })
}
