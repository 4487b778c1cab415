//! Events: waiting, notifying, looking back, timing out, and webhooks.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use crate::support::workflow::{Stage, WORKFLOW, serve, step_item, trigger, wait_request};
use crate::support::world::{Answer, START, TOKEN, World, settings};
use orchestration::broker::Outcome;
use orchestration::wire::{Method, Request, Response, base64};
use serde_json::{Value, json};

const RUN: &str = "wfr_1";

fn notify(world: &World, path: &str, data: &str) -> Answer {
    world.send(&world.request(Method::Post, &format!("/v2/notify/{path}")).body(data))
}

fn waiting(event: &'static str, seconds: u64) -> Vec<Stage> {
    vec![Stage::Run("before"), Stage::Wait("wait", event, seconds), Stage::Run("after")]
}

fn decoded(out: Option<String>) -> Option<String> {
    out.map(|out| String::from_utf8(base64::decode(out).unwrap()).unwrap())
}

#[test]
fn an_event_resumes_the_step_that_waits_for_it() {
    let world = World::new();
    let ledger = serve(&world, waiting("paid", 3600));
    trigger(&world, RUN, &json!({ "upstash-forward-x-tenant": "7" })).ok();
    world.settle();
    assert_eq!(world.next_wake(), Some(START + Duration::from_hours(1)), "nothing but the deadline wakes the broker");
    let waiters = world.get("/v2/waiters/paid").ok();
    let waiter = &waiters[0];
    assert_eq!((&waiter["url"], &waiter["timeoutUrl"]), (&json!(WORKFLOW), &json!(WORKFLOW)));
    assert_eq!(waiter["deadline"], json!(START.seconds() + 3600));
    assert_eq!(waiter["headers"]["upstash-workflow-runid"], Value::Null, "names are written one way");
    let text = waiters.to_string();
    assert!(text.contains(RUN) && !text.contains(TOKEN), "{text}");

    world.advance(Duration::from_mins(10));
    let answer = notify(&world, "paid", "{\"amount\":5}");
    assert_eq!(answer.status(), 201);
    let told = answer.json();
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!((&told[0]["workflowRunId"], &told[0]["error"]), (&json!(RUN), &json!("")));
    assert_eq!(told[0]["workflowCreatedAt"], json!(START.millis()));
    assert_eq!(told[0]["waiter"], *waiter);
    let message = told[0]["messageId"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/v2/waiters/paid").ok(), json!([]));
    assert_eq!(notify(&world, "paid", "late").json(), json!([]), "nobody waits any more");

    world.run();
    assert_eq!(world.states(&message), ["CREATED", "ACTIVE", "DELIVERED"]);
    let ledger = ledger.borrow();
    assert_eq!(decoded(ledger.out(RUN, 2)).as_deref(), Some("{\"amount\":5}"));
    assert_eq!(ledger.histories[RUN][1].wait_timeout, None);
    let resumed = world.received(WORKFLOW).pop().unwrap();
    assert_eq!(resumed.headers.get("x-tenant"), Some("7"));
    assert_eq!(resumed.headers.get("upstash-workflow-sdk-version"), Some("1"));
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_SUCCESS"));
}

#[test]
fn a_wait_ends_without_an_event_when_its_time_is_over() {
    let world = World::new();
    let ledger = serve(&world, waiting("paid", 3600));
    trigger(&world, RUN, &json!({})).ok();
    world.run();
    assert_eq!(world.now(), START + Duration::from_hours(1));
    assert_eq!(ledger.borrow().out(RUN, 2), None);
    assert_eq!(ledger.borrow().histories[RUN][1].wait_timeout, Some(true));
    // At the deadline the wait is over, even before the broker gets to it.
    let ledger = serve(&world, waiting("paid", 60));
    trigger(&world, "wfr_2", &json!({})).ok();
    world.settle();
    world.advance(Duration::from_mins(1));
    assert_eq!(notify(&world, "paid", "late").json(), json!([]));
    assert_eq!(world.get("/v2/waiters/paid").ok(), json!([]));
    world.run();
    assert_eq!(ledger.borrow().histories["wfr_2"][1].wait_timeout, Some(true));
}

#[test]
fn timeouts_are_texts_or_seconds_and_seven_days_by_default() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    let step = |id: u32| json!({ "stepId": id, "stepName": "w", "stepType": "Wait", "concurrent": 1 });
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    for (id, timeout, seconds) in
        [(2, json!("2m"), 120), (3, json!(90), 90), (4, json!(null), 7 * 86_400), (5, json!("1d10h"), 122_400)]
    {
        world.send(&wait_request(&world, RUN, &format!("e{id}"), &timeout, &step(id))).ok();
        let waiters = world.get(&format!("/v2/waiters/e{id}")).ok();
        assert_eq!(waiters[0]["deadline"], json!(START.seconds() + seconds), "{timeout}");
    }
    // 412 and not 400, which the SDK takes for the end of the run.
    for (timeout, step, expected) in [
        (json!("soon"), step(6), "timeout"),
        (json!("2y"), step(6), "at most"),
        (json!(-1), step(6), "timeout"),
        (json!("1m"), json!({ "stepId": 6, "stepName": "w", "stepType": "Run", "concurrent": 1 }), "stepType"),
        (json!("1m"), step(0), "count from 1"),
    ] {
        let error = world.send(&wait_request(&world, RUN, "e", &timeout, &step)).error(412);
        assert!(error.contains(expected), "{error}");
    }
    let body = json!({ "url": WORKFLOW, "timeoutBody": "x", "step": step(6) }).to_string();
    assert!(
        world.send(&wait_request(&world, RUN, "e", &json!(1), &step(6)).body(body)).error(501).contains("timeoutBody")
    );
    world.send(&wait_request(&world, "wfr_none", "e", &json!("1m"), &step(6))).error(400);
    world.send(&wait_request(&world, RUN, "e", &json!("1m"), &step(6)).body("{")).error(400);
    let plain = world.request(Method::Post, "/v2/wait/e").body(json!({ "url": WORKFLOW, "step": step(6) }).to_string());
    assert!(world.send(&plain).error(400).contains("only runs"));
    assert_eq!(world.get("/v2/waiters/e").ok(), json!([]));
}

