//! Flow control: limits that all messages of one key share.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use orchestration::broker::{Delivery, Outcome};
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

use crate::support::world::{Answer, START, World, ok};

const URL: &str = "https://app.test/job";

fn publish(world: &World, value: &str, body: &str) -> String {
    let mut headers = vec![("Upstash-Flow-Control-Key", "k")];
    if !value.is_empty() {
        headers.push(("Upstash-Flow-Control-Value", value));
    }
    world.publish(URL, &headers, body).message_id()
}

fn act(world: &World, path: &str) -> Answer {
    world.send(&world.request(Method::Post, &format!("/v2/flowControl/{path}")))
}

fn key(world: &World) -> Value {
    world.get("/v2/flowControl/k").ok()
}

fn bodies(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| String::from_utf8(delivery.request.body.clone()).unwrap()).collect()
}

/// Seconds since the start at which the endpoint was called.
fn seconds(world: &World) -> Vec<u64> {
    world.received_at(URL).into_iter().map(|(millis, _)| millis / 1000).collect()
}

#[test]
fn parallelism_bounds_the_open_deliveries_of_a_key_across_urls() {
    let world = World::new();
    for body in ["1", "2", "3", "4"] {
        publish(&world, "parallelism=2", body);
    }
    world.publish("https://other.test/", &[("Upstash-Flow-Control-Key", "k")], "5").message_id();
    world.publish(URL, &[], "free").message_id();
    let open = world.take(10);
    assert_eq!(bodies(&open), ["1", "2", "free"]);
    let state = key(&world);
    assert_eq!((&state["parallelismMax"], &state["parallelismCount"]), (&json!(2), &json!(2)));
    assert_eq!((&state["waitListSize"], &state["waitlistSize"]), (&json!(3), &json!(3)));
    assert_eq!(world.get("/v2/globalParallelism").ok(), json!({ "parallelismMax": 100, "parallelismCount": 3 }));
    world.tell(&open[0], Outcome::Answered(Response::new(500)));
    let next = world.take(10);
    assert_eq!(bodies(&next), ["3"], "a failed try makes room, its retry is not due yet");
    world.tell(&open[1], Outcome::TimedOut);
    world.tell(&next[0], Outcome::Answered(ok()));
    assert_eq!(bodies(&world.take(10)), ["4", "5"]);
}

#[test]
fn rate_bounds_the_starts_of_a_period() {
    let world = World::new();
    world.answers(URL, [ok()]);
    for _ in 0..7 {
        publish(&world, "rate=3, period=10s", "");
    }
    world.run();
    assert_eq!(seconds(&world), [0, 0, 0, 10, 10, 10, 20]);
    assert_eq!(world.sql.count("messages"), 0);
}

#[test]
fn a_retry_is_a_start_too() {
    let world = World::new();
    world.answers(URL, [Response::new(500), ok()]);
    let headers = [
        ("Upstash-Flow-Control-Key", "k"),
        ("Upstash-Flow-Control-Value", "rate=1, period=1m"),
        ("Upstash-Retry-Delay", "1000"),
    ];
    world.publish(URL, &headers, "").message_id();
    world.run();
    assert_eq!(seconds(&world), [0, 60]);
}

#[test]
fn parallelism_and_rate_hold_together() {
    let world = World::new();
    for _ in 0..5 {
        publish(&world, "parallelism=2,rate=3,period=1m", "");
    }
    let open = world.take(10);
    assert_eq!(open.len(), 2);
    world.tell(&open[0], Outcome::Answered(ok()));
    world.tell(&open[1], Outcome::Answered(ok()));
    assert_eq!(world.take(10).len(), 1, "the third start of this period");
    assert_eq!(world.next_wake(), Some(START + Duration::from_mins(1)));
    world.advance(Duration::from_mins(1));
    assert_eq!(world.take(10).len(), 1, "one is open still");
}

