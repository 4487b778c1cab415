//! Destinations that are not on the public internet: refused when accepted, and failed if accepted before.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::workflow::{invoke_request, step_item, trigger, trigger_item, wait_request};
use crate::support::world::{World, ok, settings};
use orchestration::broker::{Outcome, PrivateDestinations, Settings};
use orchestration::wire::Method;
use serde_json::{Value, json};

const PUBLIC: &str = "https://app.test/hook";
const PRIVATE: &str = "http://169.254.169.254/latest/meta-data";

fn allowing() -> Settings {
    let mut settings = settings();
    settings.limits.private_destinations = PrivateDestinations::Allowed;
    settings
}

#[track_caller]
fn explained(error: &str) {
    assert!(error.contains("169.254.169.254") && error.contains("BROKER_PRIVATE_DESTINATIONS=allow"), "{error}");
    assert!(!error.contains("meta-data"), "only the host matters: {error}");
}

#[test]
fn whatever_ends_in_a_delivery_is_refused() {
    let world = World::new();
    for (destination, headers) in [
        (PRIVATE, vec![]),
        ("http%3A%2F%2F169.254.169.254%2F", vec![]),
        (PUBLIC, vec![("Upstash-Callback", PRIVATE)]),
        (PUBLIC, vec![("Upstash-Failure-Callback", PRIVATE)]),
        (PUBLIC, vec![("Upstash-Callback", PUBLIC), ("Upstash-Callback-Callback", PRIVATE)]),
        (PUBLIC, vec![("Upstash-Callback", PUBLIC), ("Upstash-Callback-Failure-Callback", PRIVATE)]),
    ] {
        explained(&world.publish(destination, &headers, "").error(400));
    }
    explained(&world.batch(&json!([{ "destination": PRIVATE }])).error(400));
    explained(&world.send(&world.request(Method::Post, &format!("/v2/enqueue/q/{PRIVATE}"))).error(400));
    let schedule = world.request(Method::Post, &format!("/v2/schedules/{PRIVATE}")).header("Upstash-Cron", "* * * * *");
    explained(&world.send(&schedule).error(400));
    let endpoints = json!({ "endpoints": [{ "url": PUBLIC }, { "url": PRIVATE }] }).to_string();
    explained(&world.send(&world.request(Method::Post, "/v2/topics/group/endpoints").body(endpoints)).error(400));
    assert_eq!((world.sql.count("messages"), world.sql.count("runs"), world.sql.count("events")), (0, 0, 0));
    let answer = world.batch(&json!([{ "destination": PRIVATE }, { "destination": PUBLIC }])).ok();
    explained(answer[0]["error"].as_str().unwrap());
    assert!(answer[1]["messageId"].is_string());
}

#[test]
fn workflows_are_refused_with_a_status_that_lets_them_fail() {
    let world = World::new();
    explained(
        &world
            .batch(&json!([{ "destination": PRIVATE, "headers": trigger_item("r", "", &json!({}))["headers"] }]))
            .error(400),
    );
    trigger(&world, "wfr_1", &json!({})).ok();
    let step = |kind: &str| json!({ "stepId": 1, "stepName": "s", "stepType": kind, "concurrent": 1 });
    // The SDK takes 400 for the end of the run and stops quietly; the run would hang.
    let mut item = step_item("wfr_1", &step("Run"), &json!({}));
    item["destination"] = json!(PRIVATE);
    explained(&world.batch(&json!([item])).error(412));
    let mut call = step_item("wfr_1", &json!({}), &json!({ "upstash-workflow-calltype": "toCallback" }));
    call["destination"] = json!(PRIVATE);
    explained(&world.batch(&json!([call])).error(412));
    let wait = wait_request(&world, "wfr_1", "event", &json!("1h"), &step("Wait"));
    let changed = |member: &str| {
        let mut request = wait.clone();
        let mut body: Value = serde_json::from_slice(&request.body).unwrap();
        body[member] = json!(PRIVATE);
        request.body = body.to_string().into_bytes();
        request
    };
    explained(&world.send(&changed("url")).error(412));
    explained(&world.send(&changed("timeoutUrl")).error(412));
    let invoke = invoke_request(&world, "wfr_1", "wfr_2", PRIVATE, &step("Invoke"), 1);
    explained(&world.send(&invoke).error(412));
    assert_eq!((world.sql.count("messages"), world.sql.count("steps"), world.sql.count("waiters")), (1, 1, 0));
}

