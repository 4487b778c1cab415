//! Events that runs wait for (`/v2/notify`, `/v2/waiters`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::client::lenient::header_lists;
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Method, Request, header};

/// News for the runs that wait for it.
///
/// ```
/// use orchestration::client::{Client, Event};
/// use serde_json::json;
///
/// let client = Client::new("https://qstash.upstash.io", "token")?;
/// let event = Event::new("order-4711-paid").json(&json!({"amount": 5}))?.for_run("wfr_order-4711");
/// let request = client.notify(&event)?;
/// assert_eq!(request.url, "https://qstash.upstash.io/v2/notify/wfr_order-4711/order-4711-paid");
/// # Ok::<(), orchestration::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    id: String,
    data: Option<String>,
    run_id: Option<String>,
}

impl Event {
    /// An event without data, for every run that waits for it now.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Data for the runs, as it is. A run that gets JSON reads it.
    #[must_use]
    pub fn text(mut self, data: impl Into<String>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Data for the runs, written as JSON.
    ///
    /// [`Code::NotSerializable`] if it can't be.
    pub fn json<T: Serialize>(self, data: &T) -> Result<Self> {
        let json = serde_json::to_string(data).map_err(|error| {
            Error::new(Code::NotSerializable, format!("the event's data can't be written as JSON: {error}"))
        })?;
        Ok(self.text(json))
    }

    /// Only for this run, which may also begin to wait later (lookback).
    #[must_use]
    pub fn for_run(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }
}

/// A run that waits for an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Waiter {
    /// The run's endpoint.
    pub url: String,
    /// Headers of the delivery that the event brings about.
    #[serde(deserialize_with = "header_lists")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// When it stops to wait; Unix seconds.
    pub deadline: u64,
    /// Where it is told so.
    pub timeout_url: Option<String>,
    /// What it is told then.
    pub timeout_body: Option<Value>,
    /// Headers of that delivery.
    #[serde(deserialize_with = "header_lists")]
    pub timeout_headers: BTreeMap<String, Vec<String>>,
}

/// A run that an event was brought to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Notified {
    /// What it waited for; `None` if it does not wait yet.
    pub waiter: Option<Waiter>,
    /// The message that resumes it.
    pub message_id: String,
    /// Why it could not be brought; empty if it could.
    pub error: Option<String>,
    /// The run.
    pub workflow_run_id: Option<String>,
    /// When the run was created; Unix milliseconds.
    pub workflow_created_at: Option<u64>,
}

impl Client {
    /// Brings an event to the runs that wait for it: answers with a list of [`Notified`].
    ///
    /// [`Code::InvalidRequest`] for an id that is empty or can't stand in a path.
    pub fn notify(&self, event: &Event) -> Result<Request> {
        check_path("the id of an event", &event.id)?;
        let path = match &event.run_id {
            None => format!("/v2/notify/{}", event.id),
            Some(run_id) => {
                check_path("the id of a run", run_id)?;
                if run_id.contains('/') {
                    return Err(unfit("the id of a run", run_id));
                }
                format!("/v2/notify/{run_id}/{}", event.id)
            }
        };
        let request = self.request(Method::Post, &path);
        Ok(match &event.data {
            // `fetch` gives a text body this type; the official SDK leaves it so.
            Some(data) => request.header(header::CONTENT_TYPE, "text/plain;charset=UTF-8").body(data.as_str()),
            None => request,
        })
    }

    /// Asks who waits for an event: answers with a list of [`Waiter`].
    ///
    /// [`Code::InvalidRequest`] as [`notify`](Self::notify).
    pub fn waiters(&self, event_id: &str) -> Result<Request> {
        check_path("the id of an event", event_id)?;
        Ok(self.request(Method::Get, &format!("/v2/waiters/{event_id}")))
    }
}

/// The ids of events stand in paths as they are, slashes too, so that waiting and notifying mean the same event. What
/// would end the path or lead elsewhere is refused.
fn check_path(what: &str, id: &str) -> Result<()> {
    let leads_elsewhere = id.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."));
    if id.trim().is_empty() || leads_elsewhere || id.chars().any(|c| "?#\\%".contains(c) || c.is_control()) {
        return Err(unfit(what, id));
    }
    Ok(())
}

fn unfit(what: &str, id: &str) -> Error {
    Error::new(Code::InvalidRequest, format!("expected {what}, which can stand in a URL's path, got '{}'", shown(id)))
}
