//! Queues: one after the other, whatever happens to the one in front.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use orchestration::broker::Outcome;
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

use crate::support::world::{Answer, World, ok, settings};

const URL: &str = "https://app.test/job";

fn enqueue(world: &World, queue: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let request = world.request(Method::Post, &format!("/v2/enqueue/{queue}/{URL}")).body(body);
    world.send(&headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

fn put(world: &World, settings: &Value) -> Answer {
    world.send(&world.request(Method::Post, "/v2/queues").body(settings.to_string()))
}

fn bodies(world: &World, prefix: &str) -> Vec<String> {
    world.received(prefix).into_iter().map(|request| String::from_utf8(request.body).unwrap()).collect()
}

#[test]
fn the_first_message_makes_the_queue_and_all_come_in_order() {
    let world = World::new();
    world.answers(URL, [ok()]);
    for body in ["1", "2", "3", "4"] {
        enqueue(&world, "q", &[], body).message_id();
    }
    let queue = world.get("/v2/queues/q").ok();
    assert_eq!((&queue["lag"], &queue["parallelism"], &queue["paused"]), (&json!(4), &json!(1), &json!(false)));
    assert_eq!(world.take(10).len(), 1, "one at a time");
    world.advance(Duration::from_hours(1));
    world.run();
    assert_eq!(bodies(&world, URL), ["1", "2", "3", "4"]);
    assert_eq!(world.get("/v2/queues/q").ok()["lag"], json!(0));
    assert_eq!(world.sql.count("messages"), 0);
}

#[test]
fn the_next_message_waits_for_the_retries_and_the_callbacks_of_the_first() {
    let world = World::new();
    world.answers(URL, [Response::new(500), Response::new(500), ok()]);
    world.answers("https://app.test/told", [Response::new(503), ok()]);
    let headers = [
        ("Upstash-Retries", "5"),
        ("Upstash-Callback", "https://app.test/told"),
        ("Upstash-Callback-Retry-Delay", "100000"),
    ];
    enqueue(&world, "q", &headers, "1");
    enqueue(&world, "q", &[], "2");
    world.run();
    let seen: Vec<String> = world.received("https://app.test/").iter().map(|request| request.url.clone()).collect();
    let told = seen.iter().rposition(|url| url.ends_with("/told")).unwrap();
    assert_eq!(seen.len(), 8, "three tries, four callbacks (one retried), the second message: {seen:?}");
    assert_eq!(told, 6, "the second message comes after the last callback: {seen:?}");
    assert_eq!(bodies(&world, URL), ["1", "1", "1", "2"]);
}

#[test]
fn the_next_message_waits_for_the_failure_callback_of_the_first() {
    let world = World::new();
    world.answers(URL, [Response::new(500), ok()]);
    world.answers("https://app.test/failed", [ok()]);
    enqueue(&world, "q", &[("Upstash-Retries", "0"), ("Upstash-Failure-Callback", "https://app.test/failed")], "1");
    enqueue(&world, "q", &[], "2");
    world.run();
    let urls: Vec<String> = world.received("https://app.test/").iter().map(|request| request.url.clone()).collect();
    assert_eq!(urls, [URL, "https://app.test/failed", URL]);
}

#[test]
fn parallelism_is_the_number_of_turns() {
    let world = World::new();
    world.answers(URL, [ok()]);
    put(&world, &json!({ "queueName": "q", "parallelism": 2 })).ok_empty();
    for body in ["1", "2", "3", "4", "5"] {
        enqueue(&world, "q", &[], body);
    }
    let first = world.take(10);
    assert_eq!(first.len(), 2);
    world.tell(&first[1], Outcome::Answered(ok()));
    let third = world.take(10);
    assert_eq!(third.iter().map(|delivery| delivery.request.body.clone()).collect::<Vec<_>>(), [b"3"]);
    put(&world, &json!({ "queueName": "q", "parallelism": 3 })).ok_empty();
    assert_eq!(world.take(10).len(), 1, "a raised parallelism counts at once");
    put(&world, &json!({ "queueName": "q", "parallelism": 1 })).ok_empty();
    world.tell(&first[0], Outcome::Answered(ok()));
    assert_eq!(world.take(10).len(), 0, "a lowered one too");
}

#[test]
fn a_paused_queue_holds_everything_back_until_it_is_resumed() {
    let world = World::new();
    world.answers(URL, [Response::new(500), ok()]);
    enqueue(&world, "q", &[], "1");
    enqueue(&world, "q", &[], "2");
    world.settle();
    world.send(&world.request(Method::Post, "/v2/queues/q/pause")).ok_empty();
    assert_eq!(world.get("/v2/queues/q").ok()["paused"], json!(true));
    world.advance(Duration::from_hours(24));
    world.run();
    assert_eq!(bodies(&world, URL), ["1"], "the retry waits, too");
    assert_eq!(world.next_wake(), None);
    world.send(&world.request(Method::Post, "/v2/queues/q/resume")).ok_empty();
    world.run();
    assert_eq!(bodies(&world, URL), ["1", "1", "2"]);
    world.send(&world.request(Method::Post, "/v2/queues/new/pause")).ok_empty();
    enqueue(&world, "new", &[], "held");
    assert_eq!(world.take(10).len(), 0, "a queue can be paused before its first message");
}

#[test]
fn a_delayed_message_lines_up_when_its_time_comes() {
    let world = World::new();
    world.answers(URL, [ok()]);
    enqueue(&world, "q", &[("Upstash-Delay", "10s")], "late");
    enqueue(&world, "q", &[], "now");
    world.run();
    assert_eq!(bodies(&world, URL), ["now", "late"]);
}

#[test]
fn order_survives_a_clock_that_is_set_back_and_lost_deliveries() {
    let mut world = World::on_file("queue-order");
    world.answers(URL, [ok()]);
    world.advance(Duration::from_secs(100));
    enqueue(&world, "q", &[], "1");
    world.set_back(Duration::from_mins(1));
    enqueue(&world, "q", &[], "2");
    world.advance(Duration::from_mins(2));
    let lost = world.take(10);
    assert_eq!(lost.len(), 1);
    world.restart();
    enqueue(&world, "q", &[], "3");
    assert_eq!(world.take(10).len(), 0, "the turn is kept until the lease ends");
    world.run();
    assert_eq!(bodies(&world, URL), ["1", "2", "3"]);
}

#[test]
fn queues_are_listed_and_deleted_with_what_waits_in_them() {
    let world = World::new();
    world.answers("https://app.test/told", [ok()]);
    let first = enqueue(&world, "b", &[("Upstash-Callback", "https://app.test/told")], "1").message_id();
    let second = enqueue(&world, "b", &[], "2").message_id();
    put(&world, &json!({ "queueName": "a" })).ok_empty();
    let names: Vec<Value> =
        world.get("/v2/queues").ok().as_array().unwrap().iter().map(|queue| queue["name"].clone()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(world.delete("/v2/queues/b").status(), 200);
    assert!(world.get("/v2/queues/b").error(404).contains("'b'"));
    for message in [&first, &second] {
        assert_eq!(world.states(message), ["CREATED", "CANCEL_REQUESTED", "CANCELED"]);
    }
    assert_eq!(world.sql.count("messages"), 0);
    world.delete("/v2/queues/b").error(404);
}

#[test]
fn what_is_wrong_with_a_queue_is_said_and_changes_nothing() {
    let world = World::new();
    for settings in [json!({}), json!({ "queueName": "a b" }), json!({ "queueName": "q", "parallelism": 0 }), json!([])]
    {
        put(&world, &settings).error(400);
    }
    for path in ["/v2/enqueue/a%20b/https://a.test", "/v2/enqueue/q", "/v2/enqueue/q/", "/v2/enqueue/q/nonsense:"] {
        world.send(&world.request(Method::Post, path)).error(400);
    }
    let run = [("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")];
    assert!(enqueue(&world, "q", &run, "").error(400).contains("Upstash-Queue-Name"));
    assert_eq!((world.sql.count("queues"), world.sql.count("messages")), (0, 0));
}

#[test]
fn a_batch_may_name_queues() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let item = |body: &str| json!({ "destination": URL, "queue": "q", "body": body });
    world.batch(&json!([item("1"), item("2"), { "destination": URL, "body": "beside" }])).ok();
    let bodies = |deliveries: &[orchestration::broker::Delivery]| {
        deliveries.iter().map(|delivery| String::from_utf8(delivery.request.body.clone()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&world.take(10)), ["1", "beside"]);
}

#[test]
fn a_dead_letter_lines_up_again_at_the_end() {
    let world = World::new();
    let fails = Rc::new(Cell::new(true));
    let failing = Rc::clone(&fails);
    world.endpoint(URL, move |_, request| {
        Outcome::Answered(if failing.get() && request.body == b"1" { Response::new(500) } else { ok() })
    });
    enqueue(&world, "q", &[("Upstash-Retries", "0")], "1");
    world.run();
    fails.set(false);
    enqueue(&world, "q", &[], "2");
    let id = world.get("/v2/dlq").ok()["messages"][0]["dlqId"].as_str().unwrap().to_owned();
    assert_eq!(world.send(&world.request(Method::Post, &format!("/v2/dlq/retry/{id}"))).status(), 201);
    world.run();
    assert_eq!(bodies(&world, URL), ["1", "2", "1"]);
}

#[test]
fn there_are_only_so_many_queues() {
    let mut settings = settings();
    settings.limits.queues = 2;
    let world = World::with(settings);
    enqueue(&world, "a", &[], "").message_id();
    enqueue(&world, "b", &[], "").message_id();
    enqueue(&world, "a", &[], "").message_id();
    assert!(enqueue(&world, "c", &[], "").error(412).contains("2 queues"));
    put(&world, &json!({ "queueName": "c" })).error(412);
    world.delete("/v2/queues/a");
    enqueue(&world, "c", &[], "").message_id();
}

#[test]
fn a_turn_beside_the_head_is_used_at_once() {
    let world = World::new();
    put(&world, &json!({ "queueName": "q", "parallelism": 2 })).ok_empty();
    world.advance(Duration::from_mins(5));
    enqueue(&world, "q", &[], "1");
    world.set_back(Duration::from_mins(1));
    enqueue(&world, "q", &[], "2");
    enqueue(&world, "q", &[], "3");
    let bodies: Vec<Vec<u8>> = world.take(10).into_iter().map(|delivery| delivery.request.body).collect();
    assert_eq!(bodies, [b"1", b"2"]);
}

#[test]
fn a_callback_names_no_queue() {
    let world = World::new();
    for prefix in ["Upstash-Callback", "Upstash-Failure-Callback"] {
        let headers = [(prefix, "https://app.test/told"), (&*format!("{prefix}-Queue-Name"), "q")];
        assert!(world.publish(URL, &headers, "").error(400).contains("Queue-Name"));
    }
    assert_eq!(world.sql.count("messages"), 0);
}

#[test]
fn a_dead_letter_of_a_deleted_queue_makes_it_again_whatever_the_limit() {
    let mut settings = settings();
    settings.limits.queues = 1;
    let world = World::with(settings);
    world.answers(URL, [Response::new(500), ok()]);
    enqueue(&world, "q", &[("Upstash-Retries", "0")], "1");
    world.run();
    world.delete("/v2/queues/q");
    put(&world, &json!({ "queueName": "other" })).ok_empty();
    let id = world.get("/v2/dlq").ok()["messages"][0]["dlqId"].as_str().unwrap().to_owned();
    world.send(&world.request(Method::Post, &format!("/v2/dlq/retry/{id}")));
    world.run();
    assert_eq!(bodies(&world, URL), ["1", "1"]);
}

#[test]
fn a_long_queue_is_deleted_in_parts() {
    let world = World::new();
    let item = json!({ "destination": URL, "queue": "q", "headers": { "Upstash-Flow-Control-Key": "k" } });
    for _ in 0..4 {
        world.batch(&Value::Array(vec![item.clone(); 500])).ok();
    }
    assert_eq!(world.take(10).len(), 1);
    assert_eq!(world.delete("/v2/queues/q").status(), 200);
    assert_eq!((world.sql.count("messages"), world.sql.count("queues")), (0, 0));
}
