//! Access: tokens, the signing keys and their rotation, and that no secret leaves the broker.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use crate::support::routes;
use crate::support::sqlite::Sqlite;
use crate::support::workflow::{WORKFLOW, trigger_item};
use crate::support::world::{CURRENT_KEY, NEXT_KEY, TOKEN, World, ok, settings};
use orchestration::broker::{Broker, Outcome, Settings};
use orchestration::error::Code;
use orchestration::signature::{BodyHash, Expect, Keys, verify};
use orchestration::wire::{Method, Request, Response, base64};
use serde_json::json;

const URL: &str = "https://app.test/hook";
const READER: &str = "read-only-test-token";

fn with_reader() -> Settings {
    Settings { read_only_token: Some(READER.to_owned()), ..settings() }
}

#[test]
fn the_read_only_token_reads_all_but_the_keys_and_changes_nothing() {
    let world = World::with(with_reader());
    let id = world.publish(URL, &[], "body").message_id();
    for (method, path) in routes(URL) {
        let answer = world.send(&world.request_as(READER, method, &path));
        if method != Method::Get {
            let error = answer.error(403);
            assert!(error.contains("read-only"), "{path}: {error}");
        } else if path == "/v2/keys" {
            let error = answer.error(403);
            assert!(error.contains("signing keys") && !error.contains("sig_"), "{error}");
        } else {
            assert!(!matches!(answer.status(), 401 | 403), "{path}: {}", answer.status());
        }
    }
    for method in [Method::Put, Method::Head, Method::Options] {
        world.send(&world.request_as(READER, method, "/v2/messages")).error(403);
    }
    let seen = world.send(&world.request_as(READER, Method::Get, &format!("/v2/messages/{id}"))).ok();
    assert_eq!(seen["body"], "body");
    world.send(&Request::new(Method::Get, format!("http://broker.test/v2/events?qstash_token={READER}"))).ok();
    world.send(&Request::new(Method::Post, format!("http://broker.test/v2/batch?qstash_token={READER}"))).error(403);
    assert_eq!(world.sql.count("messages"), 1);
    // The token itself may do both.
    world.get("/v2/keys").ok();
}

#[test]
fn without_a_read_only_token_there_is_none() {
    let world = World::new();
    for token in ["", READER, "null", "undefined"] {
        world.send(&world.request_as(token, Method::Get, "/v2/events")).error(401);
    }
    world.send(&Request::new(Method::Get, "http://broker.test/v2/events?qstash_token=")).error(401);
}

#[test]
fn tokens_that_protect_nothing_are_refused() {
    let read_only = |token: &str| Settings { read_only_token: Some(token.to_owned()), ..settings() };
    for (settings, expected) in [
        (Settings { token: String::new(), ..settings() }, "needs a token"),
        (Settings { token: " ".to_owned(), ..settings() }, "needs a token"),
        (Settings { token: "token\n".to_owned(), ..settings() }, "white space"),
        (read_only(""), "empty"),
        (read_only(" x"), "white space"),
        (read_only(TOKEN), "may do everything"),
    ] {
        let error = Broker::open(Sqlite::in_memory(), settings).err().unwrap();
        assert_eq!(error.code(), Code::InvalidConfiguration);
        assert!(error.message().contains(expected) && !error.message().contains(TOKEN), "{error}");
    }
}

#[test]
fn a_host_learns_how_much_of_a_body_to_read_from_the_head() {
    let world = World::with(with_reader());
    let limits = settings().limits;
    let limit = |request: &Request| world.broker().body_limit(request);
    assert_eq!(limit(&world.request(Method::Post, &format!("/v2/publish/{URL}"))), limits.body_bytes);
    assert_eq!(limit(&world.request(Method::Post, "/v2/batch")), settings().request_bytes());
    assert_eq!(limit(&world.request_as("wrong", Method::Post, "/v2/batch")), 0);
    assert_eq!(limit(&world.request_as(READER, Method::Post, "/v2/batch")), 0);
    assert_eq!(limit(&Request::new(Method::Post, "http://broker.test/v2/batch")), 0);
    // Webhooks are called without a token.
    let hook = Request::new(Method::Post, "http://broker.test/v2/workflows/hooks/u/r/e");
    assert_eq!(limit(&hook), limits.body_bytes);
    assert!(world.broker().knows(&world.request(Method::Get, "/v2/nothing")));
    assert!(!world.broker().knows(&world.request_as(READER, Method::Get, "/v2/events")));
    assert!(!world.broker().knows(&hook));
}

