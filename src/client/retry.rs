//! Whether a request that failed is sent again, and when.
//!
//! | what came | sent again |
//! | --- | --- |
//! | no answer | always, as the official SDK does, although the broker may have read the request |
//! | 429 | always: a refused request did nothing; but not when the day's limit is used up |
//! | 5xx except 501 and 505 | if the broker does the same for two such requests as for one; see [`is_repeatable`] |
//! | anything else | never |
//!
//! The wait is what the answer asks for (`Retry-After`, `Burst-RateLimit-Reset`, `RateLimit-Reset`,
//! `x-ratelimit-reset-*`), else [`Backoff`]. A wait that does not fit into [`Retry::budget`] is not begun.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::client::check::{rate_limit, read};
use crate::client::fields::{Fields, Json};
use crate::error::{Code, Error, Limit, RateLimit, Result};
use crate::wire::duration::shown;
use crate::wire::wait::parse_wait;
use crate::wire::{Headers, Method, Request, Response, Timestamp, header};

/// How often and how long a request is tried.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Tries after the first.
    pub retries: u32,
    /// The wait before a retry when the broker doesn't tell one.
    pub backoff: Backoff,
    /// After this time since the first try none begins.
    pub budget: Duration,
}

/// The wait before a retry, given how many came before.
#[derive(Clone, Copy, Debug)]
pub enum Backoff {
    /// `50 * e^retried` milliseconds, as the official SDK waits: 50, 136, 369, 1004, 2730 ms.
    Exponential,
    /// Always the same.
    Constant(Duration),
    /// As computed.
    Of(fn(u32) -> Duration),
}

/// The official SDK's number of retries.
pub const DEFAULT_RETRIES: u32 = 5;

/// Long enough for a burst limit, which ends within a second, and short enough for a serverless function.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(30);

impl Retry {
    /// One try only.
    pub const NEVER: Self = Self { retries: 0, backoff: Backoff::Exponential, budget: Duration::ZERO };

    /// How long to wait before `request` is sent again; `None`: it is not.
    pub fn wait(&self, request: &Request, attempt: &Attempt<'_>) -> Option<Duration> {
        if attempt.retried >= self.retries {
            return None;
        }
        let asked = match attempt.answer {
            None => None,
            Some(answer) => {
                if !may_succeed_later(answer) || (answer.status != 429 && !is_repeatable(request)) {
                    return None;
                }
                asked_wait(answer, attempt.now)
            }
        };
        let wait = asked.unwrap_or_else(|| self.backoff.wait(attempt.retried));
        let end = attempt.elapsed.checked_add(wait)?;
        (end <= self.budget).then_some(wait)
    }
}

impl Default for Retry {
    /// Five retries after 50, 136, 369, 1004 and 2730 ms, in at most 30 s.
    fn default() -> Self {
        Self { retries: DEFAULT_RETRIES, backoff: Backoff::Exponential, budget: DEFAULT_BUDGET }
    }
}

impl Backoff {
    fn wait(self, retried: u32) -> Duration {
        match self {
            Backoff::Exponential => {
                Duration::try_from_secs_f64(f64::from(retried).exp() * 0.05).unwrap_or(Duration::MAX)
            }
            Backoff::Constant(wait) => wait,
            Backoff::Of(wait) => wait(retried),
        }
    }
}

/// A try that did not succeed.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What came back; `None` if nothing did.
    pub answer: Option<&'a Response>,
    /// How many retries came before.
    pub retried: u32,
    /// The time since the first try began.
    pub elapsed: Duration,
    /// The time, for answers that name a moment.
    pub now: Timestamp,
}

/// What sending needs of a host.
pub trait Transport {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Sends once; `Err` says in a sentence why there is no answer.
    fn exchange(&self, request: &Request) -> impl Future<Output = Result<Response, String>>;

    /// Waits.
    fn wait(&self, duration: Duration) -> impl Future<Output = ()>;
}

/// Sends a request, again if [`Retry`] says so, and returns what the last try brought, whatever its status.
pub async fn send(transport: &impl Transport, retry: &Retry, request: &Request) -> Result<Response, String> {
    let begun = transport.now();
    let mut retried = 0;
    loop {
        let outcome = transport.exchange(request).await;
        if outcome.as_ref().is_ok_and(Response::is_success) {
            return outcome;
        }
        let now = transport.now();
        let attempt = Attempt { answer: outcome.as_ref().ok(), retried, elapsed: now - begun, now };
        match retry.wait(request, &attempt) {
            None => return outcome,
            Some(wait) => transport.wait(wait).await,
        }
        retried += 1;
    }
}

