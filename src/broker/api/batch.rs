//! `/v2/batch`: many messages, accepted together.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, caller_ip, messages};
use crate::broker::accept::{self, Accepted};
use crate::broker::publication::json_headers;
use crate::broker::store::Sql;
use crate::broker::{Scope, refused_step};
use crate::error::{Code, Error, Result};
use crate::wire::{Response, header};

/// Publishes every message of the batch in one transaction; the results are in the order of the request.
///
/// A message that can't be accepted gets its own `error`, and the others are accepted. The whole batch is refused, and
/// nothing stored, if none can be accepted or if the one that can't belongs to a workflow run: the SDKs send the
/// branches of a parallel group as one batch and look at the status only.
pub fn publish<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let items: Vec<Value> = serde_json::from_slice(&call.request.body).map_err(|error| {
        Error::new(
            Code::InvalidRequest,
            format!("the body is not a batch, an array of {{destination, headers, body}}: {error}"),
        )
    })?;
    let limit = scope.settings.limits.batch_messages;
    if items.is_empty() || items.len() > limit {
        return Err(Error::new(
            Code::InvalidRequest,
            format!("a batch holds from 1 to {limit} messages, this one {}", items.len()),
        ));
    }
    let results = scope.transaction(|scope| accept_all(scope, items, caller_ip(call.request)))?;
    Ok(Response::json(200, &Value::Array(results)))
}

fn accept_all<S: Sql>(scope: &mut Scope<'_, S>, items: Vec<Value>, caller_ip: Option<&str>) -> Result<Vec<Value>> {
    let mut refused = None;
    let mut accepted = false;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let atomic = names_a_run(&item);
        // What is refused here was not stored: everything about one message is checked before the first write.
        match Item::read(item).and_then(|item| item.publish(scope, caller_ip)) {
            Ok(result) => {
                accepted = true;
                results.push(messages::answer(&result));
            }
            Err(error) if atomic || matches!(error.code(), Code::Storage | Code::Internal) => return Err(error),
            Err(error) => {
                results.push(json!({ "error": error.message() }));
                refused = refused.or(Some(error));
            }
        }
    }
    match refused {
        Some(error) if !accepted => Err(error),
        _ => Ok(results),
    }
}

/// One message of a batch.
#[derive(Deserialize)]
struct Item {
    destination: String,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    queue: Option<String>,
}

fn names_a_run(item: &Value) -> bool {
    let headers = item.get("headers").and_then(Value::as_object);
    headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case(header::WORKFLOW_RUN_ID)))
}

impl Item {
    fn read(item: Value) -> Result<Self> {
        let of_run = names_a_run(&item);
        serde_json::from_value(item).map_err(|error| {
            let text = format!("a message of a batch is an object {{destination, headers, body}} of texts: {error}");
            let error = Error::new(Code::InvalidRequest, text);
            if of_run { refused_step(error) } else { error }
        })
    }

    fn publish<S: Sql>(self, scope: &mut Scope<'_, S>, caller_ip: Option<&str>) -> Result<Accepted> {
        if self.queue.is_some() {
            return Err(Error::new(
                Code::Unsupported,
                "the member queue asks for queues, which this broker does not offer",
            ));
        }
        let headers = json_headers(&self.headers)?;
        accept::publish(scope, &self.destination, &headers, self.body.unwrap_or_default().into_bytes(), caller_ip)
    }
}
