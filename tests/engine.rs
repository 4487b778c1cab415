//! The engine from outside: given a delivery, which functions run, what is sent, what is answered.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use orchestration::client::Client;
use orchestration::signature::{BodyHash, Claims, Keys, sign};
use orchestration::wire::{Method, Request, Response, Timestamp, base64, header};
use orchestration::workflow::{
    Context, Duty, Endpoint, FailedRun, Failure, Host, Invocation, RunOptions, StepKind, serve, serve_with,
};
use serde_json::{Value, json};

const URL: &str = "https://app.test/api/order";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A host that records what is sent and answers from a script (200 when the script is empty).
#[derive(Default)]
struct Peer {
    sent: RefCell<Vec<Request>>,
    answers: RefCell<VecDeque<Result<Response, String>>>,
}

impl Host for Peer {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    async fn sleep(&self, _: Duration) {}

    async fn send(&self, request: Request) -> Result<Response, String> {
        self.sent.borrow_mut().push(request);
        self.answers
            .borrow_mut()
            .pop_front()
            .unwrap_or_else(|| Ok(Response::json(200, &json!([{"messageId": "msg_1"}]))))
    }
}

impl Peer {
    fn answering(status: u16, body: &Value) -> Self {
        let peer = Self::default();
        peer.answers.borrow_mut().push_back(Ok(Response::json(status, body)));
        peer
    }

    /// Method, path and body of the one request that was sent.
    fn only(&self) -> (Method, String, Value) {
        let sent = self.sent.borrow();
        assert_eq!(sent.len(), 1, "{sent:?}");
        let request = &sent[0];
        assert_eq!(request.headers.get(header::AUTHORIZATION), Some("Bearer token"));
        let path = request.url.strip_prefix("https://broker.test").unwrap().to_owned();
        (request.method, path, serde_json::from_slice(&request.body).unwrap_or(Value::Null))
    }

    /// The steps inside the one batch that was sent.
    fn steps(&self) -> Vec<Value> {
        let (method, path, body) = self.only();
        assert_eq!((method, path.as_str()), (Method::Post, "/v2/batch"));
        let items = body.as_array().unwrap();
        items.iter().map(|item| serde_json::from_str(item["body"].as_str().unwrap()).unwrap()).collect()
    }

    /// One header of each item of the one batch that was sent.
    fn item_headers(&self, name: &str) -> Vec<Value> {
        self.only().2.as_array().unwrap().iter().map(|item| item["headers"][name].clone()).collect()
    }
}

fn endpoint() -> Arc<Endpoint> {
    Arc::new(Endpoint::new(Client::new("https://broker.test/", "token").unwrap()))
}

fn first(payload: &str) -> Request {
    Request::new(Method::Post, URL).header("Content-Type", "application/json").header("X-User", "u").body(payload)
}

/// A delivery of a run whose history is `payload` and `steps`.
fn resume(payload: &str, steps: &[Value]) -> Request {
    let bodies = std::iter::once(payload.to_owned()).chain(steps.iter().map(Value::to_string));
    let history: Vec<_> = bodies
        .enumerate()
        .map(|(index, body)| json!({"messageId": format!("msg_{index}"), "body": base64::encode(body), "callType": "step"}))
        .collect();
    Request::new(Method::Post, URL)
        .header(header::WORKFLOW_SDK_VERSION, "1")
        .header(header::WORKFLOW_RUN_ID, "wfr_1")
        .body(Value::from(history).to_string())
}

fn done(id: u32, name: &str, out: &Value) -> Value {
    json!({"stepId": id, "stepName": name, "stepType": "Run", "out": out.to_string(), "concurrent": 1})
}

fn member(id: u32, name: &str, size: u32, out: &Value) -> Value {
    json!({"stepId": id, "stepName": name, "stepType": "Run", "out": out.to_string(), "concurrent": size})
}

fn plan(target: u32, name: &str, size: u32) -> Value {
    json!({"stepId": 0, "stepName": name, "stepType": "Run", "concurrent": size, "targetStep": target})
}

fn deliver<T: serde::Serialize>(
    peer: &Peer,
    request: &Request,
    workflow: impl AsyncFnOnce(Context) -> Result<T, Failure>,
) -> Response {
    block_on(serve(&endpoint(), request, peer, workflow))
}

/// Polls until ready. Nothing here waits for real I/O, so a future that stays pending is a defect of the engine.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut task = Task::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
    panic!("the engine waits for nothing");
}

