//! What the protocol states about deliveries, callbacks and answers, header by header and member by member.
//! `tests/conformance/README.md` tells which statement is asserted where.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::protocol::{SETTINGS, URL, failing, group, members, send, told};
use crate::support::world::{START, World, ok, settings};
use orchestration::wire::{Method, Request, Response, base64};
use serde_json::{Value, json};

const BACK: &str = "https://back.test/";
const DAY: u64 = 86_400;

/// The headers of a delivery that the broker or the publisher made, by their lower-case names.
fn names(request: &Request) -> BTreeSet<String> {
    request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect()
}

#[test]
fn a_delivery_has_these_headers_and_no_others() {
    let world = World::new();
    world.answers(URL, [ok()]);
    group(&world);
    let answer = world.publish("news", &SETTINGS, "a;b").ok();
    members(&answer[0], &["messageId", "url"]);
    world.settle();
    let [request] = &world.received(URL)[..] else { panic!("one delivery") };
    assert_eq!((request.method, request.body.as_slice()), (Method::Put, b"a;b".as_slice()));
    let expected = [
        "user-agent",
        "content-type",
        "upstash-topic-name",
        "upstash-signature",
        "upstash-retried",
        "upstash-message-id",
        "upstash-caller-ip",
        "upstash-label",
        "x-own",
    ];
    assert_eq!(names(request), expected.map(str::to_owned).into());
    for (name, value) in [
        ("user-agent", "Upstash-QStash"),
        ("content-type", "text/csv"),
        ("upstash-topic-name", "news"),
        ("upstash-retried", "0"),
        ("upstash-message-id", answer[0]["messageId"].as_str().unwrap()),
        ("upstash-caller-ip", "10.0.0.7"),
        ("upstash-label", "one,two"),
        ("x-own", "own"),
    ] {
        assert_eq!(request.headers.get(name), Some(value), "{name}");
    }
}

#[test]
fn a_signature_has_these_claims() {
    let world = World::new();
    world.answers(URL, [ok()]);
    world.publish(URL, &[], "body").ok();
    world.settle();
    let token = world.received(URL)[0].headers.get("upstash-signature").unwrap().to_owned();
    let parts: Vec<Value> = token
        .split('.')
        .take(2)
        .map(|part| serde_json::from_slice(&base64::decode_url(part).unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0], json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = &parts[1];
    members(claims, &["iss", "sub", "exp", "nbf", "iat", "jti", "body"]);
    let now = START.seconds();
    assert_eq!(claims["iss"], "Upstash");
    assert_eq!(claims["sub"], URL);
    assert_eq!((&claims["iat"], &claims["exp"], &claims["nbf"]), (&json!(now), &json!(now + 300), &json!(0)));
    assert!(claims["jti"].as_str().unwrap().starts_with("jwt_"));
    // SHA-256 of "body" in base64url.
    assert_eq!(claims["body"].as_str().unwrap().trim_end_matches('='), "Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU");
}

#[test]
fn the_default_backoff_ends_at_a_day() {
    let world = World::new();
    world.answers(URL, [failing()]);
    world.publish(URL, &[("Upstash-Retries", "6")], "").ok();
    world.run();
    let at: Vec<u64> = world.received_at(URL).iter().map(|(at, _)| at / 1000).collect();
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [12, 148, 1808, 22_026, DAY, DAY]);
}

#[test]
fn every_header_and_form_of_an_answer_names_the_delay() {
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(START.seconds() + 90));
    for name in ["Retry-After", "X-RateLimit-Reset", "X-RateLimit-Reset-Requests", "X-RateLimit-Reset-Tokens"] {
        for (value, millis) in [
            ("0", 0),
            ("7", 7000),
            (date.as_str(), 90_000),
            ("250ms", 250),
            ("1500us", 1),
            ("1500µs", 1),
            ("2000000ns", 2),
            ("3s", 3000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("86400", DAY * 1000),
            // Above a day, and what can't be read: the default.
            ("86401", 12_000),
            ("soon", 12_000),
        ] {
            let world = World::new();
            world.answers(URL, [Response::new(429).header(name, value), ok()]);
            world.publish(URL, &[("Upstash-Retries", "1")], "").ok();
            world.run();
            let at = world.received_at(URL)[1].0;
            assert!(at.abs_diff(millis) <= 1, "{name}: {value} waited {at} ms");
        }
    }
}

