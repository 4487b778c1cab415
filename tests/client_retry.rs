//! Sending again: a scripted broker and a clock that only waiting moves.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::unnecessary_wraps)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use orchestration::client::retry::{Backoff, is_repeatable};
use orchestration::client::{BatchItem, Client, Message, Retry, Transport, call, send};
use orchestration::error::{Limit, RateLimit};
use orchestration::wire::{Headers, Method, Request, Response, Timestamp};
use orchestration::{Code, Error};
use serde_json::{Value, json};

type Outcome = Result<Response, String>;

/// Gives its answers in order; the last one for ever.
struct Peer {
    answers: RefCell<VecDeque<Outcome>>,
    sent: Cell<u32>,
    waits: RefCell<Vec<u64>>,
    now: Cell<Timestamp>,
    /// How long a try takes.
    takes: Duration,
}

const BEGIN: Timestamp = Timestamp::from_seconds(1_700_000_000);

impl Peer {
    fn new(answers: impl IntoIterator<Item = Outcome>) -> Self {
        Self {
            answers: RefCell::new(answers.into_iter().collect()),
            sent: Cell::new(0),
            waits: RefCell::default(),
            now: Cell::new(BEGIN),
            takes: Duration::ZERO,
        }
    }

    fn waits(&self) -> Vec<u64> {
        self.waits.borrow().clone()
    }
}

impl Transport for Peer {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn exchange(&self, _: &Request) -> Outcome {
        self.sent.set(self.sent.get() + 1);
        self.now.set(self.now.get() + self.takes);
        let mut answers = self.answers.borrow_mut();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }

    async fn wait(&self, duration: Duration) {
        self.waits.borrow_mut().push(u64::try_from(duration.as_millis()).unwrap());
        self.now.set(self.now.get() + duration);
    }
}

/// Nothing here waits for anything outside.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a transport without I/O does not wait"),
    }
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Outcome {
    Ok(Response { status, headers: headers.iter().copied().collect(), body: Vec::new() })
}

fn lost() -> Outcome {
    Err("connection reset".to_owned())
}

fn client() -> Client {
    Client::new("https://broker.test", "token").unwrap()
}

fn publish() -> Request {
    client().publish(&Message::new("https://app.test")).unwrap()
}

fn get() -> Request {
    Request::new(Method::Get, "https://broker.test/v2/queues")
}

#[test]
fn a_request_without_an_answer_is_sent_five_times_more_with_the_official_backoff() {
    let peer = Peer::new([lost()]);
    assert_eq!(now(send(&peer, &Retry::default(), &publish())), lost());
    assert_eq!((peer.sent.get(), peer.waits()), (6, vec![50, 135, 369, 1004, 2729]));
}

#[test]
fn the_first_success_ends_it() {
    let peer = Peer::new([lost(), answer(503, &[]), answer(200, &[])]);
    assert_eq!(now(send(&peer, &Retry::default(), &get())).unwrap().status, 200);
    assert_eq!(peer.sent.get(), 3);
}

#[test]
fn what_cannot_become_better_is_not_sent_again() {
    for status in [301, 400, 401, 404, 409, 412, 501, 505] {
        let peer = Peer::new([answer(status, &[("Retry-After", "1")])]);
        assert_eq!(now(send(&peer, &Retry::default(), &get())).unwrap().status, status);
        assert_eq!(peer.sent.get(), 1, "{status}");
    }
}

#[test]
fn a_refused_message_is_sent_again_and_one_that_may_have_been_accepted_is_not() {
    for (status, sent) in [(429, 6), (500, 1), (502, 1), (503, 1)] {
        let peer = Peer::new([answer(status, &[])]);
        now(send(&peer, &Retry::default(), &publish())).unwrap();
        assert_eq!(peer.sent.get(), sent, "{status}");
    }
}

