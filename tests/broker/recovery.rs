//! Failed runs: listing, resuming, restarting, telling the failure again, removing.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use crate::support::sqlite::Sqlite;
use crate::support::workflow::{SharedLedger, Stage, WORKFLOW, serve, serve_at, trigger};
use crate::support::world::{Answer, START, World, ok, settings};
use orchestration::broker::Outcome;
use orchestration::broker::store::Sql as _;
use orchestration::wire::{Method, Request, Response, base64};
use serde_json::{Value, json};

const RUN: &str = "wfr_1";
const DLQ: &str = "/v2/workflows/dlq";

fn post(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = world.request(Method::Post, &format!("{DLQ}/{path}"));
    world.send(&headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

fn letters(world: &World, query: &str) -> Vec<Value> {
    world.get(&format!("{DLQ}{query}")).ok()["messages"].as_array().unwrap().clone()
}

/// A run whose step "charge" fails so many times, and its dead letter.
fn failed(stages: Vec<Stage>, times: u32) -> (World, SharedLedger, String) {
    let world = World::new();
    let ledger = serve(&world, stages);
    ledger.borrow_mut().failing.insert("charge".into(), times);
    trigger(&world, RUN, &json!({ "upstash-retries": "0", "upstash-forward-x-tenant": "7", "upstash-label": "gold" }))
        .ok();
    world.settle();
    let id = letters(&world, "")[0]["dlqId"].as_str().unwrap().to_owned();
    (world, ledger, id)
}

fn order() -> Vec<Stage> {
    vec![Stage::Run("validate"), Stage::Sleep("nap", 0), Stage::Run("charge"), Stage::Run("ship")]
}

fn computed(ledger: &SharedLedger, name: &str) -> usize {
    ledger.borrow().computed.iter().filter(|(_, step)| step == name).count()
}

#[test]
fn a_failed_run_is_listed_with_what_became_of_its_failure_function() {
    let (world, _, id) = failed(order(), 1);
    let letter = &letters(&world, "")[0];
    assert_eq!((&letter["workflowRunId"], &letter["workflowUrl"]), (&json!(RUN), &json!(WORKFLOW)));
    assert_eq!((&letter["responseStatus"], &letter["workflowCreatedAt"]), (&json!(500), &json!(START.millis())));
    assert_eq!((&letter["failureCallback"], &letter["labels"]), (&json!(WORKFLOW), &json!(["gold"])));
    assert_eq!(letter["failureCallbackInfo"]["state"], json!("CALLBACK_SUCCESS"));
    assert_eq!(world.get(&format!("{DLQ}/{id}")).ok(), *letter);
    assert_eq!(world.get("/v2/dlq?source=workflow").ok()["messages"][0], *letter);
    for (query, count) in [
        ("?workflowRunId=wfr_1&label=gold", 1),
        ("?workflowUrl=https://flow.test/order", 1),
        ("?workflowUrl=https://flow.test/", 0),
        ("?workflowCreatedAt=1700000000000", 1),
        ("?failureFunctionState=CALLBACK_SUCCESS", 1),
        ("?failureFunctionState=CALLBACK_FAIL", 0),
        ("?fromDate=1700000000001", 0),
        ("?label=silver", 0),
    ] {
        assert_eq!(letters(&world, query).len(), count, "{query}");
    }
    for query in ["?lable=gold", "?failureFunctionState=FAILED", "?count=0", "?count=101"] {
        world.get(&format!("{DLQ}{query}")).error(400);
    }
    // What does not belong to a run is another matter.
    world.publish("https://gone.test", &[("Upstash-Retries", "0")], "").ok();
    world.settle();
    assert_eq!(letters(&world, "").len(), 1);
    let plain = world.get("/v2/dlq?url=https://gone.test/").ok()["messages"][0]["dlqId"].as_str().unwrap().to_owned();
    world.get(&format!("{DLQ}/{plain}")).error(400);
    post(&world, &format!("resume/{plain}"), &[]).error(400);
    post(&world, &format!("resume?dlqIds={plain}"), &[]).error(400);
    world.delete(&format!("{DLQ}/{plain}")).error(400);
}

#[test]
fn a_resumed_run_keeps_what_was_done() {
    let (world, ledger, id) = failed(order(), 1);
    let answer = post(&world, &format!("resume?dlqIds={id}"), &[]).ok();
    let new = answer["workflowRuns"][0]["workflowRunId"].as_str().unwrap().to_owned();
    assert!(new.starts_with("wfr_") && new != RUN);
    assert_eq!(answer["workflowRuns"][0]["workflowCreatedAt"], json!(START.millis()));
    world.run();
    assert_eq!(ledger.borrow().finished, [(new.clone(), 4)]);
    assert_eq!((computed(&ledger, "validate"), computed(&ledger, "charge"), computed(&ledger, "ship")), (1, 2, 1));
    let log = world.run_log(&new);
    assert_eq!((&log["workflowState"], &log["labels"]), (&json!("RUN_SUCCESS"), &json!(["gold"])));
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_FAILED"));
    let last = world.received(WORKFLOW).pop().unwrap();
    assert_eq!(last.headers.get("x-tenant"), Some("7"));
    assert_eq!(last.headers.get("upstash-workflow-runid"), Some(new.as_str()));
    // It is out of the queue, and can't be resumed twice.
    assert!(letters(&world, "").is_empty());
    assert_eq!(world.sql.count("parked"), 0);
    assert!(post(&world, &format!("resume?dlqIds={id}"), &[]).error(404).contains(&id));
}

#[test]
fn a_restarted_run_begins_with_its_payload() {
    let (world, ledger, id) = failed(order(), 1);
    let answer = post(&world, &format!("restart/{id}"), &[("Upstash-Workflow-RunId", "wfr_mine")]).ok();
    assert_eq!(answer, json!({ "workflowRunId": "wfr_mine", "workflowCreatedAt": START.millis() }));
    world.run();
    assert_eq!(ledger.borrow().finished, [("wfr_mine".to_owned(), 4)]);
    assert_eq!((computed(&ledger, "validate"), computed(&ledger, "charge")), (2, 2));
    let history: Value = serde_json::from_slice(&world.received(WORKFLOW).pop().unwrap().body).unwrap();
    assert_eq!(base64::decode(history[0]["body"].as_str().unwrap()).unwrap(), b"{\"n\":1}");
    assert!(letters(&world, "").is_empty());
}

#[test]
fn settings_can_be_replaced_when_a_run_is_taken_up() {
    for way in ["resume", "restart"] {
        let (world, ledger, id) = failed(order(), 3);
        let headers = [
            ("Upstash-Retries", "2"),
            ("Upstash-Retry-Delay", "5000"),
            ("Upstash-Delay", "1m"),
            ("Upstash-Label", "again"),
            ("Upstash-Failure-Callback", "https://other.test/"),
            ("Upstash-Flow-Control-Key", "again"),
            ("Upstash-Flow-Control-Value", "rate=7"),
        ];
        assert!(
            post(&world, &format!("{way}/{id}"), &[("Upstash-Retries", "many")]).error(400).contains("Upstash-Retries")
        );
        assert!(
            post(&world, &format!("{way}/{id}"), &[("Upstash-Flow-Control-Key", "a b")]).error(400).contains("Flow")
        );
        let new = post(&world, &format!("{way}/{id}"), &headers).ok()["workflowRunId"].as_str().unwrap().to_owned();
        world.settle();
        assert_eq!(world.run_log(&new)["labels"], json!(["again"]));
        assert_eq!(world.next_wake(), Some(START + Duration::from_mins(1)), "{way}");
        assert_eq!(world.get("/v2/flowControl/again").ok()["rateMax"], json!(7));
        world.run();
        assert_eq!(world.now(), START + Duration::from_secs(70), "two retries, five seconds each");
        assert_eq!(ledger.borrow().finished.len(), 1);
    }
    let (world, _, id) = failed(order(), 99);
    world.answers("https://other.test", [ok()]);
    post(&world, &format!("resume/{id}"), &[("Upstash-Failure-Callback", "https://other.test/")]).ok();
    world.run();
    let told = world.received("https://other.test").remove(0);
    assert_eq!(told.headers.get("upstash-workflow-is-failure"), Some("true"), "the rest of its settings stays");
}

#[test]
fn what_waited_beside_the_failed_step_waits_in_the_resumed_run() {
    let child = "https://flow.test/child";
    let (world, ledger, _) = {
        let world = World::new();
        let ledger = serve(
            &world,
            vec![
                Stage::CreateWebhook("hook", "evt_1"),
                Stage::Parallel(vec![
                    Stage::Run("done"),
                    Stage::Sleep("long", 600),
                    Stage::Wait("event", "go", 3600),
                    Stage::Invoke("sub", child),
                    Stage::Invoke("quick", child),
                    Stage::Call("call", "https://third.test"),
                    Stage::Sleep("nap", 10),
                ]),
                Stage::Wait("early", "kept", 60),
                Stage::Webhook("called", "evt_1", 60),
                Stage::Run("end"),
            ],
        );
        let ledger_of_child = serve_at(&world, child, vec![Stage::Wait("child", "child", 7200)]);
        let mut calls = 0;
        world.endpoint("https://third.test", move |_, _| {
            calls += 1;
            if calls == 1 { Outcome::TimedOut } else { Outcome::Answered(Response::new(200).body("answer")) }
        });
        (world, ledger, ledger_of_child)
    };
    trigger(&world, RUN, &json!({ "upstash-retries": "0" })).ok();
    world.settle();
    let quick =
        world.run_log(RUN)["waitsFor"].as_array().unwrap().iter().filter(|wait| wait["for"] == json!("run")).count();
    assert_eq!(quick, 2);
    world.send(&world.request(Method::Post, "/v2/notify/wfr_1/kept").body("K")).json();
    // The sleep of ten seconds ends at an endpoint that fails.
    world.advance(Duration::from_secs(10));
    let good = world.take(10);
    assert_eq!(good.len(), 1);
    world.tell(&good[0], Outcome::Answered(Response::new(500)));
    world.settle();
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_FAILED"));
    assert_eq!(world.get("/v2/waiters/go").ok(), json!([]), "a failed run waits for nothing");
    // One of the invoked runs ends while the run is failed.
    let children = world.get("/v2/workflows/logs?workflowUrl=https://flow.test/child").ok();
    let one = children["runs"][0]["workflowRunId"].as_str().unwrap();
    world.send(&world.request(Method::Post, &format!("/v2/notify/{one}/child")).body("C"));
    world.settle();
    let hook = Request::new(Method::Post, "https://broker.test/v2/workflows/hooks/u/wfr_1/evt_1").body("H");
    world.send(&hook).error(404);

    let answer = post(&world, "resume?count=10", &[]).ok();
    let new = answer["workflowRuns"][0]["workflowRunId"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/v2/waiters/go").ok().as_array().unwrap().len(), 1);
    assert_eq!(world.send(&hook).status(), 200, "the address of a webhook stays good");
    world.settle();
    world.send(&world.request(Method::Post, "/v2/notify/go").body("E"));
    world.run();
    let ledger = ledger.borrow();
    assert_eq!(ledger.finished.len(), 1, "{}", world.run_log(&new));
    assert_eq!(ledger.finished[0], (new.clone(), 11));
    assert_eq!(ledger.computed.iter().filter(|(_, step)| step == "done").count(), 1);
    let text = |place: u32| String::from_utf8(base64::decode(ledger.out(&new, place).unwrap()).unwrap()).unwrap();
    assert_eq!((text(4), text(9)), ("E".to_owned(), "K".to_owned()));
    assert!(text(10).contains("\"method\":\"POST\""));
    for place in [5, 6] {
        let out: Value = serde_json::from_str(&ledger.out(&new, place).unwrap()).unwrap();
        assert_eq!(out["body"], json!("\"done\""), "{place}");
    }
    assert_eq!(world.received("https://third.test").len(), 2, "the call goes on with its own retries");
    assert_eq!(world.sql.count("parked"), 0);
}

#[test]
fn a_resumed_run_fetches_its_history_by_its_own_messages() {
    let mut settings = settings();
    settings.inline_history_bytes = 10;
    let world = World::with(settings);
    let ledger = serve(&world, order());
    ledger.borrow_mut().failing.insert("charge".into(), 1);
    trigger(&world, RUN, &json!({ "upstash-retries": "0" })).ok();
    world.run();
    post(&world, "resume?count=1", &[]).ok();
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 1);
}

#[test]
fn a_delivery_under_way_when_its_run_failed_is_made_again_by_the_resumed_run() {
    let world = World::new();
    let ledger = serve(&world, vec![Stage::Parallel(vec![Stage::Run("charge"), Stage::Run("slow")])]);
    ledger.borrow_mut().failing.insert("charge".into(), 1);
    trigger(&world, RUN, &json!({ "upstash-retries": "0" })).ok();
    let start = world.take(1).remove(0);
    let outcome = world.deliver(&start);
    world.tell(&start, outcome);
    let both = world.take(2);
    let failing = world.deliver(&both[0]);
    world.tell(&both[0], failing);
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_FAILED"));
    // The slow step comes too late for the failed run.
    let slow = world.deliver(&both[1]);
    world.tell(&both[1], slow);
    world.settle();
    post(&world, "resume?count=1", &[]).ok();
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 1);
    assert_eq!((computed(&ledger, "charge"), computed(&ledger, "slow")), (2, 2));
}

#[test]
fn failed_runs_are_taken_up_and_removed_in_bulk() {
    let world = World::new();
    let ledger = serve(&world, order());
    ledger.borrow_mut().failing.insert("charge".into(), 5);
    for number in 1..=5 {
        let rules = json!({ "upstash-retries": "0", "upstash-label": format!("n{number}") });
        trigger(&world, &format!("wfr_{number}"), &rules).ok();
        world.settle();
    }
    let ids: Vec<String> =
        letters(&world, "").iter().map(|letter| letter["dlqId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 5);
    for path in ["resume", "restart", "resume?cursor=1"] {
        assert!(post(&world, path, &[]).error(400).contains("names no dead letter"), "{path}");
    }
    assert!(world.delete(DLQ).error(400).contains("names no dead letter"));
    post(&world, "resume?labels=n1", &[]).error(400);
    world.delete(&format!("{DLQ}?dlqid={}", ids[0])).error(400);
    // One that is not there, and nothing happens.
    post(&world, &format!("resume?dlqIds={}&dlqIds=0-0", ids[0]), &[]).error(404);
    assert_eq!(letters(&world, "").len(), 5);
    let resumed = post(&world, &format!("resume?dlqIds={}&dlqIds={}", ids[0], ids[1]), &[]).ok();
    assert_eq!(resumed["workflowRuns"].as_array().unwrap().len(), 2);
    let restarted = post(&world, "restart?label=n3&count=100", &[]).ok();
    assert_eq!(restarted["workflowRuns"].as_array().unwrap().len(), 1);
    assert_eq!(world.delete(&format!("{DLQ}?dlqIds={}&dlqIds=0-0", ids[3])).ok(), json!({ "deleted": 1 }));
    let first = world.delete(&format!("{DLQ}?count=1")).ok();
    assert_eq!(first["deleted"], json!(1));
    let cursor = first["cursor"].as_str().unwrap();
    assert_eq!(world.delete(&format!("{DLQ}?count=1&cursor={cursor}")).ok(), json!({ "deleted": 0 }));
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 3);
    assert_eq!(world.sql.count("parked"), 0);
    let id = {
        ledger.borrow_mut().failing.insert("charge".into(), 1);
        trigger(&world, "wfr_6", &json!({ "upstash-retries": "0" })).ok();
        world.settle();
        letters(&world, "")[0]["dlqId"].as_str().unwrap().to_owned()
    };
    world.delete(&format!("{DLQ}/{id}")).ok();
    world.delete(&format!("{DLQ}/{id}")).error(404);
    assert_eq!(world.run_log("wfr_6")["workflowState"], json!("RUN_FAILED"));
}

#[test]
fn a_failure_that_could_not_be_told_is_told_again() {
    let world = World::new();
    let flow = serve(&world, order());
    flow.borrow_mut().failing.insert("charge".into(), 1);
    world.answers("https://tell.test", [Response::new(500), Response::new(500), ok()]);
    let rules = json!({
        "upstash-retries": "0",
        "upstash-failure-callback": "https://tell.test/",
        "upstash-failure-callback-retries": "0",
    });
    trigger(&world, RUN, &rules).ok();
    world.settle();
    let id = letters(&world, "?failureFunctionState=CALLBACK_FAIL")[0]["dlqId"].as_str().unwrap().to_owned();
    let info = &letters(&world, "")[0]["failureCallbackInfo"];
    assert_eq!((&info["state"], &info["responseStatus"]), (&json!("CALLBACK_FAIL"), &json!(500)));
    let again = || post(&world, &format!("callback/{id}"), &[]);
    assert_eq!(again().ok(), json!({ "workflowRunId": RUN, "workflowCreatedAt": START.millis() }));
    assert!(again().error(400).contains("is being told"));
    world.settle();
    // Again in vain; then cancelled, then too late for that.
    again().ok();
    let state = |state: &str| letters(&world, &format!("?failureFunctionState={state}")).len();
    assert_eq!(state("CALLBACK_INPROGRESS"), 1);
    world.delete(&format!("{DLQ}/callback/{id}")).ok();
    assert_eq!((state("CALLBACK_CANCELED"), world.settle()), (1, 0));
    assert!(world.delete(&format!("{DLQ}/callback/{id}")).error(400).contains("not being told"));
    again().error(400);
    assert_eq!(world.run_log(RUN)["failureFunction"]["state"], json!("CALLBACK_CANCELED"));
    let told = world.received("https://tell.test");
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].body, told[1].body);
    post(&world, "callback/0-0", &[]).error(404);
}