#[test]
fn a_wait_that_is_repeated_waits_once() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let step = json!({ "stepId": 2, "stepName": "w", "stepType": "Wait", "concurrent": 1 });
    let request = wait_request(&world, RUN, "e", &json!("1h"), &step);
    let first = world.send(&request).ok();
    assert_eq!(world.send(&request).ok(), first);
    assert_eq!(notify(&world, "e", "1").json().as_array().unwrap().len(), 1);
    // Even when the event has come meanwhile.
    assert_eq!(world.send(&request).ok(), first);
    assert_eq!(world.get("/v2/waiters/e").ok(), json!([]));
}

#[test]
fn every_run_that_waits_gets_the_event_and_a_run_can_be_named() {
    let world = World::new();
    let ledger = serve(&world, waiting("paid", 3600));
    for run in ["wfr_1", "wfr_2", "wfr_3"] {
        trigger(&world, run, &json!({})).ok();
    }
    world.settle();
    let told = notify(&world, "wfr_2/paid", "two");
    assert_eq!(told.status(), 201);
    assert_eq!(told.json()[0]["workflowRunId"], json!("wfr_2"));
    world.delete("/v2/workflows/runs/wfr_3").ok();
    assert_eq!(notify(&world, "paid", "all").json().as_array().unwrap().len(), 1, "the others wait no more");
    world.run();
    assert_eq!(decoded(ledger.borrow().out("wfr_1", 2)).as_deref(), Some("all"));
    assert_eq!(decoded(ledger.borrow().out("wfr_2", 2)).as_deref(), Some("two"));
    // 404, for the SDK of a run that notifies would take 400 for its own end.
    notify(&world, "wfr_3/paid", "x").error(404);
    notify(&world, "wfr_none/paid", "x").error(404);
}

