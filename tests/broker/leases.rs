//! Leases that end without an outcome, again and again.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use crate::support::workflow::trigger;
use crate::support::world::{World, ok, settings};
use orchestration::broker::Settings;
use serde_json::json;

const URL: &str = "https://app.test/hook";

/// Begins the delivery that is due and loses it, as a process does that dies; returns whether there was one.
fn lose(world: &World) -> bool {
    let begun = world.take(1).len() == 1;
    if let Some(wake) = world.next_wake() {
        world.advance(wake - world.now());
    }
    begun
}

#[test]
fn after_so_many_lost_leases_in_a_row_the_delivery_counts_as_a_failed_try() {
    let world = World::with(Settings { lost_leases: 3, ..settings() });
    world.answers(URL, [ok()]);
    let headers = [("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "1000"), ("Upstash-Timeout", "30s")];
    let id = world.publish(URL, &headers, "").message_id();
    for _ in 0..3 {
        assert!(lose(&world));
    }
    // The third lost lease is the failed try; its retry is due after the retry delay.
    assert!(!lose(&world));
    let lost = ["ACTIVE", "ERROR", "ACTIVE", "ERROR", "ACTIVE", "ERROR", "RETRY"];
    assert_eq!(world.states(&id)[1..], lost);
    let error = world.events(&id)[6]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("lease ran out") && error.contains("3 times in a row"), "{error}");
    let next = world.take(1).pop().unwrap();
    assert_eq!(next.request.headers.get("upstash-retried"), Some("1"));
    // Counting begins anew with each try, and the last one ends in the dead letter queue.
    world.advance(Duration::from_secs(40));
    assert!(lose(&world) && lose(&world) && !lose(&world));
    assert_eq!(world.states(&id).last().unwrap(), "FAILED");
    assert_eq!(world.get("/v2/dlq").ok()["messages"][0]["messageId"], json!(id));
    assert_eq!(world.next_wake(), None);
}

#[test]
fn an_outcome_in_between_begins_the_count_anew() {
    let world = World::with(Settings { lost_leases: 2, ..settings() });
    let mut answers = vec![500, 500, 200].into_iter();
    world.endpoint(URL, move |_, _| {
        orchestration::broker::Outcome::Answered(orchestration::wire::Response::new(answers.next().unwrap()))
    });
    let id = world.publish(URL, &[("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "1000")], "").message_id();
    for _ in 0..3 {
        assert!(lose(&world));
        assert_eq!(world.settle(), 1);
        if let Some(wake) = world.next_wake() {
            world.advance(wake - world.now());
        }
    }
    assert_eq!(world.states(&id).last().unwrap(), "DELIVERED");
    assert!(world.received(URL).iter().map(|request| request.headers.get("upstash-retried")).eq([
        Some("0"),
        Some("1"),
        Some("2")
    ]));
}

#[test]
fn an_invocation_that_kills_its_broker_fails_its_run() {
    let world = World::with(Settings { lost_leases: 2, ..settings() });
    trigger(&world, "wfr_1", &json!({ "upstash-retries": "0" })).ok();
    assert!(lose(&world) && lose(&world));
    let told = world.take(2);
    assert_eq!(world.run_log("wfr_1")["workflowState"], "RUN_FAILED");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].request.headers.get("upstash-workflow-is-failure"), Some("true"));
}

#[test]
fn what_cannot_be_handled_is_set_aside_and_holds_nobody_up() {
    let world = World::new();
    world.answers("https://", [ok()]);
    let broken = || {
        let id = world.publish("https://a.test/", &[("Upstash-Callback", "https://b.test/")], "").message_id();
        // As a defect could have left it.
        let target = r#"{"url":"nonsense:","headers":[]}"#;
        world.sql.run(&format!("UPDATE messages SET callback = '{target}' WHERE id = '{id}'"));
        id
    };
    let answered = broken();
    let other = world.publish("https://c.test/", &[], "").message_id();
    world.run();
    assert_eq!(world.states(&answered), ["CREATED", "ACTIVE", "FAILED"]);
    assert_eq!(world.states(&other), ["CREATED", "ACTIVE", "DELIVERED"]);
    let lost = broken();
    for _ in 0..20 {
        world.take(1);
        world.advance(Duration::from_hours(1));
    }
    world.publish("https://c.test/", &[], "").message_id();
    world.run();
    assert_eq!(world.states(&lost).last().map(String::as_str), Some("FAILED"));
    assert_eq!(world.received("https://c.test/").len(), 2);
    let letters = world.get("/v2/dlq").ok()["messages"].clone();
    assert!(letters.as_array().unwrap().iter().all(|letter| letter["error"].as_str().unwrap().contains("InvalidUrl")));
    assert_eq!(letters.as_array().unwrap().len(), 2);
}
