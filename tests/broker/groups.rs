//! URL groups: one publication, a message for each endpoint.

use std::time::Duration;

use crate::support::world::{Answer, START, World, ok, settings};
use orchestration::wire::callback::CallbackBody;
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

const A: &str = "https://a.test/hook";
const B: &str = "https://b.test/hook";

fn send(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    world.send(&world.request(method, path).body(body.to_string()))
}

fn add(world: &World, group: &str, endpoints: &Value) -> Answer {
    send(world, Method::Post, &format!("/v2/topics/{group}/endpoints"), &json!({ "endpoints": endpoints }))
}

/// A group `pair` of the endpoints [`A`], named `first`, and [`B`].
fn pair() -> World {
    let world = World::new();
    add(&world, "pair", &json!([{ "url": A, "name": "first" }, { "url": B }])).ok_empty();
    world
}

#[test]
fn groups_are_made_changed_and_deleted_by_their_endpoints() {
    let world = pair();
    let at = START.millis();
    let expected = json!({
        "name": "pair", "createdAt": at, "updatedAt": at, "endpoints": [{ "name": "first", "url": A }, { "url": B }],
    });
    assert_eq!(world.get("/v2/topics/pair").ok(), expected);
    assert_eq!(world.get("/v2/topics").ok(), json!([expected]));
    world.advance(Duration::from_secs(1));
    // The same URL: a name for it. The same name: another URL for it.
    add(&world, "pair", &json!([{ "url": B, "name": "second" }, { "url": "https://c.test", "name": "first" }]))
        .ok_empty();
    let changed = world.get("/v2/topics/pair").ok();
    assert_eq!((&changed["createdAt"], &changed["updatedAt"]), (&json!(at), &json!(at + 1000)));
    assert_eq!(
        changed["endpoints"],
        json!([{ "name": "first", "url": "https://c.test/" }, { "name": "second", "url": B }])
    );
    let remove = |which: Value| {
        send(&world, Method::Delete, "/v2/topics/pair/endpoints", &json!({ "endpoints": [which] })).ok_empty();
    };
    remove(json!({ "url": "https://nobody.test" }));
    remove(json!({ "url": "https://c.test", "name": "second" }));
    assert_eq!(world.get("/v2/topics/pair").ok()["endpoints"].as_array().unwrap().len(), 2);
    remove(json!({ "url": "https://c.test" }));
    assert_eq!(world.get("/v2/topics/pair").ok()["endpoints"], json!([{ "name": "second", "url": B }]));
    remove(json!({ "name": "second" }));
    world.get("/v2/topics/pair").error(404);
    assert_eq!(world.get("/v2/topics").ok(), json!([]));
}

#[test]
fn what_is_no_group_is_refused() {
    let world = pair();
    for (method, path, body, status, expected) in [
        (Method::Post, "/v2/topics/pair/endpoints", json!({ "endpoints": [] }), 400, "one at least"),
        (Method::Post, "/v2/topics/pair/endpoints", json!({}), 400, "endpoints"),
        (Method::Post, "/v2/topics/pair/endpoints", json!({ "endpoints": [{ "name": "x" }] }), 400, "needs a url"),
        (Method::Post, "/v2/topics/pair/endpoints", json!({ "endpoints": [{ "url": "pair" }] }), 400, "not a URL"),
        (Method::Post, "/v2/topics/a%20b/endpoints", json!({ "endpoints": [{ "url": A }] }), 400, "letters, digits"),
        (
            Method::Post,
            "/v2/topics/pair/endpoints",
            json!({ "endpoints": [{ "url": A, "name": "a b" }] }),
            400,
            "letters, digits",
        ),
        (Method::Delete, "/v2/topics/pair/endpoints", json!({ "endpoints": [{}] }), 400, "url or its name"),
        (Method::Delete, "/v2/topics/none/endpoints", json!({ "endpoints": [{ "url": A }] }), 404, "'none'"),
        (Method::Patch, "/v2/topics/none", json!({ "headers": {} }), 404, "'none'"),
        (Method::Patch, "/v2/topics/pair", json!({ "headers": { "Upstash-Retries": "x" } }), 400, "Upstash-Retries"),
        (Method::Patch, "/v2/topics/pair", json!({ "header": {} }), 400, "header"),
        (Method::Get, "/v2/topics/none", Value::Null, 404, "'none'"),
        (Method::Post, "/v2/publish/none", Value::Null, 404, "'none'"),
        (Method::Post, "/v2/publish/pair?a=1", Value::Null, 400, "takes no query"),
    ] {
        let error = send(&world, method, path, &body).error(status);
        assert!(error.contains(expected), "{path}: {error}");
    }
    // Deleting what does not exist is no mistake.
    world.delete("/v2/topics/none");
    assert_eq!(world.get("/v2/topics/pair").ok()["endpoints"].as_array().unwrap().len(), 2);
}

#[test]
fn there_may_be_so_many_groups_and_endpoints() {
    let mut settings = settings();
    (settings.limits.url_groups, settings.limits.url_group_endpoints) = (1, 2);
    let world = World::with(settings);
    add(&world, "one", &json!([{ "url": A }, { "url": B }])).ok_empty();
    assert!(add(&world, "one", &json!([{ "url": "https://c.test" }])).error(412).contains("2 endpoints"));
    assert!(add(&world, "two", &json!([{ "url": A }])).error(412).contains("1 URL groups"));
    add(&world, "one", &json!([{ "url": A, "name": "again" }])).ok_empty();
}

