//! What a host decides: secrets, limits, defaults, retention.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::signature::SigningKey;

/// The settings of a broker. Start from [`Settings::new`] and change what differs.
#[derive(Clone)]
pub struct Settings {
    /// The bearer token that every request needs.
    pub token: String,
    /// A token that may read everything but the signing keys, and change nothing.
    pub read_only_token: Option<String>,
    /// The key that deliveries are signed with, until a rotation.
    pub current_signing_key: String,
    /// The key that replaces it at the first rotation. Once keys were rotated, `GET /v2/keys` tells the pair that
    /// counts; if these settings change, they count again.
    pub next_signing_key: String,
    /// Sizes and counts above which a request is refused.
    pub limits: Limits,
    /// What holds when a message does not say otherwise.
    pub defaults: Defaults,
    /// How long a message with the same deduplication id, or a new run with the same run id, is a duplicate.
    pub deduplication_window: Duration,
    /// How long a lease lasts beyond the timeout of its message.
    pub lease_margin: Duration,
    /// So many deliveries of a message may end in a row without an outcome, because whoever held the lease died; then
    /// it counts as a failed try. A message that brings its broker down doesn't do so for ever.
    pub lost_leases: u32,
    /// How long leases of the former process last after a restart: whoever was being called gets this long to submit
    /// its step before the message is delivered again.
    pub restart_grace: Duration,
    /// How long an event that nobody waits for yet is kept for its run.
    pub event_lifetime: Duration,
    /// A history over this many bytes is not delivered but fetched by the endpoint.
    pub inline_history_bytes: usize,
    /// More bytes than this of a destination's answer are neither kept nor told to callbacks.
    pub response_bytes: usize,
    /// How many deliveries the host has under way at once; `GET /v2/globalParallelism` tells it.
    pub parallelism: u32,
    /// Where API destinations go.
    pub apis: Apis,
    /// When ended things are forgotten.
    pub retention: Retention,
}

/// Where API destinations (`api/llm`, `api/email`) go: what stands before the path of the API, such as
/// `https://api.resend.com`. `None` refuses them.
#[derive(Clone, Debug)]
pub struct Apis {
    /// Chat completions in the form of `OpenAI`.
    pub llm: Option<String>,
    /// Mails in Resend's form.
    pub email: Option<String>,
}

/// Sizes and counts above which a request is refused.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body, and of each message in a batch.
    pub body_bytes: usize,
    /// Bytes of one header value.
    pub header_value_bytes: usize,
    /// Bytes of all header names and values of one message that are kept: `Upstash-…` and `Content-Type`.
    pub header_bytes: usize,
    /// Headers of one message that are kept: those that begin with `Upstash-`.
    pub headers: usize,
    /// Messages in a batch.
    pub batch_messages: usize,
    /// The longest delay.
    pub delay: Duration,
    /// The longest time that a destination may take to answer.
    pub timeout: Duration,
    /// The most retries.
    pub retries: u32,
    /// Entries in a run's history.
    pub history_entries: usize,
    /// Events that are kept for a run until it waits for them.
    pub kept_events: usize,
    /// Queues.
    pub queues: u64,
    /// Schedules.
    pub schedules: u64,
    /// URL groups.
    pub url_groups: u64,
    /// Endpoints of a URL group.
    pub url_group_endpoints: usize,
    /// What becomes of destinations that are not on the public internet.
    pub private_destinations: PrivateDestinations,
    /// Origins such as `https://app.test` to which the host has a way of its own; see
    /// [`Broker::add_own_origin`](super::Broker::add_own_origin).
    pub own_origins: BTreeSet<String>,
}

/// What becomes of destinations that are not on the public internet: private, local and reserved addresses, and names
/// that stand for such. Whoever may publish could reach through the broker what only its network can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateDestinations {
    /// They are called like any other: for development, and for brokers that serve a private network.
    Allowed,
    /// They are refused when they are accepted, and fail without being called if they were accepted before.
    ///
    /// A name is judged by its form here; a host that resolves names itself asks [`is_private`](super::is_private)
    /// about the addresses too.
    Refused,
}

impl Limits {
    /// No limits: for what was checked when it was accepted.
    pub(super) const NONE: Limits = Limits {
        body_bytes: usize::MAX,
        header_value_bytes: usize::MAX,
        header_bytes: usize::MAX,
        headers: usize::MAX,
        batch_messages: usize::MAX,
        delay: Duration::MAX,
        timeout: Duration::MAX,
        retries: u32::MAX,
        history_entries: usize::MAX,
        kept_events: usize::MAX,
        queues: u64::MAX,
        schedules: u64::MAX,
        url_groups: u64::MAX,
        url_group_endpoints: usize::MAX,
        private_destinations: PrivateDestinations::Allowed,
        own_origins: BTreeSet::new(),
    };
}

