//! What views tell of messages: the log, messages, dead letters, runs; their filters; what they hide.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use crate::support::workflow::{Stage, WORKFLOW, serve, trigger_item};
use crate::support::world::{START, World, ok, settings};
use orchestration::broker::Retention;
use orchestration::broker::redaction::hidden;
use orchestration::wire::callback::CallbackBody;
use orchestration::wire::{Method, Response, base64};
use serde_json::{Value, json};

const URL: &str = "https://app.test/hook?a=1";

/// The headers of a message that says everything about itself.
const EVERYTHING: [(&str, &str); 15] = [
    ("Content-Type", "text/plain"),
    ("Upstash-Method", "PUT"),
    ("Upstash-Forward-X-Own", "1"),
    ("Upstash-Retries", "1"),
    ("Upstash-Retry-Delay", "5000"),
    ("Upstash-Timeout", "30s"),
    ("Upstash-Delay", "10s"),
    ("Upstash-Label", "a,b"),
    ("Upstash-Callback", "https://back.test/told"),
    ("Upstash-Callback-Forward-Team", "blue"),
    ("Upstash-Callback-Retries", "0"),
    ("Upstash-Failure-Callback", "https://back.test/failed"),
    ("Upstash-Flow-Control-Key", "shop"),
    ("Upstash-Flow-Control-Value", "parallelism=3, rate=4, period=1m"),
    ("Upstash-Caller-Ip", "10.0.0.7"),
];

/// A message to the group `fan` through the queue `line`.
fn everything(world: &World) -> String {
    let endpoints = json!({ "endpoints": [{ "url": URL, "name": "one" }] });
    world.send(&world.request(Method::Post, "/v2/topics/fan/endpoints").body(endpoints.to_string()));
    let request = world.request(Method::Post, "/v2/enqueue/line/fan").body("hello");
    let request = EVERYTHING.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    world.send(&request).ok()[0]["messageId"].as_str().unwrap().to_owned()
}

#[track_caller]
fn has(view: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&view[name], value, "{name} of {view}");
    }
}

/// What every view of [`everything`] tells.
fn told() -> Value {
    json!({
        "url": URL, "method": "PUT", "topicName": "fan", "endpointName": "one", "queueName": "line", "maxRetries": 1,
        "retryDelayExpression": "5000", "label": "a", "labels": ["a", "b"], "callback": "https://back.test/told",
        "failureCallback": "https://back.test/failed", "flowControlKey": "shop", "parallelism": 3, "rate": 4, "period": 60,
        "callerIP": "10.0.0.7", "callerIp": "10.0.0.7", "header": { "Content-Type": ["text/plain"], "X-Own": ["1"] },
        "createdAt": START.millis(), "notBefore": START.millis() + 10_000,
    })
}

#[test]
fn a_message_a_log_entry_and_a_dead_letter_tell_the_same_of_it() {
    let world = World::new();
    world.answers(URL, [Response::new(500).header("x-why", "tired").body("no")]);
    world.answers("https://back.test", [ok()]);
    let id = everything(&world);
    let message = world.get(&format!("/v2/messages/{id}")).ok();
    has(&message, &told());
    has(&message, &json!({ "body": "hello", "timeout": 30, "callbackHeader": { "Team": ["blue"] } }));
    assert!(message.get("failureCallbackHeader").is_none() && message.get("scheduleId").is_none(), "{message}");
    world.run();
    let events = world.events(&id);
    assert_eq!(events.len(), 7);
    for event in &events {
        has(event, &told());
        has(event, &json!({ "body": "aGVsbG8=", "timeout": 30_000, "callbackHeaders": { "Team": ["blue"] } }));
        assert_eq!(event["retryDelayExpr"], event["retryDelayExpression"]);
    }
    let error = &events[2];
    has(error, &json!({ "state": "ERROR", "responseStatus": 500, "responseBody": "no" }));
    assert_eq!(
        (&error["responseHeaders"]["X-Why"], &error["responseHeader"]["X-Why"]),
        (&json!(["tired"]), &json!(["tired"]))
    );
    let letter = world.get(&format!("/v2/dlq?messageId={id}")).ok()["messages"][0].clone();
    has(&letter, &told());
    has(&letter, &json!({ "body": "hello", "responseStatus": 500, "callbackHeader": { "Team": ["blue"] } }));
    // What a retry delivers is the same message, still of the group and the queue.
    let path = format!("/v2/dlq/retry/{}", letter["dlqId"].as_str().unwrap());
    let again = world.send(&world.request(Method::Post, &path));
    let again = again.json()["messageId"].as_str().unwrap().to_owned();
    let mut expected = told();
    expected.as_object_mut().unwrap().retain(|name, _| name != "createdAt" && name != "notBefore");
    has(&world.get(&format!("/v2/messages/{again}")).ok(), &expected);
}

