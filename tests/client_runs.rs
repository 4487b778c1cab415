//! Our client for runs on our broker: what it asks for is done, and what is answered can be read into types.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use orchestration::client::{
    Bulk, Cancelled, Client, Deleted, Event, Field, Filter, Listing, Notified, Published, ResumedRun, ResumedRuns,
    Resumption, Retry, RunDeadLetters, RunLog, RunLogs, Transport, Trigger, Waiter, call, read,
};
use orchestration::wire::{Request, Response, RunId, Timestamp};
use orchestration::{Code, Error};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::workflow::{SharedLedger, Stage, WORKFLOW, serve, wait_request};
use support::world::{START, TOKEN, World};

/// The way to the broker, without a network between.
impl Transport for World {
    fn now(&self) -> Timestamp {
        World::now(self)
    }

    async fn exchange(&self, request: &Request) -> Result<Response, String> {
        Ok(self.send(request).0)
    }

    async fn wait(&self, duration: Duration) {
        self.advance(duration);
    }
}

fn asked<T: DeserializeOwned>(world: &World, request: Result<Request, Error>) -> Result<T, Error> {
    let request = request?;
    let answer = pin!(call(world, &Retry::NEVER, &request)).poll(&mut Context::from_waker(Waker::noop()));
    match answer {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing here waits for anything outside"),
    }
}

fn client() -> Client {
    Client::new("http://broker.test", TOKEN).unwrap()
}

fn run(id: &str) -> Trigger {
    let mut run = Trigger::new(WORKFLOW, RunId::new(id).unwrap()).json(&json!({ "n": 7 })).unwrap();
    run.retries = Some(0);
    run.failure_url = Some(WORKFLOW.to_owned());
    run
}

fn started(world: &World, runs: impl IntoIterator<Item = Trigger>) -> Vec<Published> {
    asked(world, client().trigger(runs)).unwrap()
}

fn logs(world: &World, filter: Filter) -> Vec<RunLog> {
    asked::<RunLogs>(world, client().run_logs(&Listing::matching(filter))).unwrap().runs
}

/// A workflow whose step "charge" fails so many times.
fn fragile(times: u32) -> (World, SharedLedger) {
    let world = World::new();
    let ledger = serve(&world, vec![Stage::Run("validate"), Stage::Run("charge")]);
    ledger.borrow_mut().failing.insert("charge".into(), times);
    (world, ledger)
}

#[test]
fn runs_are_started_and_shown_with_their_steps() {
    let world = World::new();
    serve(&world, vec![Stage::Sleep("a", 5), Stage::Parallel(vec![Stage::Run("b"), Stage::Run("c")])]);
    let mut labelled = run("wfr_1");
    labelled.labels = vec!["eu".into(), "gold".into()];
    let accepted = started(&world, [labelled, run("wfr_2")]);
    assert!(accepted.iter().all(|message| !message.deduplicated && message.error.is_none()), "{accepted:?}");
    assert!(started(&world, [run("wfr_1")])[0].deduplicated);
    world.run();

    let found = logs(&world, Filter::new().with(Field::Label, "gold"));
    let [log] = &found[..] else { panic!("expected one run, got {found:?}") };
    assert_eq!((log.workflow_run_id.as_str(), log.workflow_state.as_str()), ("wfr_1", "RUN_SUCCESS"));
    assert_eq!((log.workflow_url.as_str(), log.workflow_run_created_at), (WORKFLOW, START.millis()));
    assert!(log.workflow_run_completed_at > Some(log.workflow_run_created_at));
    assert_eq!(log.labels, ["eu", "gold"]);
    let kinds: Vec<(&str, usize)> = log.steps.iter().map(|group| (group.kind.as_str(), group.steps.len())).collect();
    assert_eq!(kinds, [("sequential", 1), ("sequential", 1), ("parallel", 2)]);
    let step = &log.steps[1].steps[0];
    assert_eq!((step.step_name.as_deref(), step.state.as_str()), (Some("a"), "STEP_SUCCESS"));
    assert_eq!((step.step_type.as_deref(), step.concurrent), (Some("SleepFor"), Some(1)));

    let first = Listing { count: Some(1), ..Listing::default() };
    let page: RunLogs = asked(&world, client().run_logs(&first)).unwrap();
    let next = Listing { cursor: page.cursor.clone(), ..first };
    let rest: RunLogs = asked(&world, client().run_logs(&next)).unwrap();
    assert_eq!([&page.runs[0].workflow_run_id, &rest.runs[0].workflow_run_id], ["wfr_2", "wfr_1"]);
}

