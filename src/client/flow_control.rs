//! Limits that all messages of one key share, and what can be done about them (`/v2/flowControl`).

use serde::Deserialize;

use crate::client::Client;
use crate::client::query::{Query, Resource};
use crate::error::{Code, Error, Result};
use crate::wire::{Method, Request};

const KEYS: Resource = Resource { path: "/v2/flowControl", id: "a flow-control key" };

/// Limits that all messages of one key share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowControl {
    /// The key.
    pub key: String,
    /// How many deliveries may be open at once.
    pub parallelism: Option<u32>,
    /// How many deliveries may start in one period.
    pub rate: Option<u32>,
    /// The period, as a duration. The broker's default is 1 s.
    pub period: Option<String>,
}

impl FlowControl {
    /// The limits as the wire writes them: `parallelism=5, rate=10, period=1m`.
    pub(super) fn value(&self) -> Result<String> {
        if self.key.is_empty() {
            return Err(Error::new(Code::InvalidRequest, "flow control needs a key"));
        }
        if self.parallelism.is_none() && self.rate.is_none() {
            return Err(Error::new(Code::InvalidRequest, "flow control needs a parallelism or a rate"));
        }
        let parts = [
            self.parallelism.map(|parallelism| format!("parallelism={parallelism}")),
            self.rate.map(|rate| format!("rate={rate}")),
            self.period.as_ref().map(|period| format!("period={period}")),
        ];
        Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// The state of a flow-control key, as the broker shows it. What it leaves out counts as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowControlKey {
    /// The key.
    pub flow_control_key: String,
    /// How many messages wait.
    #[serde(default, alias = "waitlistSize")]
    pub wait_list_size: u64,
    /// How many deliveries may be open at once; 0 for any number.
    #[serde(default)]
    pub parallelism_max: u64,
    /// How many are open.
    #[serde(default)]
    pub parallelism_count: u64,
    /// How many deliveries may start in one period; 0 for any number.
    #[serde(default)]
    pub rate_max: u64,
    /// How many have started in this one.
    #[serde(default)]
    pub rate_count: u64,
    /// The period in seconds.
    #[serde(default)]
    pub rate_period: u64,
    /// When this period began; Unix time.
    #[serde(default)]
    pub rate_period_start: u64,
    /// Whether nothing is delivered for now.
    #[serde(default)]
    pub is_paused: bool,
    /// Whether messages can't change the parallelism.
    #[serde(default)]
    pub is_pinned_parallelism: bool,
    /// Whether messages can't change the rate.
    #[serde(default)]
    pub is_pinned_rate: bool,
}

/// How many deliveries the whole account has open, as the broker shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GlobalParallelism {
    /// How many may be open at once.
    pub parallelism_max: u64,
    /// How many are open.
    pub parallelism_count: u64,
}

/// Limits that hold whatever messages ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// How many deliveries may be open at once.
    pub parallelism: Option<u32>,
    /// How many deliveries may start in one period.
    pub rate: Option<u32>,
    /// The period in seconds.
    pub period: Option<u32>,
}

impl Client {
    /// Asks for a [`FlowControlKey`].
    pub fn flow_control(&self, key: &str) -> Result<Request> {
        Ok(self.request(Method::Get, &KEYS.at(key)?))
    }

    /// Asks for all keys, or those that a text occurs in: `Vec<`[`FlowControlKey`]`>`.
    pub fn flow_controls(&self, search: Option<&str>) -> Request {
        let mut query = Query::default();
        query.push_some("search", search);
        self.request(Method::Get, &query.after(KEYS.path))
    }

    /// Holds a key's messages back until [`Client::resume_flow_control`].
    pub fn pause_flow_control(&self, key: &str) -> Result<Request> {
        self.on_key(key, "/pause")
    }

    /// Delivers a paused key's messages again.
    pub fn resume_flow_control(&self, key: &str) -> Result<Request> {
        self.on_key(key, "/resume")
    }

    /// Fixes a key's limits: what messages ask for no longer changes them.
    ///
    /// [`Code::InvalidRequest`] without a limit.
    pub fn pin_flow_control(&self, key: &str, pin: &Pin) -> Result<Request> {
        if *pin == Pin::default() {
            return Err(Error::new(Code::InvalidRequest, "name a limit to pin: parallelism, rate or period"));
        }
        let mut query = Query::default();
        query.push_some("parallelism", pin.parallelism);
        query.push_some("rate", pin.rate);
        query.push_some("period", pin.period);
        self.on_key(key, &query.after("/pin"))
    }

    /// Lets messages change a key's pinned limits again.
    ///
    /// [`Code::InvalidRequest`] for neither limit.
    pub fn unpin_flow_control(&self, key: &str, parallelism: bool, rate: bool) -> Result<Request> {
        if !parallelism && !rate {
            return Err(Error::new(Code::InvalidRequest, "name a limit to unpin: parallelism or rate"));
        }
        let mut query = Query::default();
        query.push_some("parallelism", parallelism.then_some(true));
        query.push_some("rate", rate.then_some(true));
        self.on_key(key, &query.after("/unpin"))
    }

    /// Starts a key's period anew, with nothing counted.
    pub fn reset_flow_control_rate(&self, key: &str) -> Result<Request> {
        self.on_key(key, "/resetRate")
    }

    /// Forgets a key's state: what is counted, pinned and paused.
    pub fn reset_flow_control(&self, key: &str) -> Result<Request> {
        self.on_key(key, "/reset")
    }

    /// Asks for the [`GlobalParallelism`].
    pub fn global_parallelism(&self) -> Request {
        self.request(Method::Get, "/v2/globalParallelism")
    }

    fn on_key(&self, key: &str, action: &str) -> Result<Request> {
        Ok(self.request(Method::Post, &(KEYS.at(key)? + action)))
    }
}
