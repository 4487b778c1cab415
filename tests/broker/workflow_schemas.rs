//! The schemas of Workflow's specification and of the official client's types: runs, steps, waiters, failed runs.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::protocol::{has, members};
use crate::support::workflow::{Stage, WORKFLOW, serve, serve_at, trigger, trigger_item};
use crate::support::world::{START, World};
use orchestration::wire::{Method, Response};
use serde_json::{Value, json};

const RUN: &str = "wfr_1";
const CHILD: &str = "https://flow.test/child";
const THIRD: &str = "https://third.test/";

/// The steps of a run's log by name.
fn step<'a>(log: &'a Value, name: &str) -> &'a Value {
    let groups = log["steps"].as_array().unwrap();
    let mut steps = groups.iter().flat_map(|group| group["steps"].as_array().unwrap());
    steps.find(|step| step["stepName"] == name).unwrap_or_else(|| panic!("no step {name} in {log}"))
}

#[test]
fn the_log_of_a_run_has_these_members() {
    let world = World::new();
    serve_at(&world, CHILD, vec![Stage::Run("inner")]);
    serve(
        &world,
        vec![
            Stage::Run("run"),
            Stage::Sleep("sleep", 10),
            Stage::Call("call", THIRD),
            Stage::Invoke("invoke", CHILD),
            Stage::Wait("wait", "never", 60),
            Stage::Parallel(vec![Stage::Run("left"), Stage::Run("right")]),
        ],
    );
    world.answers(THIRD, [Response::new(201).header("x-answer", "1").body("pong")]);
    let extra = json!({
        "upstash-label": "one,two",
        "upstash-caller-ip": "10.0.0.7",
        "upstash-flow-control-key": "shop",
        "upstash-flow-control-value": "parallelism=5",
    });
    let request = world.request(Method::Post, "/v2/batch").header("Upstash-Caller-Ip", "10.0.0.7");
    world.send(&request.body(json!([trigger_item(RUN, "{\"n\":1}", &extra)]).to_string())).ok();
    world.run();
    let log = world.run_log(RUN);
    has(
        &log,
        &[
            ("workflowRunId", json!(RUN)),
            ("workflowUrl", json!(WORKFLOW)),
            ("workflowState", json!("RUN_SUCCESS")),
            ("workflowRunCreatedAt", json!(START.millis())),
            ("workflowRunCompletedAt", json!(world.now().millis())),
            ("workflowRunCallerIp", json!("10.0.0.7")),
            ("flowControlKey", json!("shop")),
            ("label", json!("one")),
            ("labels", json!(["one", "two"])),
        ],
    );
    assert!(log["workflowRunResponse"].is_string());
    let path = format!("/v2/workflows/logs?workflowRunId={RUN}&trimBody=");
    let trimmed = world.get(&format!("{path}3")).ok();
    assert_eq!(step(&trimmed["runs"][0], "run")["out"], json!("\"ru"));
    let without = world.get(&format!("{path}-1")).ok();
    assert_eq!(step(&without["runs"][0], "run")["out"], Value::Null);
    world.get(&format!("{path}some")).error(400);
    let types: Vec<&str> =
        log["steps"].as_array().unwrap().iter().map(|group| group["type"].as_str().unwrap()).collect();
    assert_eq!(types[types.len() - 1], "parallel");
    assert!(types[..types.len() - 1].iter().all(|kind| *kind == "sequential"), "{types:?}");

    for (id, (name, kind)) in
        [("run", "Run"), ("sleep", "SleepFor"), ("call", "Call"), ("invoke", "Invoke"), ("wait", "Wait")]
            .into_iter()
            .enumerate()
    {
        let step = step(&log, name);
        has(
            step,
            &[
                ("stepId", json!(id + 1)),
                ("stepType", json!(kind)),
                ("callType", json!("step")),
                ("concurrent", json!(1)),
                ("state", json!("STEP_SUCCESS")),
            ],
        );
        for member in ["messageId", "createdAt", "headers", "retries"] {
            assert!(!step[member].is_null(), "{name} has no {member}: {step}");
        }
    }
    assert_eq!(step(&log, "left")["concurrent"], json!(2));
    has(step(&log, "sleep"), &[("sleepFor", json!(10))]);
    has(
        step(&log, "call"),
        &[("callUrl", json!(THIRD)), ("callMethod", json!("POST")), ("callResponseStatus", json!(201))],
    );
    let invoked = step(&log, "invoke");
    has(invoked, &[("invokedWorkflowUrl", json!(CHILD))]);
    assert_eq!(
        invoked["invokedWorkflowCreatedAt"],
        log["workflowRunCreatedAt"].as_u64().map(|at| json!(at + 10_000)).unwrap()
    );
    has(
        step(&log, "wait"),
        &[("waitEventId", json!("never")), ("waitTimeoutDuration", json!("60s")), ("waitTimeout", json!(true))],
    );
    assert!(step(&log, "wait")["waitTimeoutDeadline"].is_u64());
    let child = world.run_log(invoked["invokedWorkflowRunId"].as_str().unwrap());
    has(&child["invoker"], &[("workflowRunId", json!(RUN)), ("workflowUrl", json!(WORKFLOW))]);
    assert!(child["invoker"]["workflowRunCreatedAt"].is_u64());
}