/// Members as the types of the official SDK name them.
#[test]
fn what_a_kind_of_step_has_besides_is_kept() {
    let page = json!({ "runs": [{
        "workflowRunId": "wfr_1", "labels": null,
        "steps": [{ "type": "sequential", "steps": [{
            "messageId": "msg_1", "state": "STEP_SUCCESS", "out": "{}", "errors": null,
            "callUrl": "https://a.test", "callResponseStatus": 200,
        }] }],
        "failureFunction": { "failHeaders": { "a": "b" }, "failResponse": null },
    }] });
    let logs: RunLogs = read(&Response::json(200, &page)).unwrap();
    let step = &logs.runs[0].steps[0].steps[0];
    assert_eq!((&step.more["callUrl"], &step.more["callResponseStatus"]), (&json!("https://a.test"), &json!(200)));
    assert_eq!(logs.runs[0].failure_function.as_ref().unwrap().fail_headers["a"], ["b"]);
}

#[test]
fn failed_runs_are_listed_resumed_restarted_and_deleted() {
    let (world, ledger) = fragile(4);
    started(&world, ["wfr_1", "wfr_2", "wfr_3"].map(run));
    world.run();
    let failed = logs(&world, Filter::new().with(Field::State, "RUN_FAILED"));
    let function = failed[0].failure_function.as_ref().unwrap();
    assert_eq!((failed.len(), function.state.as_str(), function.fail_status), (3, "CALLBACK_SUCCESS", 500));
    let error = &failed[0].steps.last().unwrap().steps[0].errors[0];
    assert_eq!(error.status, 500);

    let listed =
        |filter| asked::<RunDeadLetters>(&world, client().run_dead_letters(&Listing::matching(filter))).unwrap();
    let letters = listed(Filter::new()).messages;
    assert_eq!(letters.len(), 3);
    let letter = &letters[0];
    assert_eq!((letter.workflow_url.as_str(), letter.response_status), (WORKFLOW, Some(500)));
    assert_eq!(letter.failure_callback_info.as_ref().unwrap().state.as_deref(), Some("CALLBACK_SUCCESS"));
    assert_eq!(listed(Filter::new().with(Field::WorkflowRunId, "wfr_2")).messages.len(), 1);

    // The fourth failure is the first one's that goes on.
    let with = Resumption { retries: Some(1), ..Resumption::default() };
    let ids = [&letters[0].dlq_id];
    let resumed: ResumedRuns = asked(&world, client().resume_runs(&Bulk::ids(ids), &with)).unwrap();
    let by_url = Filter::new().with(Field::WorkflowUrl, WORKFLOW);
    let restarted: ResumedRuns =
        asked(&world, client().restart_runs(&Bulk::matching(by_url).count(1), &Resumption::default())).unwrap();
    world.run();
    for run in resumed.workflow_runs.iter().chain(&restarted.workflow_runs) {
        let log = logs(&world, Filter::new().with(Field::WorkflowRunId, &run.workflow_run_id));
        assert_eq!(log[0].workflow_state, "RUN_SUCCESS", "{run:?}");
    }
    let validated = ledger.borrow().computed.iter().filter(|(_, step)| step == "validate").count();
    assert_eq!(validated, 3 + 1, "only the restarted run begins anew");

    let deleted: Deleted = asked(&world, client().delete_run_dead_letters(&Bulk::all())).unwrap();
    assert_eq!((deleted.deleted, listed(Filter::new()).messages.len()), (1, 0));
    let gone = asked::<ResumedRuns>(&world, client().resume_runs(&Bulk::ids(ids), &with)).unwrap_err();
    assert_eq!((gone.code(), gone.broker_status()), (Code::BrokerRefused, Some(404)));
}

