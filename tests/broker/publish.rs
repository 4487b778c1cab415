//! Publishing, delivering, retrying: a message from its acceptance to its end.

use std::time::Duration;

use crate::support::sqlite::Sqlite;
use crate::support::world::{CURRENT_KEY, NEXT_KEY, World, ok, settings};
use orchestration::broker::{Broker, Outcome};
use orchestration::signature::{BodyHash, Expect, Keys, verify};
use orchestration::wire::callback::CallbackBody;
use orchestration::wire::{Method, Response, base64};
use serde_json::{Value, json};

const URL: &str = "https://app.test/hook";

fn status(status: u16) -> Response {
    Response::new(status)
}

#[test]
fn a_message_is_delivered_as_it_was_published() {
    let world = World::new();
    world.answers(URL, [ok()]);
    let id = world
        .publish(
            &format!("{URL}?a=1"),
            &[
                ("Content-Type", "text/csv"),
                ("Upstash-Method", "put"),
                ("Upstash-Forward-X-Tenant", "7"),
                ("Upstash-Forward-Host", "evil.test"),
                ("Upstash-Label", "blue, green"),
                ("Upstash-Caller-Ip", "10.0.0.7"),
            ],
            "a;b\n",
        )
        .message_id();
    assert_eq!(world.settle(), 1);
    let [request] = &world.received(URL)[..] else { panic!("one delivery") };
    assert_eq!((request.method, request.url.as_str()), (Method::Put, "https://app.test/hook?a=1"));
    assert_eq!(request.body, b"a;b\n");
    for (name, value) in [
        ("content-type", Some("text/csv")),
        ("x-tenant", Some("7")),
        ("host", None),
        ("user-agent", Some("Upstash-QStash")),
        ("upstash-message-id", Some(id.as_str())),
        ("upstash-retried", Some("0")),
        ("upstash-label", Some("blue,green")),
        ("upstash-caller-ip", Some("10.0.0.7")),
        ("upstash-method", None),
        ("authorization", None),
    ] {
        assert_eq!(request.headers.get(name), value, "{name}");
    }
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "DELIVERED"]);
    assert_eq!(world.next_wake(), None);
    assert_eq!(world.sql.count("messages"), 0);
}

#[test]
fn every_delivery_is_signed_for_its_url_and_body() {
    let world = World::new();
    world.answers(URL, [status(500), ok()]);
    let body = [0u8, 0xff, 0xfe];
    let request = world.request(Method::Post, &format!("/v2/publish/{URL}")).body(body);
    world.send(&request).ok();
    world.run();
    let keys = Keys::new(CURRENT_KEY, Some(NEXT_KEY)).unwrap();
    let mut ids = Vec::new();
    for (at, request) in world.received_at(URL) {
        let now = crate::support::world::START + Duration::from_millis(at);
        let expect = Expect { url: Some(URL), now, tolerance: Duration::ZERO };
        let token = request.headers.get("upstash-signature").unwrap();
        let claims = verify(token, &BodyHash::of(&body), &keys, &expect).unwrap();
        assert_eq!(claims.expires_at.seconds(), now.seconds() + 300);
        ids.push(claims.token_id.unwrap());
    }
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids[0].starts_with("jwt_"), "{ids:?}");
}

#[test]
fn retries_follow_the_default_backoff_and_end_in_the_dead_letter_queue() {
    let world = World::new();
    world.answers(URL, [status(500).header("x-why", "tired").body("no")]);
    let id = world.publish(URL, &[], "hello").message_id();
    world.run();
    let tries: Vec<_> = world
        .received_at(URL)
        .into_iter()
        .map(|(at, request)| (at / 1000, request.headers.get("upstash-retried").unwrap().to_owned()))
        .collect();
    assert_eq!(tries, [(0, "0".into()), (12, "1".into()), (160, "2".into()), (1968, "3".into())]);
    assert_eq!(
        world.states(&id),
        [
            "CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "ERROR", "RETRY", "ACTIVE",
            "ERROR", "FAILED"
        ]
    );
    let retry = &world.events(&id)[3];
    assert_eq!(retry["nextDeliveryTime"].as_u64().unwrap() - retry["time"].as_u64().unwrap(), 12_000);
    let list = world.get("/v2/dlq").ok();
    let letter = &list["messages"][0];
    assert_eq!(letter["messageId"], json!(id));
    assert_eq!((&letter["responseStatus"], &letter["responseBody"]), (&json!(500), &json!("no")));
    assert_eq!(letter["responseHeader"]["X-Why"], json!(["tired"]));
    assert_eq!(letter["body"], json!("hello"));
    let path = format!("/v2/dlq/{}", letter["dlqId"].as_str().unwrap());
    assert_eq!(&world.get(&path).ok(), letter);
    world.delete(&path).ok();
    world.get(&path).error(404);
}

