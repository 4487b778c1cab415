//! What is too large for a row is refused with a sentence, what is large and allowed is kept in parts. The SQL port of
//! these tests ends the test when a value of 2 MB or more comes to it, as a Durable Object's storage would fail.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::workflow::{
    Stage, WORKFLOW, invoke_request, serve, step_item, trigger, trigger_item, wait_request,
};
use crate::support::world::{World, ok, settings};
use orchestration::wire::{Method, Response};
use serde_json::json;

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
fn the_content_type_counts_like_the_other_headers() {
    let world = World::new();
    let large = "t".repeat(17_000);
    let schedule = world.request(Method::Post, "/v2/schedules/https://plain.test").header("Upstash-Cron", "* * * * *");
    let group = |body: &serde_json::Value, method, path: &str| {
        world.send(&world.request(method, &format!("/v2/topics/news{path}")).body(body.to_string()))
    };
    group(&json!({ "endpoints": [{ "url": "https://plain.test" }] }), Method::Post, "/endpoints").ok_empty();
    for answer in [
        world.publish("https://plain.test", &[("content-type", &large)], ""),
        world.batch(&json!([{ "destination": "https://plain.test", "headers": { "Content-Type": large } }])),
        world.send(&schedule.header("Content-Type", &large)),
        group(&json!({ "headers": { "content-Type": large } }), Method::Patch, ""),
    ] {
        let error = answer.error(413);
        assert!(error.to_ascii_lowercase().contains("content-type") && error.contains("16384 bytes"), "{error}");
    }
    let rest = ["A", "B", "C"].map(|name| (format!("Upstash-Forward-{name}"), "v".repeat(16_370)));
    let mut headers: Vec<(&str, &str)> = rest.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("Upstash-Callback", "https://back.test"));
    world.publish("https://plain.test", &headers, "").ok();
    headers.push(("Content-Type", &large[..16_370]));
    assert!(world.publish("https://plain.test", &headers, "").error(413).contains("65536 bytes"));
}

#[test]
fn the_row_of_a_dead_letter_holds_all_that_was_accepted() {
    let world = World::new();
    // As large as is accepted, and twice as large as JSON.
    let value = "\"".repeat(15_000);
    let url = format!("https://plain.test/{}", "x".repeat(16_000));
    let headers = [
        ("Content-Type", value.as_str()),
        ("Upstash-Forward-Own", &value),
        ("Upstash-Callback", "https://back.test"),
        ("Upstash-Callback-Forward-Own", &value),
        ("Upstash-Failure-Callback", "https://back.test"),
        ("Upstash-Failure-Callback-Forward-Own", &value),
        ("Upstash-Retries", "0"),
    ];
    let answered = Response::new(500).body("r".repeat(256 * 1024)).header("X-Large", "h".repeat(128 * 1024));
    world.answers("https://plain.test", [answered, ok()]);
    world.answers("https://back.test", [ok()]);
    world.publish(&url, &headers, &"b".repeat(256 * 1024)).ok();
    world.run();
    let columns = "headers body url callback failure_callback error response_headers response_body message";
    let bytes: Vec<String> =
        columns.split(' ').map(|column| format!("ifnull(length(CAST({column} AS BLOB)), 0)")).collect();
    assert_eq!(world.count(&format!("dlq WHERE {} < 1000000", bytes.join(" + "))), 1);
    // What a database holds that was written before.
    world.sql.run("UPDATE dlq SET message = json_set(message, '$.headers', json(headers))");
    let letter = world.get("/v2/dlq").ok()["messages"][0].clone();
    assert_eq!((&letter["header"]["Own"][0], &letter["header"]["Content-Type"][0]), (&json!(value), &json!(value)));
    let retry = format!("/v2/dlq/retry/{}", letter["dlqId"].as_str().unwrap());
    assert_eq!(world.send(&world.request(Method::Post, &retry)).status(), 201);
    world.run();
    let received = world.received("https://plain.test");
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].headers.get_all("own").collect::<Vec<_>>(), [&value]);
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

#[test]
fn a_page_of_the_log_ends_before_it_is_too_much() {
    for shards in [1, 3] {
        let world = World::sharded(shards, settings());
        let headers = ["A", "B", "C"].map(|name| (format!("Upstash-Forward-{name}"), "v".repeat(16_000)));
        let mut headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.extend([("Upstash-Delay", "1h"), ("Upstash-Queue-Name", "line")]);
        let ids: Vec<String> =
            (0..450).map(|_| world.publish("https://plain.test", &headers, "").message_id()).collect();
        for order in ["latestFirst", "earliestFirst"].iter().take(if shards == 1 { 2 } else { 1 }) {
            let mut found = Vec::new();
            let mut cursor = String::new();
            let mut pages = 0;
            loop {
                pages += 1;
                let answer = world.get(&format!("/v2/logs?count=1000&order={order}{cursor}"));
                assert!(answer.0.body.len() < 17 * MEGABYTE);
                let page = answer.ok();
                for entry in page["logs"].as_array().unwrap() {
                    found.push(entry["messageId"].as_str().unwrap().to_owned());
                }
                match page.get("cursor") {
                    Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
                    None => break,
                }
            }
            if *order == "latestFirst" {
                found.reverse();
            }
            assert_eq!((&found, pages), (&ids, 2));
        }
    }
}