#[test]
fn the_last_message_sets_the_limits_unless_they_are_pinned() {
    let world = World::new();
    publish(&world, "parallelism=1", "1");
    publish(&world, "parallelism=1", "2");
    publish(&world, "", "3");
    assert_eq!(world.take(10).len(), 1);
    publish(&world, "parallelism=3", "4");
    assert_eq!(world.take(10).len(), 2, "a raised limit counts at once");
    act(&world, "k/pin?parallelism=4&rate=9&period=30").ok_empty();
    publish(&world, "parallelism=1", "5");
    let state = key(&world);
    assert_eq!((&state["parallelismMax"], &state["isPinnedParallelism"]), (&json!(4), &json!(true)));
    assert_eq!(
        (&state["rateMax"], &state["ratePeriod"], &state["isPinnedRate"]),
        (&json!(9), &json!(30), &json!(true))
    );
    assert_eq!(world.take(10).len(), 1);
    act(&world, "k/unpin?parallelism=true").ok_empty();
    assert_eq!(key(&world)["parallelismMax"], json!(4), "until a message says otherwise");
    publish(&world, "rate=1", "6");
    let state = key(&world);
    assert_eq!((&state["parallelismMax"], &state["rateMax"]), (&json!(0), &json!(9)), "the rate is pinned still");
}

#[test]
fn a_paused_key_holds_everything_back() {
    let world = World::new();
    world.answers(URL, [ok()]);
    act(&world, "k/pause").ok_empty();
    publish(&world, "parallelism=5", "1");
    publish(&world, "", "2");
    world.run();
    assert_eq!((world.received(URL).len(), world.next_wake()), (0, None));
    assert_eq!((&key(&world)["isPaused"], &key(&world)["waitListSize"]), (&json!(true), &json!(2)));
    act(&world, "k/resume").ok_empty();
    world.run();
    assert_eq!(world.received(URL).len(), 2);
}

#[test]
fn a_reset_rate_begins_a_new_period() {
    for path in ["k/resetRate", "k/reset"] {
        let world = World::new();
        world.answers(URL, [ok()]);
        for _ in 0..3 {
            publish(&world, "rate=1,period=1h", "");
        }
        world.settle();
        world.advance(Duration::from_mins(10));
        act(&world, path).ok_empty();
        assert_eq!(key(&world)["ratePeriodStart"], json!(world.now().seconds()));
        world.run();
        assert_eq!(seconds(&world), [0, 600, 4200]);
    }
}

#[test]
fn a_slot_frees_itself_when_a_process_dies_and_no_limit_is_exceeded_meanwhile() {
    let mut world = World::on_file("flow-control-crash");
    world.answers(URL, [ok()]);
    for body in ["1", "2", "3"] {
        publish(&world, "parallelism=1", body);
    }
    assert_eq!(world.take(10).len(), 1);
    world.restart();
    assert_eq!(world.take(10).len(), 0, "whoever was being called has the grace period");
    world.advance(Duration::from_secs(5));
    let again = world.take(10);
    assert_eq!(bodies(&again), ["1"]);
    world.tell(&again[0], Outcome::Answered(ok()));
    world.run();
    assert_eq!(world.received(URL).len(), 2);
}

#[test]
fn a_cancelled_message_makes_room() {
    let world = World::new();
    let first = publish(&world, "parallelism=1", "1");
    publish(&world, "", "2");
    assert_eq!(world.take(10).len(), 1);
    world.delete(&format!("/v2/messages/{first}")).ok();
    assert_eq!(bodies(&world.take(10)), ["2"]);
}

#[test]
fn the_invocations_of_a_run_share_the_key_of_its_trigger() {
    let world = World::new();
    world.answers(URL, [ok().header("Upstash-Workflow-Sdk-Version", "1")]);
    for run in ["wfr_1", "wfr_2"] {
        let headers = [
            ("Upstash-Workflow-Init", "true"),
            ("Upstash-Workflow-RunId", run),
            ("Upstash-Flow-Control-Key", "k"),
            ("Upstash-Flow-Control-Value", "parallelism=1"),
        ];
        world.publish(URL, &headers, "").message_id();
    }
    let open = world.take(10);
    assert_eq!(open.len(), 1);
    let step = json!({ "stepId": 1, "stepName": "a", "stepType": "Run", "out": "1", "concurrent": 1 });
    let headers = [("Upstash-Workflow-Init", "false"), ("Upstash-Workflow-RunId", "wfr_1")];
    world.publish(URL, &headers, &step.to_string()).message_id();
    assert_eq!(world.take(10).len(), 0, "the next step and the other run wait for the open invocation");
    assert_eq!(key(&world)["waitListSize"], json!(2));
    let answer = ok().header("Upstash-Workflow-Sdk-Version", "1");
    world.tell(&open[0], Outcome::Answered(answer));
    assert_eq!(world.take(10).len(), 1);
}