#[test]
fn an_event_that_names_its_run_is_kept_until_the_run_waits() {
    let world = World::new();
    let ledger = serve(
        &world,
        vec![
            Stage::Sleep("nap", 60),
            Stage::Wait("first", "go", 3600),
            Stage::Wait("second", "go", 3600),
            Stage::Wait("third", "go", 30),
        ],
    );
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    assert_eq!(notify(&world, "go", "nobody").json(), json!([]));
    let kept = notify(&world, "wfr_1/go", "one").json();
    assert_eq!((&kept[0]["workflowRunId"], &kept[0]["waiter"]), (&json!(RUN), &Value::Null));
    notify(&world, "wfr_1/go", "two");
    notify(&world, "wfr_1/other", "three");
    world.run();
    let ledger = ledger.borrow();
    assert_eq!(decoded(ledger.out(RUN, 2)).as_deref(), Some("one"));
    assert_eq!(decoded(ledger.out(RUN, 3)).as_deref(), Some("two"));
    assert_eq!(ledger.out(RUN, 4), None);
    assert_eq!(world.now(), START + Duration::from_secs(90), "what was kept is not waited for");
    assert_eq!(world.sql.count("kept_events"), 0, "what a run leaves goes with it");
}

#[test]
fn kept_events_are_bounded_in_number_and_time() {
    let mut settings = settings();
    settings.limits.kept_events = 2;
    settings.event_lifetime = Duration::from_hours(1);
    let world = World::with(settings);
    let ledger = serve(&world, vec![Stage::Sleep("nap", 7200), Stage::Wait("wait", "go", 60)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let large = "x".repeat(600 * 1024);
    notify(&world, "wfr_1/go", &large);
    notify(&world, "wfr_1/go", "2");
    assert!(notify(&world, "wfr_1/go", "3").error(413).contains("limit of 2 events"));
    world.advance(Duration::from_hours(1));
    world.settle();
    assert_eq!((world.sql.count("kept_events"), world.sql.count("parts")), (0, 0));
    world.run();
    assert_eq!(ledger.borrow().out(RUN, 2), None);
}

#[test]
fn waits_stand_in_parallel_groups() {
    let world = World::new();
    let ledger = serve(
        &world,
        vec![
            Stage::Parallel(vec![
                Stage::Wait("a", "ea", 600),
                Stage::Run("b"),
                Stage::Wait("c", "ec", 60),
                Stage::Wait("d", "ed", 600),
            ]),
            Stage::Run("end"),
        ],
    );
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    // What was kept, what comes while it waits, and what does not come.
    notify(&world, "ed", "D");
    world.settle();
    world.advance(Duration::from_secs(100));
    world.settle();
    notify(&world, "wfr_1/ea", "A");
    world.run();
    let ledger = ledger.borrow();
    assert_eq!(ledger.finished, [(RUN.to_owned(), 5)]);
    assert_eq!(decoded(ledger.out(RUN, 1)).as_deref(), Some("A"));
    assert_eq!(decoded(ledger.out(RUN, 4)).as_deref(), Some("D"));
    assert_eq!(ledger.out(RUN, 3), None);
    assert_eq!(ledger.computed.iter().filter(|(_, step)| step == "b").count(), 1);
    let log = world.run_log(RUN);
    assert_eq!(log["steps"][1]["type"], json!("parallel"));
    let waited = &log["steps"][1]["steps"][2];
    assert_eq!((&waited["waitEventId"], &waited["waitTimeout"]), (&json!("ec"), &json!(true)));
}

#[test]
fn a_wait_survives_a_crash_and_a_lost_outcome() {
    let mut world = World::on_file("waits");
    let ledger = serve(&world, vec![Stage::Wait("one", "e1", 3600), Stage::Wait("two", "e2", 60)]);
    trigger(&world, RUN, &json!({})).ok();
    // The outcome of the invocation that began to wait is lost: nothing is invoked again for it.
    let delivery = world.take(1).remove(0);
    let _lost = world.deliver(&delivery);
    world.restart();
    world.advance(Duration::from_secs(10));
    world.settle();
    assert_eq!(world.received(WORKFLOW).len(), 1);
    notify(&world, "e1", "1");
    world.crash();
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 1);
    assert_eq!(decoded(ledger.borrow().out(RUN, 1)).as_deref(), Some("1"));
    assert_eq!(ledger.borrow().histories[RUN][1].wait_timeout, Some(true));
}

#[test]
fn an_invocation_that_fails_after_its_wait_was_accepted_is_not_repeated() {
    let world = World::new();
    world.endpoint(WORKFLOW, |world, _| {
        let step = json!({ "stepId": 1, "stepName": "w", "stepType": "Wait", "concurrent": 1 });
        world.send(&wait_request(world, RUN, "e", &json!("1h"), &step)).ok();
        Outcome::Answered(Response::new(500))
    });
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    world.advance(Duration::from_mins(30));
    world.settle();
    assert_eq!(world.received(WORKFLOW).len(), 1);
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_STARTED"));
}

#[test]
fn event_ids_keep_their_slashes_and_their_escapes() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    for (id, (path, event)) in (2..).zip([("a/b", "a/b"), ("a%2Fb", "a/b"), ("a%20b", "a b"), ("%E6%AD%A5", "步")]) {
        let step = json!({ "stepId": id, "stepName": "w", "stepType": "Wait", "concurrent": 1 });
        world.send(&wait_request(&world, RUN, path, &json!("1h"), &step)).ok();
        assert_eq!(world.get(&format!("/v2/waiters/{path}")).ok().as_array().unwrap().len(), 1);
        assert_eq!(notify(&world, path, "x").json().as_array().unwrap().len(), 1, "{event}");
    }
    world.get("/v2/waiters/").error(404);
    notify(&world, "e?typo=1", "x").error(400);
}