#[test]
fn a_failure_is_told_again() {
    let (world, _) = fragile(1);
    let mut run = run("wfr_1");
    run.failure_url = Some("https://deaf.test".into());
    started(&world, [run]);
    world.run();
    let listed = || asked::<RunDeadLetters>(&world, client().run_dead_letters(&Listing::default())).unwrap().messages;
    let state = || listed()[0].failure_callback_info.as_ref().unwrap().state.clone().unwrap();
    assert_eq!(state(), "CALLBACK_FAIL");
    world.answers("https://deaf.test", [Response::new(200)]);
    let told: ResumedRun = asked(&world, client().retry_failure_function(&listed()[0].dlq_id)).unwrap();
    world.run();
    assert_eq!((told.workflow_run_id.as_str(), state().as_str()), ("wfr_1", "CALLBACK_SUCCESS"));
}

#[test]
fn runs_that_wait_are_seen_and_notified() {
    let world = World::new();
    started(&world, ["wfr_1", "wfr_2"].map(run));
    let step = json!({ "stepId": 1, "stepName": "payment", "stepType": "Wait", "concurrent": 1 });
    for id in ["wfr_1", "wfr_2"] {
        world.send(&wait_request(&world, id, "order/paid", &Value::Null, &step)).ok();
    }
    let waiting = || asked::<Vec<Waiter>>(&world, client().waiters("order/paid")).unwrap();
    assert_eq!(waiting().iter().map(|waiter| waiter.url.as_str()).collect::<Vec<_>>(), [WORKFLOW; 2]);
    assert!(waiting()[0].deadline > START.seconds());

    let data = Event::new("order/paid").json(&json!({ "amount": 5 })).unwrap();
    let one: Vec<Notified> = asked(&world, client().notify(&data.clone().for_run("wfr_2"))).unwrap();
    assert_eq!((one.len(), one[0].workflow_run_id.as_deref()), (1, Some("wfr_2")));
    assert_eq!(one[0].waiter.as_ref().unwrap().url, WORKFLOW);
    let all: Vec<Notified> = asked(&world, client().notify(&data)).unwrap();
    assert_eq!((all.len(), all[0].workflow_run_id.as_deref()), (1, Some("wfr_1")));
    assert!(waiting().is_empty());
    assert!(asked::<Vec<Notified>>(&world, client().notify(&data)).unwrap().is_empty());
}

#[test]
fn runs_are_cancelled_by_id_by_filter_and_all() {
    let world = World::new();
    let elsewhere = Trigger::new("https://flow.test/other", RunId::new("wfr_6").unwrap());
    let mut runs: Vec<Trigger> = ["wfr_1", "wfr_2", "wfr_3", "wfr_4", "wfr_5"].map(run).into();
    runs[2].labels = vec!["nightly".into()];
    runs.push(elsewhere);
    started(&world, runs);
    let cancelled = |which: Bulk| asked::<Cancelled>(&world, client().cancel_runs(&which)).unwrap().cancelled;
    assert_eq!(cancelled(Bulk::ids(["wfr_1", "wfr_2"])), 2);
    assert_eq!(cancelled(Bulk::matching(Filter::new().with(Field::Label, "nightly"))), 1);
    assert_eq!(cancelled(Bulk::matching(Filter::new().with(Field::WorkflowUrl, "https://flow.test/"))), 0);
    let beginning = Filter::new().with(Field::WorkflowUrlStartingWith, "https://flow.test/oth");
    assert_eq!(cancelled(Bulk::matching(beginning)), 1);
    assert_eq!(cancelled(Bulk::all().count(1)), 1);
    assert_eq!(cancelled(Bulk::all()), 1);
    assert_eq!(cancelled(Bulk::all()), 0);
}
