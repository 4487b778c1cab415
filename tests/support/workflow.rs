//! A workflow endpoint as small as can be: it follows a list of stages the way the official SDK does.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use orchestration::broker::Outcome;
use orchestration::wire::callback::CallbackBody;
use orchestration::wire::{CallType, Method, RawStep, Request, Response, Step};
use serde_json::{Value, json};

use super::world::{Answer, World};

/// One thing that a workflow does.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Computes something.
    Run(&'static str),
    /// Sleeps for seconds.
    Sleep(&'static str, u64),
    /// Calls a third party.
    Call(&'static str, &'static str),
    /// Several at once.
    Parallel(Vec<Stage>),
}

/// What the endpoint did, by run.
#[derive(Default)]
pub struct Ledger {
    /// Every computation: run, step.
    pub computed: Vec<(String, String)>,
    /// Every result that the broker has confirmed: run, place.
    pub accepted: BTreeSet<(String, u32)>,
    /// Every computation that began when the broker already had its result.
    pub repeated: Vec<(String, u32)>,
    /// Every end that the broker confirmed: run, and how many steps the history held.
    pub finished: Vec<(String, usize)>,
    /// Every failure that was told.
    pub failed: Vec<CallbackBody>,
    /// How many more times a step fails.
    pub failing: BTreeMap<String, u32>,
}

pub type SharedLedger = Rc<RefCell<Ledger>>;

pub const WORKFLOW: &str = "https://flow.test/order";

/// Serves `stages` at [`WORKFLOW`].
pub fn serve(world: &World, stages: Vec<Stage>) -> SharedLedger {
    let ledger = SharedLedger::default();
    let shared = Rc::clone(&ledger);
    world.endpoint(WORKFLOW, move |world, request| Outcome::Answered(handle(world, request, &stages, &shared)));
    ledger
}

/// Headers of a trigger, as the official client sends them.
pub fn trigger_item(run: &str, body: &str, extra: &Value) -> Value {
    let mut headers = json!({
        "upstash-workflow-init": "true",
        "upstash-workflow-runid": run,
        "upstash-workflow-url": WORKFLOW,
        "upstash-workflow-sdk-version": "1",
        "upstash-forward-upstash-workflow-sdk-version": "1",
        "upstash-feature-set": "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig",
        "upstash-method": "POST",
        "content-type": "application/json",
        "upstash-failure-callback": WORKFLOW,
        "upstash-failure-callback-forward-upstash-workflow-is-failure": "true",
        "upstash-failure-callback-forward-upstash-workflow-failure-callback": "true",
        "upstash-failure-callback-workflow-runid": run,
        "upstash-failure-callback-workflow-init": "false",
        "upstash-failure-callback-workflow-url": WORKFLOW,
        "upstash-failure-callback-workflow-calltype": "failureCall",
    });
    for (name, value) in extra.as_object().into_iter().flatten() {
        headers[name] = value.clone();
    }
    json!({ "destination": WORKFLOW, "headers": headers, "body": body })
}

pub fn trigger(world: &World, run: &str, extra: &Value) -> Answer {
    world.batch(&json!([trigger_item(run, "{\"n\":1}", extra)]))
}

/// A step, as the official SDK submits it.
pub fn step_item(run: &str, step: &Value, extra: &Value) -> Value {
    let mut headers = json!({
        "upstash-workflow-init": "false",
        "upstash-workflow-runid": run,
        "upstash-workflow-url": WORKFLOW,
        "upstash-workflow-sdk-version": "1",
        "upstash-forward-upstash-workflow-sdk-version": "1",
        "upstash-feature-set": "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig",
        "upstash-method": "POST",
        "content-type": "application/json",
    });
    for (name, value) in extra.as_object().into_iter().flatten() {
        headers[name] = value.clone();
    }
    json!({ "destination": WORKFLOW, "headers": headers, "body": step.to_string() })
}

fn workflow(status: u16) -> Response {
    Response::new(status).header("Upstash-Workflow-Sdk-Version", "1")
}

fn handle(world: &World, request: &Request, stages: &[Stage], ledger: &SharedLedger) -> Response {
    let header = |name: &str| request.headers.get(name).unwrap_or_default().to_owned();
    let run = header("upstash-workflow-runid");
    if request.headers.contains("upstash-workflow-failure-callback") {
        ledger.borrow_mut().failed.push(serde_json::from_slice(&request.body).unwrap());
        return workflow(200);
    }
    if request.headers.contains("upstash-workflow-callback") {
        assert!(!request.headers.contains("upstash-workflow-sdk-version"), "the SDK would read a history");
        return submit_call_result(world, request, &run, ledger);
    }
    assert_eq!(header("upstash-workflow-sdk-version"), "1");
    let history: Vec<RawStep> = if request.body.is_empty() {
        let answer = world.get(&format!("/v2/workflows/runs/{run}"));
        if answer.status() == 404 {
            return workflow(200);
        }
        let mut history: Vec<RawStep> = serde_json::from_slice(&answer.0.body).unwrap();
        let id = header("upstash-message-id");
        let last = history.iter().position(|entry| entry.message_id == id).unwrap();
        history.truncate(last + 1);
        history
    } else {
        serde_json::from_slice(&request.body).unwrap()
    };
    let steps: Vec<Step> = history[1..]
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.call_type == CallType::Step)
        .map(|(index, entry)| entry.decode(index).unwrap())
        .collect();
    advance(world, &run, steps, stages, ledger)
}

