//! Services that can't be told about QStash publish through it: token and settings in the query, every header forwarded
//! (`qstash/howto/webhook.mdx`).
#![allow(clippy::unwrap_used)]

use crate::support::world::{TOKEN, World, ok};
use orchestration::wire::{Headers, Method, Request};
use serde_json::json;

const URL: &str = "https://app.test/hook";

/// A call of a service, without a header of its own for the broker.
fn call(path: &str, headers: &[(&str, &str)]) -> Request {
    let request = Request::new(Method::Post, format!("http://broker.test{path}")).body("{\"action\":\"push\"}");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// What the endpoint got, of all that may come from the request.
fn forwarded(headers: &Headers) -> Vec<(String, String)> {
    let own = ["user-agent", "upstash-message-id", "upstash-retried", "upstash-signature"];
    let mut forwarded: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .collect();
    forwarded.sort();
    forwarded
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const SENT: [(&str, &str); 12] = [
    ("Host", "broker.test"),
    ("Connection", "keep-alive, X-Hop"),
    ("X-Hop", "1"),
    ("Content-Type", "application/json"),
    ("Content-Length", "17"),
    ("Cookie", "a=b"),
    ("X-GitHub-Event", "push"),
    ("X-Forwarded-For", "10.0.0.9"),
    ("CF-Connecting-IP", "10.0.0.9"),
    ("Accept-Encoding", "zstd"),
    ("Upstash-Signature", "forged"),
    ("Upstash-Forward-X-Explicit", "2"),
];

#[test]
fn every_header_reaches_the_destination_but_those_of_the_way_to_the_broker() {
    let path = format!("/v2/publish/{URL}?a=1&qstash_token={TOKEN}&upstash-header-forward=true&upstash-retries=0");
    let world = World::new();
    world.answers(URL, [ok()]);
    world.send(&call(&path, &SENT)).ok();
    world.settle();
    let [request] = &world.received(URL)[..] else { panic!("one delivery") };
    assert_eq!(request.url, format!("{URL}?a=1"));
    let expected =
        [("content-type", "application/json"), ("cookie", "a=b"), ("x-explicit", "2"), ("x-github-event", "push")];
    assert_eq!(forwarded(&request.headers), pairs(&expected));
    // Without the wish, or with its opposite, only what is prefixed.
    for wish in ["", "&upstash-header-forward=false"] {
        let world = World::new();
        world.answers(URL, [ok()]);
        world.send(&call(&format!("/v2/publish/{URL}?qstash_token={TOKEN}{wish}"), &SENT)).ok();
        world.settle();
        let expected = [("content-type", "application/json"), ("x-explicit", "2")];
        assert_eq!(forwarded(&world.received(URL)[0].headers), pairs(&expected), "{wish}");
    }
    let wrong = call(&format!("/v2/publish/{URL}?qstash_token={TOKEN}&upstash-header-forward=all"), &[]);
    assert!(world.send(&wrong).error(400).contains("Upstash-Header-Forward"));
}

#[test]
fn an_authorization_is_forwarded_unless_it_is_the_brokers() {
    let bearer = format!("Bearer {TOKEN}");
    let in_query = format!("?qstash_token={TOKEN}");
    for (query, authorization, expected) in [
        ("", bearer.as_str(), None),
        (in_query.as_str(), "Basic c2VydmljZQ==", Some("Basic c2VydmljZQ==")),
        (in_query.as_str(), "Bearer of-the-service", Some("Bearer of-the-service")),
        (in_query.as_str(), bearer.as_str(), None),
    ] {
        let world = World::new();
        world.answers(URL, [ok()]);
        let headers = [("Authorization", authorization), ("Upstash-Header-Forward", "true")];
        world.send(&call(&format!("/v2/publish/{URL}{query}"), &headers)).ok();
        world.settle();
        let [request] = &world.received(URL)[..] else { panic!("one delivery") };
        assert_eq!(request.headers.get("authorization"), expected, "{query} {authorization}");
        assert!(!format!("{:?}", request.headers.iter().collect::<Vec<_>>()).contains(TOKEN));
    }
    // The token in the query counts, also against a right one in the header.
    let world = World::new();
    world.send(&call(&format!("/v2/publish/{URL}?qstash_token=wrong"), &[("Authorization", &bearer)])).error(401);
}

#[test]
fn a_prefixed_header_wins_over_the_same_without() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let headers = [("X-Own", "plain"), ("Upstash-Forward-X-Own", "prefixed"), ("Upstash-Header-Forward", "TRUE")];
    world.send(&call(&format!("/v2/publish/{URL}?qstash_token={TOKEN}"), &headers)).ok();
    world.settle();
    let values: Vec<_> = world.received(URL)[0].headers.get_all("x-own").map(str::to_owned).collect();
    assert_eq!(values, ["prefixed"]);
}

#[test]
fn a_group_forwards_every_header_if_it_says_so() {
    let world = World::new();
    world.answers("https://", [ok()]);
    let endpoints = json!({ "endpoints": [{ "url": URL }, { "url": "https://other.test" }] });
    world.send(&world.request(Method::Post, "/v2/topics/hooks/endpoints").body(endpoints.to_string()));
    let headers = json!({ "headers": { "Upstash-Header-Forward": ["true"], "Upstash-Retries": "3" } });
    let answer = world.send(&world.request(Method::Patch, "/v2/topics/hooks").body(headers.to_string()));
    assert_eq!(answer.status(), 200);
    let headers = [("X-GitHub-Event", "push"), ("Authorization", "Basic c2VydmljZQ==")];
    world.send(&call(&format!("/v2/publish/hooks?qstash_token={TOKEN}"), &headers)).ok();
    world.settle();
    assert_eq!(world.received("https://").len(), 2);
    for request in world.received("https://") {
        assert_eq!(request.headers.get("x-github-event"), Some("push"));
        assert_eq!(request.headers.get("authorization"), Some("Basic c2VydmljZQ=="));
    }
}

#[test]
fn queues_runs_and_schedules_take_it_too_and_callbacks_refuse_it() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let query = format!("qstash_token={TOKEN}&upstash-header-forward=true");
    let own = [("X-Own", "1")];
    world.send(&call(&format!("/v2/enqueue/line/{URL}?{query}"), &own)).ok();
    world.send(&call(&format!("/v2/trigger/{URL}?{query}"), &own)).ok();
    world.send(&call(&format!("/v2/schedules/{URL}?{query}&upstash-cron=*%20*%20*%20*%20*"), &own)).ok();
    world.settle();
    let wake = world.next_wake().unwrap();
    world.advance(wake - world.now());
    world.settle();
    let received = world.received(URL);
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|request| request.headers.get("x-own") == Some("1")));
    let callback = [("Upstash-Callback", URL), ("Upstash-Callback-Header-Forward", "true")];
    assert!(world.publish(URL, &callback, "").error(400).contains("Upstash-Callback"));
}