#[test]
fn the_steps_of_a_run_have_these_members() {
    let world = World::new();
    serve(&world, vec![Stage::Run("run"), Stage::Sleep("sleep", 10)]);
    let started = trigger(&world, RUN, &json!({})).ok();
    members(&started[0], &["messageId", "workflowRunId", "workflowCreatedAt"]);
    world.settle();
    let steps = world.get(&format!("/v2/workflows/runs/{RUN}")).ok();
    assert_eq!(steps.as_array().unwrap().len(), 3);
    for step in steps.as_array().unwrap() {
        members(step, &["messageId", "body", "callType"]);
    }
    let log = world.run_log(RUN);
    let next = log["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(next["type"], json!("next"));
    for member in ["messageId", "state", "retries"] {
        assert!(!next["steps"][0][member].is_null(), "{member}: {next}");
    }
    world.run();
    world.get(&format!("/v2/workflows/runs/{RUN}")).error(404);
}

#[test]
fn waiters_and_notifications_have_these_members() {
    let world = World::new();
    serve(&world, vec![Stage::Wait("wait", "paid", 60)]);
    trigger(&world, RUN, &json!({})).ok();
    world.settle();
    let waiters = world.get("/v2/waiters/paid").ok();
    members(&waiters[0], &["url", "headers", "deadline", "timeoutBody", "timeoutUrl", "timeoutHeaders"]);
    has(
        &waiters[0],
        &[("url", json!(WORKFLOW)), ("deadline", json!(START.seconds() + 60)), ("timeoutUrl", json!(WORKFLOW))],
    );
    let told = world.send(&world.request(Method::Post, "/v2/notify/paid").body("1"));
    assert_eq!(told.status(), 201);
    let told = told.json();
    members(&told[0], &["waiter", "messageId", "deduplicated", "error", "workflowRunId", "workflowCreatedAt"]);
    assert_eq!((&told[0]["waiter"], &told[0]["error"]), (&waiters[0], &json!("")));
}

#[test]
fn a_failed_run_has_these_members() {
    let world = World::new();
    let ledger = serve(&world, vec![Stage::Run("run")]);
    ledger.borrow_mut().failing.insert("run".to_owned(), 9);
    let extra = json!({ "upstash-retries": "0", "upstash-label": "one", "upstash-caller-ip": "10.0.0.7" });
    trigger(&world, RUN, &extra).ok();
    world.run();
    let list = world.get("/v2/workflows/dlq").ok();
    let failed = &list["messages"][0];
    assert_eq!(world.get("/v2/dlq?source=workflow").ok(), list);
    assert_eq!(&world.get(&format!("/v2/workflows/dlq/{}", failed["dlqId"].as_str().unwrap())).ok(), failed);
    has(
        failed,
        &[
            ("workflowRunId", json!(RUN)),
            ("workflowUrl", json!(WORKFLOW)),
            ("workflowCreatedAt", json!(START.millis())),
            ("url", json!(WORKFLOW)),
            ("method", json!("POST")),
            ("maxRetries", json!(0)),
            ("responseStatus", json!(500)),
            ("failureCallback", json!(WORKFLOW)),
            ("label", json!("one")),
            ("labels", json!(["one"])),
        ],
    );
    for member in ["dlqId", "messageId", "header", "body", "createdAt", "notBefore", "responseHeader", "responseBody"] {
        assert!(!failed[member].is_null(), "{member}: {failed}");
    }
    has(&failed["failureCallbackInfo"], &[("state", json!("CALLBACK_SUCCESS")), ("responseStatus", json!(200))]);
    let log = world.run_log(RUN);
    has(&log, &[("workflowState", json!("RUN_FAILED")), ("dlqId", failed["dlqId"].clone())]);
    let told = &log["failureFunction"];
    has(
        told,
        &[
            ("url", json!(WORKFLOW)),
            ("state", json!("CALLBACK_SUCCESS")),
            ("failStatus", json!(500)),
            ("dlqId", failed["dlqId"].clone()),
            ("responseStatus", json!(200)),
        ],
    );
    for member in ["messageId", "failHeaders", "failResponse", "responseBody", "responseHeaders"] {
        assert!(!told[member].is_null(), "{member}: {told}");
    }
    let broken = log["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&broken["type"], &broken["steps"][0]["state"]), (&json!("next"), &json!("STEP_FAILED")));
    members(&broken["steps"][0]["errors"][0], &["error", "body", "headers", "status", "time"]);
}
