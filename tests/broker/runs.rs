//! Runs: their invocations, their history, their end.

use std::time::Duration;

use crate::support::workflow::{Stage, WORKFLOW, serve, step_item, trigger, trigger_item};
use crate::support::world::{START, World, ok, settings};
use orchestration::broker::Outcome;
use orchestration::wire::{Method, RawStep, Response, base64};
use serde_json::{Value, json};

const RUN: &str = "wfr_1";

fn order() -> Vec<Stage> {
    vec![
        Stage::Run("validate"),
        Stage::Run("charge"),
        Stage::Parallel(vec![Stage::Run("reserve"), Stage::Run("mail"), Stage::Sleep("pause", 3)]),
        Stage::Sleep("rest", 10),
        Stage::Run("ship"),
    ]
}

#[test]
fn a_run_goes_from_its_trigger_to_its_result() {
    let world = World::new();
    let ledger = serve(&world, order());
    let answer = trigger(&world, RUN, &json!({ "upstash-label": "gold,eu", "upstash-forward-x-tenant": "7" })).ok();
    assert_eq!(answer[0]["workflowRunId"], json!(RUN));
    world.run();
    assert_eq!(ledger.borrow().finished, [(RUN.to_owned(), 7)]);
    // The first, two steps, 1 + 2n for the group less the one that ends the second step, the sleep, the last step.
    let deliveries = world.received(WORKFLOW);
    assert_eq!(deliveries.len(), 1 + 2 + 6 + 1 + 1);
    for request in &deliveries {
        for (name, value) in [
            ("upstash-workflow-runid", RUN),
            ("upstash-workflow-sdk-version", "1"),
            ("x-tenant", "7"),
            ("upstash-label", "gold,eu"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(request.headers.get(name), Some(value), "{name}");
        }
    }
    let log = world.run_log(RUN);
    assert_eq!(log["workflowState"], json!("RUN_SUCCESS"));
    assert_eq!(log["workflowRunResponse"], json!("\"done\""));
    assert_eq!(log["workflowRunCreatedAt"], json!(START.millis()));
    assert_eq!(log["workflowRunCompletedAt"], json!(START.millis() + 13_000));
    assert_eq!(log["labels"], json!(["gold", "eu"]));
    let groups = log["steps"].as_array().unwrap();
    let shape: Vec<(String, Vec<String>)> = groups
        .iter()
        .map(|group| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let names = group["steps"].as_array().unwrap().iter().map(|step| text(&step["stepName"]));
            (text(&group["type"]), names.collect())
        })
        .collect();
    let one = |name: &str| ("sequential".to_owned(), vec![name.to_owned()]);
    let all = |names: &[&str]| ("parallel".to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(
        shape,
        [one("init"), one("validate"), one("charge"), all(&["reserve", "mail", "pause"]), one("rest"), one("ship")]
    );
    assert!(
        groups.iter().flat_map(|group| group["steps"].as_array().unwrap()).all(|step| step["state"] == "STEP_SUCCESS")
    );
    assert_eq!(groups[1]["steps"][0]["out"], json!("\"validate!\""));
    world.get(&format!("/v2/workflows/runs/{RUN}")).error(404);
}

#[test]
fn a_failing_step_is_retried_by_the_rules_of_the_trigger() {
    let world = World::new();
    let ledger = serve(&world, order());
    ledger.borrow_mut().failing.insert("charge".into(), 2);
    let rules = json!({ "upstash-retries": "2", "upstash-retry-delay": "1000 * (1 + retried)" });
    trigger(&world, RUN, &rules).ok();
    world.settle();
    let log = world.run_log(RUN);
    assert_eq!(log["workflowState"], json!("RUN_STARTED"));
    let next = &log["steps"].as_array().unwrap().last().unwrap()["steps"][0];
    assert_eq!(
        (&next["state"], &next["stepName"], &next["retries"]),
        (&json!("STEP_RETRY"), &json!("charge"), &json!(1))
    );
    assert_eq!(next["nextDeliveryTime"], json!(START.millis() + 1000));
    assert!(next["errors"][0]["body"].as_str().unwrap().contains("charge failed"));
    world.run();
    let log = world.run_log(RUN);
    assert_eq!(log["workflowState"], json!("RUN_SUCCESS"));
    let charge = &log["steps"][2]["steps"][0];
    assert_eq!((&charge["attempts"], &charge["startedAt"]), (&json!(3), &json!(START.millis() + 3000)));
    let computed = ledger.borrow().computed.iter().filter(|(_, step)| step == "charge").count();
    assert_eq!(computed, 3);
}

#[test]
fn a_run_whose_step_keeps_failing_fails_and_tells_it() {
    let world = World::new();
    let ledger = serve(&world, order());
    ledger.borrow_mut().failing.insert("charge".into(), 99);
    let rules = json!({ "upstash-retries": "1", "upstash-failure-callback-forward-x-tenant": "7" });
    trigger(&world, RUN, &rules).ok();
    world.run();
    let log = world.run_log(RUN);
    assert_eq!(log["workflowState"], json!("RUN_FAILED"));
    assert_eq!(log["failureFunction"]["state"], json!("CALLBACK_SUCCESS"));
    assert_eq!(log["failureFunction"]["failStatus"], json!(500));
    let told = ledger.borrow_mut().failed.remove(0);
    assert_eq!((told.status, told.workflow_run_id.as_deref()), (500, Some(RUN)));
    assert_eq!(told.workflow_created_at, Some(START.millis()));
    assert_eq!(base64::decode(&told.source_body).unwrap(), b"{\"n\":1}");
    assert!(String::from_utf8(base64::decode(&told.body).unwrap()).unwrap().contains("charge failed"));
    assert_eq!(log["dlqId"], json!(told.dlq_id));
    let letters = world.get("/v2/dlq?source=workflow").ok();
    assert_eq!(letters["messages"][0]["workflowRunId"], json!(RUN));
    let told = world.received(WORKFLOW).pop().unwrap();
    assert_eq!(told.headers.get("upstash-workflow-is-failure"), Some("true"));
    assert_eq!(told.headers.get("x-tenant"), Some("7"));
    // Nothing more is accepted for it.
    let step = json!({ "stepId": 2, "stepName": "charge", "stepType": "Run", "out": "1", "concurrent": 1 });
    world.batch(&json!([step_item(RUN, &step, &json!({}))])).error(400);
    assert_eq!(world.sql.count("messages"), 0);
}

#[test]
fn an_endpoint_that_is_no_workflow_fails_the_run_at_once() {
    let world = World::new();
    world.answers(WORKFLOW, [ok().body("<html>")]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let log = world.run_log(RUN);
    assert_eq!(log["workflowState"], json!("RUN_FAILED"));
    assert!(log["error"].as_str().unwrap().starts_with("detected a non-workflow destination"), "{log}");
}

#[test]
fn a_run_id_counts_once() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    let first = trigger(&world, RUN, &json!({})).ok()[0]["messageId"].clone();
    for _ in 0..2 {
        let again = trigger(&world, RUN, &json!({})).ok();
        assert_eq!((&again[0]["deduplicated"], &again[0]["messageId"]), (&json!(true), &first));
        world.settle();
        // While it goes on the window does not matter.
        world.advance(Duration::from_mins(11));
    }
    world.run();
    let again = trigger(&world, RUN, &json!({})).ok();
    assert_eq!(again[0]["deduplicated"], Value::Null);
    world.run();
    assert_eq!(world.get("/v2/workflows/logs").ok()["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_large_history_is_fetched_instead_of_delivered() {
    let mut settings = settings();
    settings.inline_history_bytes = 300;
    let world = World::with(settings);
    let ledger = serve(&world, order());
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let raw: Vec<RawStep> = serde_json::from_value(world.get(&format!("/v2/workflows/runs/{RUN}")).ok()).unwrap();
    assert_eq!(base64::decode(&raw[0].body).unwrap(), b"{\"n\":1}");
    world.run();
    let empty = world.received(WORKFLOW).iter().filter(|request| request.body.is_empty()).count();
    assert!(empty > 5, "{empty}");
    assert_eq!(ledger.borrow().finished.len(), 1);
}

#[test]
fn a_call_brings_the_third_partys_answer_to_the_endpoint() {
    for (answers, expected_status, calls) in [
        (vec![Response::new(200).body("answer")], 200, 1),
        (vec![Response::new(500), Response::new(201)], 201, 2),
        (vec![Response::new(404).body("gone")], 404, 2),
        (vec![Response::new(489).header("Upstash-NonRetryable-Error", "true")], 489, 1),
    ] {
        let world = World::new();
        world.answers("https://third.test", answers);
        let stages = vec![
            Stage::Call("ask", "https://third.test/api"),
            Stage::Parallel(vec![Stage::Run("side"), Stage::Call("ask too", "https://third.test/api")]),
        ];
        let ledger = serve(&world, stages);
        trigger(&world, RUN, &json!({ "upstash-forward-authorization": "Bearer user" })).ok();
        world.run();
        assert_eq!(ledger.borrow().finished.len(), 1, "{expected_status}");
        let third = world.received("https://third.test");
        assert_eq!(third[0].body, b"question");
        assert_eq!(third[0].headers.get("x-to"), Some("third-party"));
        // What the trigger forwards is for the endpoint, not for third parties.
        assert_eq!(third[0].headers.get("authorization"), None);
        assert!(third[0].headers.with_prefix("Upstash-Workflow-").next().is_none());
        let results: Vec<_> = world
            .received(WORKFLOW)
            .into_iter()
            .filter(|request| request.headers.contains("upstash-workflow-callback"))
            .collect();
        assert_eq!(results.len(), 2, "intermediate failures are not told");
        assert!(third.len() > calls);
        let body: Value = serde_json::from_slice(&results[0].body).unwrap();
        assert_eq!(body["status"], json!(expected_status));
        assert_eq!(results[0].headers.get("authorization"), Some("Bearer user"));
        let log = world.run_log(RUN);
        assert_eq!(log["steps"][1]["steps"][0]["attempts"], json!(calls));
        assert_eq!(world.get("/v2/dlq").ok()["messages"], json!([]));
    }
}

#[test]
fn what_a_trigger_forwards_reaches_the_failure_callback_too() {
    let world = World::new();
    let ledger = serve(&world, order());
    ledger.borrow_mut().failing.insert("charge".into(), 99);
    trigger(&world, RUN, &json!({ "upstash-retries": "0", "upstash-forward-x-tenant": "7" })).ok();
    world.run();
    assert_eq!(ledger.borrow().failed.len(), 1);
    let told = world.received(WORKFLOW).pop().unwrap();
    assert_eq!(told.headers.get("x-tenant"), Some("7"));
    assert_eq!(told.headers.get("upstash-workflow-runid"), Some(RUN));
}

#[test]
fn a_message_of_a_run_is_cancelled_with_its_run_only() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    let id = trigger(&world, RUN, &json!({})).message_in_batch();
    assert!(world.delete(&format!("/v2/messages/{id}")).error(400).contains("cancel the run instead"));
    let shown = world.get(&format!("/v2/messages/{id}")).ok();
    assert_eq!((&shown["workflowRunId"], &shown["body"]), (&json!(RUN), &json!("{\"n\":1}")));
    world.run();
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_SUCCESS"));
}

#[test]
fn finishing_is_idempotent_and_final() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let finish = world.request(Method::Delete, &format!("/v2/workflows/runs/{RUN}?cancel=false")).body("1");
    world.send(&finish).ok();
    world.send(&finish).ok();
    world.delete(&format!("/v2/workflows/runs/{RUN}?cancel=true")).error(404);
    world.delete(&format!("/v2/workflows/runs/{RUN}?cancel=perhaps")).error(400);
    world.delete("/v2/workflows/runs/wfr_unknown?cancel=false").error(404);
    assert_eq!(world.sql.count("messages"), 0, "the sleep is dropped");
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_SUCCESS"));
}

#[test]
fn runs_are_cancelled_one_by_one_and_in_bulk() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    for run in ["wfr_a", "wfr_b", "wfr_c", "wfr_d"] {
        trigger(&world, run, &json!({ "upstash-label": run })).ok();
    }
    world.settle();
    world.delete("/v2/workflows/runs/wfr_a").ok();
    world.delete("/v2/workflows/runs/wfr_a?cancel=true").ok();
    for query in ["", "?workflowRunId=wfr_b", "?lable=x&count=1", "?count=0"] {
        world.delete(&format!("/v2/workflows/runs{query}")).error(400);
    }
    let cancelled = |query: &str| world.delete(&format!("/v2/workflows/runs?{query}")).ok();
    assert_eq!(cancelled("workflowRunIds=wfr_a&workflowRunIds=wfr_b"), json!({ "cancelled": 1 }));
    assert_eq!(cancelled("workflowRunIds=wfr_a&workflowRunIds=wfr_b"), json!({ "cancelled": 0 }));
    assert_eq!(cancelled("label=wfr_c&workflowUrl=https://flow.test/"), json!({ "cancelled": 1 }));
    assert_eq!(cancelled("workflowUrl=https://flow.test/&workflowUrlExactMatch=true"), json!({ "cancelled": 0 }));
    assert_eq!(cancelled("count=100"), json!({ "cancelled": 1 }));
    assert_eq!(world.run_log("wfr_a")["workflowState"], json!("RUN_CANCELED"));
    let step = json!({ "stepId": 1, "stepName": "x", "stepType": "Run", "out": "1", "concurrent": 1 });
    assert!(world.batch(&json!([step_item("wfr_a", &step, &json!({}))])).error(400).contains("takes no step"));
    world.run();
    assert_eq!(world.sql.count("messages"), 0);
    let states = world.get("/v2/workflows/events?groupBy=workflowRunId&state=RUN_CANCELED&count=2").ok();
    assert_eq!(states["runs"].as_array().unwrap().len(), 2);
    assert!(states["cursor"].is_string());
}