/// [`send`], and reads the answer.
///
/// [`Code::BrokerUnreachable`] if none came, else the errors of [`read`].
pub async fn call<T: DeserializeOwned>(transport: &impl Transport, retry: &Retry, request: &Request) -> Result<T> {
    match send(transport, retry, request).await {
        Ok(response) => read(&response),
        Err(reason) => {
            Err(Error::new(Code::BrokerUnreachable, format!("the broker can't be reached: {}", shown(&reason))))
        }
    }
}

fn may_succeed_later(answer: &Response) -> bool {
    match answer.status {
        429 => !matches!(rate_limit(answer), Some(RateLimit::Daily(_))),
        501 | 505 => false,
        status => (500..600).contains(&status),
    }
}

/// Whether the broker does the same for this request sent twice as for one.
///
/// Reading, setting, removing, pausing and resuming are; so is a message with a deduplication id, a message or step of a
/// run (the broker drops the second one), and a schedule with an id. A message without such an id would be delivered
/// twice, an event notified twice, a dead letter retried twice, the signing keys rotated twice.
pub fn is_repeatable(request: &Request) -> bool {
    match request.method {
        Method::Get | Method::Head | Method::Options | Method::Put | Method::Delete => true,
        Method::Patch | Method::Post => is_repeatable_post(request),
    }
}

fn is_repeatable_post(request: &Request) -> bool {
    let path = path_of(&request.url);
    let segments: Vec<&str> = path.strip_prefix("/v2/").unwrap_or_default().split('/').collect();
    match segments[..] {
        ["batch"] => is_deduplicated_batch(&request.body),
        ["publish" | "enqueue" | "trigger", ..] => is_deduplicated(&request.headers),
        ["schedules", _, "pause" | "resume"] | ["queues" | "topics" | "flowControl" | "wait", ..] => true,
        ["schedules", ..] => request.headers.contains(header::SCHEDULE_ID),
        _ => false,
    }
}

fn is_deduplicated(headers: &Headers) -> bool {
    [header::DEDUPLICATION_ID, header::WORKFLOW_RUN_ID].iter().any(|name| headers.contains(name))
        || headers.get(header::CONTENT_BASED_DEDUPLICATION) == Some("true")
}

/// Whether every message of the batch is.
fn is_deduplicated_batch(body: &[u8]) -> bool {
    let items = std::str::from_utf8(body).ok().and_then(|json| Json::read(json).and_then(Json::list).ok());
    let deduplicated = |item: Fields| {
        item.rest().into_iter().any(|(name, value)| match value {
            Json::Object(headers) if name == "headers" => {
                is_deduplicated(&headers.into_iter().filter_map(|(name, value)| Some((name, value.shown()?))).collect())
            }
            _ => false,
        })
    };
    items.is_some_and(|items| items.into_iter().all(deduplicated))
}

/// What follows the authority, without the query.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

/// The wait that an answer asks for.
fn asked_wait(answer: &Response, now: Timestamp) -> Option<Duration> {
    let asked = |text: Option<&str>| text.and_then(|text| wait_of(text.trim(), now));
    if let Some(wait) = asked(answer.headers.get(header::RETRY_AFTER)) {
        return Some(wait);
    }
    match rate_limit(answer)? {
        RateLimit::Burst(limit) | RateLimit::Daily(limit) => {
            asked(limit.reset.as_deref()).or_else(|| asked(answer.headers.get("RateLimit-Reset")))
        }
        RateLimit::Chat { requests, tokens } => {
            let used_up = |limit: &&Limit| limit.remaining.as_deref() == Some("0");
            let limits = [&requests, &tokens];
            let resets = |limit: &&Limit| asked(limit.reset.as_deref());
            // The limit that is used up is the one that was exceeded; if the answer doesn't tell, the later of both.
            let longest = |limits: &[&Limit]| limits.iter().filter_map(resets).max();
            longest(&limits.into_iter().filter(|limit| used_up(limit)).collect::<Vec<_>>()).or_else(|| longest(&limits))
        }
    }
}

/// A number from 2001 on in seconds is a moment, a smaller one a duration.
fn wait_of(text: &str, now: Timestamp) -> Option<Duration> {
    const FIRST_MOMENT: u64 = 1_000_000_000;
    match text.parse::<u64>() {
        Ok(seconds) if seconds >= FIRST_MOMENT => Some(Timestamp::from_seconds(seconds) - now),
        _ => parse_wait(text, now),
    }
}
