//! A broker that is spread over several databases answers as one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::sqlite::Sqlite;
use crate::support::workflow::{Stage, WORKFLOW, serve, trigger};
use crate::support::world::{World, ok, settings};
use orchestration::broker::shard::Shard;
use orchestration::broker::{Broker, Outcome};
use orchestration::signature::{BodyHash, Expect, Keys, verify};
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

const COUNT: u32 = 3;
const PLAIN: &str = "https://plain.test/";

fn world() -> World {
    World::sharded(COUNT, settings())
}

fn publish(world: &World, headers: &[(&str, &str)], body: &str) -> String {
    world.publish(PLAIN, headers, body).message_id()
}

/// How many shards have rows of a table.
fn used(world: &World, table: &str) -> usize {
    world.databases().iter().filter(|sql| sql.count(table) > 0).count()
}

#[test]
fn messages_are_spread_and_found_by_their_id() {
    let world = world();
    let ids: Vec<String> = (0..30).map(|n| publish(&world, &[], &n.to_string())).collect();
    assert_eq!(used(&world, "messages"), 3);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(world.get(&format!("/v2/messages/{id}")).ok()["body"], json!(n.to_string()));
    }
    world.delete(&format!("/v2/messages/{}", ids[0])).ok();
    world.get(&format!("/v2/messages/{}", ids[0])).error(404);
    let cancelled = world.delete(&format!("/v2/messages?messageIds={}", ids[1..11].join(","))).ok();
    assert_eq!(cancelled, json!({ "cancelled": 10 }));
    let named = world.request(Method::Delete, "/v2/messages").body(json!({ "messageIds": ids[11..14] }).to_string());
    assert_eq!(world.send(&named).ok(), json!({ "cancelled": 3 }));
    assert_eq!(world.delete("/v2/messages").ok(), json!({ "cancelled": 16 }));
    assert_eq!(world.count("messages"), 0);
}