#[test]
fn a_run_that_was_cancelled_during_a_delivery_is_not_retried() {
    let world = World::new();
    world.endpoint(WORKFLOW, |world, _| {
        world.delete(&format!("/v2/workflows/runs/{RUN}")).ok();
        Outcome::Answered(Response::new(500))
    });
    trigger(&world, RUN, &json!({})).ok();
    world.run();
    assert_eq!(world.received(WORKFLOW).len(), 1);
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_CANCELED"));
}

#[test]
fn a_lost_delivery_of_a_run_that_has_ended_is_not_repeated() {
    for (end, state) in [("?cancel=true", "CANCELED"), ("?cancel=false", "DELIVERED")] {
        let world = World::new();
        let ledger = serve(&world, order());
        let id = trigger(&world, RUN, &json!({})).ok()[0]["messageId"].as_str().unwrap().to_owned();
        assert_eq!(world.take(1).len(), 1);
        world.delete(&format!("/v2/workflows/runs/{RUN}{end}")).ok();
        world.run();
        assert!(world.received(WORKFLOW).is_empty() && ledger.borrow().computed.is_empty());
        assert_eq!(world.states(&id), ["CREATED", "ACTIVE", state]);
    }
}

#[test]
fn a_step_that_was_accepted_is_not_computed_again_when_the_answer_is_lost() {
    let mut world = World::on_file("accepted");
    let ledger = serve(&world, vec![Stage::Run("one"), Stage::Parallel(vec![Stage::Run("two"), Stage::Run("three")])]);
    trigger(&world, RUN, &json!({})).ok();
    // Every first delivery loses its outcome.
    loop {
        for delivery in world.take(10) {
            let _lost = world.deliver(&delivery);
        }
        world.restart();
        match world.next_wake() {
            None => break,
            Some(at) => world.advance(at - world.now()),
        }
    }
    let ledger = ledger.borrow();
    let mut computed: Vec<&str> = ledger.computed.iter().map(|(_, step)| step.as_str()).collect();
    computed.sort_unstable();
    assert_eq!(computed, ["one", "three", "two"]);
    assert_eq!(ledger.finished.len(), 1);
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_SUCCESS"));
}

