//! Sizes and counts above which a request is refused, each with its status and a sentence that names the limit.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::workflow::{trigger, wait_request};
use crate::support::world::{World, ok, settings};
use orchestration::broker::Outcome;
use orchestration::wire::{Method, Response};
use serde_json::json;

const URL: &str = "https://app.test/hook";

#[test]
fn everything_that_a_publisher_makes_up_has_a_limit() {
    let world = World::new();
    let name = "n".repeat(257);
    let labels = vec!["label"; 33].join(",");
    let id = "i".repeat(1025);
    let long_url = format!("https://app.test/{}", "p".repeat(16 * 1024));
    for (destination, header, value, status, expected) in [
        (long_url.as_str(), "X", "", 400, "16384"),
        (URL, "Upstash-Callback", long_url.as_str(), 413, "16384"),
        (name.as_str(), "X", "", 400, "not an absolute URL"),
        (URL, "Upstash-Queue-Name", name.as_str(), 400, "1 to 256"),
        (URL, "Upstash-Flow-Control-Key", name.as_str(), 400, "1 to 256"),
        (URL, "Upstash-Label", name.as_str(), 400, "32 labels"),
        (URL, "Upstash-Label", labels.as_str(), 400, "32 labels"),
        (URL, "Upstash-Deduplication-Id", id.as_str(), 400, "1024"),
    ] {
        let error = world.publish(destination, &[(header, value)], "").error(status);
        assert!(error.contains(expected) && error.len() < 600, "{header}: {error}");
    }
    let many: Vec<(String, &str)> = (0..257).map(|n| (format!("Upstash-Forward-X-{n}"), "v")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert!(world.publish(URL, &many, "").error(413).contains("256 headers"));
    world.publish(URL, &many[..256], "").ok();
    let large = "v".repeat(16_000);
    let heavy = ["A", "B", "C", "D", "E"].map(|letter| (format!("Upstash-Forward-{letter}"), large.as_str()));
    let heavy: Vec<(&str, &str)> = heavy.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert!(world.publish(URL, &heavy, "").error(413).contains("65536"));

    let post = |path: &str, body: String| world.send(&world.request(Method::Post, path).body(body));
    post(&format!("/v2/enqueue/{name}/{URL}"), String::new()).error(400);
    post("/v2/queues", json!({ "queueName": name, "parallelism": 1 }).to_string()).error(400);
    let endpoints = json!({ "endpoints": [{ "url": URL }] }).to_string();
    post(&format!("/v2/topics/{name}/endpoints"), endpoints).error(400);
    let named = json!({ "endpoints": [{ "url": URL, "name": name }] }).to_string();
    post("/v2/topics/group/endpoints", named).error(400);
    let schedule = world.request(Method::Post, &format!("/v2/schedules/{URL}"));
    let named = schedule.clone().header("Upstash-Schedule-Id", &name).header("Upstash-Cron", "* * * * *");
    world.send(&named).error(400);
    let minutes = vec!["1"; 9000].join(",");
    assert!(world.send(&schedule.header("Upstash-Cron", format!("{minutes} * * * *"))).error(400).contains("1024"));
    assert_eq!((world.sql.count("messages"), world.sql.count("schedules"), world.sql.count("url_groups")), (1, 0, 0));
}

#[test]
fn the_names_of_events_have_a_limit() {
    let world = World::new();
    trigger(&world, "wfr_1", &json!({})).ok();
    let event = "e".repeat(1025);
    let step = json!({ "stepId": 1, "stepName": "s", "stepType": "Wait", "concurrent": 1 });
    // Not 400, which the SDK takes for the end of the run.
    assert!(world.send(&wait_request(&world, "wfr_1", &event, &json!("1h"), &step)).error(412).contains("1024"));
    world.send(&world.request(Method::Post, &format!("/v2/notify/wfr_1/{event}"))).error(400);
    assert_eq!((world.sql.count("waiters"), world.sql.count("kept_events")), (0, 0));
}

#[test]
fn an_answer_is_kept_and_told_up_to_its_limit() {
    let mut settings = settings();
    settings.response_bytes = 10;
    let world = World::with(settings);
    world.endpoint(URL, |_, _| Outcome::Answered(Response::new(500).body("0123456789ABC")));
    world.answers("https://told.test", [ok()]);
    let id =
        world.publish(URL, &[("Upstash-Retries", "0"), ("Upstash-Callback", "https://told.test/")], "").message_id();
    world.run();
    assert_eq!(world.get("/v2/dlq").ok()["messages"][0]["responseBody"], "0123456789");
    let told: serde_json::Value = serde_json::from_slice(&world.received("https://told.test")[0].body).unwrap();
    assert_eq!(told["body"], "MDEyMzQ1Njc4OQ==");
    assert!(world.events(&id).iter().all(|event| !event.to_string().contains("ABC")));
}

#[test]
fn a_redirect_is_an_answer_and_no_success() {
    let world = World::new();
    world.answers(URL, [Response::new(302).header("Location", "https://elsewhere.test/")]);
    let id = world.publish(URL, &[("Upstash-Retries", "0")], "").message_id();
    world.run();
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "ERROR", "FAILED"]);
    assert_eq!(world.get("/v2/dlq").ok()["messages"][0]["responseStatus"], 302);
    assert!(world.received("https://elsewhere.test").is_empty());
}
