//! The schemas of the specification: what messages, dead letters, log entries and the rest look like, member by member.

use std::collections::BTreeSet;

use crate::support::protocol::{SETTINGS, URL, failing, group, members, send};
use crate::support::world::{START, World, ok};
use orchestration::wire::{Method, base64};
use serde_json::json;

const BACK: &str = "https://back.test/";

/// Members that messages, dead letters and log entries of every kind share.
const MESSAGE: [&str; 22] = [
    "messageId",
    "url",
    "method",
    "header",
    "body",
    "maxRetries",
    "retryDelayExpression",
    "notBefore",
    "createdAt",
    "callback",
    "failureCallback",
    "callerIP",
    "callerIp",
    "topicName",
    "endpointName",
    "flowControlKey",
    "parallelism",
    "rate",
    "period",
    "label",
    "labels",
    "callbackHeader",
];

#[test]
fn messages_and_dead_letters_have_these_members() {
    let world = World::new();
    group(&world);
    world.answers(URL, [failing()]);
    world.answers(BACK, [ok()]);
    let delayed = [&SETTINGS[..], &[("Upstash-Delay", "1h")]].concat();
    let id = world.publish("news", &delayed, "a;b").ok()[0]["messageId"].as_str().unwrap().to_owned();
    let message = world.get(&format!("/v2/messages/{id}")).ok();
    let shared = [&MESSAGE[..], &["failureCallbackHeader"]].concat();
    members(&message, &[&shared[..], &["retried", "timeout", "nextDeliveryTime"]].concat());
    let values = [
        ("messageId", json!(id)),
        ("url", json!(URL)),
        ("method", json!("PUT")),
        ("body", json!("a;b")),
        ("maxRetries", json!(0)),
        ("retryDelayExpression", json!("1000")),
        ("notBefore", json!(START.millis() + 3_600_000)),
        ("createdAt", json!(START.millis())),
        ("callback", json!("https://back.test/callback")),
        ("failureCallback", json!("https://back.test/failure")),
        ("callerIP", json!("10.0.0.7")),
        ("callerIp", json!("10.0.0.7")),
        ("topicName", json!("news")),
        ("endpointName", json!("first")),
        ("flowControlKey", json!("shop")),
        ("parallelism", json!(5)),
        ("rate", json!(10)),
        ("period", json!(60)),
        ("label", json!("one")),
        ("labels", json!(["one", "two"])),
    ];
    for (name, value) in &values {
        assert_eq!(&message[name], value, "{name}");
    }
    assert_eq!(message["timeout"], json!(30));
    assert_eq!(message["header"]["X-Own"], json!(["own"]));
    world.run();
    let list = world.get("/v2/dlq").ok();
    let letter = &list["messages"][0];
    let answer = ["dlqId", "failedAt", "error", "responseStatus", "responseHeader", "responseBody"];
    members(letter, &[&shared[..], &answer].concat());
    for (name, value) in &values {
        assert_eq!(&letter[name], value, "{name}");
    }
    assert_eq!((&letter["responseStatus"], &letter["responseBody"]), (&json!(500), &json!("no")));
    assert_eq!(letter["responseHeader"]["X-Answer"], json!(["1"]));
    assert_eq!(&world.get(&format!("/v2/dlq/{}", letter["dlqId"].as_str().unwrap())).ok(), letter);
}

#[test]
fn log_entries_have_these_members() {
    let world = World::new();
    group(&world);
    world.answers(URL, [failing()]);
    world.answers(BACK, [ok()]);
    let settings: Vec<_> = SETTINGS.iter().filter(|(name, _)| *name != "Upstash-Retries").copied().collect();
    let settings = [&settings[..], &[("Upstash-Retries", "1")]].concat();
    let id = world.publish("news", &settings, "a;b").ok()[0]["messageId"].as_str().unwrap().to_owned();
    world.run();
    let events = world.events(&id);
    let every = [
        "time",
        "messageId",
        "state",
        "url",
        "method",
        "header",
        "body",
        "retried",
        "maxRetries",
        "retryDelayExpression",
        "retryDelayExpr",
        "timeout",
        "callback",
        "failureCallback",
        "callbackHeaders",
        "failureCallbackHeaders",
        "callerIP",
        "topicName",
        "endpointName",
        "flowControlKey",
        "parallelism",
        "rate",
        "period",
        "label",
        "labels",
    ];
    let answered = ["responseStatus", "responseHeaders", "responseHeader", "responseBody", "error"];
    for event in &events {
        let more: &[&str] = match event["state"].as_str().unwrap() {
            "CREATED" | "ACTIVE" => &[],
            "RETRY" => &["nextDeliveryTime"],
            "ERROR" => &answered,
            "FAILED" => &["error"],
            state => panic!("{state}"),
        };
        let shown: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        for name in every.iter().chain(more) {
            assert!(shown.contains(name), "{name} is missing in {event}");
        }
        assert_eq!((&event["body"], &event["timeout"]), (&json!(base64::encode(b"a;b")), &json!(30_000)));
        assert_eq!(event["header"]["X-Own"], json!(["own"]));
    }
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "ERROR", "FAILED"]);
}

#[test]
fn queues_groups_keys_and_the_global_limit_have_these_members() {
    let world = World::new();
    group(&world);
    world.publish(URL, &SETTINGS, "").ok();
    assert_eq!(send(&world, Method::Post, "/v2/enqueue/mail/https://app.test/x", &[], &json!({})).status, 200);
    let queue = world.get("/v2/queues/mail").ok();
    members(&queue, &["name", "createdAt", "updatedAt", "parallelism", "paused", "lag"]);
    assert_eq!(world.get("/v2/queues").ok(), json!([queue]));
    let topic = world.get("/v2/topics/news").ok();
    members(&topic, &["name", "createdAt", "updatedAt", "endpoints"]);
    assert_eq!(topic["endpoints"], json!([{ "url": URL, "name": "first" }]));
    assert_eq!(world.get("/v2/topics").ok(), json!([topic]));
    let key = world.get("/v2/flowControl/shop").ok();
    members(
        &key,
        &[
            "flowControlKey",
            "waitListSize",
            "waitlistSize",
            "parallelismMax",
            "parallelismCount",
            "rateMax",
            "rateCount",
            "ratePeriod",
            "ratePeriodStart",
            "isPinnedParallelism",
            "isPinnedRate",
            "isPaused",
        ],
    );
    assert_eq!(world.get("/v2/flowControl").ok(), json!([key]));
    members(&world.get("/v2/globalParallelism").ok(), &["parallelismMax", "parallelismCount"]);
    members(&world.get("/v2/keys").ok(), &["current", "next"]);
}

#[test]
fn a_cancelled_message_ends_with_these_states() {
    let world = World::new();
    let id = world.publish(URL, &[("Upstash-Delay", "1h")], "").message_id();
    world.delete(&format!("/v2/messages/{id}")).ok();
    world.run();
    // Protocol 2.1 says CANCELLED, both official clients know CANCELED only.
    assert_eq!(world.states(&id), ["CREATED", "CANCEL_REQUESTED", "CANCELED"]);
    for state in ["CANCELED", "CANCELLED"] {
        let found = world.get(&format!("/v2/events?messageId={id}&state={state}")).ok();
        assert_eq!(found["events"].as_array().unwrap().len(), 1, "{state}");
    }
}
