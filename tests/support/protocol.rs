//! A message with every setting, for the tests of what the protocol states.

use std::collections::BTreeSet;

use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

use super::world::World;

pub const URL: &str = "https://app.test/hook";

/// Sends a request with headers and a body of JSON.
pub fn send(world: &World, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
    let request =
        headers.iter().fold(world.request(method, path), |request, (name, value)| request.header(*name, *value));
    world.send(&request.body(body.to_string())).0
}

#[track_caller]
pub fn members(value: &Value, expected: &[&str]) {
    let actual: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(actual, expected.iter().copied().collect(), "{value}");
}

pub fn failing() -> Response {
    Response::new(500).header("x-answer", "1").body("no")
}

/// Every setting that a message can have.
pub const SETTINGS: [(&str, &str); 17] = [
    ("Content-Type", "text/csv"),
    ("Upstash-Method", "PUT"),
    ("Upstash-Forward-X-Own", "own"),
    ("Upstash-Retries", "0"),
    ("Upstash-Retry-Delay", "1000"),
    ("Upstash-Timeout", "30s"),
    ("Upstash-Label", "one,two"),
    ("Upstash-Callback", "https://back.test/callback"),
    ("Upstash-Callback-Forward-X-Back", "back"),
    ("Upstash-Failure-Callback", "https://back.test/failure"),
    ("Upstash-Failure-Callback-Forward-X-Back", "back"),
    ("Upstash-Flow-Control-Key", "shop"),
    ("Upstash-Flow-Control-Value", "parallelism=5, rate=10, period=1m"),
    ("Upstash-Caller-Ip", "10.0.0.7"),
    ("Upstash-Telemetry-Sdk", "upstash-qstash-js@2.12.0"),
    ("Upstash-Telemetry-Runtime", "node"),
    ("Upstash-Telemetry-Platform", "unknown"),
];

/// A group `news` with one named endpoint.
pub fn group(world: &World) {
    let endpoints = json!({ "endpoints": [{ "url": URL, "name": "first" }] });
    assert_eq!(send(world, Method::Post, "/v2/topics/news/endpoints", &[], &endpoints).status, 200);
}

/// The bodies that a callback address got.
pub fn told(world: &World, url: &str) -> Vec<Value> {
    world.received(url).iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

/// Asserts that members have these values.
#[track_caller]
pub fn has(value: &Value, expected: &[(&str, Value)]) {
    for (name, expected) in expected {
        assert_eq!(&value[name], expected, "{name} of {value}");
    }
}