#[test]
fn delays_have_these_units() {
    for (delay, seconds) in [
        ("10s", 10),
        ("2m", 120),
        ("3h", 10_800),
        ("4d", 4 * DAY),
        ("1d10h30m", DAY + 37_800),
        ("1w", 7 * DAY),
        ("1mo", 30 * DAY),
        ("1y", 365 * DAY),
    ] {
        let world = World::new();
        world.answers(URL, [ok()]);
        world.publish(URL, &[("Upstash-Delay", delay)], "").ok();
        world.run();
        assert_eq!(world.received_at(URL)[0].0, seconds * 1000, "{delay}");
    }
    World::new().publish(URL, &[("Upstash-Delay", "2y")], "").error(400);
}

#[test]
fn a_duplicate_is_one_for_ten_minutes() {
    for header in [("Upstash-Deduplication-Id", "order-7"), ("Upstash-Content-Based-Deduplication", "True")] {
        let world = World::new();
        world.answers(URL, [ok()]);
        let id = world.publish(URL, &[header], "b").message_id();
        world.run();
        world.advance(Duration::from_secs(599));
        let again = world.publish(URL, &[header], "b");
        assert_eq!((again.status(), again.json()), (202, json!({ "messageId": id, "deduplicated": true })));
        world.advance(Duration::from_secs(1));
        let later = world.publish(URL, &[header], "b");
        members(&later.ok(), &["messageId"]);
        assert_ne!(later.message_id(), id);
    }
}

/// What every callback tells.
const TOLD: [&str; 13] = [
    "status",
    "header",
    "body",
    "retried",
    "maxRetries",
    "sourceMessageId",
    "url",
    "method",
    "sourceHeader",
    "sourceBody",
    "notBefore",
    "createdAt",
    "callerIP",
];

#[test]
fn callbacks_have_these_members() {
    let world = World::new();
    world.answers(URL, [failing()]);
    world.answers(BACK, [ok()]);
    group(&world);
    let id = world.publish("news", &SETTINGS, "a;b").ok()[0]["messageId"].as_str().unwrap().to_owned();
    world.run();
    let [tried] = &told(&world, "https://back.test/callback")[..] else { panic!("one try") };
    let [failed] = &told(&world, "https://back.test/failure")[..] else { panic!("one failure") };
    members(tried, &[&TOLD[..], &["topicName", "endpointName"]].concat());
    members(failed, &[&TOLD[..], &["topicName", "endpointName", "dlqId"]].concat());
    let now = START.millis().to_string();
    for (name, value) in [
        ("status", json!(500)),
        ("header", json!({ "X-Answer": ["1"] })),
        ("body", json!(base64::encode(b"no"))),
        ("retried", json!(0)),
        ("maxRetries", json!(0)),
        ("sourceMessageId", json!(id)),
        ("topicName", json!("news")),
        ("endpointName", json!("first")),
        ("url", json!(URL)),
        ("method", json!("PUT")),
        ("sourceBody", json!(base64::encode(b"a;b"))),
        ("notBefore", json!(now)),
        ("createdAt", json!(now)),
        ("callerIP", json!("10.0.0.7")),
    ] {
        assert_eq!((&tried[name], &failed[name]), (&value, &value), "{name}");
    }
    assert_eq!(tried["sourceHeader"]["X-Own"], json!(["own"]));
    let dlq = world.get("/v2/dlq").ok();
    assert_eq!(failed["dlqId"], dlq["messages"][0]["dlqId"]);
    let (millis, number) = failed["dlqId"].as_str().unwrap().split_once('-').unwrap();
    assert!(millis.parse::<u64>().is_ok() && number.parse::<u64>().is_ok());
    for request in world.received(BACK) {
        assert_eq!(request.method, Method::Post);
        assert_eq!(request.headers.get("content-type"), Some("application/json"));
        assert_eq!(request.headers.get("x-back"), Some("back"));
        assert!(request.headers.contains("upstash-signature"));
    }
}