fn hook(world: &World, method: Method, path: &str) -> Answer {
    let url = format!("https://broker.test/v2/workflows/hooks/{path}");
    world.send(&Request::new(method, url).header("X-Shop", "1").header("x-shop", "2").body("paid \u{1F4B0}"))
}

#[test]
fn a_webhook_takes_any_call_without_a_token() {
    for early in [false, true] {
        let world = World::new();
        let ledger = serve(
            &world,
            vec![Stage::CreateWebhook("hook", "evt_1"), Stage::Sleep("nap", 60), Stage::Webhook("call", "evt_1", 3600)],
        );
        trigger(&world, RUN, &json!({})).ok();
        world.settle();
        if !early {
            world.advance(Duration::from_mins(1));
            world.settle();
        }
        assert_eq!(hook(&world, Method::Put, "u/wfr_1/evt_1?a=1&qstash_token=x").status(), 200);
        world.run();
        let out = decoded(ledger.borrow().out(RUN, 3)).unwrap();
        let call: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(call["method"], json!("PUT"));
        assert_eq!((&call["proto"], &call["host"]), (&json!("https"), &json!("broker.test")));
        assert_eq!(call["url"], json!("/v2/workflows/hooks/u/wfr_1/evt_1?a=1&qstash_token=x"));
        assert_eq!(call["header"]["X-Shop"], json!(["1", "2"]));
        assert_eq!(base64::decode(call["body"].as_str().unwrap()).unwrap(), "paid \u{1F4B0}".as_bytes());
        hook(&world, Method::Post, "u/wfr_1/evt_1").error(404);
        assert_eq!(world.sql.count("webhooks"), 0);
    }
}

