//! `/v2/trigger/{workflowUrl}` and `/v2/batch/trigger`: starting runs without knowing the SDK that serves them.
//!
//! The first delivery says `Upstash-Workflow-Unknown-Sdk: true`; the SDK answers it with a trigger of the same run, by
//! which it tells the headers of its protocol.

use serde_json::{Value, json};

use super::{Call, batch, caller_ip, messages};
use crate::broker::dispatch::{self, Published};
use crate::broker::store::Sql;
use crate::broker::store::message::Source;
use crate::broker::store::run;
use crate::broker::{Scope, target};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Response, Timestamp, header};

/// Starts one run. 202 if its id was taken.
pub fn trigger<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let (url, headers) = messages::addressed(scope.settings, call, &call.parameter);
    let body = call.request.body.clone();
    let answer = scope.transaction(|scope| start(scope, &url, headers, body, caller_ip(call.request)))?;
    Ok(Response::json(if answer.get("deduplicated").is_some() { 202 } else { 200 }, &answer))
}

/// Starts many; the results are in the order of the request. A run that can't be started gets its own `error`, unless
/// none can be.
pub fn trigger_many<S: Sql>(scope: &mut Scope<'_, S>, call: &Call<'_>) -> Result<Response> {
    let results = batch::accepted(
        scope,
        call,
        |_| false,
        |scope, item| {
            let (headers, body) = (item.headers()?, item.body());
            start(scope, &item.destination, headers, body, caller_ip(call.request))
        },
    )?;
    Ok(Response::json(201, &Value::Array(results)))
}

fn start<S: Sql>(
    scope: &mut Scope<'_, S>,
    url: &str,
    mut headers: Headers,
    body: Vec<u8>,
    caller_ip: Option<&str>,
) -> Result<Value> {
    // A run needs one URL.
    let url = target::url(url)?;
    let run_id = match headers.get(header::WORKFLOW_RUN_ID) {
        Some(id) => id.to_owned(),
        None => scope.shard.run_id(scope.entropy),
    };
    // The rest of the protocol is between the SDK and the broker.
    let of_protocol: Vec<String> =
        headers.with_prefix(header::WORKFLOW_PREFIX).map(|(name, _)| name.to_owned()).collect();
    for name in of_protocol {
        headers.remove(&format!("{}{name}", header::WORKFLOW_PREFIX));
    }
    headers.set(header::WORKFLOW_RUN_ID, run_id);
    headers.set(header::WORKFLOW_INIT, "true");
    headers.set(header::WORKFLOW_UNKNOWN_SDK, "true");
    let published = dispatch::publish(scope, &url, &headers, body, caller_ip, &Source::default())?;
    let Published::Message(accepted) = published else {
        return Err(Error::new(Code::Internal, "a trigger was published to several URLs"));
    };
    let (id, created_at) = match accepted.run {
        Some(run) => run,
        // It repeats another message by its deduplication id.
        None => run_of(scope, &accepted.message_id)?,
    };
    let mut answer = json!({ "workflowRunId": id, "workflowCreatedAt": created_at.millis() });
    if accepted.deduplicated {
        answer["deduplicated"] = json!(true);
    }
    Ok(answer)
}

/// The id and the creation time of the run that a message has started.
fn run_of<S: Sql>(scope: &Scope<'_, S>, message_id: &str) -> Result<(String, Timestamp)> {
    let run = run::select(scope.sql, "message_id = ? LIMIT 1", &[message_id.into()])?.into_iter().next();
    let run = run.ok_or_else(|| {
        Error::new(
            Code::InvalidHeader,
            "the deduplication id is that of a message which has started no run that is known",
        )
    })?;
    Ok((run.id, run.created_at))
}
