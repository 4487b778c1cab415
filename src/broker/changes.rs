//! Tells whoever watches that something changed: `GET /v2/changes`, a stream of server-sent events.
//!
//! `ready` comes at once, `change` whenever something was changed, by a request, a delivery or a timer. They carry nothing:
//! whoever gets one reads what is on the screen anew. A comment now and then keeps the connection open, and lets a host
//! see that its other end is gone.
//!
//! The answer to the request is the beginning of the stream. A host that [`stays_open`] concerns goes on with
//! [`Changes::poll`]; one that does not is asked again after [`READY`]'s two seconds.

use std::time::Duration;

use crate::broker::api::fit;
use crate::broker::query::split;
use crate::error::Code;
use crate::wire::{Method, Request, Response, Timestamp};

/// Where the stream is.
pub const PATH: &str = "/v2/changes";
/// The beginning of the stream; a client that loses it comes back after two seconds.
pub const READY: &str = "retry: 2000\n\nevent: ready\ndata: {}\n\n";
/// Something changed.
pub const CHANGE: &str = "event: change\ndata: {}\n\n";
/// A comment, for want of news.
pub const KEEP_ALIVE: &str = ": nothing new\n\n";
/// After so long without news [`KEEP_ALIVE`] is sent.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// A listener hears of changes at most once in this time.
pub const INTERVAL: Duration = Duration::from_millis(250);
/// So many may listen to one process or object at once.
pub const LISTENERS: usize = 100;

/// What a listener has heard.
#[derive(Clone, Copy, Debug)]
pub struct Changes {
    revision: u64,
    told_at: Option<Timestamp>,
    idle_since: Timestamp,
}

/// What a listener's host does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Send this, then ask again.
    Send(&'static str),
    /// Ask again at this moment, or when the revision may be another one.
    WaitUntil(Timestamp),
}

impl Changes {
    /// Of a listener that knows, at a moment, what was there at a [revision](crate::broker::Broker::revision).
    pub fn since(revision: u64, at: Timestamp) -> Self {
        Self { revision, told_at: None, idle_since: at }
    }

    /// [`CHANGE`] at once if there was none in the last [`INTERVAL`], else at its end; [`KEEP_ALIVE`] after
    /// [`KEEP_ALIVE_INTERVAL`] without anything.
    pub fn poll(&mut self, revision: u64, at: Timestamp) -> News {
        // A clock that was put back holds nothing up.
        let wait = |since: Timestamp, time| (since..since + time).contains(&at).then(|| since + time);
        if revision != self.revision {
            if let Some(next) = self.told_at.and_then(|told_at| wait(told_at, INTERVAL)) {
                return News::WaitUntil(next);
            }
            *self = Self { revision, told_at: Some(at), idle_since: at };
            return News::Send(CHANGE);
        }
        if let Some(next) = wait(self.idle_since, KEEP_ALIVE_INTERVAL) {
            return News::WaitUntil(next);
        }
        self.idle_since = at;
        News::Send(KEEP_ALIVE)
    }
}

/// Whether a request asks for the stream.
pub fn is_stream(request: &Request) -> bool {
    request.method == Method::Get && fit(PATH, split(&request.url).0).is_some()
}

/// Whether an answer is the beginning of the stream, so that its connection stays open.
pub fn stays_open(request: &Request, answer: &Response) -> bool {
    is_stream(request) && answer.status == 200
}

/// The beginning of the stream.
pub fn begin() -> Response {
    Response::new(200)
        .header("content-type", "text/event-stream")
        .header("cache-control", "no-cache, no-transform")
        // Proxies of nginx's kind would keep events back.
        .header("x-accel-buffering", "no")
        .body(READY)
}

/// The answer to one listener too many.
pub fn full() -> Response {
    let text = format!("{LISTENERS} listen to changes already: close one of those streams, or poll");
    Response::json(Code::ProviderUnavailable.status(), &serde_json::json!({ "error": text }))
        .header("retry-after", "15")
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn after(millis: u64) -> Timestamp {
        START + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_change_is_told_at_once_and_the_last_one_always() {
        let mut changes = Changes::since(7, START);
        assert_eq!(changes.poll(7, START), News::WaitUntil(after(15_000)));
        assert_eq!(changes.poll(8, START), News::Send(CHANGE));
        assert_eq!(changes.poll(8, after(1)), News::WaitUntil(after(15_000)));
        assert_eq!(changes.poll(9, after(1)), News::WaitUntil(after(250)));
        assert_eq!(changes.poll(12, after(249)), News::WaitUntil(after(250)));
        assert_eq!(changes.poll(12, after(250)), News::Send(CHANGE));
        assert_eq!(changes.poll(12, after(9_000)), News::WaitUntil(after(15_250)));
        assert_eq!(changes.poll(13, after(9_000)), News::Send(CHANGE));
    }

    #[test]
    fn changes_of_a_second_are_told_four_times() {
        let mut changes = Changes::since(0, START);
        let told = (0..1000).filter(|millis| changes.poll(millis + 1, after(*millis)) == News::Send(CHANGE));
        assert_eq!(told.count(), 4);
    }

    #[test]
    fn without_news_a_comment_keeps_the_connection_open() {
        let mut changes = Changes::since(0, START);
        assert_eq!(changes.poll(0, after(14_999)), News::WaitUntil(after(15_000)));
        assert_eq!(changes.poll(0, after(15_003)), News::Send(KEEP_ALIVE));
        assert_eq!(changes.poll(0, after(15_003)), News::WaitUntil(after(30_003)));
    }

    #[test]
    fn a_clock_that_is_put_back_holds_nothing_up() {
        let mut changes = Changes::since(0, START);
        assert_eq!(changes.poll(1, START), News::Send(CHANGE));
        assert_eq!(changes.poll(2, Timestamp::from_millis(1_000)), News::Send(CHANGE));
        assert_eq!(changes.poll(2, Timestamp::from_millis(900)), News::Send(KEEP_ALIVE));
    }
}