#[test]
fn only_a_webhook_that_was_made_takes_calls_and_only_calls_are_for_it() {
    let world = World::new();
    let ledger = serve(
        &world,
        vec![
            Stage::CreateWebhook("hook", "evt_1"),
            Stage::Parallel(vec![Stage::Webhook("call", "evt_1", 3600), Stage::Wait("wait", "approved", 3600)]),
        ],
    );
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    for path in ["u/wfr_1/approved", "u/wfr_2/evt_1", "u/wfr_1", "u/wfr_1/evt_1/x", "wfr_1/evt_1"] {
        hook(&world, Method::Post, path).error(404);
    }
    assert!(hook(&world, Method::Get, "u/wfr_1/evt_1").status() == 200);
    // A call that can't be read as one would break the run.
    assert_eq!(notify(&world, "evt_1", "x").json(), json!([]));
    notify(&world, "approved", "yes");
    world.run();
    assert_eq!(ledger.borrow().finished.len(), 1);
}

#[test]
fn the_address_of_a_webhook_names_the_tokens_user() {
    let mut settings = settings();
    settings.token = base64::encode(br#"{"UserID":"me","Password":"p"}"#);
    let token = settings.token.clone();
    let world = World::with(settings);
    let item = |run: &str| json!([crate::support::workflow::trigger_item(run, "", &json!({}))]);
    let send = |body: &Value| {
        let url = "https://broker.test/v2/batch";
        let request = Request::new(Method::Post, url).header("Authorization", format!("Bearer {token}"));
        world.send(&request.body(body.to_string())).ok()
    };
    send(&item(RUN));
    let step = json!({ "stepId": 1, "stepName": "h", "stepType": "CreateWebhook", "concurrent": 1,
        "out": json!({ "webhookUrl": "", "eventId": "evt_1" }).to_string() });
    send(&json!([step_item(RUN, &step, &json!({}))]));
    hook(&world, Method::Post, "you/wfr_1/evt_1").error(404);
    assert_eq!(hook(&world, Method::Post, "me/wfr_1/evt_1").status(), 200);
    let large = Request::new(Method::Post, "https://broker.test/v2/workflows/hooks/me/wfr_1/evt_1");
    world.send(&large.body("x".repeat(1024 * 1024 + 1))).error(413);
}

#[test]
fn a_wait_names_no_queue() {
    let world = World::new();
    world.answers(WORKFLOW, [Response::new(200).header("Upstash-Workflow-Sdk-Version", "1")]);
    let headers = [("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")];
    world.publish(WORKFLOW, &headers, "").message_id();
    let step = json!({ "stepId": 1, "stepName": "w", "stepType": "Wait", "concurrent": 1, "waitEventId": "e" });
    let wait = |queue: Option<&str>, timeout: Option<&str>| {
        let mut body = json!({ "url": WORKFLOW, "timeout": "10s", "step": step });
        if let Some(queue) = timeout {
            body["timeoutHeaders"] = json!({ "Upstash-Queue-Name": [queue] });
        }
        let mut request = world.request(Method::Post, "/v2/wait/e").body(body.to_string());
        let named = queue.map(|queue| ("Upstash-Queue-Name", queue));
        for (name, value) in
            [("Upstash-Workflow-Init", "false"), ("Upstash-Workflow-RunId", "wfr_1")].into_iter().chain(named)
        {
            request = request.header(name, value);
        }
        world.send(&request)
    };
    assert!(wait(Some("q"), None).error(412).contains("Upstash-Queue-Name"));
    assert!(wait(None, Some("q")).error(412).contains("Upstash-Queue-Name"));
    assert!(wait(None, None).status() < 300);
    // As a defect could have left it.
    world.sql.run(r#"UPDATE waiters SET timeout_target = '{"url":"nonsense:","headers":[]}'"#);
    world.answers("https://other.test/", [Response::new(200)]);
    world.advance(Duration::from_mins(1));
    world.publish("https://other.test/", &[], "").message_id();
    world.settle();
    assert_eq!(world.received("https://other.test/").len(), 1, "it holds nobody up");
}