#[test]
fn a_callback_has_these_settings_of_its_own() {
    let world = World::new();
    world.answers(URL, [ok()]);
    world.answers(BACK, [failing()]);
    for prefix in ["Upstash-Callback", "Upstash-Failure-Callback"] {
        let settings = [
            ("Method", "PATCH"),
            ("Timeout", "7s"),
            ("Retries", "2"),
            ("Retry-Delay", "4000"),
            ("Delay", "1m"),
            ("Forward-X-Own", "own"),
        ];
        let settings: Vec<(String, &str)> =
            settings.iter().map(|(name, value)| (format!("{prefix}-{name}"), *value)).collect();
        let mut headers: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        headers.extend([(prefix, BACK), ("Upstash-Retries", "0")]);
        let world = World::new();
        world.answers(URL, [failing()]);
        world.publish(URL, &headers, "").ok();
        world.settle();
        world.advance(Duration::from_mins(1));
        let [callback] = &world.take(10)[..] else { panic!("one callback") };
        assert_eq!((callback.request.method, callback.timeout), (Method::Patch, Duration::from_secs(7)));
        assert_eq!(callback.request.headers.get("x-own"), Some("own"));
        world.answers(BACK, [failing()]);
        let outcome = world.deliver(callback);
        world.tell(callback, outcome);
        world.run();
        let at: Vec<u64> = world.received_at(BACK).iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [60_000, 64_000, 68_000], "{prefix}");
    }
}

#[test]
fn a_cursor_is_absent_at_the_end() {
    let world = World::new();
    world.answers(URL, [failing()]);
    for _ in 0..3 {
        world.publish(URL, &[("Upstash-Retries", "0")], "").ok();
    }
    world.run();
    for (path, key, total) in [("/v2/dlq", "messages", 3), ("/v2/events", "events", 12), ("/v2/logs", "logs", 12)] {
        let mut seen = 0;
        let mut cursor = String::new();
        loop {
            let page = world.get(&format!("{path}?count=2{cursor}")).ok();
            seen += page[key].as_array().unwrap().len();
            let Some(next) = page["cursor"].as_str().filter(|cursor| !cursor.is_empty()) else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, total, "{path}");
    }
}

#[test]
fn errors_have_these_statuses() {
    let mut settings = settings();
    settings.limits.queues = 1;
    let world = World::with(settings);
    let queue = |name: &str| json!({ "queueName": name, "parallelism": 1 });
    assert_eq!(send(&world, Method::Post, "/v2/queues", &[], &queue("one")).status, 200);
    for (status, method, path, body) in [
        (400, Method::Post, "/v2/publish/ftp://app.test", json!("")),
        (400, Method::Post, "/v2/queues", queue("a b")),
        (412, Method::Post, "/v2/queues", queue("two")),
        (404, Method::Get, "/v2/queues/two", json!("")),
        (404, Method::Get, "/v2/messages/msg_x", json!("")),
        (404, Method::Delete, "/v2/messages/msg_x", json!("")),
        (404, Method::Get, "/v2/dlq/1-1", json!("")),
        (404, Method::Delete, "/v2/dlq/1-1", json!("")),
        (404, Method::Post, "/v2/dlq/retry/1-1", json!("")),
        (404, Method::Get, "/v2/topics/unknown", json!("")),
        (404, Method::Get, "/v2/flowControl/unknown", json!("")),
        (404, Method::Get, "/v2/workflows/runs/wfr_x", json!("")),
        (404, Method::Delete, "/v2/workflows/runs/wfr_x", json!("")),
        (404, Method::Get, "/v2/workflows/dlq/1-1", json!("")),
        (404, Method::Post, "/v2/workflows/dlq/resume/1-1", json!("")),
        (404, Method::Post, "/v2/workflows/dlq/restart/1-1", json!("")),
        (404, Method::Post, "/v2/workflows/dlq/callback/1-1", json!("")),
        (405, Method::Put, "/v2/batch", json!([])),
    ] {
        let answer = send(&world, method, path, &[], &body);
        assert_eq!(answer.status, status, "{path}: {}", String::from_utf8_lossy(&answer.body));
        members(&serde_json::from_slice(&answer.body).unwrap(), &["error"]);
    }
    let unknown = Request::new(Method::Get, "http://broker.test/v2/keys");
    world.send(&unknown).error(401);
}

#[test]
fn an_answer_is_cut_at_the_limit() {
    let mut settings = settings();
    settings.response_bytes = 4;
    let world = World::with(settings);
    world.answers(URL, [Response::new(500).body("123456")]);
    world.answers(BACK, [ok()]);
    world.publish(URL, &[("Upstash-Retries", "0"), ("Upstash-Callback", BACK)], "").ok();
    world.run();
    assert_eq!(world.get("/v2/dlq").ok()["messages"][0]["responseBody"], json!("1234"));
    assert_eq!(told(&world, BACK)[0]["body"], json!(base64::encode(b"1234")));
}
