//! Starting runs by REST, without knowing the SDK that serves them.
#![allow(clippy::unwrap_used)]

use crate::support::workflow::{WORKFLOW, step_item, trigger_item};
use crate::support::world::{Answer, START, World, ok};
use orchestration::broker::Outcome;
use orchestration::wire::callback::CallbackBody;
use orchestration::wire::{Method, RawStep, Request, Response, base64};
use serde_json::{Value, json};

const RUN: &str = "wfr_1";

fn trigger(world: &World, headers: &[(&str, &str)], body: &str) -> Answer {
    let request = world.request(Method::Post, &format!("/v2/trigger/{WORKFLOW}")).body(body);
    world.send(&headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

fn batch(world: &World, items: &Value) -> Answer {
    world.send(&world.request(Method::Post, "/v2/batch/trigger").body(items.to_string()))
}

fn run_id(request: &Request) -> String {
    request.headers.get("upstash-workflow-runid").unwrap().to_owned()
}

fn payload(request: &Request) -> String {
    let history: Vec<RawStep> = serde_json::from_slice(&request.body).unwrap();
    String::from_utf8(base64::decode(&history[0].body).unwrap()).unwrap()
}

/// An endpoint with an SDK that knows what to do: it triggers the run again, takes a step, and ends.
fn sdk(world: &World) {
    world.endpoint(WORKFLOW, |world, request| {
        let id = run_id(request);
        let history: Vec<RawStep> = serde_json::from_slice(&request.body).unwrap();
        if request.headers.contains("upstash-workflow-unknown-sdk") {
            assert!(!request.headers.contains("upstash-workflow-sdk-version"));
            let tenant = request.headers.get("x-tenant").unwrap_or("none");
            let extra = json!({ "upstash-workflow-trigger-by-sdk": "true", "upstash-forward-x-tenant": tenant });
            let answer = world.batch(&json!([trigger_item(&id, &payload(request), &extra)])).ok();
            assert_eq!(answer[0]["deduplicated"], Value::Null);
        } else if history.len() == 1 {
            let step = json!({ "stepId": 1, "stepName": "only", "stepType": "Run", "out": "1", "concurrent": 1 });
            world.batch(&json!([step_item(&id, &step, &json!({}))])).ok();
        } else {
            world.send(&world.request(Method::Delete, &format!("/v2/workflows/runs/{id}?cancel=false")).body("7")).ok();
        }
        Outcome::Answered(Response::new(200).header("upstash-workflow-sdk-version", "1"))
    });
}

#[test]
fn a_run_goes_from_rest_to_its_result() {
    let world = World::new();
    sdk(&world);
    let headers = [
        ("Content-Type", "application/json"),
        ("Upstash-Forward-X-Tenant", "7"),
        ("Upstash-Label", "rest"),
        ("Upstash-Retries", "1"),
        ("Upstash-Retry-Delay", "1000"),
        ("Upstash-Delay", "10s"),
        ("Upstash-Flow-Control-Key", "shop"),
        ("Upstash-Flow-Control-Value", "parallelism=2"),
    ];
    let answer = trigger(&world, &headers, "{\"n\":1}").ok();
    let id = answer["workflowRunId"].as_str().unwrap().to_owned();
    assert_eq!(answer, json!({ "workflowRunId": id, "workflowCreatedAt": START.millis() }));
    assert!(id.starts_with("wfr_"), "{id}");
    world.run();
    let received = world.received_at(WORKFLOW);
    assert_eq!(received[0].0, 10_000);
    let told: Vec<_> = received
        .iter()
        .map(|(_, request)| {
            let header = |name: &str| request.headers.get(name).map(str::to_owned);
            assert_eq!((payload(request), header("x-tenant")), ("{\"n\":1}".to_owned(), Some("7".to_owned())));
            assert_eq!((header("upstash-label"), run_id(request)), (Some("rest".to_owned()), id.clone()));
            (header("upstash-workflow-unknown-sdk"), header("upstash-workflow-sdk-version"))
        })
        .collect();
    let known = (None, Some("1".to_owned()));
    assert_eq!(told, [(Some("true".to_owned()), None), known.clone(), known]);
    let log = world.run_log(&id);
    assert_eq!((&log["workflowState"], &log["workflowRunResponse"]), (&json!("RUN_SUCCESS"), &json!("7")));
    assert_eq!(world.get("/v2/logs?flowControlKey=shop&state=DELIVERED").ok()["logs"].as_array().unwrap().len(), 3);
}

#[test]
fn the_same_id_starts_one_run() {
    let world = World::new();
    let first = trigger(&world, &[("Upstash-Workflow-RunId", RUN)], "").ok();
    assert_eq!(first["workflowRunId"], json!(RUN));
    let again = trigger(&world, &[("Upstash-Workflow-RunId", RUN)], "");
    let expected =
        json!({ "workflowRunId": RUN, "workflowCreatedAt": first["workflowCreatedAt"], "deduplicated": true });
    assert_eq!((again.status(), again.json()), (202, expected));
    let by = [("Upstash-Deduplication-Id", "once")];
    let first = trigger(&world, &by, "").ok();
    let again = trigger(&world, &by, "");
    assert_eq!((again.status(), &again.json()["workflowRunId"]), (202, &first["workflowRunId"]));
    assert_eq!(world.sql.count("runs"), 2);
}

#[test]
fn a_batch_tells_of_each_run() {
    let world = World::new();
    sdk(&world);
    let answer = batch(
        &world,
        &json!([
            { "destination": WORKFLOW, "headers": { "Upstash-Workflow-RunId": RUN }, "body": "{\"n\":1}" },
            { "destination": WORKFLOW, "body": { "n": 2 } },
            { "destination": "ftp://a.test", "headers": { "Upstash-Workflow-RunId": "wfr_2" } },
            { "destination": WORKFLOW, "headers": { "Upstash-Workflow-RunId": RUN } },
        ]),
    );
    let (status, runs) = (answer.status(), answer.json());
    assert_eq!((status, &runs[0]["workflowRunId"], &runs[0]["deduplicated"]), (201, &json!(RUN), &Value::Null));
    assert!(runs[2]["error"].as_str().unwrap().contains("http://"), "{runs}");
    assert_eq!((&runs[3]["workflowRunId"], &runs[3]["deduplicated"]), (&json!(RUN), &json!(true)));
    world.run();
    let mut payloads: Vec<String> = world
        .received(WORKFLOW)
        .iter()
        .filter(|request| request.headers.contains("upstash-workflow-unknown-sdk"))
        .map(payload)
        .collect();
    payloads.sort();
    assert_eq!(payloads, ["{\"n\":1}", "{\"n\":2}"]);
    for body in [json!({}), json!([]), json!([{ "destination": "ftp://a.test" }])] {
        batch(&world, &body).error(400);
    }
}

#[test]
fn what_is_no_workflow_url_is_refused() {
    let world = World::new();
    let send = |path: &str| world.send(&world.request(Method::Post, path));
    for path in ["/v2/trigger/ftp://a.test", "/v2/trigger/group", "/v2/trigger/api/llm"] {
        assert!(send(path).error(400).contains("http://"), "{path}");
    }
    assert!(trigger(&world, &[("Upstash-Workflow-RunId", "a/b")], "").error(400).contains("RunId"));
    assert!(trigger(&world, &[("Upstash-Queue-Name", "q")], "").error(400).contains("run"));
    assert!(world.send(&Request::new(Method::Post, format!("http://b/v2/trigger/{WORKFLOW}"))).status() == 401);
    assert_eq!(world.sql.count("runs"), 0);
    // Headers of the protocol are not for whoever triggers.
    let headers = [("Upstash-Workflow-Invoke", "true"), ("Upstash-Workflow-CallType", "toCallback")];
    trigger(&world, &headers, "").ok();
    assert_eq!(world.sql.count("runs"), 1);
}

/// The state and the failure of the only run, and what its failure callback was told.
fn failure(world: &World, id: &str) -> (Value, CallbackBody) {
    world.run();
    let told = world.received("https://back.test");
    assert_eq!(told.len(), 1);
    assert!(!told[0].headers.contains("upstash-workflow-unknown-sdk"));
    assert_eq!(told[0].headers.get("team"), Some("blue"));
    (world.run_log(id), serde_json::from_slice(&told[0].body).unwrap())
}

#[test]
fn what_does_not_know_how_to_go_on_fails_the_run_at_once() {
    let answered = || Response::new(200).header("upstash-workflow-sdk-version", "1");
    for (answer, expected) in [(answered(), "after v1.0.0 major version"), (ok(), "non-workflow destination")] {
        let world = World::new();
        world.answers(WORKFLOW, [answer]);
        world.answers("https://back.test", [ok()]);
        let headers = [
            ("Upstash-Workflow-RunId", RUN),
            ("Upstash-Failure-Callback", "https://back.test"),
            ("Upstash-Failure-Callback-Forward-Team", "blue"),
        ];
        trigger(&world, &headers, "pay").ok();
        let (log, told) = failure(&world, RUN);
        assert_eq!(log["workflowState"], json!("RUN_FAILED"));
        assert!(log["error"].as_str().unwrap().contains(expected), "{log}");
        assert_eq!(world.received(WORKFLOW).len(), 1, "no retries");
        assert_eq!(told.workflow_run_id.as_deref(), Some(RUN));
        assert_eq!(told.source_body, base64::encode("pay"));
        assert!(String::from_utf8(base64::decode(&told.body).unwrap()).unwrap().contains(expected));
    }
}

#[test]
fn a_first_delivery_that_fails_is_repeated_as_such_and_so_is_a_restart() {
    let world = World::new();
    world.answers(WORKFLOW, [Response::new(500)]);
    trigger(&world, &[("Upstash-Workflow-RunId", RUN), ("Upstash-Retries", "1")], "{\"n\":1}").ok();
    world.run();
    assert_eq!(world.run_log(RUN)["workflowState"], json!("RUN_FAILED"));
    sdk(&world);
    let letter = world.get("/v2/workflows/dlq").ok()["messages"][0]["dlqId"].clone();
    let path = format!("/v2/workflows/dlq/restart/{}", letter.as_str().unwrap());
    let again = world.send(&world.request(Method::Post, &path)).ok();
    world.run();
    let id = again["workflowRunId"].as_str().unwrap();
    assert_eq!(world.run_log(id)["workflowState"], json!("RUN_SUCCESS"));
    let unknown: Vec<bool> =
        world.received(WORKFLOW).iter().map(|it| it.headers.contains("upstash-workflow-unknown-sdk")).collect();
    assert_eq!(unknown, [true, true, true, false, false]);
}
