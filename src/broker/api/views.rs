//! How messages, dead letters and events look in JSON, as the schemas of QStash's specification name their members.

use serde_json::{Map, Value, json};

use crate::broker::callback::map;
use crate::broker::redaction::{Redaction, hidden, shown};
use crate::broker::store::dead_letter::DeadLetter;
use crate::broker::store::event::Event;
use crate::broker::store::message::{Message, Role};
use crate::broker::store::run::Run;
use crate::broker::store::waiter::Waiter;
use crate::wire::{FlowLimits, Headers, Timestamp, base64, header};

/// A message that waits for delivery. `step` is the body of a message whose delivery carries a history.
pub fn message(message: &Message, step: Option<&[u8]>, run: Option<&Run>, limits: Option<FlowLimits>) -> Value {
    let mut view = Map::new();
    put(&mut view, "messageId", json!(message.id));
    put(&mut view, "url", json!(message.url));
    put(&mut view, "method", json!(message.method.as_str()));
    put(&mut view, "maxRetries", json!(message.max_retries));
    put(&mut view, "retried", json!(message.attempt));
    put(&mut view, "createdAt", json!(message.created_at.millis()));
    put(&mut view, "timeout", json!(message.timeout.as_secs()));
    if message.lease.is_none() {
        put(&mut view, "nextDeliveryTime", json!(message.due_at.millis()));
    }
    put(&mut view, "workflowRunId", json!(run.map(|run| &run.id)));
    put(&mut view, "retryDelayExpression", json!(message.retry_delay));
    let shown = shown(message);
    described(&mut view, &shown, limits, ["callbackHeader", "failureCallbackHeader"]);
    put(&mut view, "header", json!(map(&shown.headers)));
    labels(&mut view, message.label.as_deref());
    shown_body(&mut view, "body", message.redaction.as_ref(), step.unwrap_or(&message.body));
    Value::Object(view)
}

/// A message that was given up.
pub fn dead_letter(letter: &DeadLetter, limits: Option<FlowLimits>) -> Value {
    let mut view = Map::new();
    let redaction = letter.message.as_ref().and_then(|message| message.redaction.as_ref());
    put(&mut view, "dlqId", json!(letter.id));
    put(&mut view, "messageId", json!(letter.message_id));
    put(&mut view, "url", json!(letter.url));
    put(&mut view, "method", json!(letter.method));
    let headers = redaction.map(|redaction| redaction.headers(&letter.headers));
    put(&mut view, "header", json!(map(headers.as_ref().unwrap_or(&letter.headers))));
    put(&mut view, "maxRetries", json!(letter.max_retries));
    put(&mut view, "createdAt", json!(letter.created_at.millis()));
    put(&mut view, "failedAt", json!(letter.failed_at.millis()));
    put(&mut view, "responseStatus", json!(letter.status));
    put(&mut view, "responseHeader", json!(map(&letter.response_headers)));
    put(&mut view, "error", json!(letter.error));
    put(&mut view, "retryDelayExpression", json!(letter.retry_delay));
    if let Some(message) = &letter.message {
        described(&mut view, &shown(message), limits, ["callbackHeader", "failureCallbackHeader"]);
    } else {
        // Older databases kept only this.
        put(&mut view, "callback", json!(letter.callback));
        put(&mut view, "failureCallback", json!(letter.failure_callback));
        caller(&mut view, letter.caller_ip.as_deref());
    }
    if let Some((id, created_at)) = &letter.run {
        put(&mut view, "workflowRunId", json!(id));
        put(&mut view, "workflowCreatedAt", json!(created_at.millis()));
        if letter.role.is_invocation() {
            put(&mut view, "workflowUrl", json!(letter.url));
        }
    }
    if letter.role == Role::FailureCallback {
        put(&mut view, "isFailureCallback", json!(true));
    }
    labels(&mut view, letter.label.as_deref());
    shown_body(&mut view, "body", redaction, &letter.body);
    body(&mut view, "responseBody", &letter.response_body);
    Value::Object(view)
}

/// What everything tells that is about a message: where it comes from, what bounds it, who hears of it. The members
/// with the headers of callbacks have other names in the log.
fn described(view: &mut Map<String, Value>, message: &Message, limits: Option<FlowLimits>, headers: [&str; 2]) {
    put(view, "notBefore", json!(message.not_before.millis()));
    put(view, "topicName", json!(message.source.url_group));
    put(view, "endpointName", json!(message.source.endpoint));
    put(view, "scheduleId", json!(message.source.schedule));
    put(view, "api", json!(message.source.api));
    put(view, "queueName", json!(message.queue));
    put(view, "flowControlKey", json!(message.flow_key));
    if let Some(limits) = limits {
        put(view, "parallelism", json!(limits.parallelism));
        put(view, "rate", json!(limits.rate.map(|rate| rate.count)));
        put(view, "period", json!(limits.rate.map(|rate| rate.period.as_secs())));
    }
    caller(view, message.caller_ip.as_deref());
    let targets = [("callback", &message.callback), ("failureCallback", &message.failure_callback)];
    for ((name, target), headers) in targets.into_iter().zip(headers) {
        let Some(target) = target else { continue };
        put(view, name, json!(target.url));
        let forwarded: Headers = target.headers.with_prefix(header::FORWARD_PREFIX).collect();
        if !forwarded.is_empty() {
            put(view, headers, json!(map(&forwarded)));
        }
    }
}

