//! What is too large for a row is refused with a sentence, what is large and allowed is kept in parts. The SQL port of
//! these tests ends the test when a value of 2 MB or more comes to it, as a Durable Object's storage would fail.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use orchestration::wire::{Method, Response};
use serde_json::json;
use support::workflow::{Stage, WORKFLOW, invoke_request, serve, step_item, trigger, trigger_item, wait_request};
use support::world::{World, ok, settings};

const RUN: &str = "wfr_1";
const MEGABYTE: usize = 1024 * 1024;

fn step(name: &str, kind: &str, out: &str) -> serde_json::Value {
    json!({ "stepId": 1, "stepName": name, "stepType": kind, "out": out, "concurrent": 1 })
}

#[test]
fn what_no_row_can_hold_is_refused() {
    let world = World::new();
    let url = format!("https://plain.test/{}", "x".repeat(3 * MEGABYTE));
    assert!(world.batch(&json!([{ "destination": url }])).error(400).contains("longer than 16384 bytes"));
    trigger(&world, RUN, &json!({})).ok();
    let long = "n".repeat(3 * MEGABYTE);
    let named = world.batch(&json!([step_item(RUN, &step(&long, "Run", "1"), &json!({}))]));
    assert!(named.error(412).contains("name is longer"));
    let waits = wait_request(&world, RUN, "e", &json!("1h"), &step("wait", "Wait", &long));
    assert!(world.send(&waits).error(412).contains("has no result yet"));
    let invokes = invoke_request(&world, RUN, "wfr_2", "https://flow.test/c", &step("invoke", "Invoke", &long), 1);
    assert!(world.send(&invokes).error(412).contains("has no result yet"));
    for (name, status) in [("Upstash-Label", 413), ("Upstash-Forward-X", 413), ("Upstash-Callback", 413)] {
        let error = world.publish("https://plain.test", &[(name, &"v".repeat(MEGABYTE))], "").error(status);
        assert!(error.contains("over the limit of 16384 bytes"), "{error}");
    }
    assert_eq!(world.sql.count("steps"), 1);
}

#[test]
fn what_is_large_and_allowed_goes_through_every_table() {
    let world = World::sharded(3, settings());
    let body = "b".repeat(MEGABYTE - 1000);
    let large = Response::new(500).body("r".repeat(2 * MEGABYTE)).header("X-Large", "h".repeat(60_000));
    world.answers("https://plain.test", [large, ok()]);
    world.answers("https://back.test", [ok()]);
    let callback =
        [("Upstash-Retries", "0"), ("Upstash-Callback", "https://back.test"), ("Upstash-Redact-Fields", "body")];
    world.publish("https://plain.test", &callback, &body).ok();
    world.run();
    let letter = world.get("/v2/dlq").ok()["messages"][0]["dlqId"].as_str().unwrap().to_owned();
    let retried = world.send(&world.request(Method::Post, &format!("/v2/dlq/retry/{letter}")));
    assert_eq!(retried.status(), 201);
    world.run();
    assert_eq!(world.received("https://plain.test").len(), 2);
    assert_eq!(world.received("https://back.test").len(), 2);

    // A run with a large payload, large results and a large event; it invokes a run of another shard with one, too.
    let ledger = serve(&world, vec![Stage::Wait("wait", "e", 60), Stage::Run("work")]);
    world.batch(&json!([trigger_item(RUN, &body, &json!({}))])).ok();
    let notified = world.send(&world.request(Method::Post, &format!("/v2/notify/{RUN}/e")).body(body.clone()));
    assert_eq!(notified.status(), 201);
    let result = step_item("wfr_big", &step("work", "Run", &body), &json!({}));
    world.batch(&json!([trigger_item("wfr_big", &body, &json!({ "upstash-delay": "1h" }))])).ok();
    world.batch(&json!([result])).ok();
    world.settle();
    assert_eq!(ledger.borrow().finished.len(), 2);
    assert_eq!(ledger.borrow().out(RUN, 1).unwrap().len(), body.len().div_ceil(3) * 4);
    for n in 0..6 {
        let (parent, child) = (format!("wfr_p{n}"), format!("wfr_c{n}"));
        trigger(&world, &parent, &json!({ "upstash-delay": "1h" })).ok();
        let mut request = invoke_request(
            &world,
            &parent,
            &child,
            "https://flow.test/c",
            &json!({
                "stepId": 1, "stepName": "invoke", "stepType": "Invoke", "concurrent": 1
            }),
            1,
        );
        let mut envelope: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        envelope["body"] = json!(body);
        request.body = envelope.to_string().into_bytes();
        world.send(&request).ok();
    }
    world.settle();
    let runs = world.get(&format!("/v2/workflows/logs?workflowUrl={WORKFLOW}&count=100")).ok();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 8);
    assert_eq!(world.count("runs WHERE url = 'https://flow.test/c'"), 6);
    assert_eq!(world.count("parts WHERE owner LIKE 'relay:%'"), 0);
}

#[test]
fn a_page_ends_before_it_is_too_much_for_one_answer() {
    for shards in [1, 3] {
        let world = World::sharded(shards, settings());
        world.answers("https://plain.test", [Response::new(500)]);
        let body = "b".repeat(MEGABYTE - 1000);
        for _ in 0..20 {
            world.publish("https://plain.test", &[("Upstash-Retries", "0")], &body).ok();
            world.run();
        }
        let mut found = std::collections::BTreeSet::new();
        let mut cursor = String::new();
        let mut pages = 0;
        loop {
            let page = world.get(&format!("/v2/dlq?{cursor}")).ok();
            for letter in page["messages"].as_array().unwrap() {
                assert!(found.insert(letter["dlqId"].as_str().unwrap().to_owned()));
            }
            pages += 1;
            match page.get("cursor") {
                Some(next) => cursor = format!("cursor={}", next.as_str().unwrap()),
                None => break,
            }
        }
        assert_eq!(found.len(), 20, "{shards} shards");
        assert!(pages >= 2 || shards > 1, "{pages}");
        let deleted = world.delete("/v2/dlq?count=100").ok();
        assert_eq!(deleted["deleted"], json!(20));
    }
}