/// What holds when a message does not say otherwise.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// How many tries may follow the first.
    pub retries: u32,
    /// How long a destination may take to answer.
    pub timeout: Duration,
}

/// When ended things are forgotten: the older ones first.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The age of an event.
    pub event_age: Duration,
    /// The number of events.
    pub events: u64,
    /// The age of an ended run, from its end.
    pub run_age: Duration,
    /// The number of ended runs.
    pub runs: u64,
    /// The age of a dead letter.
    pub dead_letter_age: Duration,
    /// The number of dead letters.
    pub dead_letters: u64,
    /// How often the broker looks for them.
    pub sweep_interval: Duration,
}

impl Settings {
    /// Settings with the limits of hosted QStash's free plan, where one is published.
    pub fn new(
        token: impl Into<String>,
        current_signing_key: impl Into<String>,
        next_signing_key: impl Into<String>,
    ) -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            token: token.into(),
            read_only_token: None,
            current_signing_key: current_signing_key.into(),
            next_signing_key: next_signing_key.into(),
            limits: Limits {
                body_bytes: 1024 * 1024,
                header_value_bytes: 16 * 1024,
                header_bytes: 64 * 1024,
                headers: 256,
                batch_messages: 500,
                delay: 366 * DAY,
                timeout: Duration::from_hours(12),
                retries: 1000,
                history_entries: 10_000,
                kept_events: 100,
                queues: 10_000,
                schedules: 10_000,
                url_groups: 10_000,
                url_group_endpoints: 100,
                private_destinations: PrivateDestinations::Refused,
                own_origins: BTreeSet::new(),
            },
            defaults: Defaults { retries: 3, timeout: Duration::from_mins(15) },
            deduplication_window: Duration::from_mins(10),
            lease_margin: Duration::from_secs(10),
            lost_leases: 10,
            restart_grace: Duration::from_secs(5),
            event_lifetime: 7 * DAY,
            inline_history_bytes: 512 * 1024,
            response_bytes: 1024 * 1024,
            parallelism: 100,
            apis: Apis { llm: None, email: Some("https://api.resend.com".to_owned()) },
            retention: Retention {
                event_age: 7 * DAY,
                events: 100_000,
                run_age: 7 * DAY,
                runs: 10_000,
                dead_letter_age: 7 * DAY,
                dead_letters: 10_000,
                sweep_interval: Duration::from_mins(1),
            },
        }
    }

    /// The most bytes that the body of any request may have; a host need not read more than one byte beyond it.
    pub fn request_bytes(&self) -> usize {
        self.limits.body_bytes.saturating_mul(super::accept::STEP_FACTOR)
    }

    /// Refuses secrets that can't be used: [`Code::InvalidConfiguration`], [`Code::EmptyKeySet`].
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |text: &str| Err(Error::new(Code::InvalidConfiguration, text));
        if self.token.trim().is_empty() {
            return refuse("the broker needs a token; an empty one protects nothing");
        }
        if self.token.trim() != self.token || self.read_only_token.iter().any(|token| token.trim() != token) {
            return refuse("a token has white space before or after it; remove it where the token is set");
        }
        match self.read_only_token.as_deref() {
            Some("") => return refuse("the read-only token is empty; leave it out if there is to be none"),
            Some(token) if token == self.token => {
                return refuse("the read-only token is the token itself, which may do everything: set another one");
            }
            _ => {}
        }
        SigningKey::new(&self.next_signing_key)?;
        SigningKey::new(&self.current_signing_key).map(drop)
    }
}

/// Hides the secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("token", &"[redacted]")
            .field("read_only_token", &self.read_only_token.as_ref().map(|_| "[redacted]"))
            .field("current_signing_key", &"[redacted]")
            .field("next_signing_key", &"[redacted]")
            .field("limits", &self.limits)
            .field("defaults", &self.defaults)
            .field("deduplication_window", &self.deduplication_window)
            .field("lease_margin", &self.lease_margin)
            .field("lost_leases", &self.lost_leases)
            .field("restart_grace", &self.restart_grace)
            .field("event_lifetime", &self.event_lifetime)
            .field("inline_history_bytes", &self.inline_history_bytes)
            .field("response_bytes", &self.response_bytes)
            .field("parallelism", &self.parallelism)
            .field("apis", &self.apis)
            .field("retention", &self.retention)
            .finish()
    }
}
