//! How messages, dead letters and events look in JSON, as the schemas of QStash's specification name their members.

use serde_json::{Map, Value, json};

use crate::broker::callback::map;
use crate::broker::store::dead_letter::DeadLetter;
use crate::broker::store::event::Event;
use crate::broker::store::message::{Message, Role};
use crate::broker::store::run::Run;
use crate::broker::store::waiter::Waiter;
use crate::wire::base64;

/// A message that waits for delivery. `step` is the body of a message whose delivery carries a history.
pub fn message(message: &Message, step: Option<&[u8]>, run: Option<&Run>) -> Value {
    let mut view = Map::new();
    let mut set = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    set("messageId", json!(message.id));
    set("url", json!(message.url));
    set("method", json!(message.method.as_str()));
    set("header", json!(map(&message.headers)));
    set("maxRetries", json!(message.max_retries));
    set("retried", json!(message.attempt));
    set("notBefore", json!(message.not_before.millis()));
    set("createdAt", json!(message.created_at.millis()));
    set("timeout", json!(message.timeout.as_secs()));
    if message.lease.is_none() {
        set("nextDeliveryTime", json!(message.due_at.millis()));
    }
    for (name, value) in [
        ("retryDelayExpression", message.retry_delay.as_ref()),
        ("callback", message.callback.as_ref().map(|target| &target.url)),
        ("failureCallback", message.failure_callback.as_ref().map(|target| &target.url)),
        ("callerIP", message.caller_ip.as_ref()),
        ("workflowRunId", run.map(|run| &run.id)),
    ] {
        if let Some(value) = value {
            set(name, json!(value));
        }
    }
    labels(&mut view, message.label.as_deref());
    body(&mut view, "body", step.unwrap_or(&message.body));
    Value::Object(view)
}

/// A message that was given up.
pub fn dead_letter(letter: &DeadLetter) -> Value {
    let mut view = Map::new();
    let mut set = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    set("dlqId", json!(letter.id));
    set("messageId", json!(letter.message_id));
    set("url", json!(letter.url));
    set("method", json!(letter.method));
    set("header", json!(map(&letter.headers)));
    set("maxRetries", json!(letter.max_retries));
    set("createdAt", json!(letter.created_at.millis()));
    set("failedAt", json!(letter.failed_at.millis()));
    set("responseStatus", json!(letter.status));
    set("responseHeader", json!(map(&letter.response_headers)));
    for (name, value) in [
        ("retryDelayExpression", letter.retry_delay.as_ref()),
        ("callback", letter.callback.as_ref()),
        ("failureCallback", letter.failure_callback.as_ref()),
        ("callerIP", letter.caller_ip.as_ref()),
        ("error", letter.error.as_ref()),
    ] {
        if let Some(value) = value {
            set(name, json!(value));
        }
    }
    if let Some((id, created_at)) = &letter.run {
        set("workflowRunId", json!(id));
        set("workflowCreatedAt", json!(created_at.millis()));
        if letter.role.is_invocation() {
            set("workflowUrl", json!(letter.url));
        }
    }
    if letter.role == Role::FailureCallback {
        set("isFailureCallback", json!(true));
    }
    labels(&mut view, letter.label.as_deref());
    body(&mut view, "body", &letter.body);
    body(&mut view, "responseBody", &letter.response_body);
    Value::Object(view)
}

/// Who waits for an event.
pub fn waiter(waiter: &Waiter) -> Value {
    json!({
        "url": waiter.pending.target.url,
        "deadline": waiter.deadline.seconds(),
        "headers": map(&waiter.pending.target.headers),
        "timeoutUrl": waiter.timeout_target.url,
        "timeoutHeaders": map(&waiter.timeout_target.headers),
    })
}

/// An entry of the log.
pub fn event(event: &Event) -> Value {
    let mut view = Map::new();
    let mut set = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    set("time", json!(event.time.millis()));
    set("messageId", json!(event.message_id));
    set("state", json!(event.state));
    set("url", json!(event.url));
    set("method", json!(event.method));
    set("retried", json!(event.attempt));
    set("maxRetries", json!(event.max_retries));
    if let Some(status) = event.status {
        set("responseStatus", json!(status));
    }
    if let Some(at) = event.next_delivery {
        set("nextDeliveryTime", json!(at.millis()));
    }
    for (name, value) in [("error", &event.error), ("workflowRunId", &event.run_id)] {
        if let Some(value) = value {
            set(name, json!(value));
        }
    }
    if let Some(headers) = &event.response_headers {
        set("responseHeaders", json!(map(headers)));
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
        Ok(text) => view.insert(name.to_owned(), json!(text)),
        Err(_) => view.insert(format!("{name}Base64"), json!(base64::encode(bytes))),
    };
}
