//! Requests to QStash, or to any broker that speaks its wire, as values; one file a resource.
//!
//! A [`Client`] never sends: it makes a [`Request`] for the host, and reads the
//! [`Response`](crate::wire::Response) that the host brings back; [`call`] does both over a host's [`Transport`].
//!
#![doc = include_str!("../../docs/client.md")]

mod batch;
mod check;
pub mod configuration;
mod dead_letter;
mod event;
pub(crate) mod fields;
mod filter;
mod flow_control;
mod keys;
mod lenient;
mod log;
mod message;
mod operation;
pub(crate) mod options;
mod provider;
mod query;
mod queue;
pub mod region;
pub mod retry;
mod run_dead_letter;
mod run_log;
mod runs;
mod schedule;
mod stored_message;
mod url_group;
mod user;

pub use batch::BatchItem;
pub use check::{check, rate_limit, read};
pub use configuration::Configuration;
pub use dead_letter::{DeadLetter, DeadLetters, Deleted, Published, Retried};
pub use event::{Event, Notified, Waiter};
pub use filter::{Bulk, Field, Filter, Listing};
pub use flow_control::{FlowControl, FlowControlKey, GlobalParallelism, Pin};
pub use keys::SigningKeys;
pub use log::{LogEntry, Logs};
pub use message::{Message, NotBefore, Redact, RedactedHeaders};
pub use provider::Provider;
pub use queue::Queue;
pub use region::{Credentials, DEFAULT_BASE_URL};
pub use retry::{Retry, Transport, call, send};
pub use run_dead_letter::{FailureCallback, ResumedRun, ResumedRuns, Resumption, RunDeadLetter, RunDeadLetters};
pub use run_log::{FailureFunctionLog, Invoker, RunLog, RunLogs, StepError, StepGroup, StepLog};
#[cfg(feature = "js")]
pub(crate) use runs::check_name;
pub(crate) use runs::engine_headers;
pub use runs::{Ending, Trigger};
pub use schedule::{Schedule, ScheduleId, StoredSchedule};
pub use stored_message::{Cancelled, StoredMessage};
pub use url_group::{Endpoint, UrlGroup};

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::url::is_http;
use crate::wire::{Headers, Method, Request, header};

/// Where a broker is, and the token it wants.
#[derive(Clone)]
pub struct Client {
    base_url: String,
    token: String,
    headers: Headers,
}

impl Client {
    /// A client of the broker at `base_url`.
    ///
    /// [`Code::InvalidUrl`] unless `base_url` is http(s); [`Code::InvalidConfiguration`] for an empty token or one
    /// that can't travel in a header.
    pub fn new(base_url: &str, token: &str) -> Result<Self> {
        let base_url = base_url.trim_end_matches('/');
        if !is_http(base_url) {
            return Err(Error::new(
                Code::InvalidUrl,
                format!("the broker's URL must start with http:// or https://, got '{}'", shown(base_url)),
            ));
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::new(
                Code::InvalidConfiguration,
                "the broker's token must be a non-empty text of visible ASCII characters; is QSTASH_TOKEN set?",
            ));
        }
        Ok(Self { base_url: base_url.to_owned(), token: token.to_owned(), headers: Headers::new() })
    }

    /// Headers that every published message carries to its destination, unless it has its own of that name.
    ///
    /// [`Code::InvalidHeader`] for a name or value that no header can have.
    pub fn headers(mut self, headers: &Headers) -> Result<Self> {
        self.headers = message::destination_headers(headers)?;
        Ok(self)
    }

    /// The address, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What [`headers`](Self::headers) has set.
    pub(crate) fn own_headers(&self) -> &Headers {
        &self.headers
    }

    pub(crate) fn with_own_headers(&self, headers: &Headers) -> Headers {
        let mut all = self.headers.clone();
        for (name, value) in headers.iter() {
            all.set(name, value);
        }
        all
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.base_url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url)
            .field("token", &"[redacted]")
            .field("headers", &self.headers)
            .finish()
    }
}