fn advance(world: &World, run: &str, steps: Vec<Step>, stages: &[Stage], ledger: &SharedLedger) -> Response {
    let key = |step: &Step| (step.is_plan(), step.place());
    if steps.split_last().is_some_and(|(last, before)| before.iter().any(|step| key(step) == key(last))) {
        return workflow(200);
    }
    let mut seen = BTreeSet::new();
    let steps: Vec<Step> = steps.into_iter().filter(|step| seen.insert(key(step))).collect();
    let mut place = 1;
    for stage in stages {
        let members = match stage {
            Stage::Parallel(members) => members.as_slice(),
            one => std::slice::from_ref(one),
        };
        let size = u32::try_from(members.len()).unwrap();
        if size == 1 {
            if !steps.iter().any(|step| step.step_id == place) {
                return submit(world, run, place, 1, &members[0], ledger);
            }
        } else {
            let entries = steps.iter().filter(|step| step.place() >= place).count();
            let last = steps.last().filter(|step| step.is_plan());
            if entries == 0 {
                let items = members.iter().zip(place..).map(|(member, target)| plan(run, target, size, member));
                return told(&world.batch(&Value::Array(items.collect())), || {});
            }
            if entries < 2 * members.len() {
                let Some(plan) = last else { return workflow(200) };
                let member = &members[usize::try_from(plan.place() - place).unwrap()];
                return submit(world, run, plan.place(), size, member, ledger);
            }
        }
        place += size;
    }
    let delete = world.request(Method::Delete, &format!("/v2/workflows/runs/{run}?cancel=false")).body("\"done\"");
    let held = steps.iter().filter(|step| !step.is_plan()).count();
    told(&world.send(&delete), || ledger.borrow_mut().finished.push((run.to_owned(), held)))
}

fn name(stage: &Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Run(name) => (name, "Run"),
        Stage::Sleep(name, _) => (name, "SleepFor"),
        Stage::Call(name, _) => (name, "Call"),
        Stage::Parallel(_) => ("", ""),
    }
}

fn plan(run: &str, target: u32, size: u32, stage: &Stage) -> Value {
    let (name, kind) = name(stage);
    let step = json!({ "stepId": 0, "stepName": name, "stepType": kind, "concurrent": size, "targetStep": target });
    match stage {
        Stage::Sleep(_, seconds) => step_item(run, &step, &json!({ "upstash-delay": format!("{seconds}s") })),
        _ => step_item(run, &step, &json!({})),
    }
}

