//! Who is told of an event: one run, or all who wait for it.

use serde_json::Value;

use crate::broker::query::decode;
use crate::wire::{Response, RunId};

/// The run that a path such as `run/event` may name, and whether it surely does. An event's id may hold a slash.
pub fn run(path: &str) -> Option<(String, bool)> {
    let (run, _) = path.split_once('/').filter(|(_, event)| !event.is_empty())?;
    let run = decode(run, false);
    let sure = run.starts_with(RunId::PREFIX);
    Some((run, sure))
}

/// Whether the shard where `run` would live found that it is one: then the path named it, and no other shard is asked.
pub fn named_a_run(run: &str, answer: &Response) -> bool {
    let told: Vec<Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
    !answer.is_success() || told.iter().any(|told| told["workflowRunId"] == run)
}
