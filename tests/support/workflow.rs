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
    /// Waits for an event, so many seconds.
    Wait(&'static str, &'static str, u64),
    /// Waits for the call of a webhook with this event id, so many seconds.
    Webhook(&'static str, &'static str, u64),
    /// Makes a webhook with this event id.
    CreateWebhook(&'static str, &'static str),
    /// Starts the workflow at a URL and waits for its end.
    Invoke(&'static str, &'static str),
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
    /// The steps of the runs whose end the broker confirmed.
    pub histories: BTreeMap<String, Vec<Step>>,
    /// Every failure that was told.
    pub failed: Vec<CallbackBody>,
    /// How many runs were invoked.
    pub children: u32,
    /// How many more times a step fails.
    pub failing: BTreeMap<String, u32>,
}

pub type SharedLedger = Rc<RefCell<Ledger>>;

pub const WORKFLOW: &str = "https://flow.test/order";

impl Ledger {
    /// What a step of a finished run has got: its `out`, decoded once; `None` without one.
    pub fn out(&self, run: &str, place: u32) -> Option<String> {
        let step = self.histories[run].iter().find(|step| step.step_id == place).unwrap();
        step.out.as_ref().map(|out| serde_json::from_str(out.get()).unwrap())
    }
}

/// Serves `stages` at [`WORKFLOW`].
pub fn serve(world: &World, stages: Vec<Stage>) -> SharedLedger {
    serve_at(world, WORKFLOW, stages)
}

/// Serves `stages` at `url`.
pub fn serve_at(world: &World, url: &'static str, stages: Vec<Stage>) -> SharedLedger {
    let ledger = SharedLedger::default();
    let flow = Flow { url, stages, ledger: Rc::clone(&ledger) };
    world.endpoint(url, move |world, request| Outcome::Answered(flow.handle(world, request)));
    ledger
}

/// A workflow at its address.
struct Flow {
    url: &'static str,
    stages: Vec<Stage>,
    ledger: SharedLedger,
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
    step_item_at(WORKFLOW, run, step, extra)
}

fn step_item_at(url: &str, run: &str, step: &Value, extra: &Value) -> Value {
    let mut headers = json!({
        "upstash-workflow-init": "false",
        "upstash-workflow-runid": run,
        "upstash-workflow-url": url,
        "upstash-workflow-sdk-version": "1",
        "upstash-forward-upstash-workflow-sdk-version": "1",
        "upstash-feature-set": "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig",
        "upstash-method": "POST",
        "content-type": "application/json",
    });
    for (name, value) in extra.as_object().into_iter().flatten() {
        headers[name] = value.clone();
    }
    json!({ "destination": url, "headers": headers, "body": step.to_string() })
}

/// A request with the headers of an item.
fn with_headers(request: Request, item: &Value) -> Request {
    let headers = item["headers"].as_object().unwrap();
    headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str().unwrap()))
}

/// A request to wait, as the official SDK sends it.
pub fn wait_request(world: &World, run: &str, event: &str, timeout: &Value, step: &Value) -> Request {
    wait_request_at(world, WORKFLOW, run, event, timeout, step)
}