/// The specification writes `callerIP`, the SDK's types `callerIp`.
pub fn caller(view: &mut Map<String, Value>, address: Option<&str>) {
    put(view, "callerIP", json!(address));
    put(view, "callerIp", json!(address));
}

/// Bytes as [`body`], unless they are to be hidden.
pub fn shown_body(view: &mut Map<String, Value>, name: &str, redaction: Option<&Redaction>, bytes: &[u8]) {
    match redaction {
        Some(redaction) if redaction.body => put(view, name, json!(hidden(bytes))),
        _ => body(view, name, bytes),
    }
}

/// Sets a member; what is `null` is left out.
pub fn put(view: &mut Map<String, Value>, name: &str, value: Value) {
    if !value.is_null() {
        view.insert(name.to_owned(), value);
    }
}

/// Who waits for an event.
pub fn waiter(waiter: &Waiter) -> Value {
    json!({
        "url": waiter.pending.target.url,
        "deadline": waiter.deadline.seconds(),
        "headers": map(&waiter.pending.target.headers),
        // A timeout delivers the history of the run.
        "timeoutBody": null,
        "timeoutUrl": waiter.timeout_target.url,
        "timeoutHeaders": map(&waiter.timeout_target.headers),
    })
}

/// What an entry of the log tells of its message.
pub struct Logged {
    /// The message, with what it hides hidden and the first bytes of its body.
    pub message: Message,
    /// The limits of its flow-control key.
    pub limits: Option<FlowLimits>,
}

/// An entry of the log. As the specification has it, `body` is base64 and `timeout` a number of milliseconds.
pub fn event(event: &Event, logged: Option<&Logged>) -> Value {
    let mut view = Map::new();
    put(&mut view, "time", json!(event.time.millis()));
    put(&mut view, "messageId", json!(event.message_id));
    put(&mut view, "state", json!(event.state));
    put(&mut view, "url", json!(event.url));
    put(&mut view, "method", json!(event.method));
    put(&mut view, "retried", json!(event.attempt));
    put(&mut view, "maxRetries", json!(event.max_retries));
    put(&mut view, "responseStatus", json!(event.status));
    put(&mut view, "nextDeliveryTime", json!(event.next_delivery.map(Timestamp::millis)));
    put(&mut view, "error", json!(event.error));
    put(&mut view, "workflowRunId", json!(event.run_id));
    if let Some(Logged { message, limits }) = logged {
        described(&mut view, message, *limits, ["callbackHeaders", "failureCallbackHeaders"]);
        put(&mut view, "header", json!(map(&message.headers)));
        put(&mut view, "createdAt", json!(message.created_at.millis()));
        put(&mut view, "timeout", json!(u64::try_from(message.timeout.as_millis()).unwrap_or(u64::MAX)));
        // The Python SDK reads the shorter name.
        put(&mut view, "retryDelayExpression", json!(message.retry_delay));
        put(&mut view, "retryDelayExpr", json!(message.retry_delay));
        let is_hidden = message.redaction.as_ref().is_some_and(|redaction| redaction.body);
        let text = std::str::from_utf8(&message.body).ok().filter(|_| is_hidden);
        put(&mut view, "body", json!(text.map_or_else(|| base64::encode(&message.body), str::to_owned)));
    }
    if let Some(headers) = &event.response_headers {
        // The Python SDK reads the singular.
        put(&mut view, "responseHeaders", json!(map(headers)));
        put(&mut view, "responseHeader", json!(map(headers)));
    }
    labels(&mut view, event.label.as_deref());
    if let Some(bytes) = &event.response_body {
        body(&mut view, "responseBody", bytes);
    }
    Value::Object(view)
}

/// `label` is the first one, `labels` are all.
pub fn labels(view: &mut Map<String, Value>, label: Option<&str>) {
    if let Some(label) = label {
        let labels: Vec<&str> = label.split(',').collect();
        view.insert("label".to_owned(), json!(labels.first()));
        view.insert("labels".to_owned(), json!(labels));
    }
}

/// Bytes under `name` if they are UTF-8, else under `nameBase64`.
pub fn body(view: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => put(view, name, json!(text)),
        Err(_) => put(view, &format!("{name}Base64"), json!(base64::encode(bytes))),
    }
}