/// Polls two futures together, as `join!` does.
async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    poll_fn(move |task| {
        if first.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(task)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(task)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

async fn two_steps(ctx: Context, ran: &RefCell<Vec<&'static str>>) -> Result<Value, Failure> {
    let a: u32 = ctx
        .run("a", async || {
            ran.borrow_mut().push("a");
            Ok::<_, Failure>(1)
        })
        .await?;
    let b: String = ctx
        .run("b", async || {
            ran.borrow_mut().push("b");
            Ok::<_, Failure>(format!("b{a}"))
        })
        .await?;
    Ok(json!({"a": a, "b": b}))
}

#[test]
fn a_first_invocation_submits_the_payload_and_runs_no_step() {
    let (peer, ran) = (Peer::default(), RefCell::default());
    let response = deliver(&peer, &first(r#"{"n":1}"#), async |ctx| two_steps(ctx, &ran).await);
    assert_eq!((response.status, ran.borrow().len()), (200, 0));
    let (_, path, body) = peer.only();
    let item = &body[0];
    assert_eq!((path.as_str(), &item["body"]), ("/v2/batch", &json!(r#"{"n":1}"#)));
    for (name, value) in [
        ("upstash-workflow-init", "true"),
        ("upstash-workflow-url", URL),
        ("upstash-workflow-sdk-version", "1"),
        ("upstash-forward-upstash-workflow-sdk-version", "1"),
        ("upstash-forward-x-user", "u"),
        ("upstash-forward-content-type", "application/json"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(item["headers"][name], value, "{name}");
    }
    let run_id = item["headers"]["upstash-workflow-runid"].as_str().unwrap();
    assert!(run_id.starts_with("wfr_") && json_of(&response)["workflowRunId"] == run_id);
}

#[test]
fn each_invocation_runs_the_next_step_once_and_the_last_ends_the_run() {
    let run = |steps: &[Value]| {
        let (peer, ran) = (Peer::default(), RefCell::default());
        let response = deliver(&peer, &resume("{}", steps), async |ctx| two_steps(ctx, &ran).await);
        assert_eq!(response.status, 200);
        (peer, ran.into_inner())
    };
    let (peer, ran) = run(&[]);
    assert_eq!((ran, peer.steps()), (vec!["a"], vec![done(1, "a", &json!(1))]));
    let (peer, ran) = run(&peer.steps());
    assert_eq!((ran, peer.steps()), (vec!["b"], vec![done(2, "b", &json!("b1"))]));
    let (peer, ran) = run(&[done(1, "a", &json!(1)), done(2, "b", &json!("b1"))]);
    assert!(ran.is_empty());
    assert_eq!(
        peer.only(),
        (Method::Delete, "/v2/workflows/runs/wfr_1?cancel=false".into(), json!({"a": 1, "b": "b1"}))
    );
}

#[test]
fn a_sleep_is_left_to_the_broker() {
    let workflow = async |ctx: Context| {
        ctx.sleep("nap", Duration::from_secs(10)).await?;
        ctx.sleep_until("late", Timestamp::from_millis(1_900_000_000_500)).await
    };
    let peer = Peer::default();
    deliver(&peer, &resume("", &[]), workflow);
    assert_eq!(peer.item_headers("upstash-delay"), ["10s"]);
    let nap = json!({"stepId": 1, "stepName": "nap", "stepType": "SleepFor", "sleepFor": 10, "concurrent": 1});
    assert_eq!(peer.steps(), std::slice::from_ref(&nap));
    let peer = Peer::default();
    deliver(&peer, &resume("", &[nap]), workflow);
    assert_eq!(peer.item_headers("upstash-not-before"), ["1900000001"]);
}

async fn group(ctx: Context, ran: &Cell<u32>) -> Result<u32, Failure> {
    let step = |id: u32| {
        async move || {
            ran.set(ran.get() * 10 + id);
            Ok::<_, Failure>(id)
        }
    };
    let (a, b) = join(ctx.run("a", step(1)), ctx.run("b", step(2))).await;
    ctx.run("sum", async || Ok::<_, Failure>(a? + b?)).await
}

#[test]
fn a_parallel_group_is_planned_run_one_by_one_and_carried_on_by_the_last() {
    let state = |steps: &[Value]| {
        let (peer, ran) = (Peer::default(), Cell::new(0));
        let response = deliver(&peer, &resume("", steps), async |ctx| group(ctx, &ran).await);
        assert_eq!(response.status, 200, "{}", json_of(&response));
        let steps = if peer.sent.borrow().is_empty() { Vec::new() } else { peer.steps() };
        (steps, ran.get())
    };
    let plans = [plan(1, "a", 2), plan(2, "b", 2)];
    let [result_a, result_b] = [member(1, "a", 2, &json!(1)), member(2, "b", 2, &json!(2))];
    assert_eq!(state(&[]), (plans.to_vec(), 0), "first");
    assert_eq!(state(&plans[..1]), (vec![result_a.clone()], 1), "partial");
    assert_eq!(state(&plans), (vec![result_b.clone()], 2), "partial");
    let with = |results: &[&Value]| plans.iter().chain(results.iter().copied()).cloned().collect::<Vec<_>>();
    assert_eq!(state(&with(&[&result_b])), (vec![], 0), "discard");
    assert_eq!(state(&with(&[&result_b, &result_a])), (vec![done(3, "sum", &json!(3))], 0), "last");
}

#[test]
fn a_duplicate_at_the_end_does_nothing() {
    let (peer, ran) = (Peer::default(), RefCell::default());
    let steps = [done(1, "a", &json!(1)), done(1, "a", &json!(5))];
    let response = deliver(&peer, &resume("", &steps), async |ctx| two_steps(ctx, &ran).await);
    assert_eq!(json_of(&response)["finishCondition"], "duplicate-step");
    assert!(peer.sent.borrow().is_empty() && ran.borrow().is_empty());
}

#[test]
fn an_empty_body_makes_the_engine_fetch_the_history() {
    let entry = |id: &str, body: &str| json!({"messageId": id, "body": base64::encode(body), "callType": "step"});
    let history = json!([
        entry("msg_0", "p"),
        entry("msg_1", &done(1, "a", &json!(1)).to_string()),
        entry("msg_2", &done(2, "b", &json!("later")).to_string()),
    ]);
    let mut request = resume("", &[]).header(header::MESSAGE_ID, "msg_1");
    request.body.clear();
    let (peer, ran) = (Peer::answering(200, &history), RefCell::default());
    deliver(&peer, &request, async |ctx| two_steps(ctx, &ran).await);
    assert_eq!(peer.sent.borrow()[0].url, "https://broker.test/v2/workflows/runs/wfr_1");
    assert_eq!(*ran.borrow(), ["b"], "what came after the delivered message is not looked at");

    let response = deliver(&Peer::answering(404, &json!({})), &request, async |ctx| two_steps(ctx, &ran).await);
    assert_eq!(json_of(&response)["finishCondition"], "workflow-already-ended");
}

#[test]
fn a_caught_error_does_not_break_a_run() {
    let peer = Peer::default();
    let response = deliver(&peer, &resume("", &[]), async |ctx| {
        let caught: Result<u32, Failure> = ctx.run("a", async || Err(Failure::new("Oops", "no luck"))).await;
        ctx.run("b", async || Ok::<_, Failure>(caught.is_err())).await
    });
    assert_eq!(response.status, 500);
    assert_eq!(json_of(&response), json!({"error": "Oops", "message": "no luck"}));
    assert_eq!(response.headers.get(header::ERROR_STEP_NAME), Some("a"));
    assert!(peer.sent.borrow().is_empty(), "the failed step was not passed over");
}

#[test]
fn a_failure_says_what_the_broker_shall_do() {
    let fail = |failure: Failure| {
        deliver(&Peer::default(), &resume("", &[]), async |ctx| ctx.run("a", async || Err::<u32, _>(failure)).await)
    };
    let response = fail(Failure::non_retryable("never"));
    assert_eq!((response.status, response.headers.get(header::NON_RETRYABLE_ERROR)), (489, Some("true")));
    let response = fail(Failure::retry_after("busy", "30"));
    assert_eq!((response.status, response.headers.get(header::RETRY_AFTER)), (429, Some("30")));
    let peer = Peer::default();
    deliver(&peer, &resume("", &[]), async |_| Err::<(), _>(Failure::cancel()));
    assert_eq!(peer.only().1, "/v2/workflows/runs/wfr_1?cancel=true");
}

#[test]
fn a_workflow_that_returns_before_its_first_step_refuses() {
    for (request, run_id) in [(first("{}"), "no-workflow-id"), (resume("{}", &[]), "wfr_1")] {
        let peer = Peer::default();
        let response = deliver(&peer, &request, async |_| Ok(()));
        assert_eq!((response.status, &json_of(&response)["workflowRunId"]), (400, &json!(run_id)));
        assert!(peer.sent.borrow().is_empty());
    }
}

#[test]
fn a_step_inside_a_step_is_refused() {
    let response = deliver(&Peer::default(), &resume("", &[]), async |ctx| {
        let inner = ctx.clone();
        ctx.run("outer", async || inner.run("inner", async || Ok::<_, Failure>(1)).await).await
    });
    assert_eq!((response.status, &json_of(&response)["error"]), (489, &json!("NestedStep")));
}

#[test]
fn a_changed_workflow_is_told_apart_and_the_run_is_kept() {
    let peer = Peer::default();
    let response = deliver(&peer, &resume("", &[done(1, "former", &json!(1))]), async |ctx| {
        ctx.run("now", async || Ok::<_, Failure>(1)).await
    });
    let answer = json_of(&response);
    assert_eq!((response.status, &answer["error"]), (500, &json!("StepMismatch")));
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("step 1") && message.contains("'former'") && message.contains("'now'"), "{message}");
    assert!(peer.sent.borrow().is_empty());
}

#[test]
fn a_bad_history_names_the_field_and_runs_nothing() {
    let broken = |edit: &dyn Fn(&mut Request)| {
        let mut request = resume("", &[done(1, "a", &json!(1))]);
        edit(&mut request);
        let (peer, ran) = (Peer::default(), RefCell::default());
        let response = deliver(&peer, &request, async |ctx| two_steps(ctx, &ran).await);
        assert!(peer.sent.borrow().is_empty() && ran.borrow().is_empty());
        assert_eq!(response.status, 500, "the broker keeps the run and tries again");
        let answer = json_of(&response);
        format!("{}: {}", answer["error"].as_str().unwrap(), answer["message"].as_str().unwrap())
    };
    let step = |body: &str| {
        let entries = json!([{"messageId": "m", "body": "", "callType": "step"}, {"messageId": "m", "body": base64::encode(body), "callType": "step"}]);
        entries.to_string().into_bytes()
    };
    for (expected, edit) in [
        (
            "HistoryMalformed: the body is not a history",
            &(|r: &mut Request| r.body = b"{".to_vec()) as &dyn Fn(&mut Request),
        ),
        ("history[1].body is not standard base64", &|r| {
            r.body = br#"[{"body":""},{"body":"?","callType":"step"}]"#.to_vec();
        }),
        ("history[0].body is not standard base64", &|r| r.body = br#"[{"body":"?"}]"#.to_vec()),
        ("unknown variant `Dance`", &|r| {
            r.body = step(r#"{"stepId":1,"stepName":"a","stepType":"Dance","concurrent":1}"#);
        }),
        ("missing field `stepName`", &|r| r.body = step(r#"{"stepId":1,"stepType":"Run","concurrent":1}"#)),
        ("HistoryGap: the history lacks the result of step 1 ('a'), though step 2 ('b') is there", &|r| {
            r.body = step(&done(2, "b", &json!(1)).to_string());
        }),
        ("field 'out' of step 1 ('a') must be a string", &|r| {
            r.body = step(r#"{"stepId":1,"stepName":"a","stepType":"Run","out":5,"concurrent":1}"#);
        }),
        ("ProtocolVersion: expected version 1", &|r| r.headers.set(header::WORKFLOW_SDK_VERSION, "9")),
        ("RunIdMissing: expected header Upstash-Workflow-RunId", &|r| r.headers.remove(header::WORKFLOW_RUN_ID)),
    ] {
        let message = broken(edit);
        assert!(message.contains(expected), "expected '{expected}' in '{message}'");
    }
}

#[test]
fn what_the_broker_says_to_a_step_decides() {
    let with = |peer: Peer| {
        let ran = RefCell::default();
        deliver(&peer, &resume("", &[]), async |ctx| two_steps(ctx, &ran).await)
    };
    let error = json!({"error": "the run has ended"});
    assert_eq!(json_of(&with(Peer::answering(400, &error)))["finishCondition"], "success");
    assert_eq!(with(Peer::answering(412, &error)).status, 489);
    for status in [401, 404, 429, 500] {
        let response = with(Peer::answering(status, &error));
        let message = json_of(&response)["message"].to_string();
        assert!(response.status == 500 && message.contains("the run has ended"), "{status}: {message}");
    }
    let peer = Peer::default();
    peer.answers.borrow_mut().push_back(Err("connection refused".into()));
    let response = with(peer);
    assert_eq!((response.status, &json_of(&response)["error"]), (500, &json!("BrokerUnreachable")));
}

#[test]
fn a_delivery_that_the_broker_did_not_sign_runs_nothing() {
    let keys = || Keys::new("sig_current", Some("sig_next")).unwrap();
    let endpoint = Arc::new(Endpoint::new(Client::new("https://broker.test", "token").unwrap()).keys(keys()));
    let signed = |url: &str, body: &[u8], key: &str| {
        let claims = Claims::of_delivery(url, BodyHash::of(body), NOW, "jwt_1");
        sign(&claims, &Keys::new(key, None).unwrap().current)
    };
    let request = resume("{}", &[]);
    let answer = |token: Option<String>| {
        let mut request = request.clone();
        if let Some(token) = token {
            request.headers.set(header::SIGNATURE, token);
        }
        let (peer, ran) = (Peer::default(), RefCell::default());
        let response = block_on(serve(&endpoint, &request, &peer, async |ctx| two_steps(ctx, &ran).await));
        (response.status, json_of(&response)["error"].clone(), ran.borrow().len())
    };
    for key in ["sig_current", "sig_next"] {
        assert_eq!(answer(Some(signed(URL, &request.body, key))), (200, Value::Null, 1));
    }
    for (token, status, code) in [
        (None, 401, "SignatureMissing"),
        (Some("a.b".to_owned()), 401, "SignatureMalformed"),
        (Some(signed(URL, &request.body, "sig_other")), 403, "SignatureInvalid"),
        (Some(signed(URL, b"other", "sig_current")), 403, "SignatureBody"),
        (Some(signed("https://app.test/other", &request.body, "sig_current")), 403, "SignatureSubject"),
    ] {
        assert_eq!(answer(token), (status, json!(code), 0));
    }
}

#[test]
fn a_failed_run_is_told_to_the_failure_function_if_the_workflow_accepts_it() {
    let failure = json!({
        "status": 500,
        "header": {"content-type": ["application/json"]},
        "body": base64::encode(r#"{"error":"Oops","message":"no luck","stack":"at a"}"#),
        "sourceBody": base64::encode(r#"{"n":1}"#),
        "workflowRunId": "wfr_9",
    });
    let request = Request::new(Method::Post, URL)
        .header(header::WORKFLOW_RUN_ID, "wfr_9")
        .header(header::WORKFLOW_IS_FAILURE, "true")
        .body(failure.to_string());
    let told = RefCell::new(None);
    let on_failure = async |ctx: Context, failed: FailedRun| {
        told.replace(Some((ctx.run_id().to_string(), failed.status, failed.message, ctx.raw_payload())));
        Ok(())
    };
    let ran = RefCell::default();
    let response = block_on(serve_with(
        &endpoint(),
        &request,
        &Peer::default(),
        async |ctx| two_steps(ctx, &ran).await,
        Some(on_failure),
    ));
    assert_eq!((response.status, json_of(&response)), (200, json!({})));
    assert_eq!(told.take(), Some(("wfr_9".into(), 500, "no luck".into(), r#"{"n":1}"#.into())));
    assert!(ran.borrow().is_empty());

    let response = block_on(serve_with(&endpoint(), &request, &Peer::default(), async |_| Ok(()), Some(on_failure)));
    assert_eq!((response.status, told.take()), (400, None));

    let response = deliver(&Peer::default(), &request, async |ctx| two_steps(ctx, &ran).await);
    assert_eq!(response.headers.get(header::WORKFLOW_FAILURE_CALLBACK_NOT_FOUND), Some("true"));
}

#[test]
fn a_remembered_result_of_another_shape_is_an_error_not_a_panic() {
    let ran = RefCell::default();
    let response =
        deliver(&Peer::default(), &resume("", &[done(1, "a", &json!("text"))]), async |ctx| two_steps(ctx, &ran).await);
    assert_eq!((response.status, &json_of(&response)["error"]), (500, &json!("ResultMismatch")));
    assert!(ran.borrow().is_empty());
}

#[test]
fn a_result_that_comes_after_the_answer_changes_nothing() {
    let request = resume("", &[]);
    let begun = Invocation::begin(&endpoint(), &request, None, NOW, &mut |bytes: &mut [u8]| bytes.fill(7));
    let (mut invocation, duty) = begun.unwrap();
    assert!(matches!(duty, Duty::Start(_)));
    invocation.request_step("a", StepKind::Run(RunOptions::default())).unwrap();
    assert_eq!(invocation.poll(), Duty::Run { ticket: 0, attempt: 0 });
    assert!(matches!(invocation.handle_result(Err(Failure::new("Oops", "no luck"))), Duty::Respond(_)));
    assert_eq!(invocation.handle_result(Ok(None)), Duty::Idle);
    invocation.request_step("b", StepKind::Run(RunOptions::default())).unwrap();
    assert_eq!(invocation.poll(), Duty::Idle, "the invocation is over");
}
