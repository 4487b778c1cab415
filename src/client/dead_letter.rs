//! Messages that failed for good, and what becomes of them (`/v2/dlq`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::filter::Kind;
use crate::client::lenient::{header_lists, or_default};
use crate::client::query::Resource;
use crate::client::{Bulk, Client, Listing, StoredMessage};
use crate::error::Result;
use crate::wire::{Method, Request};

const DEAD_LETTERS: Resource = Resource { path: "/v2/dlq", id: "the id of a dead letter" };

/// A message that failed, as the broker shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The id in this list.
    pub dlq_id: String,
    /// The message.
    #[serde(flatten)]
    pub message: StoredMessage,
    /// The status of the destination's last answer.
    pub response_status: Option<u16>,
    /// The headers of that answer.
    #[serde(default, deserialize_with = "header_lists")]
    pub response_header: BTreeMap<String, Vec<String>>,
    /// The body of that answer, if it is UTF-8.
    pub response_body: Option<String>,
    /// The body of that answer in base64, if it is not.
    pub response_body_base64: Option<String>,
}

/// A page of dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeadLetters {
    /// The newest first.
    #[serde(deserialize_with = "or_default")]
    pub messages: Vec<DeadLetter>,
    /// For [`Listing::cursor`]; absent or empty on the last page.
    pub cursor: Option<String>,
}

/// What a bulk request deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Deleted {
    /// How many.
    pub deleted: u64,
    /// For [`Bulk::after`]; absent or empty if nothing is left.
    pub cursor: Option<String>,
}

/// What a bulk request published anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Retried {
    /// One for each message.
    #[serde(deserialize_with = "or_default")]
    pub responses: Vec<Published>,
    /// For [`Bulk::after`]; absent or empty if nothing is left.
    pub cursor: Option<String>,
}

/// What the broker says of an accepted message. A message to a URL group gets an array of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The message's id; empty if it was not accepted.
    #[serde(default)]
    pub message_id: String,
    /// The endpoint, for a URL group.
    pub url: Option<String>,
    /// Whether it was accepted before under the same deduplication id.
    #[serde(default)]
    pub deduplicated: bool,
    /// Why this message of a batch was not accepted.
    pub error: Option<String>,
}

impl Client {
    /// Asks for [`DeadLetters`].
    pub fn dead_letters(&self, which: &Listing) -> Result<Request> {
        Ok(self.request(Method::Get, &which.query(Kind::DeadLetters)?.after(DEAD_LETTERS.path)))
    }

    /// Asks for a [`DeadLetter`].
    pub fn dead_letter(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Get, &DEAD_LETTERS.at(id)?))
    }

    /// Deletes one dead letter.
    pub fn delete_dead_letter(&self, id: &str) -> Result<Request> {
        Ok(self.request(Method::Delete, &DEAD_LETTERS.at(id)?))
    }

    /// Deletes dead letters: answers with [`Deleted`].
    pub fn delete_dead_letters(&self, which: &Bulk) -> Result<Request> {
        Ok(self.request(Method::Delete, &which.query(Kind::DeadLetters)?.after(DEAD_LETTERS.path)))
    }

    /// Publishes dead letters anew, and removes them from the list: answers with [`Retried`].
    pub fn retry_dead_letters(&self, which: &Bulk) -> Result<Request> {
        let path = format!("{}/retry", DEAD_LETTERS.path);
        Ok(self.request(Method::Post, &which.query(Kind::DeadLetters)?.after(&path)))
    }
}