#[test]
fn every_endpoint_gets_its_own_message() {
    let world = pair();
    world.answers(A, [Response::new(500), ok()]);
    world.answers(B, [ok()]);
    world.answers("https://c.test", [ok()]);
    let answer =
        world.publish("pair", &[("Upstash-Forward-X", "1"), ("Upstash-Callback", "https://c.test/told")], "hello").ok();
    let [first, second] = &answer.as_array().unwrap()[..] else { panic!("two messages: {answer}") };
    assert_eq!((&first["url"], &second["url"]), (&json!(A), &json!(B)));
    assert_ne!(first["messageId"], second["messageId"]);
    assert_eq!(first.as_object().unwrap().len(), 2);
    world.run();
    assert_eq!((world.received(A).len(), world.received(B).len()), (2, 1));
    for request in world.received(A).iter().chain(&world.received(B)) {
        assert_eq!(request.headers.get("upstash-topic-name"), Some("pair"));
        assert_eq!((request.headers.get("x"), request.body.as_slice()), (Some("1"), b"hello".as_slice()));
    }
    let told: Vec<CallbackBody> =
        world.received("https://c.test").iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert_eq!(told.len(), 3);
    for body in told {
        assert_eq!(body.topic_name.as_deref(), Some("pair"));
        assert_eq!(body.endpoint_name.as_deref(), (body.url == A).then_some("first"));
    }
}

#[test]
fn a_batch_nests_the_answers_of_a_group() {
    let world = pair();
    let answer = world
        .batch(&json!([
            { "destination": A }, { "destination": "pair" }, { "destination": "none" }, { "destination": "pair" }
        ]))
        .ok();
    assert!(answer[0]["messageId"].is_string() && answer[2]["error"].as_str().unwrap().contains("'none'"), "{answer}");
    for index in [1, 3] {
        assert_eq!((&answer[index][0]["url"], &answer[index][1]["url"]), (&json!(A), &json!(B)), "{answer}");
    }
    assert_eq!(world.sql.count("messages"), 5);
}

#[test]
fn deduplication_is_for_each_endpoint() {
    for header in [("Upstash-Deduplication-Id", "once"), ("Upstash-Content-Based-Deduplication", "true")] {
        let world = pair();
        let first = world.publish("pair", &[header], "x").ok();
        assert!(first[0].get("deduplicated").is_none() && first[1].get("deduplicated").is_none(), "{first}");
        // A message to the endpoint itself is another one.
        world.publish(A, &[header], "x").ok();
        add(&world, "pair", &json!([{ "url": "https://c.test" }])).ok_empty();
        let again = world.publish("pair", &[header], "x").ok();
        for index in [0, 1] {
            assert_eq!(again[index]["messageId"], first[index]["messageId"]);
            assert_eq!(again[index]["deduplicated"], json!(true));
        }
        assert!(again[2].get("deduplicated").is_none(), "{again}");
        let answer = world.publish("pair", &[header], "x");
        assert_eq!(answer.status(), 202, "nothing new");
        assert_eq!(answer.json().as_array().unwrap().len(), 3);
        assert_eq!(world.sql.count("messages"), 4);
    }
}

#[test]
fn a_group_has_publish_headers_of_its_own() {
    let world = pair();
    let headers =
        json!({ "headers": { "Upstash-Retries": "0", "Upstash-Forward-Team": ["blue"], "Upstash-Delay": "1m" } });
    send(&world, Method::Patch, "/v2/topics/pair", &headers).ok_empty();
    assert_eq!(
        world.get("/v2/topics/pair").ok()["headers"],
        json!({ "Upstash-Retries": ["0"], "Upstash-Forward-Team": ["blue"], "Upstash-Delay": ["1m"] })
    );
    world.publish("pair", &[("Upstash-Delay", "2s")], "").ok();
    world.publish(A, &[], "").ok();
    world.run();
    let tries = world.received_at(A);
    let of_group: Vec<_> = tries.iter().filter(|(_, request)| request.headers.contains("upstash-topic-name")).collect();
    assert_eq!(of_group.len(), 1, "no retry");
    assert_eq!((of_group[0].0, of_group[0].1.headers.get("team")), (2000, Some("blue")));
    assert_eq!(tries.len(), 1 + 4, "a message to the endpoint itself has the defaults");
    // They are replaced as a whole, and endpoints leave them alone.
    send(&world, Method::Patch, "/v2/topics/pair", &json!({ "headers": { "Upstash-Retries": "1" } })).ok_empty();
    add(&world, "pair", &json!([{ "url": "https://c.test" }])).ok_empty();
    assert_eq!(world.get("/v2/topics/pair").ok()["headers"], json!({ "Upstash-Retries": ["1"] }));
}

#[test]
fn messages_outlive_their_group() {
    let world = pair();
    world.answers("https://", [ok()]);
    world.publish("pair", &[("Upstash-Delay", "1h")], "").ok();
    world.delete("/v2/topics/pair").ok_empty();
    world.get("/v2/topics/pair").error(404);
    world.run();
    assert_eq!((world.received(A).len(), world.received(B).len()), (1, 1));
}

#[test]
fn runs_need_one_url() {
    let world = pair();
    let start = [("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")];
    assert!(world.publish("pair", &start, "{}").error(400).contains("one URL"));
    let step = [("Upstash-Workflow-Init", "false"), ("Upstash-Workflow-RunId", "wfr_1")];
    assert!(world.publish("pair", &step, "{}").error(412).contains("one URL"), "400 would mean that the run has ended");
    assert_eq!(world.sql.count("messages"), 0);
}