#[test]
fn the_answer_says_when() {
    let at = |seconds: u64| (BEGIN.seconds() + seconds).to_string();
    let date = "Tue, 14 Nov 2023 22:13:27 GMT";
    for (headers, wait) in [
        (vec![("Retry-After", "3".to_owned())], 3000),
        (vec![("Retry-After", "0".to_owned()), ("Burst-RateLimit-Reset", at(9))], 0),
        (vec![("Retry-After", date.to_owned())], 7000),
        (vec![("Burst-RateLimit-Reset", at(1))], 1000),
        (vec![("Burst-RateLimit-Reset", at(0))], 0),
        (vec![("Burst-RateLimit-Reset", "2".to_owned())], 2000),
        (vec![("RateLimit-Reset", at(4))], 4000),
        (vec![("Burst-RateLimit-Reset", "soon".to_owned())], 50),
        (vec![], 50),
        (
            vec![
                ("x-ratelimit-limit-requests", "60".to_owned()),
                ("x-ratelimit-remaining-requests", "0".to_owned()),
                ("x-ratelimit-reset-requests", "1.5s".to_owned()),
                ("x-ratelimit-remaining-tokens", "9".to_owned()),
                ("x-ratelimit-reset-tokens", "20s".to_owned()),
            ],
            1500,
        ),
        (
            vec![
                ("x-ratelimit-limit-requests", "60".to_owned()),
                ("x-ratelimit-reset-requests", "250ms".to_owned()),
                ("x-ratelimit-reset-tokens", "2s".to_owned()),
            ],
            2000,
        ),
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let peer = Peer::new([answer(429, &headers), answer(200, &[])]);
        now(send(&peer, &Retry::default(), &publish())).unwrap();
        assert_eq!(peer.waits(), [wait], "{headers:?}");
    }
    let peer = Peer::new([answer(503, &[("Retry-After", "2")]), answer(200, &[])]);
    now(send(&peer, &Retry::default(), &get())).unwrap();
    assert_eq!(peer.waits(), [2000]);
}

