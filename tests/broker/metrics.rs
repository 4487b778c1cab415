//! How the broker is doing, in numbers: `GET /v2/metrics`.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use crate::support::workflow::{Stage, WORKFLOW, serve, trigger};
use crate::support::world::{START, World, ok, settings};
use orchestration::broker::{Outcome, Settings};
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

const URL: &str = "https://app.test/";
const MINUTE: Duration = Duration::from_mins(1);
const NO_RETRY: [(&str, &str); 1] = [("Upstash-Retries", "0")];

/// The window of an hour in buckets of a minute, which begins when the bucket of [`START`] is the last.
fn metrics(world: &World) -> Value {
    world.get("/v2/metrics").ok()
}

/// What a member of all buckets amounts to.
#[track_caller]
fn total(metrics: &Value, member: &str) -> u64 {
    let series = metrics["series"].as_array().unwrap();
    series.iter().map(|bucket| bucket[member].as_u64().unwrap()).sum()
}

/// The durations that were counted: upper bound (0 above the last) and number.
fn durations(metrics: &Value) -> Vec<(u64, u64)> {
    let bounds: Vec<u64> = metrics["latencyBounds"].as_array().unwrap().iter().map(|b| b.as_u64().unwrap()).collect();
    let mut sums = vec![0; bounds.len() + 1];
    for bucket in metrics["series"].as_array().unwrap() {
        let latency = bucket["latency"].as_array().unwrap();
        assert_eq!(latency.len(), sums.len());
        for (sum, count) in sums.iter_mut().zip(latency) {
            *sum += count.as_u64().unwrap();
        }
    }
    bounds.into_iter().chain([0]).zip(sums).filter(|(_, count)| *count > 0).collect()
}

/// The buckets in which something is counted under `member`: when they begin, and how much.
fn places(metrics: &Value, member: &str) -> Vec<(u64, u64)> {
    let series = metrics["series"].as_array().unwrap().iter();
    let counted = series.map(|bucket| (bucket["at"].as_u64().unwrap(), bucket[member].as_u64().unwrap()));
    counted.filter(|(_, count)| *count > 0).collect()
}

/// Destinations that take as long as their path says, in milliseconds, and answer 200, or 500 below `/bad/`.
fn slow(world: &World) {
    for (prefix, status) in [("https://app.test/", 200), ("https://app.test/bad/", 500)] {
        world.endpoint(prefix, move |world, request| {
            let millis = request.url.rsplit('/').next().unwrap().parse().unwrap();
            world.advance(Duration::from_millis(millis));
            Outcome::Answered(Response::new(status))
        });
    }
}

fn takes(millis: u64) -> String {
    format!("{URL}{millis}")
}

#[test]
fn an_idle_broker_counts_nothing() {
    let world = World::new();
    let metrics = metrics(&world);
    assert_eq!((&metrics["to"], &metrics["bucketMs"]), (&json!(START.millis()), &json!(60_000)));
    assert_eq!(metrics["series"].as_array().unwrap().len(), 60);
    assert_eq!(metrics["backlog"], json!({ "waiting": 0, "due": 0, "held": 0, "active": 0 }));
    assert_eq!(metrics["runs"], json!({ "active": 0 }));
    assert_eq!((&metrics["deadLetters"], &metrics["countedFrom"]), (&json!(0), &metrics["from"]));
    assert_eq!(metrics["health"], json!({ "status": "ok", "reasons": [] }));
    assert!(metrics["series"][59].get("oldestEndedAt").is_none());
    for member in
        ["accepted", "delivered", "errors", "failed", "canceled", "runsStarted", "runsSucceeded", "runsFailed"]
    {
        assert_eq!(total(&metrics, member), 0, "{member}");
    }
}