fn submit(world: &World, run: &str, place: u32, size: u32, stage: &Stage, ledger: &SharedLedger) -> Response {
    let (name, kind) = name(stage);
    let mut step = json!({ "stepId": place, "stepName": name, "stepType": kind, "concurrent": size });
    let item = match stage {
        Stage::Sleep(_, seconds) if size == 1 => {
            step_item(run, &step, &json!({ "upstash-delay": format!("{seconds}s") }))
        }
        Stage::Sleep(..) | Stage::Parallel(_) => step_item(run, &step, &json!({})),
        Stage::Call(_, url) => call_item(run, place, size, name, url),
        Stage::Run(_) => {
            let mut ledger = ledger.borrow_mut();
            ledger.computed.push((run.to_owned(), name.to_owned()));
            if world.has_result(run, place) {
                ledger.repeated.push((run.to_owned(), place));
            }
            if let Some(left) = ledger.failing.get_mut(name).filter(|left| **left > 0) {
                *left -= 1;
                let body = json!({ "error": "Error", "message": format!("{name} failed") });
                return workflow(500).header("Upstash-Error-Step-Name", name).body(body.to_string());
            }
            step["out"] = json!(format!("\"{name}!\""));
            step_item(run, &step, &json!({}))
        }
    };
    told(&world.batch(&json!([item])), || {
        if !matches!(stage, Stage::Call(..)) {
            ledger.borrow_mut().accepted.insert((run.to_owned(), place));
        }
    })
}

fn call_item(run: &str, place: u32, size: u32, name: &str, url: &str) -> Value {
    json!({
        "destination": url,
        "body": "question",
        "headers": {
            "upstash-workflow-init": "false",
            "upstash-workflow-runid": run,
            "upstash-workflow-url": WORKFLOW,
            "upstash-workflow-sdk-version": "1",
            "upstash-workflow-calltype": "toCallback",
            "upstash-feature-set": "WF_NoDelete,InitialBody",
            "upstash-method": "POST",
            "upstash-retries": "1",
            "content-type": "text/plain",
            "upstash-forward-x-to": "third-party",
            "upstash-callback": WORKFLOW,
            "upstash-callback-workflow-runid": run,
            "upstash-callback-workflow-calltype": "fromCallback",
            "upstash-callback-workflow-init": "false",
            "upstash-callback-workflow-url": WORKFLOW,
            "upstash-callback-feature-set": "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig",
            "upstash-callback-forward-upstash-workflow-callback": "true",
            "upstash-callback-forward-upstash-workflow-stepid": place.to_string(),
            "upstash-callback-forward-upstash-workflow-stepname": name,
            "upstash-callback-forward-upstash-workflow-steptype": "Call",
            "upstash-callback-forward-upstash-workflow-concurrent": size.to_string(),
            "upstash-callback-forward-upstash-workflow-contenttype": "text/plain",
        },
    })
}

fn submit_call_result(world: &World, request: &Request, run: &str, ledger: &SharedLedger) -> Response {
    let body: CallbackBody = serde_json::from_slice(&request.body).unwrap();
    if !(200..300).contains(&body.status) && body.max_retries > 0 && body.retried != body.max_retries {
        return workflow(200);
    }
    let header = |name: &str| request.headers.get(&format!("upstash-workflow-{name}")).unwrap().to_owned();
    let place: u32 = header("stepid").parse().unwrap();
    let step = json!({
        "stepId": place,
        "stepName": header("stepname"),
        "stepType": header("steptype"),
        "out": json!({ "status": body.status, "body": body.body }).to_string(),
        "concurrent": header("concurrent").parse::<u32>().unwrap(),
    });
    let item = step_item(run, &step, &json!({}));
    let publish = world.request(Method::Post, &format!("/v2/publish/{WORKFLOW}")).body(step.to_string());
    let publish = item["headers"]
        .as_object()
        .unwrap()
        .iter()
        .fold(publish, |request, (name, value)| request.header(name, value.as_str().unwrap()));
    told(&world.send(&publish), || {
        ledger.borrow_mut().accepted.insert((run.to_owned(), place));
    })
}

/// 400 means that the run has ended: nothing is left to do.
fn told(answer: &Answer, accepted: impl FnOnce()) -> Response {
    match answer.status() {
        200..300 => {
            accepted();
            workflow(200)
        }
        400 => workflow(200),
        other => workflow(500).body(format!("{{\"error\":\"Error\",\"message\":\"the broker answered {other}\"}}")),
    }
}