#[test]
fn callbacks_have_keys_of_their_own() {
    let world = World::new();
    world.answers(URL, [ok()]);
    world.answers("https://app.test/told", [ok()]);
    for _ in 0..2 {
        let headers = [
            ("Upstash-Callback", "https://app.test/told"),
            ("Upstash-Callback-Flow-Control-Key", "told"),
            ("Upstash-Callback-Flow-Control-Value", "rate=1,period=1m"),
        ];
        world.publish(URL, &headers, "").message_id();
    }
    world.run();
    let told: Vec<u64> = world.received_at("https://app.test/told").iter().map(|(at, _)| at / 1000).collect();
    assert_eq!(told, [0, 60]);
}

#[test]
fn keys_are_listed_and_searched() {
    let world = World::new();
    for name in ["payments", "mail", "mail.slow"] {
        world.publish(URL, &[("Upstash-Flow-Control-Key", name)], "").message_id();
    }
    let names = |path: &str| {
        let list = world.get(path).ok();
        list.as_array()
            .unwrap()
            .iter()
            .map(|key| key["flowControlKey"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("/v2/flowControl"), ["mail", "mail.slow", "payments"]);
    assert_eq!(names("/v2/flowControl?search=mail"), ["mail", "mail.slow"]);
    world.get("/v2/flowControl/unknown").error(404);
    world.get("/v2/flowControl?serach=x").error(400);
    world.answers(URL, [ok()]);
    world.run();
    world.advance(Duration::from_hours(24 * 9));
    world.take(1);
    assert_eq!(names("/v2/flowControl").len(), 0, "what says nothing any more is forgotten");
}

#[test]
fn what_is_wrong_with_a_pin_is_said() {
    let world = World::new();
    for path in ["k/pin", "k/pin?parallelism=0", "k/pin?period=1", "k/pin?rates=1", "k/unpin", "k/unpin?rate=maybe"] {
        act(&world, path).error(400);
    }
    act(&world, "k/stop").error(404);
    act(&world, "a%20b/pause").error(400);
    assert_eq!(world.sql.count("flow_keys"), 0);
}

#[test]
fn ten_thousand_waiting_messages_hold_nobody_up() {
    let world = World::new();
    act(&world, "k/pause").ok_empty();
    let item = json!({ "destination": URL, "headers": { "Upstash-Flow-Control-Key": "k" } });
    let batch = Value::Array(vec![item; 500]);
    for _ in 0..20 {
        world.batch(&batch).ok();
        world.take(100);
    }
    while world.next_wake().is_some() {
        assert_eq!(world.take(100).len(), 0);
    }
    assert_eq!(key(&world)["waitListSize"], json!(10_000));
    world.answers(URL, [ok()]);
    world.publish(URL, &[], "").message_id();
    assert_eq!(world.settle(), 1);
}

#[test]
fn who_is_woken_in_vain_wakes_the_next() {
    let world = World::new();
    let limits = [("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1")];
    publish(&world, "parallelism=1", "1");
    let open = world.take(10);
    let mut queued = world.request(Method::Post, &format!("/v2/enqueue/q/{URL}")).body("queued");
    for (name, value) in limits {
        queued = queued.header(name, value);
    }
    world.send(&queued).message_id();
    publish(&world, "", "2");
    assert!(world.take(10).is_empty());
    world.send(&world.request(Method::Post, "/v2/queues/q/pause")).ok_empty();
    world.tell(&open[0], Outcome::Answered(ok()));
    assert_eq!(bodies(&world.take(10)), ["2"], "the queued one, whose turn it is, is held back by its queue");
}

#[test]
fn a_period_that_lies_in_the_future_is_over() {
    let world = World::new();
    world.advance(Duration::from_hours(24 * 365));
    publish(&world, "rate=1", "1");
    assert_eq!(world.take(10).len(), 1);
    world.set_back(Duration::from_hours(24 * 364));
    publish(&world, "rate=1", "2");
    publish(&world, "rate=1", "3");
    assert_eq!(bodies(&world.take(10)), ["2"]);
    world.advance(Duration::from_secs(1));
    assert_eq!(bodies(&world.take(10)), ["3"]);
}