#[test]
fn a_dead_letter_is_delivered_again_with_its_callbacks_or_other_settings() {
    let world = World::new();
    world.answers("https://app.test", [Response::new(500), Response::new(500), Response::new(201)]);
    world.answers("https://back.test", [ok()]);
    let headers = [
        ("Upstash-Retries", "0"),
        ("Upstash-Method", "PUT"),
        ("Upstash-Forward-X-A", "1"),
        ("Upstash-Callback", "https://back.test"),
        ("Upstash-Callback-Forward-X-B", "2"),
    ];
    let first = world.publish("https://app.test/x", &headers, "body").message_id();
    world.settle();
    let dead = || world.get("/v2/dlq").ok()["messages"].as_array().unwrap().clone();
    let retry = |path: &str, headers: &[(&str, &str)]| {
        let request = world.request(Method::Post, &format!("/v2/dlq/retry{path}"));
        world.send(&headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    };
    let id = dead()[0]["dlqId"].as_str().unwrap().to_owned();
    assert!(retry(&format!("/{id}"), &[("Upstash-Retries", "x")]).error(400).contains("Upstash-Retries"));
    let answer = retry(&format!("?dlqIds={id}"), &[]);
    assert_eq!(answer.status(), 201);
    let second = answer.json()["responses"][0]["messageId"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    world.settle();
    assert_eq!(world.states(&second), ["CREATED", "ACTIVE", "ERROR", "FAILED"]);
    let id = dead()[0]["dlqId"].as_str().unwrap().to_owned();
    let changes = [("Upstash-Delay", "10s"), ("Upstash-Label", "third"), ("Upstash-Forward-X-A", "3")];
    let third = retry(&format!("/{id}"), &changes);
    assert_eq!(third.status(), 201);
    assert!(dead().is_empty());
    world.run();
    let received = world.received_at("https://app.test");
    let (at, last) = &received[2];
    assert_eq!((*at, last.method, last.body.as_slice()), (10_000, Method::Put, b"body".as_slice()));
    assert_eq!((last.headers.get("x-a"), last.headers.get("upstash-label")), (Some("3"), Some("third")));
    let told = world.received("https://back.test");
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|request| request.headers.get("x-b") == Some("2")));
    retry("/0-0", &[]).error(404);
    retry("?dlqIds=0-0", &[]).error(404);
    retry("", &[]).error(400);
}