#[test]
fn logs_and_dead_letters_are_filtered_by_all_that_they_tell() {
    let world = World::new();
    world.answers("https://back.test", [ok()]);
    let id = everything(&world);
    let other = world.publish("https://other.test/x", &[("Upstash-Retries", "0")], "").message_id();
    world.run();
    let ids = |path: &str, list: &str| {
        let list = world.get(path).ok()[list].as_array().unwrap().clone();
        let mut ids: Vec<String> = list.iter().map(|entry| entry["messageId"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    for (query, is_log) in [
        ("topicName=fan", true),
        ("topicName=none,fan", true),
        ("queueName=line", true),
        ("flowControlKey=shop", true),
        ("callerIp=10.0.0.7", true),
        ("label=b", true),
        ("url=https%3A%2F%2Fapp.test%2Fhook%3Fa%3D1", true),
        ("topicName=fan&queueName=line&flowControlKey=shop", true),
        ("host=app.test", false),
        ("path=%2Fhook", false),
    ] {
        // A callback is in the queue of its message, and of its group.
        let logs = ids(&format!("/v2/logs?{query}&count=1000"), "logs");
        assert!(logs.contains(&id) && !logs.contains(&other), "{query}: {logs:?}");
        if is_log {
            assert_eq!(ids(&format!("/v2/dlq?{query}"), "messages"), [id.as_str()], "{query}");
        }
    }
    for query in ["topicName=none", "queueName=none", "flowControlKey=none", "scheduleId=none", "callerIp=1.2.3.4"] {
        assert_eq!(ids(&format!("/v2/logs?{query}"), "logs"), [""; 0], "{query}");
        assert_eq!(ids(&format!("/v2/dlq?{query}"), "messages"), [""; 0], "{query}");
    }
    assert_eq!(world.delete("/v2/dlq?queueName=line").ok(), json!({ "deleted": 1 }));
    let retry = world.send(&world.request(Method::Post, "/v2/dlq/retry?topicName=fan"));
    assert_eq!((retry.status(), retry.json()), (201, json!({ "responses": [] })));
}

#[test]
fn the_log_can_be_read_from_either_end() {
    let world = World::new();
    world.answers(URL, [Response::new(500), ok()]);
    let id = world.publish(URL, &[], "").message_id();
    world.run();
    let states = |query: &str| -> Vec<String> {
        let answer = world.get(&format!("/v2/logs?messageId={id}&{query}")).ok();
        answer["logs"].as_array().unwrap().iter().map(|log| log["state"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED"];
    assert_eq!(states("order=earliestFirst"), all);
    assert_eq!(states("order=latestFirst"), all.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(states("state=IN_PROGRESS&order=earliestFirst"), all[1..5]);
    assert_eq!(states("state=CREATED,DELIVERED"), ["DELIVERED", "CREATED"]);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/v2/logs?order=earliestFirst&count=4{cursor}")).ok();
        seen.extend(page["logs"].as_array().unwrap().clone());
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), all.len());
    world.get("/v2/logs?order=random").error(400);
}

#[test]
fn what_the_log_notes_goes_with_the_last_event() {
    let mut settings = settings();
    settings.retention = Retention { event_age: Duration::from_hours(1), ..settings.retention };
    let world = World::with(settings);
    world.answers(URL, [ok()]);
    let old = world.publish(URL, &[], "old").message_id();
    world.settle();
    let waiting = world.publish(URL, &[("Upstash-Delay", "50m")], "waiting").message_id();
    world.advance(Duration::from_mins(50));
    world.settle();
    world.advance(Duration::from_mins(20));
    world.settle();
    assert_eq!(world.events(&old), [json!(null); 0]);
    // Its first event is gone, the others are not.
    assert_eq!(world.states(&waiting), ["ACTIVE", "DELIVERED"]);
    assert_eq!(world.events(&waiting)[0]["body"], json!(base64::encode("waiting")));
    assert_eq!(world.sql.count("logged"), 1);
    world.advance(Duration::from_hours(2));
    world.settle();
    assert_eq!((world.sql.count("events"), world.sql.count("logged")), (0, 0));
}

#[test]
fn a_long_body_is_cut_in_the_log() {
    let world = World::new();
    let id = world.publish(URL, &[], &"x".repeat(10_000)).message_id();
    assert_eq!(world.events(&id)[0]["body"], json!(base64::encode("x".repeat(4096))));
}

const SECRET: &str = "4111-1111";

#[test]
fn views_hide_what_deliveries_carry() {
    let world = World::new();
    world.answers(URL, [Response::new(500), Response::new(500), ok()]);
    world.answers("https://back.test", [Response::new(500)]);
    let headers = [
        ("Upstash-Redact-Fields", "body, header[authorization]"),
        ("Upstash-Forward-Authorization", SECRET),
        ("Upstash-Forward-X-Own", "open"),
        ("Upstash-Callback", "https://back.test"),
        ("Upstash-Callback-Forward-Authorization", SECRET),
        ("Upstash-Callback-Retries", "0"),
        ("Upstash-Retries", "1"),
    ];
    let id = world.publish(URL, &headers, SECRET).message_id();
    let views = || [format!("/v2/messages/{id}"), "/v2/logs?count=1000".to_owned(), "/v2/dlq".to_owned()];
    let hash = hidden(SECRET.as_bytes());
    let shown = world.get(&views()[0]).ok();
    has(&shown, &json!({ "body": hash, "callbackHeader": { "Authorization": [hash] } }));
    assert_eq!(shown["header"], json!({ "Authorization": [hash], "X-Own": ["open"] }));
    world.run();
    let base64_secret = base64::encode(SECRET);
    for path in &views()[1..] {
        let text = String::from_utf8(world.get(path).0.body).unwrap();
        assert!(text.contains(&hash) && !text.contains(SECRET) && !text.contains(&base64_secret), "{path}: {text}");
    }
    let kept = format!("logged WHERE instr(message, '{SECRET}') OR instr(CAST(body AS TEXT), '{SECRET}')");
    assert_eq!(world.sql.count(&kept), 0, "the log does not even keep it");
    // The callback is a delivery, not a view.
    let told: CallbackBody = serde_json::from_slice(&world.received("https://back.test")[0].body).unwrap();
    assert_eq!((told.source_body, &told.source_header["Authorization"]), (base64_secret, &vec![SECRET.to_owned()]));
    let letter = world.get(&format!("/v2/dlq?messageId={id}")).ok()["messages"][0].clone();
    has(&letter, &json!({ "body": hash, "header": { "Authorization": [hash], "X-Own": ["open"] } }));
    let path = format!("/v2/dlq/retry/{}", letter["dlqId"].as_str().unwrap());
    let again = world.send(&world.request(Method::Post, &path)).json()["messageId"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v2/messages/{again}")).ok()["body"], json!(hash));
    world.run();
    for request in world.received(URL) {
        assert_eq!(request.body, SECRET.as_bytes());
        assert_eq!(request.headers.get("authorization"), Some(SECRET));
        assert!(!request.headers.contains("upstash-redact-fields"));
    }
    assert_eq!(world.received(URL).len(), 3);
}

#[test]
fn a_run_hides_what_its_steps_compute() {
    let world = World::new();
    let ledger = serve(&world, vec![Stage::Run("charge"), Stage::Sleep("rest", 10), Stage::Run("ship")]);
    let payload = format!("{{\"card\":\"{SECRET}\"}}");
    let extra = json!({ "upstash-redact-fields": "body, header[X-Card]", "upstash-forward-x-card": SECRET });
    world.batch(&json!([trigger_item("wfr_1", &payload, &extra)])).ok();
    world.settle();
    let fetched = world.get("/v2/workflows/runs/wfr_1").ok();
    assert_eq!(fetched[0]["body"], json!(base64::encode(&payload)), "the endpoint gets it all");
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 1);
    for request in world.received(WORKFLOW) {
        assert_eq!(request.headers.get("x-card"), Some(SECRET));
        assert!(String::from_utf8_lossy(&request.body).contains(&base64::encode(&payload)));
    }
    let log = world.run_log("wfr_1");
    let out = |index: usize| log["steps"][index]["steps"][0]["out"].clone();
    assert_eq!(out(0), json!(hidden(payload.as_bytes())));
    assert_eq!(out(1), json!(hidden(b"\"charge!\"")), "the hash of the result as JSON");
    assert_eq!(log["workflowRunResponse"], json!(hidden(b"\"done\"")));
    let logs = String::from_utf8(world.get("/v2/logs?count=1000").0.body).unwrap();
    for secret in [SECRET.to_owned(), base64::encode(&payload), base64::encode(SECRET), "charge!".to_owned()] {
        assert!(!logs.contains(&secret) && !log.to_string().contains(&secret), "{secret}");
    }
}

#[test]
fn what_is_old_is_forgotten_however_much_it_is() {
    let world = World::new();
    world.answers("https://", [ok()]);
    let batch = Value::Array(vec![json!({ "destination": "https://a.test/" }); 500]);
    for _ in 0..4 {
        world.batch(&batch).ok();
    }
    world.settle();
    assert_eq!(world.sql.count("events"), 6000);
    world.advance(Duration::from_hours(24 * 8));
    for _ in 0..13 {
        world.take(1);
    }
    assert_eq!((world.sql.count("events"), world.sql.count("logged")), (0, 0));
}

#[test]
fn deduplication_ids_are_forgotten_in_parts() {
    let world = World::new();
    world.answers("https://", [ok()]);
    for part in 0..3 {
        let item = |n| json!({ "destination": "https://a.test/", "headers": { "Upstash-Deduplication-Id": format!("{part}-{n}") } });
        world.batch(&Value::Array((0..500).map(item).collect())).ok();
    }
    world.settle();
    world.advance(Duration::from_mins(11));
    for left in [1000, 500, 0] {
        world.take(1);
        assert_eq!(world.sql.count("deduplications"), left);
    }
}

#[test]
fn a_filter_finds_the_same_whether_few_messages_fit_or_most() {
    let world = World::new();
    let item = |key: &str| {
        json!({ "destination": "https://a.test/",
            "headers": { "Upstash-Flow-Control-Key": key, "Upstash-Flow-Control-Value": "parallelism=1", "Upstash-Delay": "1h" } })
    };
    let rare = world.batch(&json!([item("rare")])).message_in_batch();
    let batch = Value::Array((0..500).map(|_| item("common")).collect());
    let batches: Vec<Value> = (0..7).map(|_| world.batch(&batch).ok()).collect();
    let found = |key: &str| {
        let logs = world.get(&format!("/v2/logs?flowControlKey={key}&count=3")).ok();
        logs["logs"].as_array().unwrap().iter().map(|entry| entry["messageId"].clone()).collect::<Vec<_>>()
    };
    let last = batches[6].as_array().unwrap();
    let newest: Vec<Value> = last.iter().rev().take(3).map(|message| message["messageId"].clone()).collect();
    assert_eq!(found("common"), newest);
    assert_eq!(found("rare"), [json!(rare)]);
    assert_eq!(found("none"), [] as [Value; 0]);
    assert_eq!(found("none,rare"), [json!(rare)]);
    assert_eq!(found("rare,common"), newest);
}
