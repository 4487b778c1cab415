//! A batch whose messages live on several shards.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::place::Shard;
use crate::broker::api::{batch_body as body, batch_names_a_run as names_a_run};
use crate::broker::publication::json_headers;
use crate::wire::{Entropy, Request, Response, header};

/// The messages of a batch that live on one shard.
#[derive(Clone, Debug)]
pub struct Part {
    /// The shard.
    pub shard: u32,
    /// Their places in the batch.
    places: Vec<usize>,
    /// Whether one of them belongs to a run.
    of_run: bool,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    destination: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
    #[serde(default)]
    queue: Option<String>,
}

/// A larger batch goes to one shard whole, which refuses it. As [`Settings::new`](crate::broker::Settings::new) has it.
const MOST: usize = 500;

/// The parts of a batch with their requests; `None` if it is no batch, which any shard tells. `atomic` says whether what
/// belongs to a run is accepted with all others of the batch or not at all.
pub fn split(shard: Shard, request: &Request, atomic: bool, entropy: &mut dyn Entropy) -> Option<Vec<(Part, Request)>> {
    let items: Vec<Box<RawValue>> = serde_json::from_slice(&request.body).ok()?;
    if items.len() > MOST {
        return None;
    }
    let mut parts: Vec<(Part, Vec<&RawValue>)> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let at = of_item(shard, item, entropy);
        if !parts.iter().any(|(part, _)| part.shard == at) {
            parts.push((Part { shard: at, places: Vec::new(), of_run: false }, Vec::new()));
        }
        let (part, items) = parts.iter_mut().find(|(part, _)| part.shard == at)?;
        part.places.push(place);
        part.of_run |= atomic && names_a_run(item);
        items.push(item);
    }
    parts
        .into_iter()
        .map(|(part, items)| {
            let body = serde_json::to_vec(&items).ok()?;
            Some((part, Request { body, ..request.clone() }))
        })
        .collect()
}

fn of_item(shard: Shard, item: &RawValue, entropy: &mut dyn Entropy) -> u32 {
    // What can't be read is refused wherever it comes to.
    let Ok(item) = serde_json::from_str::<Item>(item.get()) else { return 0 };
    let Ok(mut headers) = json_headers(&item.headers) else { return 0 };
    if let Some(queue) = &item.queue {
        headers.set(header::QUEUE_NAME, queue);
    }
    let body = item.body.as_deref().map(body).unwrap_or_default();
    shard.of_publication(&item.destination, &headers, &body, entropy)
}

/// One answer, in the order of the batch. What a shard refused as a whole is an error of each of its messages, unless all
/// shards refused or it belongs to a run: then the error is the answer, and repeating the batch does what was not done.
pub fn merge(parts: &[Part], answers: &[Response]) -> Response {
    let refused = |(_, answer): &(&Part, &Response)| !answer.is_success();
    let all: Vec<(&Part, &Response)> = parts.iter().zip(answers).collect();
    let of_run = all.iter().find(|part| refused(part) && (part.0.of_run || part.1.status >= 500));
    if let Some((_, answer)) = of_run.or_else(|| all.first().filter(|_| all.iter().all(refused))) {
        return (*answer).clone();
    }
    let mut results = vec![Value::Null; parts.iter().map(|part| part.places.len()).sum()];
    for (part, answer) in all {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        for (index, place) in part.places.iter().enumerate() {
            let result = match &body {
                Value::Array(results) => results.get(index).cloned(),
                // The body of an error.
                other => Some(other.clone()),
            };
            if let Some(slot) = results.get_mut(*place) {
                *slot = result.unwrap_or_else(|| json!({ "error": "the shard did not tell what became of it" }));
            }
        }
    }
    let status = answers.iter().find(|answer| answer.is_success()).map_or(200, |answer| answer.status);
    Response::json(status, &Value::Array(results))
}