fn wait_request_at(world: &World, url: &str, run: &str, event: &str, timeout: &Value, step: &Value) -> Request {
    let item = step_item_at(url, run, step, &json!({ "upstash-workflow-calltype": "step" }));
    let lists: serde_json::Map<String, Value> =
        item["headers"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let body = json!({ "url": url, "timeout": timeout, "timeoutUrl": url, "timeoutHeaders": lists, "step": step });
    let request = world.request(Method::Post, &format!("/v2/wait/{event}")).body(body.to_string());
    with_headers(request, &item)
}

/// A request to invoke, as the official SDK sends it.
pub fn invoke_request(world: &World, run: &str, child: &str, child_url: &str, step: &Value, depth: u32) -> Request {
    invoke_request_at(world, WORKFLOW, run, child, child_url, step, depth)
}

fn invoke_request_at(
    world: &World,
    url: &str,
    run: &str,
    child: &str,
    child_url: &str,
    step: &Value,
    depth: u32,
) -> Request {
    let back = step_item_at(url, run, step, &json!({}));
    let lists: serde_json::Map<String, Value> =
        back["headers"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let envelope = json!({
        "body": "{\"from\":\"parent\"}",
        "headers": lists,
        "workflowRunId": run,
        "workflowRunCreatedAt": 0,
        "workflowUrl": url,
        "step": step,
    });
    let mut item = trigger_item(
        child,
        "",
        &json!({
            "upstash-workflow-url": child_url,
            "upstash-workflow-invoke": "true",
            "upstash-failure-callback": child_url,
            "upstash-forward-upstash-workflow-invoke-count": depth.to_string(),
            "upstash-forward-x-child": "yes",
        }),
    );
    item["headers"]["upstash-retries"] = json!("1");
    let request = world.request(Method::Post, &format!("/v2/publish/{child_url}")).body(envelope.to_string());
    with_headers(request, &item)
}

fn workflow(status: u16) -> Response {
    Response::new(status).header("Upstash-Workflow-Sdk-Version", "1")
}

impl Flow {
    fn handle(&self, world: &World, request: &Request) -> Response {
        let header = |name: &str| request.headers.get(name).unwrap_or_default().to_owned();
        let run = header("upstash-workflow-runid");
        if request.headers.contains("upstash-workflow-failure-callback") {
            self.ledger.borrow_mut().failed.push(serde_json::from_slice(&request.body).unwrap());
            return workflow(200);
        }
        if request.headers.contains("upstash-workflow-callback") {
            assert!(!request.headers.contains("upstash-workflow-sdk-version"), "the SDK would read a history");
            return self.submit_call_result(world, request, &run);
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
        self.advance(world, &run, steps)
    }

    fn advance(&self, world: &World, run: &str, steps: Vec<Step>) -> Response {
        let key = |step: &Step| (step.is_plan(), step.place());
        if steps.split_last().is_some_and(|(last, before)| before.iter().any(|step| key(step) == key(last))) {
            return workflow(200);
        }
        let mut seen = BTreeSet::new();
        let steps: Vec<Step> = steps.into_iter().filter(|step| seen.insert(key(step))).collect();
        let mut place = 1;
        for stage in &self.stages {
            let members = match stage {
                Stage::Parallel(members) => members.as_slice(),
                one => std::slice::from_ref(one),
            };
            let size = u32::try_from(members.len()).unwrap();
            if size == 1 {
                if !steps.iter().any(|step| step.step_id == place) {
                    return self.submit(world, run, place, 1, &members[0]);
                }
            } else {
                let entries = steps.iter().filter(|step| step.place() >= place).count();
                let last = steps.last().filter(|step| step.is_plan());
                if entries == 0 {
                    let items =
                        members.iter().zip(place..).map(|(member, target)| self.plan(run, target, size, member));
                    return told(&world.batch(&Value::Array(items.collect())), || {});
                }
                if entries < 2 * members.len() {
                    let Some(plan) = last else { return workflow(200) };
                    let member = &members[usize::try_from(plan.place() - place).unwrap()];
                    return self.submit(world, run, plan.place(), size, member);
                }
            }
            place += size;
        }
        let delete = world.request(Method::Delete, &format!("/v2/workflows/runs/{run}?cancel=false")).body("\"done\"");
        let held = steps.iter().filter(|step| !step.is_plan()).count();
        told(&world.send(&delete), || {
            let mut ledger = self.ledger.borrow_mut();
            ledger.finished.push((run.to_owned(), held));
            ledger.histories.insert(run.to_owned(), steps.clone());
        })
    }

    fn plan(&self, run: &str, target: u32, size: u32, stage: &Stage) -> Value {
        let (name, kind) = name(stage);
        let step = json!({ "stepId": 0, "stepName": name, "stepType": kind, "concurrent": size, "targetStep": target });
        match stage {
            Stage::Sleep(_, seconds) => {
                step_item_at(self.url, run, &step, &json!({ "upstash-delay": format!("{seconds}s") }))
            }
            _ => step_item_at(self.url, run, &step, &json!({})),
        }
    }

    fn submit(&self, world: &World, run: &str, place: u32, size: u32, stage: &Stage) -> Response {
        let (name, kind) = name(stage);
        let mut step = json!({ "stepId": place, "stepName": name, "stepType": kind, "concurrent": size });
        if let Stage::Sleep(_, seconds) = stage {
            step["sleepFor"] = json!(seconds);
        }
        let item = match stage {
            Stage::Sleep(_, seconds) if size == 1 => {
                step_item_at(self.url, run, &step, &json!({ "upstash-delay": format!("{seconds}s") }))
            }
            Stage::Sleep(..) | Stage::Parallel(_) => step_item_at(self.url, run, &step, &json!({})),
            Stage::Call(_, url) => call_item(self.url, run, place, size, name, url),
            Stage::Wait(_, event, seconds) | Stage::Webhook(_, event, seconds) => {
                let timeout = json!(format!("{seconds}s"));
                let request = wait_request_at(world, self.url, run, event, &timeout, &step);
                return told(&world.send(&request), || {});
            }
            Stage::Invoke(_, child_url) => {
                // As the official SDK: every try makes up another id.
                let mut ledger = self.ledger.borrow_mut();
                ledger.children += 1;
                let child = format!("{run}-{place}-{}", ledger.children);
                drop(ledger);
                let request = invoke_request_at(world, self.url, run, &child, child_url, &step, 1);
                return told(&world.send(&request), || {});
            }
            Stage::CreateWebhook(_, event) => {
                step["out"] = json!(json!({ "webhookUrl": "", "eventId": event }).to_string());
                step_item_at(self.url, run, &step, &json!({}))
            }
            Stage::Run(_) => {
                let mut ledger = self.ledger.borrow_mut();
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
                step_item_at(self.url, run, &step, &json!({}))
            }
        };
        told(&world.batch(&json!([item])), || {
            if !matches!(stage, Stage::Call(..)) {
                self.ledger.borrow_mut().accepted.insert((run.to_owned(), place));
            }
        })
    }

    fn submit_call_result(&self, world: &World, request: &Request, run: &str) -> Response {
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
        let item = step_item_at(self.url, run, &step, &json!({}));
        let publish = world.request(Method::Post, &format!("/v2/publish/{}", self.url)).body(step.to_string());
        let publish = with_headers(publish, &item);
        told(&world.send(&publish), || {
            self.ledger.borrow_mut().accepted.insert((run.to_owned(), place));
        })
    }
}

fn name(stage: &Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Run(name) => (name, "Run"),
        Stage::Sleep(name, _) => (name, "SleepFor"),
        Stage::Call(name, _) => (name, "Call"),
        Stage::Wait(name, ..) => (name, "Wait"),
        Stage::Webhook(name, ..) => (name, "WaitForWebhook"),
        Stage::CreateWebhook(name, _) => (name, "CreateWebhook"),
        Stage::Invoke(name, _) => (name, "Invoke"),
        Stage::Parallel(_) => ("", ""),
    }
}

fn call_item(workflow: &str, run: &str, place: u32, size: u32, name: &str, url: &str) -> Value {
    json!({
        "destination": url,
        "body": "question",
        "headers": {
            "upstash-workflow-init": "false",
            "upstash-workflow-runid": run,
            "upstash-workflow-url": workflow,
            "upstash-workflow-sdk-version": "1",
            "upstash-workflow-calltype": "toCallback",
            "upstash-feature-set": "WF_NoDelete,InitialBody",
            "upstash-method": "POST",
            "upstash-retries": "1",
            "content-type": "text/plain",
            "upstash-forward-x-to": "third-party",
            "upstash-callback": workflow,
            "upstash-callback-workflow-runid": run,
            "upstash-callback-workflow-calltype": "fromCallback",
            "upstash-callback-workflow-init": "false",
            "upstash-callback-workflow-url": workflow,
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
