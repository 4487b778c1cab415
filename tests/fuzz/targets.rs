//! What fuzzing feeds: everything that reads what the other end of the wire has written. Each target takes any bytes; it
//! must neither panic nor hang, and what it says twice must be the same.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use orchestration::client::{self, Client};
use orchestration::signature::{Expect, Keys, verify_bytes};
use orchestration::wire::{
    Expression, Headers, Method, Request, Response, Timestamp, base64, header, parse_duration, url,
};
use orchestration::workflow::{Context, Endpoint, FailedRun, Failure, Host, serve_with};

/// A target: takes any bytes.
pub type Target = fn(&[u8]);

/// Every target, by its name.
pub const TARGETS: [(&str, Target); 7] = [
    ("jwt", jwt),
    ("history", history),
    ("callback", callback),
    ("headers", headers),
    ("duration", duration),
    ("expression", expression),
    ("answer", answer),
];

const URL: &str = "https://app.test/api/order";

/// A token, a line break, and the body that it was made for.
pub fn jwt(data: &[u8]) {
    let (token, body) = split(data);
    let token = String::from_utf8_lossy(token);
    let Ok(keys) = Keys::new("sig_current", Some("sig_next")) else { return };
    let now = Timestamp::from_seconds(1_800_000_000);
    let expect = Expect { url: Some(URL), now, tolerance: Duration::from_secs(5) };
    let once = verify_bytes(&token, body, &keys, &expect);
    assert_eq!(once.is_ok(), verify_bytes(&token, body, &keys, &expect).is_ok());
    if let Ok(claims) = once {
        assert!(claims.expires_at.seconds() >= 1_799_999_995 && url::is_same(&claims.subject, URL), "{claims:?}");
    }
    url::is_same(&token, URL);
}

/// The body of the delivery of a step; also as a history that is fetched.
pub fn history(data: &[u8]) {
    let step = Request::new(Method::Post, URL)
        .header(header::WORKFLOW_SDK_VERSION, "1")
        .header(header::WORKFLOW_RUN_ID, "wfr_1")
        .header(header::MESSAGE_ID, "msg_1");
    deliver(&step.clone().body(data), data);
    deliver(&step, data);
}

/// The body of the callback of a call, and that of a failure callback.
pub fn callback(data: &[u8]) {
    let mut request = Request::new(Method::Post, URL).header(header::WORKFLOW_RUN_ID, "wfr_1").body(data);
    for (name, value) in [
        (header::WORKFLOW_CALLBACK, "true"),
        (header::WORKFLOW_STEP_ID, "1"),
        (header::WORKFLOW_STEP_NAME, "call"),
        (header::WORKFLOW_STEP_TYPE, "Call"),
        (header::WORKFLOW_CONCURRENT, "1"),
        (header::WORKFLOW_CONTENT_TYPE, "application/json"),
    ] {
        request.headers.set(name, value);
    }
    deliver(&request, data);
    let failure = Request::new(Method::Post, URL)
        .header(header::WORKFLOW_RUN_ID, "wfr_1")
        .header(header::WORKFLOW_FAILURE_CALLBACK, "true")
        .body(data);
    deliver(&failure, data);
}

/// The headers of a delivery: a line for each name, followed by one for its value.
pub fn headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut headers = Headers::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        headers.append(name, value);
    }
    deliver(&Request { method: Method::Post, url: URL.to_owned(), headers, body: b"[]".to_vec() }, b"");
}

/// A duration.
pub fn duration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(duration) = parse_duration(&text) {
        assert_eq!(parse_duration(&format!("{}s", duration.as_secs())), Ok(duration));
    }
}

/// An expression for the delay before a retry.
pub fn expression(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(expression) = Expression::parse(&text) {
        for retried in [0, 1, 5, u32::MAX] {
            let value = expression.evaluate(retried);
            assert_eq!(value.to_bits(), expression.evaluate(retried).to_bits());
        }
    }
}

/// A broker's answer.
pub fn answer(data: &[u8]) {
    for status in [200, 400, 429, 500] {
        let response = Response::new(status).header("Retry-After", String::from_utf8_lossy(data)).body(data);
        assert_eq!(client::check(&response).is_ok(), status == 200);
        let _ = client::read::<serde_json::Value>(&response);
    }
}

fn split(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, b""),
    }
}

/// A host whose broker always answers the same.
struct Peer<'a>(&'a [u8]);

impl Host for Peer<'_> {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    async fn sleep(&self, _: Duration) {}

    async fn send(&self, _: Request) -> Result<Response, String> {
        Ok(Response::new(200).body(self.0))
    }
}

/// Serves a workflow of every kind of step.
fn deliver(request: &Request, answer: &[u8]) {
    let token = base64::encode(r#"{"UserID":"user"}"#);
    let Ok(client) = Client::new("https://broker.test", &token) else { return };
    let endpoint = Arc::new(Endpoint::new(client));
    let (peer, workflow) = (Peer(answer), async |ctx: Context| workflow(ctx).await);
    let served = serve_with(&endpoint, request, &peer, workflow, Some(async |_: Context, _: FailedRun| Ok(())));
    let mut served = pin!(served);
    for _ in 0..1000 {
        if let Poll::Ready(response) = served.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
            assert!((200..600).contains(&response.status), "{response:?}");
            return;
        }
    }
    panic!("the engine waits for nothing");
}

async fn workflow(ctx: Context) -> Result<f64, Failure> {
    let minute = Duration::from_mins(1);
    let drawn = ctx.random();
    ctx.run("a", async || Ok::<_, Failure>(serde_json::Value::Null)).await?;
    ctx.now();
    let tried = ctx.step("b").retries(1).compensate(async |_: serde_json::Value| Ok::<_, Failure>(()));
    let tried = tried.run(async || Err::<serde_json::Value, _>(Failure::new("Error", "no")));
    let (tried, call) =
        futures_util::join!(tried, ctx.call("c", orchestration::workflow::Call::new("https://api.test")));
    tried?;
    call?.expect_success()?.bytes();
    ctx.wait_for_event::<serde_json::Value>("d", "event", minute).await?;
    let webhook = ctx.create_webhook("e").await?;
    ctx.wait_for_webhook("f", &webhook, minute).await?;
    ctx.patch("g").await?;
    ctx.sleep("h", minute).await?;
    Ok(drawn)
}