#[test]
fn a_queue_is_in_one_place_and_keeps_its_order() {
    let world = world();
    world.answers(PLAIN, [ok()]);
    for n in 0..20 {
        publish(&world, &[("Upstash-Queue-Name", "orders")], &n.to_string());
        publish(&world, &[("Upstash-Queue-Name", &format!("other-{n}"))], "");
    }
    assert_eq!(used(&world, "messages WHERE queue = 'orders'"), 1);
    let queues = world.get("/v2/queues").ok();
    let names: Vec<&str> = queues.as_array().unwrap().iter().map(|queue| queue["name"].as_str().unwrap()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!((names.len(), &names), (21, &sorted));
    assert_eq!(world.get("/v2/queues/orders").ok()["lag"], json!(20));
    let settings = world.request(Method::Post, "/v2/queues").body(r#"{"queueName":"orders","parallelism":2}"#);
    assert_eq!(world.send(&settings).status(), 200);
    assert_eq!(world.get("/v2/queues/orders").ok()["parallelism"], json!(2));
    world.run();
    let bodies: Vec<String> = world.received(PLAIN).into_iter().map(|r| String::from_utf8(r.body).unwrap()).collect();
    let bodies: Vec<&String> = bodies.iter().filter(|body| !body.is_empty()).collect();
    assert_eq!(bodies, (0..20).map(|n| n.to_string()).collect::<Vec<_>>().iter().collect::<Vec<_>>());
}

#[test]
fn duplicates_are_found_wherever_they_would_live() {
    let world = world();
    for n in 0..10 {
        let id = publish(&world, &[("Upstash-Deduplication-Id", &format!("d{n}"))], "");
        let again = world.publish(PLAIN, &[("Upstash-Deduplication-Id", &format!("d{n}"))], "");
        assert_eq!((again.status(), again.json()["messageId"].as_str()), (202, Some(id.as_str())));
        let content = [("Upstash-Content-Based-Deduplication", "true")];
        let id = publish(&world, &content, &n.to_string());
        assert_eq!(world.publish(PLAIN, &content, &n.to_string()).json()["messageId"].as_str(), Some(id.as_str()));
    }
}

#[test]
fn a_batch_is_answered_in_its_order() {
    let world = world();
    let items: Vec<Value> = (0..20)
        .map(|n| {
            let destination = if n == 7 { "nowhere" } else { PLAIN };
            json!({ "destination": destination, "headers": { "Upstash-Deduplication-Id": format!("d{n}") }, "body": n.to_string() })
        })
        .collect();
    let answer = world.batch(&json!(items)).ok();
    assert_eq!(answer.as_array().unwrap().len(), 20);
    for (n, result) in answer.as_array().unwrap().iter().enumerate() {
        if n == 7 {
            assert!(result["error"].is_string(), "{result}");
        } else {
            let id = result["messageId"].as_str().unwrap();
            assert_eq!(world.get(&format!("/v2/messages/{id}")).ok()["body"], json!(n.to_string()));
        }
    }
    assert_eq!(used(&world, "messages"), 3);
    world.batch(&json!([{ "destination": "ftp://x" }, { "destination": "ftp://y" }])).error(400);
    world.batch(&json!([])).error(400);
}

#[test]
fn pages_of_all_shards_are_one_list() {
    let world = world();
    world.answers(PLAIN, [Response::new(500)]);
    let mut expected = Vec::new();
    for n in 0..25 {
        expected.push(publish(&world, &[("Upstash-Retries", "0")], &n.to_string()));
        world.advance(Duration::from_millis(1));
        world.settle();
        world.advance(Duration::from_millis(1));
    }
    expected.reverse();
    for (path, member) in [("/v2/dlq", "messages"), ("/v2/logs?state=CREATED&url=https://plain.test/", "logs")] {
        let mut found = Vec::new();
        let mut cursor = String::new();
        let mut pages = 0;
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = world.get(&format!("{path}{join}count=4{cursor}")).ok();
            for entry in page[member].as_array().unwrap() {
                found.push(entry["messageId"].as_str().unwrap().to_owned());
            }
            pages += 1;
            // What comes meanwhile changes nothing about later pages.
            world.publish("https://later.test", &[("Upstash-Delay", "1h")], "").ok();
            match page.get("cursor") {
                Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
                None => break,
            }
        }
        assert_eq!(found, expected, "{path}");
        assert!(pages >= 7, "{pages}");
    }
    world.get("/v2/dlq?cursor=12").error(400);
    let page = world.get("/v2/dlq?count=3").ok();
    let ids: Vec<&str> = page["messages"].as_array().unwrap().iter().map(|m| m["dlqId"].as_str().unwrap()).collect();
    for id in &ids {
        assert_eq!(world.get(&format!("/v2/dlq/{id}")).ok()["dlqId"], json!(id));
    }
    let retry = world.request(Method::Post, &format!("/v2/dlq/retry?dlqIds={}", ids.join(",")));
    let retried = world.send(&retry);
    assert_eq!((retried.status(), retried.json()["responses"].as_array().unwrap().len()), (201, 3));
    let mut deleted = 0;
    let mut cursor = String::new();
    loop {
        let page = world.delete(&format!("/v2/dlq?count=5{cursor}")).ok();
        deleted += page["deleted"].as_u64().unwrap();
        match page.get("cursor") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!((deleted, world.count("dlq")), (22, 0));
}

#[test]
fn runs_are_found_by_their_id_alone() {
    let world = world();
    let ledger = serve(
        &world,
        vec![
            Stage::Run("first"),
            Stage::Parallel(vec![Stage::Run("left"), Stage::Run("right")]),
            Stage::Wait("approval", "approved", 90),
            Stage::Call("ask", "https://third.test"),
        ],
    );
    world.answers("https://third.test", [ok()]);
    let runs: Vec<String> = (0..12).map(|n| format!("wfr_{n}")).collect();
    for run in &runs {
        trigger(&world, run, &json!({})).ok();
    }
    world.settle();
    assert_eq!(used(&world, "runs"), 3);
    assert_eq!(world.get("/v2/waiters/approved").ok().as_array().unwrap().len(), 12);
    // One by its run, then all by the event alone.
    let one = world.send(&world.request(Method::Post, "/v2/notify/wfr_3/approved").body("1"));
    assert_eq!((one.status(), one.json().as_array().unwrap().len()), (201, 1));
    let rest = world.send(&world.request(Method::Post, "/v2/notify/approved").body("2"));
    assert_eq!((rest.status(), rest.json().as_array().unwrap().len()), (201, 11));
    world.run();
    let ended: BTreeSet<String> = ledger.borrow().finished.iter().map(|(run, _)| run.clone()).collect();
    assert_eq!(ended, runs.iter().cloned().collect());
    for run in &runs {
        assert_eq!(world.run_log(run)["workflowState"], json!("RUN_SUCCESS"));
    }
    let page = world.get(&format!("/v2/workflows/logs?workflowUrl={WORKFLOW}&count=100")).ok();
    assert_eq!(page["runs"].as_array().unwrap().len(), 12);
    let again = trigger(&world, "wfr_1", &json!({})).ok();
    assert_eq!(again[0]["deduplicated"], json!(true));
}

#[test]
fn a_database_that_holds_something_keeps_its_place() {
    let sql = Sqlite::in_memory();
    let broker = Broker::open(sql.clone(), settings()).unwrap();
    assert_eq!(broker.shard(), Shard::default());
    broker.handle_layout(Shard::new(0, 3).unwrap()).unwrap();
    let broker = Broker::open(sql.clone(), settings()).unwrap();
    assert_eq!(broker.shard(), Shard::new(0, 3).unwrap(), "remembered");
    sql.run("INSERT INTO queues VALUES ('q', 1, 0, 0, 0)");
    let error = broker.handle_layout(Shard::new(0, 4).unwrap()).unwrap_err();
    assert!(error.message().contains("laid out for 3 shards") && error.message().contains("1 queues"), "{error}");
    assert_eq!(broker.shard(), Shard::new(0, 3).unwrap());
    broker.handle_layout(Shard::new(0, 3).unwrap()).unwrap();
    sql.run("DELETE FROM queues");
    broker.handle_layout(Shard::new(1, 4).unwrap()).unwrap();
}

#[test]
fn url_groups_are_known_to_every_shard() {
    let world = world();
    world.answers(PLAIN, [ok()]);
    let add = |url: &str| {
        let body = json!({ "endpoints": [{ "url": url, "name": url.rsplit('/').next().unwrap() }] });
        world.send(&world.request(Method::Post, "/v2/topics/news/endpoints").body(body.to_string())).status()
    };
    assert_eq!((add("https://plain.test/a"), add("https://plain.test/b")), (200, 200));
    // Before anything was relayed.
    for n in 0..12 {
        let answer = world.publish("news", &[], &n.to_string()).ok();
        assert_eq!(answer.as_array().unwrap().len(), 2);
    }
    world.run();
    assert_eq!(world.received(PLAIN).len(), 24);
    assert_eq!(world.get("/v2/topics").ok().as_array().unwrap().len(), 1);
    assert_eq!(world.delete("/v2/topics/news").status(), 200);
    for _ in 0..12 {
        world.publish("news", &[], "").error(404);
    }
    world.run();
    world.publish("news", &[], "").error(404);
    assert_eq!(world.count("relays"), 0);
}

#[test]
fn a_group_with_a_queue_delivers_in_the_queues_order() {
    let world = world();
    world.answers(PLAIN, [ok()]);
    let body = json!({ "endpoints": [{ "url": PLAIN }] });
    world.send(&world.request(Method::Post, "/v2/topics/news/endpoints").body(body.to_string()));
    let settings = json!({ "headers": { "Upstash-Queue-Name": ["line"] } }).to_string();
    let patched = world.send(&world.request(Method::Patch, "/v2/topics/news").body(settings));
    assert_eq!(patched.status(), 200);
    for n in 0..12 {
        world.publish("news", &[], &n.to_string()).ok();
        world.run();
    }
    assert_eq!(used(&world, "queues"), 1);
    assert_eq!(world.received(PLAIN).len(), 12);
}

#[test]
fn every_shard_signs_with_the_rotated_key() {
    let world = world();
    world.answers(PLAIN, [ok()]);
    let rotated = world.send(&world.request(Method::Post, "/v2/keys/rotate"));
    assert_eq!(rotated.status(), 200, "{:?}", rotated.0);
    let current = rotated.json()["current"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/v2/keys").ok()["current"], json!(current));
    for _ in 0..12 {
        publish(&world, &[], "");
    }
    assert_eq!(used(&world, "messages"), 3);
    for index in 0..3 {
        world.crash_shard(index, true);
    }
    world.run();
    let keys = Keys::new(&current, None).unwrap();
    for request in world.received(PLAIN) {
        let token = request.headers.get("Upstash-Signature").unwrap();
        verify(
            token,
            &BodyHash::of(&request.body),
            &keys,
            &Expect { url: None, now: world.now(), tolerance: Duration::ZERO },
        )
        .unwrap();
    }
}

#[test]
fn a_message_that_its_paused_queue_holds_back_keeps_no_slot_of_its_key() {
    let world = world();
    world.answers(PLAIN, [ok()]);
    // A key that has its place on another shard than the queue.
    let key = (0..50).map(|n| format!("key-{n}")).find(|key| {
        let limits = [("Upstash-Flow-Control-Key", key.as_str()), ("Upstash-Flow-Control-Value", "parallelism=1")];
        publish(&world, &[limits[0], limits[1], ("Upstash-Queue-Name", "line")], "queued");
        let deliveries = world.take(10);
        for delivery in &deliveries {
            world.tell(delivery, world.deliver(delivery));
        }
        deliveries.is_empty()
    });
    let key = key.unwrap();
    assert_eq!(world.count("tickets"), 1);
    let act = |path: &str| world.send(&world.request(Method::Post, path)).status();
    assert_eq!(act("/v2/queues/line/pause"), 200);
    world.settle();
    assert_eq!(world.count("messages WHERE blocked_on = 'queue:line'"), 1);
    assert_eq!(world.count("tickets"), 0);
    let before = world.received(PLAIN).len();
    publish(&world, &[("Upstash-Flow-Control-Key", &key)], "other");
    world.settle();
    assert_eq!(world.received(PLAIN)[before..].len(), 1, "at once, with one slot");
    assert_eq!(act("/v2/queues/line/resume"), 200);
    world.settle();
    assert_eq!(world.received(PLAIN)[before..].len(), 2);
    assert_eq!((world.count("messages"), world.count("tickets")), (0, 0));
}

#[test]
fn what_a_shard_can_not_take_over_becomes_a_dead_letter() {
    let mut settings = settings();
    settings.limits.queues = 0;
    let world = World::sharded(COUNT, settings);
    let endpoint = json!({ "endpoints": [{ "url": PLAIN }] }).to_string();
    world.send(&world.request(Method::Post, "/v2/topics/news/endpoints").body(endpoint));
    let headers = json!({ "headers": { "Upstash-Queue-Name": "line" } }).to_string();
    assert_eq!(world.send(&world.request(Method::Patch, "/v2/topics/news").body(headers)).status(), 200);
    // Whoever comes to the queue's own shard hears that there is no room for it.
    let answers: Vec<_> = (0..12).map(|n| world.publish("news", &[], &n.to_string())).collect();
    let accepted: Vec<_> = (0..).zip(&answers).filter(|(_, answer)| answer.status() == 200).collect();
    assert!(!accepted.is_empty());
    world.run();
    assert_eq!((world.count("relays"), world.count("messages")), (0, 0));
    for (n, answer) in accepted {
        let answer = answer.json();
        let id = answer[0]["messageId"].as_str().unwrap();
        assert_eq!(world.states(id), ["CREATED", "FAILED"]);
        let letters = world.get(&format!("/v2/dlq?messageId={id}&queueName=line")).ok();
        assert_eq!(letters["messages"][0]["body"], json!(n.to_string()));
        assert!(letters["messages"][0]["error"].as_str().unwrap().contains("can't take it"), "{letters}");
        assert_eq!(letters["messages"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn metrics_of_all_shards_are_those_of_one() {
    let told = |world: &World| {
        world.endpoint(PLAIN, |world, request| {
            world.advance(Duration::from_millis(7 * request.body.len() as u64));
            Outcome::Answered(Response::new(if request.body.len() % 3 == 0 { 500 } else { 200 }))
        });
        serve(world, vec![Stage::Run("first"), Stage::Sleep("nap", 600), Stage::Run("last")]);
        for n in 1..=20 {
            // One after the other, so that both brokers see the same times.
            publish(world, &[("Upstash-Retries", "0")], &"x".repeat(n));
            world.settle();
            if n % 4 == 0 {
                trigger(world, &format!("wfr_{n}"), &json!({})).ok();
                world.settle();
            }
        }
        world.delete("/v2/workflows/runs/wfr_8").ok();
        for n in 0..6 {
            let id = publish(world, &[("Upstash-Delay", "1h")], &format!("cancelled {n}"));
            world.advance(Duration::from_secs(10));
            world.delete(&format!("/v2/messages/{id}")).ok();
        }
        world.advance(Duration::from_secs(30));
        world.send(&world.request(Method::Post, "/v2/flowControl/shop/pause"));
        for n in 0..9 {
            let shop = [("Upstash-Flow-Control-Key", "shop"), ("Upstash-Flow-Control-Value", "rate=5")];
            let queue = format!("line-{n}");
            publish(world, &[&shop[..], &[("Upstash-Queue-Name", &queue)]].concat(), "");
        }
        world.settle();
        for n in 0..12 {
            publish(world, &[("Upstash-Deduplication-Id", &format!("d{n}"))], "");
            world.advance(Duration::from_millis(1));
        }
        assert_eq!(world.take(4).len(), 4);
        publish(world, &[("Upstash-Delay", "1h")], "");
        world.advance(Duration::from_secs(90));
        let metrics = world.get("/v2/metrics?window=600000&buckets=20").ok();
        world.get("/v2/metrics?buckets=0").error(400);
        metrics
    };
    let (many, one) = (world(), World::new());
    let (mut of_many, of_one) = (told(&many), told(&one));
    assert!(used(&many, "messages") == 3 && many.count("messages WHERE role = 'ticket'") > 0);
    for (member, value) in [("waiting", 22), ("due", 8), ("held", 9), ("active", 4)] {
        assert_eq!(of_one["backlog"][member], json!(value), "{member}");
    }
    assert_eq!((&of_one["runs"]["active"], &of_one["deadLetters"]), (&json!(4), &json!(6)));
    // Which of the due ones were taken depends on where they are.
    assert_eq!(of_many["health"]["reasons"].as_array().unwrap().len(), 2);
    of_many["backlog"]["oldestDueAt"] = of_one["backlog"]["oldestDueAt"].clone();
    of_many["health"]["reasons"][0]["since"] = of_one["health"]["reasons"][0]["since"].clone();
    assert_eq!(of_many, of_one);
}

#[test]
fn metrics_tell_of_shards_that_do_not_reach_each_other() {
    let world = world();
    let reasons = || world.get("/v2/metrics").ok()["health"]["reasons"].as_array().unwrap().clone();
    // Each names a key of some shard, most of them another one than their queue's.
    for n in 0..6 {
        let (queue, key) = (format!("line-{n}"), format!("shop-{n}"));
        let key = [("Upstash-Flow-Control-Key", key.as_str()), ("Upstash-Flow-Control-Value", "rate=5")];
        publish(&world, &[&key[..], &[("Upstash-Queue-Name", &queue)]].concat(), "");
    }
    let mut ways = BTreeSet::new();
    for _ in 0..3 {
        assert_eq!(reasons(), Vec::<Value>::new());
        for (from, piece) in world.take_pieces() {
            ways.insert((from, piece.shard));
            world.confirm(from, &piece, false);
        }
        world.advance(Duration::from_secs(2));
    }
    let reason = reasons().remove(0);
    assert_eq!((&reason["code"], &reason["count"]), (&json!("shardUnreachable"), &json!(ways.len())));
    world.answers(PLAIN, [ok()]);
    world.run();
    assert_eq!((world.received(PLAIN).len(), reasons()), (6, Vec::new()));
}
