//! Queues: messages of one queue are delivered in order (`/v2/queues`).
//!
//! A message goes through a queue if [`Message::queue`](crate::client::Message::queue) names it.

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::client::query::{Resource, check_id};
use crate::error::Result;
use crate::wire::{Method, Request, Timestamp, header};

const QUEUES: Resource = Resource { path: "/v2/queues", id: "the name of a queue" };

/// A queue, as the broker shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// The name.
    pub name: String,
    /// How many of its messages may be under way at once.
    pub parallelism: u32,
    /// Whether nothing is delivered for now.
    #[serde(default)]
    pub paused: bool,
    /// How many messages wait.
    #[serde(default)]
    pub lag: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl Client {
    /// Makes or changes a queue.
    pub fn upsert_queue(&self, name: &str, parallelism: u32, paused: bool) -> Result<Request> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            queue_name: &'a str,
            parallelism: u32,
            paused: bool,
        }
        check_id(QUEUES.id, name)?;
        Ok(self.json(Method::Post, QUEUES.path, &Body { queue_name: name, parallelism, paused }))
    }

    /// Asks for a [`Queue`].
    pub fn queue(&self, name: &str) -> Result<Request> {
        Ok(self.request(Method::Get, &QUEUES.at(name)?))
    }

    /// Asks for all queues: `Vec<`[`Queue`]`>`.
    pub fn queues(&self) -> Request {
        self.request(Method::Get, QUEUES.path)
    }

    /// Deletes a queue.
    pub fn delete_queue(&self, name: &str) -> Result<Request> {
        Ok(self.request(Method::Delete, &QUEUES.at(name)?))
    }

    /// Holds a queue's messages back until [`Client::resume_queue`].
    pub fn pause_queue(&self, name: &str) -> Result<Request> {
        Ok(self.request(Method::Post, &(QUEUES.at(name)? + "/pause")))
    }

    /// Delivers a paused queue's messages again.
    pub fn resume_queue(&self, name: &str) -> Result<Request> {
        Ok(self.request(Method::Post, &(QUEUES.at(name)? + "/resume")))
    }

    /// `body` is made of strings, numbers and booleans, which always serialise.
    pub(super) fn json(&self, method: Method, path: &str, body: &impl Serialize) -> Request {
        let body = serde_json::to_vec(body).unwrap_or_default();
        self.request(method, path).header(header::CONTENT_TYPE, "application/json").body(body)
    }
}