#[test]
fn dead_letters_are_retried_and_removed_in_bulk_but_runs_are_not_retried() {
    let (world, _, id) = failed(order(), 1);
    for n in 0..4 {
        world.publish("https://gone.test", &[("Upstash-Retries", "0"), ("Upstash-Label", &format!("n{n}"))], "").ok();
    }
    world.settle();
    let post = |query: &str| world.send(&world.request(Method::Post, &format!("/v2/dlq/retry{query}")));
    let dead = || world.sql.count("dlq");
    assert_eq!(dead(), 5);
    assert!(post(&format!("/{id}")).error(400).contains("resume or restart"));
    assert!(post(&format!("?dlqIds={id}")).error(400).contains("resume or restart"));
    assert_eq!(post("?count=100").json()["responses"].as_array().unwrap().len(), 4, "all but the run");
    assert_eq!(dead(), 1);
    world.settle();
    assert_eq!(dead(), 5);
    world.delete("/v2/dlq").error(400);
    world.delete("/v2/dlq?lable=n1").error(400);
    assert_eq!(world.delete("/v2/dlq?label=n1&label=n2").ok(), json!({ "deleted": 2 }));
    assert_eq!(world.delete("/v2/dlq?count=100").ok(), json!({ "deleted": 3 }));
    assert_eq!((dead(), world.sql.count("parked")), (0, 0));
}