#[test]
fn what_was_accepted_before_fails_without_being_sent() {
    let mut world = World::on_file("private");
    world.reopen(allowing());
    world.answers("http", [ok()]);
    let headers = [("Upstash-Delay", "10s"), ("Upstash-Failure-Callback", PUBLIC), ("Upstash-Retries", "5")];
    let id = world.publish(PRIVATE, &headers, "body").message_id();
    let told = world.publish(PUBLIC, &[("Upstash-Delay", "10s"), ("Upstash-Callback", PRIVATE)], "").message_id();
    world.reopen(settings());
    world.run();
    assert_eq!(world.received("http://169").len(), 0);
    assert_eq!(world.states(&id), ["CREATED", "ERROR", "FAILED"]);
    explained(world.events(&id)[1]["error"].as_str().unwrap());
    let letters = world.get("/v2/dlq").ok();
    assert_eq!(letters["messages"].as_array().unwrap().len(), 2, "the message and the callback: {letters}");
    assert_eq!(world.states(&told), ["CREATED", "ACTIVE", "DELIVERED"]);
    // The delivery of the message, and the failure callback of the other.
    let callback: Value = serde_json::from_slice(&world.received(PUBLIC)[1].body).unwrap();
    assert_eq!((callback["status"].as_u64(), callback["sourceMessageId"].as_str()), (Some(0), Some(id.as_str())));

    // A retry of the dead letter is refused as long as the setting is as it is.
    let dlq_id =
        letters["messages"].as_array().unwrap().iter().find(|letter| letter["messageId"] == id.as_str()).unwrap();
    let path = format!("/v2/dlq/retry/{}", dlq_id["dlqId"].as_str().unwrap());
    explained(&world.send(&world.request(Method::Post, &path)).error(400));
    world.reopen(allowing());
    assert_eq!(world.send(&world.request(Method::Post, &path)).status(), 201);
    world.run();
    assert_eq!(world.received("http://169").len(), 1);
}

#[test]
fn a_run_whose_endpoint_is_refused_now_fails() {
    let mut world = World::on_file("private-run");
    world.reopen(allowing());
    let mut item = trigger_item("wfr_1", "", &json!({ "upstash-delay": "5s" }));
    item["destination"] = json!("http://localhost:3000/flow");
    world.batch(&json!([item])).ok();
    world.reopen(settings());
    world.run();
    assert_eq!(world.run_log("wfr_1")["workflowState"], "RUN_FAILED");
    assert!(world.received("http://localhost").is_empty());
}

#[test]
fn an_address_of_the_hosts_own_is_not_private() {
    let world = World::new();
    world.publish("http://localhost:8787/api/order", &[], "").error(400);
    world.broker().add_own_origin("http://localhost:8787/v2/publish/x");
    world.answers("http://localhost:8787", [ok()]);
    world.publish("http://localhost:8787/api/order", &[], "").ok();
    world.publish("http://localhost:8788/api/order", &[], "").error(400);
    world.settle();
    assert_eq!(world.received("http://localhost:8787").len(), 1);
}

#[test]
fn a_host_that_resolves_names_asks_about_addresses() {
    let world = World::new();
    let refusal = |address: &str| world.broker().check_address(address.parse().unwrap()).err();
    explained(refusal("169.254.169.254").unwrap().message());
    assert!(refusal("::1").is_some() && refusal("1.1.1.1").is_none());
    assert!(World::with(allowing()).broker().check_address("127.0.0.1".parse().unwrap()).is_ok());
    // What the host tells then ends the message, whatever retries are left.
    let error = refusal("169.254.169.254").unwrap().message().to_owned();
    world.endpoint(PUBLIC, move |_, _| Outcome::Refused { error: error.clone() });
    let id = world.publish(PUBLIC, &[("Upstash-Retries", "3")], "").message_id();
    world.run();
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "ERROR", "FAILED"]);
    explained(world.events(&id)[3]["error"].as_str().unwrap());
}
