//! Runs that invoke runs.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use crate::support::workflow::{Stage, WORKFLOW, invoke_request, serve, serve_at, trigger};
use crate::support::world::{START, World};
use orchestration::wire::base64;
use serde_json::{Value, json};

const RUN: &str = "wfr_1";
const CHILD: &str = "https://flow.test/child";

fn parent() -> Vec<Stage> {
    vec![Stage::Run("before"), Stage::Invoke("sub", CHILD), Stage::Run("after")]
}

fn out(text: Option<String>) -> Value {
    serde_json::from_str(&text.unwrap()).unwrap()
}

#[test]
fn a_run_waits_for_the_run_that_it_invokes() {
    let world = World::new();
    let ledger = serve(&world, parent());
    let child = serve_at(&world, CHILD, vec![Stage::Sleep("nap", 60), Stage::Run("work")]);
    trigger(&world, RUN, &json!({ "upstash-forward-x-tenant": "7" })).ok();
    world.settle();
    let log = world.run_log(RUN);
    let step = &log["steps"][2]["steps"][0];
    assert_eq!((&step["stepType"], &step["state"]), (&json!("Invoke"), &json!("STEP_PROGRESS")));
    assert_eq!(step["invokedWorkflowUrl"], json!(CHILD));
    assert_eq!(step["invokedWorkflowRunId"], json!("wfr_1-2-1"));
    world.run();
    assert_eq!(world.now(), START + Duration::from_mins(1));
    assert_eq!(ledger.borrow().finished, [(RUN.to_owned(), 3)]);
    let result = out(ledger.borrow().out(RUN, 2));
    assert_eq!(result, json!({ "body": "\"done\"", "isFailed": false, "isCanceled": false }));
    assert_eq!(child.borrow().finished.len(), 1);
    let first = &world.received(CHILD)[0];
    assert_eq!(first.headers.get("x-child"), Some("yes"));
    assert_eq!(first.headers.get("upstash-workflow-invoke-count"), Some("1"));
    assert_eq!(first.headers.get("x-tenant"), None, "a run's headers are its own");
    assert_eq!(first.headers.get("upstash-workflow-runid"), Some("wfr_1-2-1"));
    let history: Value = serde_json::from_slice(&first.body).unwrap();
    let payload = base64::decode(history[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(payload, b"{\"from\":\"parent\"}");
    let invoker = &world.run_log("wfr_1-2-1")["invoker"];
    assert_eq!((&invoker["workflowRunId"], &invoker["workflowUrl"]), (&json!(RUN), &json!(WORKFLOW)));
    assert_eq!(world.sql.count("invocations"), 0);
}

#[test]
fn a_run_is_told_that_the_run_it_invoked_failed_or_was_cancelled() {
    for fails in [true, false] {
        let world = World::new();
        let ledger = serve(&world, parent());
        let child = serve_at(&world, CHILD, vec![Stage::Sleep("nap", 60), Stage::Run("work")]);
        child.borrow_mut().failing.insert("work".into(), 99);
        trigger(&world, RUN, &json!({})).ok();
        world.settle();
        if !fails {
            world.delete("/v2/workflows/runs?workflowRunIds=wfr_1-2-1").ok();
        }
        world.run();
        assert_eq!(ledger.borrow().finished.len(), 1);
        assert_eq!(out(ledger.borrow().out(RUN, 2)), json!({ "isFailed": fails, "isCanceled": !fails }));
        assert_eq!(child.borrow().failed.len(), usize::from(fails), "the failure is told to the child's own function");
    }
}

#[test]
fn invocations_stand_in_parallel_groups_and_chains() {
    let world = World::new();
    let grandchild = "https://flow.test/grandchild";
    let ledger = serve(
        &world,
        vec![
            Stage::Parallel(vec![Stage::Invoke("a", CHILD), Stage::Run("b"), Stage::Invoke("c", grandchild)]),
            Stage::Run("end"),
        ],
    );
    serve_at(&world, CHILD, vec![Stage::Invoke("deeper", grandchild)]);
    let deepest = serve_at(&world, grandchild, vec![Stage::Sleep("nap", 5)]);
    trigger(&world, RUN, &json!({})).ok();
    world.run();
    assert_eq!(ledger.borrow().finished, [(RUN.to_owned(), 4)]);
    assert_eq!(deepest.borrow().finished.len(), 2);
    for place in [1, 3] {
        assert_eq!(out(ledger.borrow().out(RUN, place))["body"], json!("\"done\""));
    }
}

#[test]
fn an_invocation_that_is_repeated_starts_one_run() {
    let mut world = World::on_file("invoke");
    let ledger = serve(&world, parent());
    let child = serve_at(&world, CHILD, vec![Stage::Sleep("nap", 60)]);
    trigger(&world, RUN, &json!({})).ok();
    // Every outcome is lost, and so the endpoint is asked again, which makes up another id for the child.
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
    assert_eq!(ledger.borrow().finished.len(), 1);
    assert_eq!(child.borrow().finished.len(), 1);
    let step = json!({ "stepId": 7, "stepName": "sub", "stepType": "Invoke", "concurrent": 1 });
    trigger(&world, "wfr_2", &json!({})).ok();
    let first = world.send(&invoke_request(&world, "wfr_2", "wfr_x", CHILD, &step, 1)).ok();
    assert_eq!(first["workflowRunId"], json!("wfr_x"));
    let again = world.send(&invoke_request(&world, "wfr_2", "wfr_y", CHILD, &step, 1));
    assert_eq!((again.status(), &again.json()["messageId"]), (202, &first["messageId"]));
    assert!(world.run_log("wfr_y").is_null());
}

#[test]
fn a_run_that_is_there_already_is_waited_for() {
    let world = World::new();
    serve(&world, vec![Stage::Wait("wait", "never", 3600)]);
    serve_at(&world, CHILD, vec![Stage::Sleep("nap", 60)]);
    trigger(&world, "wfr_1", &json!({})).ok();
    trigger(&world, "wfr_2", &json!({})).ok();
    world.settle();
    let step = |id: u32| json!({ "stepId": id, "stepName": "sub", "stepType": "Invoke", "concurrent": 1 });
    world.send(&invoke_request(&world, "wfr_1", "wfr_shared", CHILD, &step(2), 1)).ok();
    assert_eq!(world.send(&invoke_request(&world, "wfr_2", "wfr_shared", CHILD, &step(2), 1)).status(), 202);
    world.settle();
    world.advance(Duration::from_mins(1));
    world.settle();
    assert!(world.has_result("wfr_1", 2) && world.has_result("wfr_2", 2));
    // It has just ended: its result is there at once.
    assert_eq!(world.send(&invoke_request(&world, "wfr_1", "wfr_shared", CHILD, &step(3), 1)).status(), 202);
    assert!(world.has_result("wfr_1", 3));
    assert_eq!(world.received(CHILD).len(), 2);
}

#[test]
fn the_end_of_a_run_does_not_end_the_run_that_it_invoked() {
    let world = World::new();
    serve(&world, parent());
    let child = serve_at(&world, CHILD, vec![Stage::Sleep("nap", 60)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    world.delete(&format!("/v2/workflows/runs/{RUN}")).ok();
    assert_eq!(world.sql.count("invocations"), 0);
    world.run();
    assert_eq!(child.borrow().finished.len(), 1);
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_CANCELED"));
}

#[test]
fn invocations_that_can_not_be_are_refused_for_good() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("nap", 3600)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let step = json!({ "stepId": 2, "stepName": "sub", "stepType": "Invoke", "concurrent": 1 });
    let other = json!({ "stepId": 2, "stepName": "sub", "stepType": "Run", "concurrent": 1 });
    let refused = |child: &str, url: &str, step: &Value, depth: u32, status: u16| {
        world.send(&invoke_request(&world, RUN, child, url, step, depth)).error(status)
    };
    assert!(refused("wfr_c", CHILD, &step, 101, 412).contains("100 deep"));
    assert!(refused(RUN, CHILD, &step, 1, 412).contains("invokes itself"));
    assert!(refused("wfr_c", CHILD, &other, 1, 412).contains("stepType Invoke"));
    let bare = invoke_request(&world, RUN, "wfr_c", CHILD, &step, 1).body("{}");
    assert!(world.send(&bare).error(412).contains("envelope"));
    world.send(&invoke_request(&world, "wfr_none", "wfr_c", CHILD, &step, 1)).error(400);
    assert_eq!(world.sql.count("runs"), 1);
    world.send(&invoke_request(&world, RUN, "wfr_c", CHILD, &step, 100)).ok();
}

#[test]
fn the_log_of_a_failed_group_tells_which_member_failed_and_that_the_invoked_run_ended() {
    let world = World::new();
    let group = Stage::Parallel(vec![Stage::Invoke("sub", CHILD), Stage::Run("broken")]);
    let ledger = serve(&world, vec![group]);
    ledger.borrow_mut().failing.insert("broken".into(), 99);
    serve_at(&world, CHILD, vec![Stage::Sleep("nap", 3600), Stage::Run("work")]);
    trigger(&world, RUN, &json!({ "upstash-retries": "0" })).ok();
    world.settle();
    let states = |log: &Value| -> Vec<Value> {
        let steps = log["steps"][1]["steps"].as_array().unwrap();
        steps.iter().map(|step| json!([step["stepName"], step["state"], step["errors"][0]["status"]])).collect()
    };
    let log = world.run_log(RUN);
    assert_eq!(log["workflowState"], json!("RUN_FAILED"));
    assert_eq!(log["steps"][1]["type"], json!("parallel"));
    assert_eq!(states(&log), [json!(["sub", "STEP_PROGRESS", null]), json!(["broken", "STEP_FAILED", 500])]);
    assert_eq!(log["steps"].as_array().unwrap().len(), 2, "what failed is told once: {log}");
    world.run();
    let log = world.run_log(RUN);
    assert_eq!(states(&log), [json!(["sub", "STEP_SUCCESS", null]), json!(["broken", "STEP_FAILED", 500])]);
}