#[test]
fn buckets_begin_at_multiples_of_their_length_and_the_last_is_under_way() {
    let world = World::new();
    slow(&world);
    for (query, bucket_ms, count) in [
        ("", 60_000, 60),
        ("?window=300000", 5_000, 60),
        ("?window=86400000&buckets=240", 360_000, 240),
        ("?window=1000&buckets=1", 1_000, 1),
        ("?window=1001&buckets=10", 101, 10),
        ("?window=2592000000&buckets=30", 86_400_000, 30),
    ] {
        let metrics = world.get(&format!("/v2/metrics{query}")).ok();
        let at = |index: usize| metrics["series"][index]["at"].as_u64().unwrap();
        assert_eq!(metrics["bucketMs"], json!(bucket_ms), "{query}");
        assert_eq!(metrics["series"].as_array().unwrap().len(), count, "{query}");
        assert_eq!((metrics["from"].as_u64(), at(0) % bucket_ms), (Some(at(0)), 0), "{query}");
        assert!((1..count).all(|index| at(index) == at(index - 1) + bucket_ms), "{query}");
        let now = world.now().millis();
        assert!(at(count - 1) <= now && now < at(count - 1) + bucket_ms, "{query}");
    }
    // The last moment of a bucket and the first of the next one.
    let edge = START.millis().next_multiple_of(60_000);
    world.advance(Duration::from_millis(edge - START.millis() - 1));
    world.publish(&takes(1), &[], "").ok();
    world.settle();
    let now = metrics(&world);
    assert_eq!(places(&now, "accepted"), [(edge - 60_000, 1)]);
    assert_eq!(places(&now, "delivered"), [(edge, 1)]);
    // What is older than the window is not counted.
    world.advance(59 * MINUTE);
    assert_eq!((total(&metrics(&world), "accepted"), total(&metrics(&world), "delivered")), (0, 1));
    world.advance(MINUTE);
    assert_eq!(total(&metrics(&world), "delivered"), 0);
    assert_eq!(total(&world.get("/v2/metrics?window=7300000&buckets=7").ok(), "delivered"), 1);
}

