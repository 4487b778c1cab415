//! Messages that the broker has accepted and not finished (`/v2/messages`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::filter::Kind;
use crate::client::lenient::{header_lists, or_default};
use crate::client::query::Resource;
use crate::client::{Bulk, Client};
use crate::error::Result;
use crate::wire::{Method, Request, Timestamp};

const MESSAGES: Resource = Resource { path: "/v2/messages", id: "the id of a message" };

/// A message, as the broker shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMessage {
    /// The id.
    pub message_id: String,
    /// The destination.
    #[serde(default)]
    pub url: String,
    /// The URL group that it was published to.
    pub topic_name: Option<String>,
    /// The endpoint's name within that group.
    pub endpoint_name: Option<String>,
    /// The method of the delivery.
    pub method: Option<Method>,
    /// The headers for the destination.
    #[serde(default, deserialize_with = "header_lists")]
    pub header: BTreeMap<String, Vec<String>>,
    /// The body, if it is UTF-8.
    pub body: Option<String>,
    /// The body in base64, if it is not.
    pub body_base64: Option<String>,
    /// How many tries may follow the first.
    pub max_retries: Option<u32>,
    /// The expression that gives the delay before a retry in milliseconds.
    pub retry_delay_expression: Option<String>,
    /// When it may be delivered at the earliest.
    pub not_before: Option<Timestamp>,
    /// When it was accepted.
    #[serde(default)]
    pub created_at: Timestamp,
    /// Where every answer of the destination is sent.
    pub callback: Option<String>,
    /// Where the last answer is sent once the retries are used up.
    pub failure_callback: Option<String>,
    /// The queue that it goes through.
    pub queue_name: Option<String>,
    /// The schedule that published it.
    pub schedule_id: Option<String>,
    /// The address of whoever published it.
    pub caller_ip: Option<String>,
    /// Its flow-control key.
    pub flow_control_key: Option<String>,
    /// How many deliveries of that key may be open at once.
    pub parallelism: Option<u32>,
    /// How many deliveries of that key may start in one period.
    pub rate: Option<u32>,
    /// The period in seconds.
    pub period: Option<u64>,
    /// Its labels.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
}

/// How many messages were cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Cancelled {
    /// For ids, those that were still waiting; for a filter, those that it selected when the request came.
    pub cancelled: u64,
}

impl Client {
    /// Asks for a [`StoredMessage`]; a finished one is not found.
    pub fn message(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Get, &MESSAGES.at(id)?))
    }

    /// Cancels one message.
    pub fn cancel_message(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Delete, &MESSAGES.at(id)?))
    }

    /// Cancels messages: answers with [`Cancelled`].
    ///
    /// [`Code::EmptyArray`](crate::error::Code::EmptyArray) for no ids and an empty filter.
    pub fn cancel_messages(&self, which: &Bulk) -> Result<Request> {
        Ok(self.request(Method::Delete, &which.query(Kind::Messages)?.after(MESSAGES.path)))
    }
}