#[test]
fn a_failed_run_is_kept_as_long_as_it_can_be_resumed() {
    let mut settings = settings();
    settings.retention.run_age = Duration::from_hours(1);
    settings.retention.dead_letter_age = Duration::from_hours(3);
    let world = World::with(settings);
    let ledger = serve(&world, order());
    ledger.borrow_mut().failing.insert("charge".into(), 2);
    for run in [RUN, "wfr_2"] {
        trigger(&world, run, &json!({ "upstash-retries": "0" })).ok();
        world.settle();
    }
    world.advance(Duration::from_hours(2));
    world.settle();
    assert_eq!(letters(&world, "").len(), 2);
    post(&world, "resume?workflowRunId=wfr_1", &[]).ok();
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 1);
    world.advance(Duration::from_hours(3));
    world.settle();
    for table in ["runs", "steps", "parked", "dlq", "parts"] {
        assert_eq!(world.sql.count(table), 0, "{table}");
    }
}

#[test]
fn the_log_tells_what_a_live_run_waits_for() {
    let world = World::new();
    let ledger = serve(
        &world,
        vec![
            Stage::Run("charge"),
            Stage::Sleep("nap", 60),
            Stage::Wait("event", "go", 3600),
            Stage::Call("call", "https://third.test"),
        ],
    );
    ledger.borrow_mut().failing.insert("charge".into(), 1);
    world.answers("https://third.test", [Response::new(503)]);
    let waits = || world.run_log(RUN)["waitsFor"].clone();
    trigger(&world, RUN, &json!({ "upstash-retry-delay": "5000" })).ok();
    assert_eq!(waits()[0]["for"], json!("delivery"));
    world.settle();
    assert_eq!((&waits()[0]["for"], &waits()[0]["until"]), (&json!("retry"), &json!(START.millis() + 5000)));
    world.advance(Duration::from_secs(5));
    let leased = world.take(1).remove(0);
    assert_eq!((&waits()[0]["for"], &waits()[0]["since"]), (&json!("endpoint"), &json!(world.now().millis())));
    let outcome = world.deliver(&leased);
    world.tell(&leased, outcome);
    world.settle();
    assert_eq!((&waits()[0]["for"], &waits()[0]["stepName"]), (&json!("sleep"), &json!("nap")));
    world.advance(Duration::from_mins(1));
    world.settle();
    let wait = &waits()[0];
    assert_eq!((&wait["for"], &wait["waitEventId"]), (&json!("event"), &json!("go")));
    assert_eq!(wait["waitTimeoutDeadline"], json!(world.now().millis() + 3_600_000));
    world.send(&world.request(Method::Post, "/v2/notify/go"));
    world.settle();
    let wait = &waits()[0];
    assert_eq!((&wait["for"], &wait["callUrl"]), (&json!("answer"), &json!("https://third.test/")));
    world.run();
    assert_eq!(waits(), Value::Null, "a run that has ended waits for nothing");
}