/// The current and the next key as the API tells them.
fn keys(world: &World) -> (String, String) {
    pair(&world.get("/v2/keys").ok())
}

fn rotate(world: &World) -> (String, String) {
    pair(&world.send(&world.request(Method::Post, "/v2/keys/rotate")).ok())
}

fn pair(keys: &serde_json::Value) -> (String, String) {
    assert_eq!(keys.as_object().unwrap().len(), 2, "{keys}");
    (keys["current"].as_str().unwrap().to_owned(), keys["next"].as_str().unwrap().to_owned())
}

/// Whether a receiver with these keys takes the newest delivery.
fn accepts(world: &World, keys: (&str, &str)) -> bool {
    world.publish(URL, &[], "signed").ok();
    world.settle();
    let (at, request) = world.received_at(URL).pop().unwrap();
    let now = crate::support::world::START + Duration::from_millis(at);
    let expect = Expect { url: Some(URL), now, tolerance: Duration::ZERO };
    let keys = Keys::new(keys.0, Some(keys.1)).unwrap();
    verify(request.headers.get("upstash-signature").unwrap(), &BodyHash::of(b"signed"), &keys, &expect).is_ok()
}

#[test]
fn a_rotation_makes_the_next_key_the_current_one() {
    let world = World::new();
    world.answers(URL, [ok()]);
    assert!(accepts(&world, (CURRENT_KEY, "other")));
    let (current, next) = rotate(&world);
    assert_eq!(current, NEXT_KEY);
    let text = next.strip_prefix("sig_").unwrap();
    assert!(text.len() == 28 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{next}");
    assert_eq!(keys(&world), (current, next.clone()));
    // What was signed with is out; a receiver with the former pair goes on.
    assert!(!accepts(&world, (CURRENT_KEY, "other")));
    assert!(accepts(&world, (CURRENT_KEY, NEXT_KEY)));
    assert!(accepts(&world, (NEXT_KEY, &next)));
    // Over two rotations in a row it does not.
    let (current, newest) = rotate(&world);
    assert_eq!(current, next);
    assert_ne!(newest, next);
    assert!(!accepts(&world, (CURRENT_KEY, NEXT_KEY)));
    assert!(accepts(&world, (NEXT_KEY, &next)));
    assert_eq!(world.sql.count("signing_keys"), 1);
}

#[test]
fn a_rotation_outlives_the_process_until_the_settings_change() {
    let mut world = World::on_file("rotation");
    world.answers(URL, [ok()]);
    let rotated = rotate(&world);
    world.restart();
    assert_eq!(keys(&world), rotated);
    assert!(accepts(&world, (NEXT_KEY, &rotated.1)) && !accepts(&world, (CURRENT_KEY, "other")));
    // Whoever changes the settings means it.
    world.reopen(Settings { current_signing_key: "sig_mine".to_owned(), ..settings() });
    assert_eq!(keys(&world), ("sig_mine".to_owned(), NEXT_KEY.to_owned()));
    assert!(accepts(&world, ("sig_mine", "other")));
    // And the former settings do not bring the former rotation back.
    world.reopen(settings());
    assert_eq!(keys(&world), (CURRENT_KEY.to_owned(), NEXT_KEY.to_owned()));
}

#[test]
fn a_pair_is_not_mistaken_for_another_with_the_same_letters() {
    let mut world = World::on_file("rotation-pairs");
    let pair = |current: &str, next: &str| Settings::new(TOKEN, current, next);
    world.reopen(pair("sig_ab", "c"));
    rotate(&world);
    world.reopen(pair("sig_a", "bc"));
    assert_eq!(keys(&world), ("sig_a".to_owned(), "bc".to_owned()));
}

#[test]
fn a_rotation_that_can_not_be_stored_changes_nothing() {
    let world = World::new();
    world.answers(URL, [ok()]);
    world.sql.run("DROP TABLE signing_keys");
    world.send(&world.request(Method::Post, "/v2/keys/rotate")).error(500);
    assert_eq!(keys(&world), (CURRENT_KEY.to_owned(), NEXT_KEY.to_owned()));
    assert!(accepts(&world, (CURRENT_KEY, "other")));
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", with_reader());
    for secret in [TOKEN, READER, CURRENT_KEY, NEXT_KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn views_do_not_show_the_brokers_tokens() {
    let world = World::with(with_reader());
    world.answers(URL, [Response::new(500).header("X-Echo", TOKEN)]);
    let bearer = format!("Bearer {TOKEN}");
    let carried = [
        ("Upstash-Forward-Authorization", bearer.as_str()),
        ("Upstash-Forward-X-Other", "Bearer other-token"),
        ("Upstash-Callback", "https://back.test/"),
        ("Upstash-Callback-Forward-Authorization", &bearer),
        ("Upstash-Failure-Callback", "https://back.test/"),
        ("Upstash-Failure-Callback-Forward-X-Token", READER),
        ("Upstash-Retries", "0"),
    ];
    let delayed = [&carried[..], &[("Upstash-Delay", "1h")]].concat();
    let id = world.publish(URL, &delayed, "").message_id();
    let put = |method, path: &str, headers: &[(&str, &str)], body: &str| {
        let request = world.request(method, path).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        assert_eq!(world.send(&request).status(), 200);
    };
    put(Method::Post, &format!("/v2/schedules/{URL}"), &[&carried[..], &[("Upstash-Cron", "0 0 1 1 *")]].concat(), "");
    put(Method::Post, "/v2/topics/news/endpoints", &[], &json!({ "endpoints": [{ "url": URL }] }).to_string());
    let defaults = json!({ "headers": { "Upstash-Forward-Authorization": bearer } });
    put(Method::Patch, "/v2/topics/news", &[], &defaults.to_string());
    world.publish(URL, &carried, "").ok();
    let extra = json!({ "upstash-forward-authorization": bearer, "upstash-retries": "0" });
    world.batch(&json!([trigger_item("wfr_1", "", &extra)])).ok();
    world.endpoint(WORKFLOW, move |_, _| Outcome::Answered(Response::new(500).header("X-Echo", TOKEN)));
    world.settle();
    assert_eq!(world.received(URL)[0].headers.get("authorization"), Some(bearer.as_str()));
    let letter = world.get("/v2/dlq").ok()["messages"][0]["dlqId"].as_str().unwrap().to_owned();
    for path in [
        format!("/v2/messages/{id}"),
        "/v2/logs".to_owned(),
        "/v2/events".to_owned(),
        "/v2/dlq".to_owned(),
        format!("/v2/dlq/{letter}"),
        "/v2/workflows/dlq".to_owned(),
        "/v2/workflows/logs".to_owned(),
        "/v2/schedules".to_owned(),
        "/v2/topics".to_owned(),
        "/v2/topics/news".to_owned(),
    ] {
        let answer = world.send(&world.request_as(READER, Method::Get, &path)).ok().to_string();
        assert!(answer.contains("REDACTED"), "{path}: {answer}");
        assert!(!answer.contains(TOKEN) && !answer.contains(READER), "{path}: {answer}");
    }
    assert!(world.get(&format!("/v2/messages/{id}")).ok().to_string().contains("Bearer other-token"));
    for entry in world.get("/v2/logs?count=1000").ok()["logs"].as_array().unwrap() {
        let body = String::from_utf8(base64::decode(entry["body"].as_str().unwrap()).unwrap()).unwrap();
        assert!(!body.contains(TOKEN), "{body}");
    }
}