#[test]
fn nobody_waits_for_the_next_day_or_beyond_the_budget() {
    let daily = [("RateLimit-Limit", "1000"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1700000001")];
    let patient = Retry { budget: Duration::MAX, ..Retry::default() };
    let peer = Peer::new([answer(429, &daily)]);
    now(send(&peer, &patient, &get())).unwrap();
    assert_eq!(peer.sent.get(), 1);

    for (asked, sent) in [("30", 2), ("31", 1)] {
        let peer = Peer::new([answer(429, &[("Retry-After", asked)]), answer(200, &[])]);
        now(send(&peer, &Retry::default(), &get())).unwrap();
        assert_eq!(peer.sent.get(), sent, "{asked}");
    }

    let slow = Peer { takes: Duration::from_secs(10), ..Peer::new([lost()]) };
    now(send(&slow, &Retry::default(), &get())).unwrap_err();
    assert_eq!(slow.sent.get(), 3, "the third try ends after the budget");
}

#[test]
fn a_policy_of_one_s_own() {
    let peer = Peer::new([lost()]);
    now(send(&peer, &Retry::NEVER, &get())).unwrap_err();
    assert_eq!(peer.sent.get(), 1);

    let policy = Retry {
        retries: 2,
        backoff: Backoff::Of(|retried| Duration::from_secs(u64::from(retried) + 1)),
        ..Retry::default()
    };
    let peer = Peer::new([lost()]);
    now(send(&peer, &policy, &get())).unwrap_err();
    assert_eq!(peer.waits(), [1000, 2000]);

    let endless = Retry { retries: u32::MAX, backoff: Backoff::Constant(Duration::from_secs(7)), ..Retry::default() };
    let peer = Peer::new([lost()]);
    now(send(&peer, &endless, &get())).unwrap_err();
    assert_eq!(peer.waits(), [7000; 4]);
}

#[test]
fn what_may_be_sent_twice() {
    let request = |method, path: &str, headers: &[(&str, &str)]| {
        let headers: Headers = headers.iter().copied().collect();
        Request { headers, ..Request::new(method, format!("https://broker.test{path}")) }
    };
    let id = [("upstash-deduplication-id", "once")];
    let run = [("Upstash-Workflow-RunId", "wfr_1")];
    let schedule = [("Upstash-Schedule-Id", "nightly")];
    for (method, path, headers, repeatable) in [
        (Method::Get, "/v2/dlq", &[][..], true),
        (Method::Delete, "/v2/messages/msg_1", &[], true),
        (Method::Patch, "/v2/schedules/s/pause", &[], true),
        (Method::Post, "/v2/queues", &[], true),
        (Method::Post, "/v2/queues/q/pause", &[], true),
        (Method::Post, "/v2/topics/t/endpoints", &[], true),
        (Method::Post, "/v2/flowControl/k/pin?parallelism=1", &[], true),
        (Method::Post, "/v2/publish/https://a.test/v2/queues", &[], false),
        (Method::Post, "/v2/publish/https://a.test", &id, true),
        (Method::Post, "/v2/publish/https://a.test", &[("Upstash-Content-Based-Deduplication", "true")], true),
        (Method::Post, "/v2/publish/https://a.test", &[("Upstash-Content-Based-Deduplication", "false")], false),
        (Method::Post, "/v2/publish/https://a.test", &run, true),
        (Method::Post, "/v2/enqueue/q/https://a.test", &[], false),
        (Method::Post, "/v2/enqueue/q/https://a.test", &id, true),
        (Method::Post, "/v2/schedules/https://a.test/pause", &[], false),
        (Method::Post, "/v2/schedules/https://a.test", &schedule, true),
        (Method::Post, "/v2/notify/event", &[], false),
        (Method::Post, "/v2/dlq/retry?dlqIds=1", &[], false),
        (Method::Post, "/v2/workflows/dlq/resume?dlqIds=1", &[], false),
        (Method::Post, "/v2/keys/rotate", &[], false),
        (Method::Post, "/llm/v1/chat/completions", &[], false),
        (Method::Post, "/", &[], false),
    ] {
        assert_eq!(is_repeatable(&request(method, path, headers)), repeatable, "{method:?} {path} {headers:?}");
    }
}

#[test]
fn a_batch_may_be_sent_twice_if_each_of_its_messages_may() {
    let item = |headers: &[(&str, &str)]| BatchItem {
        destination: "https://a.test".into(),
        headers: headers.iter().copied().collect(),
        body: None,
        queue: None,
    };
    let (once, twice) = (item(&[("Upstash-Deduplication-Id", "a")]), item(&[]));
    let of_run = item(&[("Upstash-Workflow-RunId", "wfr_1")]);
    let client = client();
    assert!(is_repeatable(&client.batch(&[once.clone(), of_run])));
    assert!(!is_repeatable(&client.batch(&[once, twice])));
}

#[test]
fn an_exceeded_limit_is_told_with_its_facts() {
    let texts = |limit: &str, remaining: &str, reset: &str| Limit {
        limit: Some(limit.to_owned()),
        remaining: Some(remaining.to_owned()),
        reset: Some(reset.to_owned()),
    };
    for (headers, code, message, limit) in [
        (
            &[("burst-ratelimit-limit", "100"), ("burst-ratelimit-remaining", "0"), ("burst-ratelimit-reset", "17")][..],
            Code::RateLimited,
            r#"Exceeded burst rate limit. {"limit":"100","remaining":"0","reset":"17"}"#,
            RateLimit::Burst(texts("100", "0", "17")),
        ),
        (
            &[],
            Code::RateLimited,
            r#"Exceeded burst rate limit. {"limit":null,"remaining":null,"reset":null}"#,
            RateLimit::Burst(Limit::default()),
        ),
        (
            &[("RateLimit-Limit", "1000"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "18")],
            Code::DailyRateLimited,
            r#"Exceeded daily rate limit. {"limit":"1000","remaining":"0","reset":"18"}"#,
            RateLimit::Daily(texts("1000", "0", "18")),
        ),
    ] {
        let error = failed(429, headers);
        assert_eq!((error.code(), error.message()), (code, message));
        assert_eq!((error.broker_status(), error.rate_limit()), (Some(429), Some(&limit)));
    }
    let error = failed(429, &[("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-tokens", "5")]);
    let Some(RateLimit::Chat { requests, tokens }) = error.rate_limit() else { panic!("{error}") };
    assert_eq!((requests.limit.as_deref(), tokens.remaining.as_deref()), (Some("60"), Some("5")));
    assert_eq!(error.code(), Code::ChatRateLimited);

    let error = failed(404, &[]);
    assert_eq!((error.code(), error.broker_status(), error.rate_limit()), (Code::BrokerRefused, Some(404), None));
}

#[test]
fn an_answer_is_read_as_the_type_that_is_asked_for() {
    let body = |text: &str| Peer::new([Ok(Response { body: text.into(), ..Response::new(200) })]);
    let read = |peer: &Peer| now(call::<Vec<Value>>(peer, &Retry::default(), &get()));
    assert_eq!(read(&body("[1]")), Ok(vec![json!(1)]));
    assert_eq!(read(&body("{}")).unwrap_err().code(), Code::BrokerAnswer);
    assert_eq!(read(&Peer::new([lost()])).unwrap_err().code(), Code::BrokerUnreachable);
}

fn failed(status: u16, headers: &[(&str, &str)]) -> Error {
    now(call::<Value>(&Peer::new([answer(status, headers)]), &Retry::NEVER, &get())).unwrap_err()
}
