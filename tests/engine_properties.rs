//! Whatever arrives, the engine answers: it neither panics nor runs a step that it should not.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use orchestration::client::Client;
use orchestration::wire::{Method, Request, Response, Timestamp, base64, header};
use orchestration::workflow::{Context, Endpoint, Failure, Host, serve};
use proptest::prelude::*;
use serde_json::{Value, json};

struct Peer(u16, Vec<u8>);

impl Host for Peer {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1)
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }

    async fn sleep(&self, _: Duration) {}

    async fn send(&self, _: Request) -> Result<Response, String> {
        Ok(Response::new(self.0).body(self.1.clone()))
    }
}

/// Serves `request` with a workflow of a step, a group of two and a step; answers status and how many steps ran.
fn deliver(request: &Request, peer: &Peer) -> (u16, u32) {
    let ran = Cell::new(0);
    let endpoint = Arc::new(Endpoint::new(Client::new("https://broker.test", "token").unwrap()));
    let workflow = async |ctx: Context| {
        let step = |name: &'static str| {
            ctx.run(name, async || {
                ran.set(ran.get() + 1);
                Ok::<_, Failure>(Value::Null)
            })
        };
        step("a").await?;
        let mut group = [Box::pin(step("b")), Box::pin(step("c"))];
        let mut results = [None, None];
        std::future::poll_fn(|task| {
            for (future, result) in group.iter_mut().zip(&mut results) {
                if result.is_none()
                    && let Poll::Ready(value) = future.as_mut().poll(task)
                {
                    *result = Some(value);
                }
            }
            if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        step("d").await
    };
    let mut future = pin!(serve(&endpoint, request, peer, workflow));
    match future.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(response) => (response.status, ran.get()),
        Poll::Pending => panic!("the engine waits for nothing"),
    }
}

fn resume(body: Vec<u8>) -> Request {
    Request::new(Method::Post, "https://app.test/w")
        .header(header::WORKFLOW_SDK_VERSION, "1")
        .header(header::WORKFLOW_RUN_ID, "wfr_1")
        .header(header::MESSAGE_ID, "msg_1")
        .body(body)
}

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => (0u32..7).prop_map(Value::from),
        1 => any::<u32>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn step() -> impl Strategy<Value = Value> {
    let name = prop_oneof![4 => "[a-d]", 1 => ".*"];
    let kind = prop_oneof![6 => Just("Run"), 1 => Just("SleepFor"), 1 => Just("Wait"), 1 => Just("Dance")];
    let out = prop_oneof![3 => Just(json!("1")), 1 => Just(json!({})), 1 => Just(json!(5)), 1 => Just(Value::Null)];
    (id(), name, kind, out, id(), prop::option::of(id())).prop_map(|(step_id, name, kind, out, concurrent, target)| {
        let mut step =
            json!({"stepId": step_id, "stepName": name, "stepType": kind, "out": out, "concurrent": concurrent});
        if let Some(target) = target {
            step["targetStep"] = target;
        }
        step
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_is_answered(body: Vec<u8>) {
        let (status, ran) = deliver(&resume(body.clone()), &Peer(200, body.clone()));
        prop_assert!(status == 200 || status == 500);
        prop_assert!(ran <= 1);
    }

    #[test]
    fn any_history_is_answered_and_runs_at_most_one_step(steps in prop::collection::vec(step(), 0..12), status in 100u16..600) {
        let entries: Vec<_> = std::iter::once(String::new())
            .chain(steps.iter().map(Value::to_string))
            .enumerate()
            .map(|(n, body)| json!({"messageId": format!("msg_{n}"), "body": base64::encode(body), "callType": "step"}))
            .collect();
        let history = Value::from(entries).to_string().into_bytes();
        let carried = deliver(&resume(history.clone()), &Peer(status, Vec::new()));
        prop_assert!(carried.1 <= 1);
        let fetched = deliver(&resume(Vec::new()), &Peer(status, history));
        prop_assert!(fetched.1 <= 1);
    }
}
