//! What became of messages (`/v2/events`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::filter::Kind;
use crate::client::lenient::{header_lists, or_default};
use crate::client::{Client, Listing};
use crate::error::Result;
use crate::wire::{Method, Request, Timestamp};

/// Something that happened to a message, as the broker shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// When.
    pub time: Timestamp,
    /// What, such as `CREATED`, `DELIVERED` or `FAILED`.
    pub state: String,
    /// To which message.
    pub message_id: String,
    /// The destination.
    #[serde(default)]
    pub url: String,
    /// The URL group that the message was published to.
    pub topic_name: Option<String>,
    /// The endpoint's name within that group.
    pub endpoint_name: Option<String>,
    /// When the next try comes.
    pub next_delivery_time: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// The status of the destination's answer.
    pub response_status: Option<u16>,
    /// The body of that answer.
    pub response_body: Option<String>,
    /// The headers for the destination.
    #[serde(default, deserialize_with = "header_lists")]
    pub header: BTreeMap<String, Vec<String>>,
    /// The message's body.
    pub body: Option<String>,
    /// The queue that the message goes through.
    pub queue_name: Option<String>,
    /// The schedule that published the message.
    pub schedule_id: Option<String>,
    /// The message's labels.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
}

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Logs {
    /// The newest first.
    #[serde(alias = "logs", deserialize_with = "or_default")]
    pub events: Vec<LogEntry>,
    /// For [`Listing::cursor`]; absent or empty on the last page.
    pub cursor: Option<String>,
}

impl Client {
    /// Asks for [`Logs`].
    pub fn logs(&self, which: &Listing) -> Result<Request> {
        Ok(self.request(Method::Get, &which.query(Kind::Logs)?.after("/v2/events")))
    }
}
