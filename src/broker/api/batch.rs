//! `/v2/batch`: many messages, accepted together.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Call, caller_ip};
use crate::broker::dispatch::{self, Published};
use crate::broker::publication::json_headers;
use crate::broker::store::Sql;
use crate::broker::store::message::Source;
use crate::broker::{Scope, refused_step};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Response, header};

/// Publishes every message of the batch in one transaction; the results are in the order of the request.
///
/// A message that can't be accepted gets its own `error`, and the others are accepted. The whole batch is refused, and
/// nothing stored, if none can be accepted or if the one that can't belongs to a workflow run: the SDKs send the
/// branches of a parallel group as one batch and look at the status only.
pub fn publish<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let results =
        accepted(scope, call, names_a_run, |scope, item| Ok(item.publish(scope, caller_ip(call.request))?.answer()))?;
    Ok(Response::json(200, &Value::Array(results)))
}

/// What became of each message of a batch, in its order.
///
/// One that `is_atomic` and can't be accepted is the error of the batch. The others get an `error` of their own, unless
/// none can be accepted.
pub fn accepted<S: Sql>(
    scope: &mut Scope<'_, S>,
    call: &Call<'_>,
    is_atomic: impl Fn(&RawValue) -> bool,
    mut accept: impl FnMut(&mut Scope<'_, S>, Item) -> Result<Value>,
) -> Result<Vec<Value>> {
    let items: Vec<Box<RawValue>> = serde_json::from_slice(&call.request.body).map_err(|error| {
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
    scope.transaction(|scope| accept_all(scope, items, is_atomic, &mut accept))
}

fn accept_all<S: Sql>(
    scope: &mut Scope<'_, S>,
    items: Vec<Box<RawValue>>,
    is_atomic: impl Fn(&RawValue) -> bool,
    accept: &mut impl FnMut(&mut Scope<'_, S>, Item) -> Result<Value>,
) -> Result<Vec<Value>> {
    let mut refused = None;
    let mut accepted = false;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let atomic = is_atomic(&item);
        // What is refused here was not stored: everything about one message is checked before the first write.
        match Item::read(&item).and_then(|item| accept(scope, item)) {
            Ok(result) => {
                accepted = true;
                results.push(result);
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
pub struct Item {
    /// Where it goes.
    pub destination: String,
    #[serde(default)]
    headers: Map<String, Value>,
    /// The official SDK sends the body of a `context.call` as it is, so it may be any JSON.
    #[serde(default)]
    body: Option<Box<RawValue>>,
    #[serde(default)]
    queue: Option<String>,
}

/// Whether a message of a batch belongs to a run.
pub fn names_a_run(item: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Named {
        headers: Map<String, Value>,
    }
    let named: Option<Named> = serde_json::from_str(item.get()).ok();
    named.is_some_and(|item| item.headers.keys().any(|name| name.eq_ignore_ascii_case(header::WORKFLOW_RUN_ID)))
}

/// A text is the body itself, anything else is sent as the JSON that came.
pub fn bytes(body: &RawValue) -> Vec<u8> {
    serde_json::from_str::<String>(body.get()).unwrap_or_else(|_| body.get().to_owned()).into_bytes()
}

impl Item {
    fn read(item: &RawValue) -> Result<Self> {
        let of_run = names_a_run(item);
        serde_json::from_str(item.get()).map_err(|error| {
            let text = format!("a message of a batch is an object {{destination, headers, body}}: {error}");
            let error = Error::new(Code::InvalidRequest, text);
            if of_run { refused_step(error) } else { error }
        })
    }

    /// Its headers; the queue is one.
    pub fn headers(&self) -> Result<Headers> {
        let mut headers = json_headers(&self.headers)?;
        if let Some(queue) = &self.queue {
            headers.set(header::QUEUE_NAME, queue);
        }
        Ok(headers)
    }

    /// Its body.
    pub fn body(&self) -> Vec<u8> {
        self.body.as_deref().map(bytes).unwrap_or_default()
    }

    fn publish<S: Sql>(self, scope: &mut Scope<'_, S>, caller_ip: Option<&str>) -> Result<Published> {
        dispatch::publish(scope, &self.destination, &self.headers()?, self.body(), caller_ip, &Source::default())
    }
}