#[test]
fn retries_and_their_delay_are_the_publishers_choice() {
    for (headers, expected) in [
        (vec![("Upstash-Retries", "0")], vec![0]),
        (vec![("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "1000 * pow(2, retried)")], vec![0, 1000, 3000]),
    ] {
        let world = World::new();
        world.answers(URL, [status(503)]);
        world.publish(URL, &headers, "").ok();
        world.run();
        let times: Vec<u64> = world.received_at(URL).iter().map(|(at, _)| *at).collect();
        assert_eq!(times, expected, "{headers:?}");
    }
}

#[test]
fn the_answer_may_name_the_delay_or_forbid_retries() {
    for (answer, expected) in [
        (status(429).header("Retry-After", "7"), vec![0, 7000]),
        (status(429).header("X-RateLimit-Reset-Tokens", "1m30s"), vec![0, 90_000]),
        (status(503).header("Retry-After", "0"), vec![0, 0]),
        (status(429).header("Retry-After", "90000"), vec![0, 12_000]),
        (status(489).header("Upstash-NonRetryable-Error", "true"), vec![0]),
        (status(489), vec![0, 12_000]),
        (status(302).header("location", "https://elsewhere.test"), vec![0, 12_000]),
    ] {
        let world = World::new();
        world.answers(URL, [answer.clone()]);
        world.publish(URL, &[("Upstash-Retries", "1")], "").ok();
        world.run();
        let times: Vec<u64> = world.received_at("https://").iter().map(|(at, _)| *at).collect();
        assert_eq!(times, expected, "{answer:?}");
        assert_eq!(world.get("/v2/dlq").ok()["messages"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn destinations_that_are_down_or_hang_are_failures_too() {
    let world = World::new();
    world.endpoint("https://slow.test", |_, _| Outcome::TimedOut);
    let slow = world.publish("https://slow.test", &[("Upstash-Retries", "0"), ("Upstash-Timeout", "30s")], "");
    let down = world.publish("https://down.test", &[("Upstash-Retries", "0")], "").message_id();
    let deliveries = world.take(10);
    assert_eq!(deliveries[0].timeout, Duration::from_secs(30));
    for delivery in deliveries {
        let outcome = world.deliver(&delivery);
        world.tell(&delivery, outcome);
    }
    for (id, expected) in [(slow.message_id(), "did not answer within 30 s"), (down, "can't be reached")] {
        let events = world.events(&id);
        assert!(events[2]["error"].as_str().unwrap().contains(expected), "{}", events[2]);
        assert_eq!(events.last().unwrap()["state"], json!("FAILED"));
    }
}

#[test]
fn delay_and_not_before_hold_the_first_try_back() {
    let start = crate::support::world::START.seconds();
    for (headers, expected) in [
        (vec![("Upstash-Delay", "1m30s".to_owned())], 90_000),
        (vec![("Upstash-Delay", "1d".to_owned()), ("Upstash-Not-Before", (start + 5).to_string())], 5000),
        (vec![("Upstash-Not-Before", (start - 5).to_string())], 0),
    ] {
        let world = World::new();
        world.answers(URL, [ok()]);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let id = world.publish(URL, &headers, "").message_id();
        if expected > 0 {
            assert_eq!(world.settle(), 0);
            let message = world.get(&format!("/v2/messages/{id}")).ok();
            assert_eq!(message["notBefore"].as_u64().unwrap() - crate::support::world::START.millis(), expected);
        }
        world.run();
        assert_eq!(world.received_at(URL)[0].0, expected);
        world.get(&format!("/v2/messages/{id}")).error(404);
    }
}

#[test]
fn a_duplicate_is_accepted_but_not_delivered_within_the_window() {
    let world = World::new();
    world.answers(URL, [ok()]);
    for headers in [[("Upstash-Deduplication-Id", "order-7")], [("Upstash-Content-Based-Deduplication", "true")]] {
        let first = world.publish(URL, &headers, "same").message_id();
        let again = world.publish(URL, &headers, "same");
        assert_eq!(again.status(), 202);
        assert_eq!(again.json(), json!({ "messageId": first, "deduplicated": true }));
        world.advance(Duration::from_mins(10));
        assert_ne!(world.publish(URL, &headers, "same").message_id(), first);
    }
    let headers = [("Upstash-Content-Based-Deduplication", "true")];
    world.publish(URL, &headers, "other").ok();
    world.publish(&format!("{URL}/2"), &headers, "same").ok();
    world.run();
    assert_eq!(world.received(URL).len(), 6);
}

#[test]
fn callbacks_tell_every_try_and_the_failure() {
    let world = World::new();
    world.answers(URL, [status(500).body("first"), status(502).header("x-a", "1").body([0xff])]);
    world.answers("https://back.test", [ok()]);
    let id = world
        .publish(
            URL,
            &[
                ("Upstash-Retries", "1"),
                ("Upstash-Callback", "https://back.test/each"),
                ("Upstash-Callback-Forward-X-Kind", "each"),
                ("Upstash-Callback-Method", "PUT"),
                ("Upstash-Failure-Callback", "https://back.test/failed"),
                ("Upstash-Failure-Callback-Forward-X-Kind", "failed"),
            ],
            "payload",
        )
        .message_id();
    world.run();
    let each = world.received("https://back.test/each");
    let bodies: Vec<CallbackBody> = each.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert_eq!(bodies.iter().map(|body| (body.status, body.retried)).collect::<Vec<_>>(), [(500, 0), (502, 1)]);
    let last = &bodies[1];
    assert_eq!((last.body.as_str(), last.max_retries, &last.source_message_id), ("/w==", 1, &id));
    assert_eq!(base64::decode(&last.source_body).unwrap(), b"payload");
    assert_eq!(last.header["X-A"], ["1"]);
    assert_eq!((each[0].method, each[0].headers.get("x-kind")), (Method::Put, Some("each")));
    let failed = world.received("https://back.test/failed");
    let body: CallbackBody = serde_json::from_slice(&failed[0].body).unwrap();
    assert_eq!((failed.len(), failed[0].headers.get("x-kind")), (1, Some("failed")));
    assert!(world.get(&format!("/v2/dlq/{}", body.dlq_id.unwrap())).status() == 200);
}

#[test]
fn callbacks_tell_that_there_was_no_answer() {
    let world = World::new();
    world.answers("https://back.test", [ok()]);
    world.publish("https://down.test", &[("Upstash-Retries", "0"), ("Upstash-Callback", "https://back.test")], "").ok();
    world.run();
    let body: CallbackBody = serde_json::from_slice(&world.received("https://back.test")[0].body).unwrap();
    let reason = String::from_utf8(base64::decode(&body.body).unwrap()).unwrap();
    assert_eq!((body.status, reason.contains("can't be reached")), (0, true), "{reason}");
}

#[test]
fn a_lost_outcome_leads_to_another_delivery_and_a_late_one_is_ignored() {
    let mut world = World::on_file("lost");
    world.answers(URL, [ok()]);
    let id = world.publish(URL, &[("Upstash-Timeout", "1m"), ("Upstash-Retries", "0")], "").message_id();
    let lost = world.take(1).remove(0);
    world.crash();
    assert!(world.take(1).is_empty());
    // One minute, and the margin.
    assert_eq!(world.next_wake(), Some(world.now() + Duration::from_secs(70)));
    world.advance(Duration::from_secs(70));
    let again = world.take(1).remove(0);
    assert_eq!(again.message_id, id);
    world.tell(&lost, Outcome::Answered(status(500)));
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "ERROR", "ACTIVE"]);
    world.tell(&again, Outcome::Answered(ok()));
    world.tell(&again, Outcome::Answered(ok()));
    assert_eq!(world.states(&id), ["CREATED", "ACTIVE", "ERROR", "ACTIVE", "DELIVERED"]);
}

#[test]
fn a_restart_ends_leases_early() {
    let mut world = World::on_file("restart");
    world.answers(URL, [ok()]);
    world.publish(URL, &[], "").ok();
    world.take(1);
    world.restart();
    assert!(world.take(1).is_empty());
    world.advance(Duration::from_secs(5));
    assert_eq!(world.settle(), 1);
}

#[test]
fn what_was_accepted_survives_a_crash_whatever_its_size() {
    let mut world = World::on_file("large");
    world.answers(URL, [ok()]);
    let body = "x".repeat(1024 * 1024);
    let id = world.publish(URL, &[("Upstash-Callback", "https://back.test")], &body).message_id();
    world.crash();
    assert_eq!(world.get(&format!("/v2/messages/{id}")).ok()["body"].as_str().unwrap().len(), body.len());
    world.settle();
    assert_eq!(world.received(URL)[0].body.len(), body.len());
    // The callback carries the body in base64, over the limit of what may be published.
    assert!(world.received("https://back.test")[0].body.len() > body.len());
}

#[test]
fn a_cancelled_message_is_not_delivered() {
    let world = World::new();
    let id = world.publish(URL, &[("Upstash-Delay", "1h")], "").message_id();
    world.delete(&format!("/v2/messages/{id}")).ok();
    world.delete(&format!("/v2/messages/{id}")).error(404);
    world.run();
    assert!(world.received(URL).is_empty());
    assert_eq!(world.states(&id), ["CREATED", "CANCEL_REQUESTED", "CANCELED"]);
}

#[test]
fn a_newer_database_is_refused() {
    let sql = Sqlite::in_memory();
    Broker::open(sql.clone(), settings()).unwrap();
    Broker::open(sql.clone(), settings()).unwrap();
    sql.run("UPDATE meta SET value = 99 WHERE key = 'schema'");
    let error = Broker::open(sql, settings()).err().unwrap();
    assert!(error.message().contains("schema version 99"), "{error}");
}

#[test]
fn ended_things_are_forgotten() {
    let mut settings = settings();
    settings.retention.events = 20;
    settings.retention.dead_letters = 2;
    let world = World::with(settings);
    world.answers(URL, [status(500)]);
    for _ in 0..20 {
        world.publish(URL, &[("Upstash-Retries", "0")], "").ok();
        world.settle();
    }
    world.advance(Duration::from_mins(1));
    world.settle();
    assert_eq!((world.sql.count("events"), world.sql.count("dlq")), (20, 2));
    world.advance(Duration::from_hours(24 * 8));
    world.settle();
    assert_eq!((world.sql.count("events"), world.sql.count("dlq"), world.sql.count("parts")), (0, 0, 0));
}

#[test]
fn the_body_of_a_message_in_a_batch_may_be_any_json() {
    let world = World::new();
    let item = |body: Value| json!({ "destination": "https://shop.test/", "body": body });
    world.endpoint("https://shop.test/", |_, _| Outcome::Answered(ok()));
    let texts = ["{\"b\":1,\"a\":[2.50]}", "17", "true", "null"];
    let items: Vec<String> = texts.iter().map(|text| item(json!("@")).to_string().replace("\"@\"", text)).collect();
    let request = world.request(Method::Post, "/v2/batch").body(format!("[{}]", items.join(",")));
    world.send(&request).ok();
    world.batch(&json!([item(json!("a text\n"))])).ok();
    world.run();
    let bodies: Vec<_> = world
        .received("https://shop.test/")
        .into_iter()
        .map(|request| String::from_utf8(request.body).unwrap())
        .collect();
    assert_eq!(bodies, ["{\"b\":1,\"a\":[2.50]}", "17", "true", "", "a text\n"]);
}

#[test]
fn headers_are_told_in_the_spelling_that_workflows_look_for() {
    let world = World::new();
    world.endpoint("https://shop.test/", |_, _| {
        Outcome::Answered(Response::new(200).header("x-shop-id", "1").header("X-SHOP-ID", "2").header("etag", "e"))
    });
    world.endpoint("https://told.test/", |_, _| Outcome::Answered(ok()));
    world.publish("https://shop.test/", &[("Upstash-Callback", "https://told.test/")], "").ok();
    world.run();
    let told: Value = serde_json::from_slice(&world.received("https://told.test/")[0].body).unwrap();
    assert_eq!(told["header"], json!({ "X-Shop-Id": ["1", "2"], "Etag": ["e"] }));
}

#[test]
fn callbacks_are_not_deduplicated() {
    let world = World::new();
    for (name, value) in [
        ("Upstash-Callback-Deduplication-Id", "d"),
        ("Upstash-Callback-Content-Based-Deduplication", "true"),
        ("Upstash-Failure-Callback-Deduplication-Id", "d"),
    ] {
        let callbacks = [("Upstash-Callback", "https://b.test"), ("Upstash-Failure-Callback", "https://b.test")];
        let error = world.publish("https://a.test", &[callbacks[0], callbacks[1], (name, value)], "").error(400);
        assert!(error.contains(name) && error.contains("no deduplication"), "{error}");
    }
    assert_eq!(world.sql.count("messages"), 0);
}