#[test]
fn an_older_database_is_upgraded_with_what_it_holds() {
    let mut world = World::new();
    let ledger = serve(&world, vec![Stage::Run("charge"), Stage::Sleep("nap", 60), Stage::Wait("wait", "e", 60)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    ledger.borrow_mut().failing.insert("charge".into(), 1);
    trigger(&world, "wfr_2", &json!({ "upstash-retries": "0" })).ok();
    world.settle();
    as_the_first_version(&world.sql);
    world.restart();
    world.run();
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_SUCCESS"));
    let letter = &letters(&world, "")[0];
    assert_eq!(letter["failureCallbackInfo"]["state"], json!("CALLBACK_SUCCESS"));
    let id = letter["dlqId"].as_str().unwrap();
    assert!(post(&world, &format!("resume/{id}"), &[]).error(400).contains("restart it"));
    post(&world, &format!("restart/{id}"), &[]).ok();
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 2);
    let ended = "events WHERE state IN ('DELIVERED', 'FAILED', 'CANCELED')";
    assert!(world.count(ended) > 3 && world.count(&format!("{ended} AND accepted_at IS NULL")) == 0);
    let metrics = world.get("/v2/metrics?window=86400000&buckets=1").ok();
    let (bucket, index) = (&metrics["series"][0], |name: &str| {
        world
            .sql
            .count(&format!("sqlite_master WHERE name = '{name}' AND sql LIKE '%(time, state, took, accepted_at)'"))
    });
    assert_eq!((&bucket["runsFailed"], &bucket["runsSucceeded"], index("events_time")), (&json!(1), &json!(2), 1));
}

/// The tables of the first version, with their columns.
const FIRST_VERSION: [(&str, &str); 7] = [
    (
        "messages",
        "seq id role run position url method headers body created_at not_before due_at attempt \
         max_retries retry_delay timeout lease leased_at label caller_ip callback failure_callback",
    ),
    ("parts", "owner part data"),
    ("deduplications", "key message_id ends_at"),
    (
        "runs",
        "key id message_id url state created_at ended_at config label caller_ip result error \
         failed_message dlq_id failure_message",
    ),
    (
        "steps",
        "run position message_id call_type is_plan place group_end concurrent name type body created_at \
         started_at attempts",
    ),
    (
        "dlq",
        "seq id message_id role run run_id run_created_at url method headers body created_at failed_at \
         max_retries retry_delay label caller_ip callback failure_callback status error response_headers \
         response_body",
    ),
    (
        "events",
        "seq time message_id run run_id state url method label attempt max_retries status error \
         next_delivery response_headers response_body",
    ),
];

/// Takes away what later versions have added to the schema.
fn as_the_first_version(sql: &Sqlite) {
    let names = |query: &str| -> Vec<String> {
        sql.query(query, &[]).unwrap().iter().map(|row| row.text(0).unwrap()).collect()
    };
    for index in names("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL") {
        sql.run(&format!("DROP INDEX {index}"));
    }
    for table in
        names("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('meta', 'sqlite_sequence')")
    {
        match FIRST_VERSION.iter().find(|(name, _)| *name == table) {
            None => sql.run(&format!("DROP TABLE {table}")),
            Some((_, columns)) => {
                for column in names(&format!("SELECT name FROM pragma_table_info('{table}')")) {
                    if !columns.split(' ').any(|known| known == column) {
                        sql.run(&format!("ALTER TABLE {table} DROP COLUMN {column}"));
                    }
                }
            }
        }
    }
    sql.run("CREATE INDEX messages_due ON messages (due_at, seq); CREATE INDEX events_time ON events (time)");
    sql.run("UPDATE meta SET value = 1 WHERE key = 'schema'");
}