#[test]
fn tries_and_their_durations_are_counted() {
    let world = World::new();
    slow(&world);
    for millis in [0, 5, 6, 1_000, 900_000, 900_001] {
        world.publish(&takes(millis), &[("Upstash-Timeout", "3600")], "").ok();
        world.run();
    }
    let counted = world.get("/v2/metrics?window=7200000").ok();
    assert_eq!((total(&counted, "accepted"), total(&counted, "delivered"), total(&counted, "errors")), (6, 6, 0));
    assert_eq!(durations(&counted), [(5, 2), (10, 1), (1_000, 1), (900_000, 1), (0, 1)]);

    let world = World::new();
    slow(&world);
    // A try, a retry, and then it is given up; the wait between them does not count.
    let retried = [("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "600000")];
    world.publish("https://app.test/bad/20", &retried, "").ok();
    world.run();
    world.endpoint("https://late.test", |world, _| {
        world.advance(Duration::from_secs(30));
        Outcome::TimedOut
    });
    world.publish("https://late.test", &[("Upstash-Retries", "0"), ("Upstash-Timeout", "30")], "").ok();
    world.run();
    let counted = metrics(&world);
    assert_eq!((total(&counted, "errors"), total(&counted, "failed"), total(&counted, "delivered")), (3, 2, 0));
    assert_eq!(durations(&counted), [(20, 2), (30_000, 1)]);
    assert_eq!(counted["deadLetters"], json!(2));
}

#[test]
fn a_try_that_was_never_sent_or_was_cancelled_has_no_duration() {
    let world = World::new();
    let id = world.publish(URL, &NO_RETRY, "").message_id();
    let delivery = world.take(1).remove(0);
    world.delete(&format!("/v2/messages/{id}")).ok();
    world.advance(Duration::from_secs(1));
    world.tell(&delivery, Outcome::Answered(ok()));
    assert_eq!((total(&metrics(&world), "delivered"), durations(&metrics(&world))), (0, vec![]));
    // Nobody knows how long a delivery took whose outcome nobody has told.
    world.publish(URL, &NO_RETRY, "").ok();
    assert_eq!(world.take(1).len(), 1);
    world.advance(Duration::from_hours(1));
    let delivery = world.take(1).remove(0);
    world.advance(Duration::from_millis(40));
    world.tell(&delivery, Outcome::Answered(ok()));
    let counted = world.get("/v2/metrics?window=7200000").ok();
    assert_eq!((total(&counted, "errors"), total(&counted, "delivered"), durations(&counted)), (1, 1, vec![(50, 1)]));
    world.advance(MINUTE * 90);
    let id = world.publish(URL, &NO_RETRY, "").message_id();
    world.sql.run(&format!("UPDATE messages SET url = 'http://127.0.0.1/' WHERE id = '{id}'"));
    world.run();
    let counted = metrics(&world);
    assert_eq!((total(&counted, "errors"), total(&counted, "failed"), durations(&counted)), (1, 1, vec![]));
}

#[test]
fn the_backlog_tells_what_waits_and_for_how_long() {
    let world = World::new();
    let at = |millis: u64| json!(START.millis() + millis);
    world.publish(URL, &[("Upstash-Delay", "1h")], "").ok();
    world.advance(Duration::from_secs(1));
    world.publish(URL, &[], "under way").ok();
    assert_eq!(world.take(1).len(), 1);
    world.advance(Duration::from_secs(1));
    world.publish(URL, &[], "due").ok();
    world.advance(Duration::from_secs(1));
    world.publish(URL, &[], "due, too").ok();
    let backlog =
        json!({ "waiting": 3, "due": 2, "held": 0, "active": 1, "oldestDueAt": at(2_000), "oldestAt": at(0) });
    assert_eq!(metrics(&world)["backlog"], backlog);

    // A queue lets one through, a paused key none.
    let world = World::new();
    for _ in 0..3 {
        world.publish(URL, &[("Upstash-Queue-Name", "line")], "").ok();
    }
    world.send(&world.request(Method::Post, "/v2/flowControl/shop/pause"));
    world.publish(URL, &[("Upstash-Flow-Control-Key", "shop"), ("Upstash-Flow-Control-Value", "rate=1")], "").ok();
    assert_eq!(world.take(10).len(), 1);
    let backlog = json!({ "waiting": 3, "due": 0, "held": 3, "active": 1, "oldestAt": at(0) });
    assert_eq!(metrics(&world)["backlog"], backlog);
    // A delivery that nobody tells the outcome of is due again when its lease ends.
    world.advance(Duration::from_hours(1));
    let backlog = &metrics(&world)["backlog"];
    assert_eq!((&backlog["waiting"], &backlog["due"], &backlog["active"]), (&json!(4), &json!(1), &json!(0)));
}

/// What had not ended at the end of each bucket, and when the oldest of it was accepted, counted back from what is there
/// now.
fn course(metrics: &Value) -> Vec<(u64, u64, Option<u64>)> {
    let (backlog, bucket_ms) = (&metrics["backlog"], metrics["bucketMs"].as_u64().unwrap());
    let mut level = backlog["waiting"].as_u64().unwrap() + backlog["active"].as_u64().unwrap();
    let mut oldest = backlog["oldestAt"].as_u64();
    let mut course = Vec::new();
    for bucket in metrics["series"].as_array().unwrap().iter().rev() {
        let number = |member: &str| bucket[member].as_u64().unwrap();
        let end = number("at") + bucket_ms;
        course.push((end, level, oldest.filter(|oldest| *oldest < end)));
        level = level + number("delivered") + number("failed") + number("canceled") - number("accepted");
        oldest = oldest.into_iter().chain(bucket["oldestEndedAt"].as_u64()).min();
    }
    course.reverse();
    course
}

#[test]
fn the_backlog_of_any_time_comes_from_what_has_ended_since() {
    let world = World::new();
    world.answers("https://bad.test/", [Response::new(500), Response::new(500), Response::new(500)]);
    world.answers(URL, [ok()]);
    serve(&world, vec![Stage::Run("first"), Stage::Sleep("nap", 6000), Stage::Run("last")]);
    let later = [("Upstash-Delay", "1h")];
    let publish = |count: usize, headers: &[(&str, &str)]| -> Vec<String> {
        (0..count).map(|_| world.publish(URL, headers, "").message_id()).collect()
    };
    let cancel = |ids: &[String]| ids.iter().for_each(|id| drop(world.delete(&format!("/v2/messages/{id}")).ok()));
    let kept = world.publish(URL, &[("Upstash-Delay", "12m")], "").message_id();
    let first = START.millis().next_multiple_of(60_000);
    world.advance(Duration::from_millis(first - START.millis()));
    let mut seen = Vec::new();
    let mut canceled = Vec::new();
    for minute in 0..20 {
        let backlog = metrics(&world)["backlog"].clone();
        let level = backlog["waiting"].as_u64().unwrap() + backlog["active"].as_u64().unwrap();
        seen.push((world.now().millis(), level, backlog["oldestAt"].as_u64()));
        // Not at the moment between two buckets only.
        world.advance(Duration::from_secs(20));
        match minute {
            1 => canceled = publish(50, &later),
            3 => cancel(&canceled[..20]),
            4 => drop(publish(3, &[("Upstash-Queue-Name", "line"), later[0]])),
            5 => drop(world.publish(
                "https://bad.test/",
                &[("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "150000")],
                "",
            )),
            6 => drop(trigger(&world, "wfr_a", &json!({})).ok()),
            7 => world.delete("/v2/queues/line").ok_empty(),
            8 => cancel(&canceled[20..]),
            9 => drop(world.delete("/v2/workflows/runs/wfr_a").ok()),
            10 => drop(publish(4, &[])),
            14 => cancel(&publish(2, &later)),
            15 => drop(publish(2, &later)),
            _ => {}
        }
        world.settle();
        world.advance(Duration::from_secs(40));
    }
    assert_eq!(world.states(&kept), ["CREATED", "ACTIVE", "DELIVERED"]);
    let levels: Vec<u64> = seen.iter().map(|(_, level, _)| *level).collect();
    assert_eq!(levels, [1, 1, 51, 51, 31, 34, 35, 36, 33, 2, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2]);
    let counted = metrics(&world);
    let told: Vec<_> =
        course(&counted).into_iter().filter(|(at, ..)| seen.iter().any(|(seen, ..)| seen == at)).collect();
    assert_eq!(told, seen);
    assert_eq!((total(&counted, "canceled"), counted["countedFrom"] == counted["from"]), (56, true));
}

#[test]
fn runs_are_counted_where_they_begin_and_end() {
    let world = World::new();
    serve(&world, vec![Stage::Run("first"), Stage::Sleep("nap", 600)]);
    trigger(&world, "wfr_a", &json!({})).ok();
    world.settle();
    world.advance(MINUTE);
    trigger(&world, "wfr_b", &json!({})).ok();
    world.settle();
    let begun = metrics(&world);
    assert_eq!(begun["runs"], json!({ "active": 2, "oldestActiveAt": START.millis() }));
    let first = START.millis() / 60_000 * 60_000;
    assert_eq!(places(&begun, "runsStarted"), [(first, 1), (first + 60_000, 1)]);
    world.delete("/v2/workflows/runs/wfr_b").ok();
    world.run();
    let ended = metrics(&world);
    assert_eq!(ended["runs"], json!({ "active": 0 }));
    assert_eq!(places(&ended, "runsStarted"), [(first, 1), (first + 60_000, 1)]);
    assert_eq!(places(&ended, "runsCanceled"), [(first + 60_000, 1)]);
    assert_eq!(places(&ended, "runsSucceeded"), [(first + 600_000, 1)]);
    world.answers(WORKFLOW, [Response::new(500)]);
    trigger(&world, "wfr_c", &json!({ "upstash-retries": "0" })).ok();
    world.settle();
    let failed = metrics(&world);
    assert_eq!(places(&failed, "runsFailed"), [(first + 600_000, 1)]);
    // Ended in the window, begun before it.
    assert_eq!(total(&world.get("/v2/metrics?window=300000&buckets=5").ok(), "runsStarted"), 1);
    assert_eq!(total(&world.get("/v2/metrics?window=300000&buckets=5").ok(), "runsSucceeded"), 1);
}

#[test]
fn what_the_log_has_forgotten_is_not_counted_and_the_answer_tells_since_when() {
    let mut few = settings();
    few.retention.events = 6;
    let world = World::with(few);
    slow(&world);
    for _ in 0..4 {
        world.publish(&takes(0), &[], "").ok();
        world.settle();
        world.advance(MINUTE);
    }
    world.settle();
    // Two of four messages, each with CREATED, ACTIVE and DELIVERED.
    let counted = metrics(&world);
    assert_eq!((total(&counted, "accepted"), total(&counted, "delivered")), (2, 2));
    assert_eq!(counted["countedFrom"], json!(START.millis() + 120_000));
    assert_eq!(durations(&counted), [(5, 2)]);

    // What is forgotten for its age lies before the window.
    let mut short = settings();
    short.retention.event_age = Duration::from_hours(1);
    let world = World::with(short);
    slow(&world);
    world.publish(&takes(0), &[], "").ok();
    world.settle();
    world.advance(Duration::from_hours(2));
    world.publish(&takes(0), &[], "").ok();
    world.settle();
    assert_eq!((world.count("events"), &metrics(&world)["countedFrom"]), (3, &metrics(&world)["from"]));
    // In a longer one it may have been there.
    let long = world.get("/v2/metrics?window=86400000").ok();
    assert_eq!(long["countedFrom"], json!(START.millis() + 3_600_000));
}

#[test]
fn health_names_what_does_not_go_as_it_should() {
    let world = World::new();
    world.answers(URL, [Response::new(500)]);
    let codes = |world: &World| -> Vec<Value> {
        let health = metrics(world)["health"].clone();
        let reasons = health["reasons"].as_array().unwrap();
        assert_eq!(health["status"], json!(if reasons.is_empty() { "ok" } else { "degraded" }));
        assert!(reasons.iter().all(|reason| reason["message"].as_str().unwrap().len() > 20), "{health}");
        reasons.iter().map(|reason| json!([reason["code"], reason["count"], reason["since"]])).collect()
    };
    world.publish(URL, &NO_RETRY, "").ok();
    world.publish(URL, &[("Upstash-Delay", "3600s")], "").ok();
    world.advance(Duration::from_millis(59_999));
    assert_eq!(codes(&world), Vec::<Value>::new());
    world.advance(Duration::from_millis(1));
    assert_eq!(codes(&world), [json!(["overdue", 1, START.millis()])]);
    world.settle();
    assert_eq!(codes(&world), [json!(["deadLetters", 1, null])]);
    // Whoever has looked at it removes it; what is older than the window is no news.
    world.delete("/v2/dlq?count=100").ok();
    assert_eq!(codes(&world), Vec::<Value>::new());
    world.publish(URL, &NO_RETRY, "").ok();
    world.settle();
    world.advance(Duration::from_mins(58));
    world.settle();
    assert_eq!(codes(&world), [json!(["deadLetters", 1, null])]);
    world.advance(MINUTE * 5);
    world.settle();
    assert_eq!((codes(&world), &metrics(&world)["deadLetters"]), (vec![], &json!(1)));
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let world = World::new();
    for (query, said) in [
        ("window=999", "window must be from 1000 to 2592000000 (milliseconds)"),
        ("window=2592000001", "window must be from 1000"),
        ("window=1h", "window must be a whole number"),
        ("window=-1", "window must be a whole number"),
        ("window=99999999999999999999999", "window must be a whole number"),
        ("buckets=0", "buckets must be from 1 to 240"),
        ("buckets=241", "buckets must be from 1 to 240"),
        ("buckets=2.5", "buckets must be a whole number"),
        ("bucket=2", "'bucket' is not known here; expected one of window, buckets"),
    ] {
        let error = world.get(&format!("/v2/metrics?{query}")).error(400);
        assert!(error.contains(said), "{query}: {error}");
    }
    let error = world.send(&world.request(Method::Post, "/v2/metrics")).error(405);
    assert!(error.contains("expected GET"), "{error}");
}

#[test]
fn whoever_may_read_may_see_it() {
    let world = World::with(Settings { read_only_token: Some("reader".to_owned()), ..settings() });
    assert_eq!(world.send(&world.request_as("reader", Method::Get, "/v2/metrics")).status(), 200);
    world.send(&world.request_as("wrong", Method::Get, "/v2/metrics")).error(401);
    let by_query = orchestration::wire::Request::new(
        Method::Get,
        "http://broker.test/v2/metrics?window=60000&qstash_token=reader",
    );
    assert_eq!(world.send(&by_query).status(), 200);
}

#[test]
fn a_full_log_is_counted() {
    const MESSAGES: u64 = 20_000;
    let world = World::new();
    let start = START.millis() - 3_000_000;
    // As many events as a broker keeps: five of each message, over 50 minutes.
    let events = [
        (0, "CREATED", "NULL"),
        (10, "ACTIVE", "NULL"),
        (30, "ERROR", "20"),
        (1_030, "ACTIVE", "NULL"),
        (1_070, "DELIVERED", "40 + i % 3"),
    ];
    for (place, (offset, state, took)) in (1..).zip(events) {
        world.sql.run(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {MESSAGES})
             INSERT INTO events (seq, time, message_id, state, url, method, attempt, max_retries, response_body, took,
                accepted_at)
             SELECT i * 5 + {place}, {start} + i * 150 - i % 7 + {offset}, printf('msg_%021d', i), '{state}', '{URL}',
                'POST', 0, 3, CASE '{state}' WHEN 'ERROR' THEN zeroblob(2000) END, {took},
                CASE '{state}' WHEN 'DELIVERED' THEN {start} + i * 150 - i % 7 END
             FROM n ORDER BY i",
        ));
    }
    assert_eq!(world.count("events"), 5 * MESSAGES);
    let began = std::time::Instant::now();
    let counted = world.get("/v2/metrics?buckets=240").ok();
    println!("100,000 events in 240 buckets: {:?}", began.elapsed());
    for member in ["accepted", "delivered", "errors"] {
        assert_eq!(total(&counted, member), MESSAGES, "{member}");
    }
    assert_eq!(durations(&counted), [(20, MESSAGES), (50, MESSAGES)]);
    let waited: Vec<_> = course(&counted).into_iter().filter(|(_, level, _)| *level > 0).collect();
    assert!(waited.len() > 190, "{waited:?}");
    assert!(waited.iter().all(|(end, level, oldest)| *level < 10 && end - oldest.unwrap() < 1_100), "{waited:?}");
}