#[test]
fn a_step_that_arrives_after_its_lease_ended_still_counts() {
    let world = World::new();
    let ledger = serve(&world, vec![Stage::Run("one"), Stage::Run("two")]);
    trigger(&world, RUN, &json!({})).ok();
    let stale = world.take(1).remove(0);
    world.advance(Duration::from_hours(1));
    let again = world.take(1).remove(0);
    // The first invocation was slow; both submit the step.
    let late = world.deliver(&stale);
    world.tell(&stale, late);
    let outcome = world.deliver(&again);
    world.tell(&again, outcome);
    world.run();
    assert_eq!(ledger.borrow().finished, [(RUN.to_owned(), 2)]);
    assert_eq!(ledger.borrow().computed.iter().filter(|(_, step)| step == "two").count(), 1);
}

#[test]
fn steps_that_can_not_be_read_are_refused() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let stored = world.sql.count("steps");
    for (step, expected) in [
        (json!("text"), "not a step"),
        (json!({ "stepId": 1 }), "not a step"),
        (json!({ "stepId": 1, "stepName": "a", "stepType": "Dance", "concurrent": 1 }), "Dance"),
        (json!({ "stepId": 0, "stepName": "a", "stepType": "Run", "concurrent": 1 }), "count from 1"),
        (json!({ "stepId": 1, "stepName": "a", "stepType": "Run", "concurrent": 0 }), "count from 1"),
    ] {
        let error = world.batch(&json!([step_item(RUN, &step, &json!({}))])).error(412);
        assert!(error.contains(expected), "{step}: {error}");
    }
    let good = json!({ "stepId": 1, "stepName": "a", "stepType": "Run", "concurrent": 1 });
    let other = step_item(RUN, &good, &json!({ "upstash-workflow-calltype": "fromCallback" }));
    world.batch(&json!([other])).error(412);
    // The SDK takes 400 for the end of the run and stops quietly: only that has this status.
    world.batch(&json!([step_item("wfr_none", &good, &json!({}))])).error(400);
    // One bad plan, and the group is refused: half a group would never end.
    let bad = step_item(RUN, &good, &json!({ "upstash-delay": "soon" }));
    world.batch(&json!([step_item(RUN, &good, &json!({})), bad])).error(412);
    assert_eq!(world.sql.count("steps"), stored);
}

