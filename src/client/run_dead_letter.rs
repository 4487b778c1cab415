//! Runs that failed for good, and what becomes of them (`/v2/workflows/dlq`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::filter::Kind;
use crate::client::lenient::{header_lists, or_default};
use crate::client::query::Resource;
use crate::client::{Bulk, Client, FlowControl, Listing};
use crate::error::Result;
use crate::wire::{Method, Request, header};

const CALLBACKS: Resource = Resource { path: "/v2/workflows/dlq/callback", id: "DLQ id" };

/// A run that failed, as the broker shows it. Times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunDeadLetter {
    /// The id in this list.
    pub dlq_id: String,
    /// The run.
    pub workflow_run_id: String,
    /// When the run was created.
    pub workflow_created_at: u64,
    /// The run's endpoint.
    pub workflow_url: String,
    /// The delivery that failed: its headers.
    #[serde(deserialize_with = "header_lists")]
    pub header: BTreeMap<String, Vec<String>>,
    /// The delivery that failed: its body.
    pub body: Option<String>,
    /// How many retries it had.
    pub max_retries: u32,
    /// When it was made.
    pub created_at: u64,
    /// Not before this moment.
    pub not_before: u64,
    /// The address of whoever started the run.
    #[serde(rename = "callerIP")]
    pub caller_ip: Option<String>,
    /// The status of the endpoint's last answer.
    pub response_status: Option<u16>,
    /// The headers of that answer.
    #[serde(deserialize_with = "header_lists")]
    pub response_header: BTreeMap<String, Vec<String>>,
    /// The body of that answer.
    pub response_body: Option<String>,
    /// Who is told that the run failed.
    pub failure_callback: Option<String>,
    /// What became of that.
    pub failure_callback_info: Option<FailureCallback>,
    /// The run's labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: Vec<String>,
}

/// What became of telling that a run failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailureCallback {
    /// `CALLBACK_INPROGRESS`, `CALLBACK_SUCCESS`, `CALLBACK_FAIL` or `CALLBACK_CANCELED`.
    pub state: Option<String>,
    /// The status of the answer.
    pub response_status: Option<u16>,
    /// The body of the answer.
    pub response_body: Option<String>,
    /// The headers of the answer.
    #[serde(deserialize_with = "header_lists")]
    pub response_headers: BTreeMap<String, Vec<String>>,
}

/// A page of failed runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RunDeadLetters {
    /// The newest first.
    #[serde(deserialize_with = "or_default")]
    pub messages: Vec<RunDeadLetter>,
    /// For [`Listing::cursor`]; absent or empty on the last page.
    pub cursor: Option<String>,
}

/// What a failed run goes on with instead of what it had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumption {
    /// Limits for the run's deliveries.
    pub flow_control: Option<FlowControl>,
    /// How many tries of a delivery may follow the first.
    pub retries: Option<u32>,
}

/// A run that goes on, or began anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResumedRun {
    /// The run.
    pub workflow_run_id: String,
    /// When it was created.
    pub workflow_created_at: Option<serde_json::Value>,
    /// Why it could not be.
    pub error: Option<String>,
}

/// The runs of a bulk request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResumedRuns {
    /// One for each dead letter.
    #[serde(deserialize_with = "or_default")]
    pub workflow_runs: Vec<ResumedRun>,
    /// For [`Bulk::after`](crate::client::Bulk::after); absent or empty if nothing is left.
    pub cursor: Option<String>,
}

impl Client {
    /// Asks for [`RunDeadLetters`].
    pub fn run_dead_letters(&self, which: &Listing) -> Result<Request> {
        let mut query = which.page_first(Kind::RunDeadLetters)?;
        query.push("source", "workflow");
        Ok(self.request(Method::Get, &query.after("/v2/dlq")))
    }

    /// Lets failed runs go on after their last step that succeeded: answers with [`ResumedRuns`].
    ///
    /// ```
    /// use orchestration::client::{Bulk, Client, Field, Filter, Resumption};
    ///
    /// let client = Client::new("https://qstash.upstash.io", "token")?;
    /// let nightly = Bulk::matching(Filter::new().with(Field::Label, "nightly"));
    /// let request = client.resume_runs(&nightly, &Resumption { retries: Some(5), ..Resumption::default() })?;
    /// assert_eq!(request.url, "https://qstash.upstash.io/v2/workflows/dlq/resume?label=nightly&count=100");
    /// # Ok::<(), orchestration::Error>(())
    /// ```
    pub fn resume_runs(&self, which: &Bulk, with: &Resumption) -> Result<Request> {
        self.revive("/v2/workflows/dlq/resume", which, with)
    }

    /// Begins failed runs anew, with the same payload: answers with [`ResumedRuns`].
    pub fn restart_runs(&self, which: &Bulk, with: &Resumption) -> Result<Request> {
        self.revive("/v2/workflows/dlq/restart", which, with)
    }

    /// Tells anew that a run failed, if telling it failed too: answers with [`ResumedRun`].
    pub fn retry_failure_function(&self, dlq_id: &str) -> Result<Request> {
        Ok(self.request(Method::Post, &CALLBACKS.at(dlq_id)?))
    }

    /// Deletes failed runs: answers with [`Deleted`](crate::client::Deleted).
    pub fn delete_run_dead_letters(&self, which: &Bulk) -> Result<Request> {
        Ok(self.request(Method::Delete, &which.query(Kind::RunDeadLetters)?.after("/v2/workflows/dlq")))
    }

    fn revive(&self, path: &str, which: &Bulk, with: &Resumption) -> Result<Request> {
        let mut request = self.request(Method::Post, &which.query(Kind::RunDeadLetters)?.after(path));
        if let Some(flow) = &with.flow_control {
            request.headers.set(header::FLOW_CONTROL_KEY, flow.key.as_str());
            request.headers.set(header::FLOW_CONTROL_VALUE, flow.value()?);
        }
        if let Some(retries) = with.retries {
            request.headers.set(header::RETRIES, retries.to_string());
        }
        Ok(request)
    }
}