#[test]
fn ended_runs_are_forgotten_with_their_history() {
    let world = World::new();
    serve(&world, vec![Stage::Run("one")]);
    let large = "x".repeat(600 * 1024);
    world.batch(&json!([trigger_item(RUN, &large, &json!({}))])).ok();
    world.run();
    assert!(world.sql.count("parts") > 0);
    world.advance(Duration::from_hours(24 * 7) + Duration::from_mins(1));
    world.settle();
    for table in ["runs", "steps", "parts", "events", "deduplications"] {
        assert_eq!(world.sql.count(table), 0, "{table}");
    }
}

#[test]
fn the_sdk_triggers_a_run_again_that_somebody_triggered_without_knowing_its_protocol() {
    let world = World::new();
    let triggered = std::cell::Cell::new(0);
    let trigger_of_the_sdk = || {
        trigger_item(
            RUN,
            "{\"n\":1}",
            &json!({ "upstash-workflow-trigger-by-sdk": "true", "upstash-forward-x-tenant": "7" }),
        )
    };
    world.endpoint(WORKFLOW, move |world, request| {
        let answer = Response::new(200).header("upstash-workflow-sdk-version", "1");
        if request.headers.contains("upstash-workflow-unknown-sdk") {
            let answer = world.batch(&json!([trigger_of_the_sdk()])).ok();
            assert_eq!(answer[0]["deduplicated"], Value::Null);
        } else {
            let history: Vec<RawStep> = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(base64::decode(&history[0].body).unwrap(), b"{\"n\":1}");
            if triggered.replace(1) == 0 {
                let step = json!({ "stepId": 1, "stepName": "only", "stepType": "Run", "out": "1", "concurrent": 1 });
                world.batch(&json!([step_item(RUN, &step, &json!({}))])).ok();
            } else {
                // Too late: the run has a step.
                let answer = world.batch(&json!([trigger_of_the_sdk()])).ok();
                assert_eq!(answer[0]["deduplicated"], json!(true));
                world.delete(&format!("/v2/workflows/runs/{RUN}?cancel=false")).ok();
            }
        }
        Outcome::Answered(answer)
    });
    let extra = json!({ "upstash-forward-upstash-workflow-unknown-sdk": "true", "upstash-retries": "0" });
    trigger(&world, RUN, &extra).ok();
    world.run();
    let tenants: Vec<_> =
        world.received(WORKFLOW).iter().map(|request| request.headers.get("x-tenant").map(str::to_owned)).collect();
    assert_eq!(tenants, [None, Some("7".to_owned()), Some("7".to_owned())]);
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_SUCCESS"));
}

#[test]
fn runs_are_found_by_key_message_and_creation() {
    let world = World::new();
    let start = |id: &str, key: &str| {
        let headers =
            [("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", id), ("Upstash-Flow-Control-Key", key)];
        world.publish("https://flow.test/", &headers, "").message_id()
    };
    let message = start("wfr_1", "a");
    start("wfr_2", "b");
    let found = |filter: &str| {
        let runs = world.get(&format!("/v2/workflows/logs?{filter}")).ok()["runs"].clone();
        runs.as_array().unwrap().iter().map(|run| run["workflowRunId"].clone()).collect::<Vec<_>>()
    };
    let created = world.now().millis();
    assert_eq!(found("flowControlKey=b"), ["wfr_2"]);
    assert_eq!(found(&format!("messageId={message}")), ["wfr_1"]);
    assert_eq!(found(&format!("workflowRuns=wfr_1@{created}&workflowRuns=wfr_2@{created}")).len(), 2);
    assert_eq!(found(&format!("workflowRuns=wfr_1@{}", created + 1)), [json!(null); 0]);
    assert_eq!(world.delete("/v2/workflows/runs?flowControlKey=b").ok()["cancelled"], json!(1));
    assert_eq!(found("state=RUN_CANCELED"), ["wfr_2"]);
}

#[test]
fn a_run_whose_endpoint_submits_nothing_says_what_it_waits_for() {
    let world = World::new();
    world.answers("https://flow.test/", [ok().header("Upstash-Workflow-Sdk-Version", "1")]);
    let headers = [("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-RunId", "wfr_1")];
    world.publish("https://flow.test/", &headers, "").message_id();
    world.advance(Duration::from_secs(3));
    world.run();
    let log = world.run_log("wfr_1");
    assert_eq!(log["waitsFor"], json!([{ "for": "submission", "since": world.now().millis() }]));
}
