//! What became of runs (`/v2/workflows/events`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::filter::Kind;
use crate::client::lenient::{header_lists, or_default};
use crate::client::{Client, Listing};
use crate::error::Result;
use crate::wire::{Method, Request};

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RunLogs {
    /// The newest first.
    #[serde(deserialize_with = "or_default")]
    pub runs: Vec<RunLog>,
    /// For [`Listing::cursor`]; absent or empty on the last page.
    pub cursor: Option<String>,
}

/// A run with its steps, as the broker shows it. Times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunLog {
    /// The run's id.
    pub workflow_run_id: String,
    /// The run's endpoint.
    pub workflow_url: String,
    /// `RUN_STARTED`, `RUN_SUCCESS`, `RUN_FAILED` or `RUN_CANCELED`.
    pub workflow_state: String,
    /// When it was created.
    pub workflow_run_created_at: u64,
    /// When it ended.
    pub workflow_run_completed_at: Option<u64>,
    /// What its function returned, as JSON.
    pub workflow_run_response: Option<String>,
    /// Its steps, in order.
    #[serde(deserialize_with = "or_default")]
    pub steps: Vec<StepGroup>,
    /// Who was told that it failed, and what became of that.
    pub failure_function: Option<FailureFunctionLog>,
    /// The run that invoked this one.
    pub invoker: Option<Invoker>,
    /// The failed run's id in the dead letter queue.
    pub dlq_id: Option<String>,
    /// The run's labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: Vec<String>,
}

/// Steps that belong together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct StepGroup {
    /// `sequential` for a single step, `parallel` for several at once, `next` for what comes next.
    #[serde(rename = "type")]
    pub kind: String,
    /// The steps.
    #[serde(deserialize_with = "or_default")]
    pub steps: Vec<StepLog>,
}

/// A step, as the broker shows it. What a step of its kind does not have is absent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepLog {
    /// Its place in the run.
    pub step_id: Option<u32>,
    /// Its name.
    pub step_name: Option<String>,
    /// Its type, such as `Run` or `SleepFor`.
    pub step_type: Option<String>,
    /// `step`, `toCallback` or `fromCallback`.
    pub call_type: Option<String>,
    /// The message that brings it about.
    pub message_id: String,
    /// `STEP_PROGRESS`, `STEP_SUCCESS`, `STEP_RETRY`, `STEP_FAILED` or `STEP_CANCELED`.
    pub state: String,
    /// Its result.
    pub out: Option<Value>,
    /// How many retries it took.
    pub retries: u32,
    /// The expression that gives the delay before a retry.
    pub retry_delay: Option<String>,
    /// How many steps run at once with it, itself included.
    pub concurrent: Option<u32>,
    /// When it was made.
    pub created_at: Option<u64>,
    /// Why tries failed.
    #[serde(deserialize_with = "or_default")]
    pub errors: Vec<StepError>,
    /// Everything else: what was called, awaited or invoked, such as `callUrl` and `waitEventId`.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// Why a try failed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct StepError {
    /// In words.
    pub error: Option<String>,
    /// The body of the endpoint's answer.
    pub body: Option<String>,
    /// The headers of the endpoint's answer.
    #[serde(deserialize_with = "header_lists")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// The status of the endpoint's answer.
    pub status: u16,
    /// When.
    pub time: u64,
}

/// Who was told that a run failed, and what became of that.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailureFunctionLog {
    /// The message that told it.
    pub message_id: String,
    /// To whom.
    pub url: String,
    /// `CALLBACK_INPROGRESS`, `CALLBACK_SUCCESS`, `CALLBACK_FAIL` or `CALLBACK_CANCELED`.
    pub state: String,
    /// The status of the answer that made the run fail.
    pub fail_status: u16,
    /// The body of that answer.
    pub fail_response: Option<String>,
    /// The headers of that answer.
    #[serde(deserialize_with = "header_lists")]
    pub fail_headers: BTreeMap<String, Vec<String>>,
    /// The status that the failure function answered with.
    pub response_status: Option<u16>,
    /// What the failure function answered.
    pub response_body: Option<String>,
    /// The headers of its answer.
    #[serde(deserialize_with = "header_lists")]
    pub response_headers: BTreeMap<String, Vec<String>>,
    /// Why tries failed.
    #[serde(deserialize_with = "or_default")]
    pub errors: Vec<StepError>,
}

/// The run that invoked another one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Invoker {
    /// Its id.
    pub workflow_run_id: String,
    /// Its endpoint.
    pub workflow_url: String,
    /// When it was created.
    pub workflow_run_created_at: u64,
}

impl Client {
    /// Asks for [`RunLogs`].
    ///
    /// ```
    /// use orchestration::client::{Client, Field, Filter, Listing};
    ///
    /// let client = Client::new("https://qstash.upstash.io", "token")?;
    /// let failed = Listing { count: Some(5), ..Listing::matching(Filter::new().with(Field::State, "RUN_FAILED")) };
    /// let url = client.run_logs(&failed)?.url;
    /// assert!(url.ends_with("/v2/workflows/events?groupBy=workflowRunId&count=5&state=RUN_FAILED"));
    /// # Ok::<(), orchestration::Error>(())
    /// ```
    pub fn run_logs(&self, which: &Listing) -> Result<Request> {
        let query = which.page_first(Kind::RunLogs)?;
        let query = query.after("").replacen('?', "&", 1);
        Ok(self.request(Method::Get, &format!("/v2/workflows/events?groupBy=workflowRunId{query}")))
    }
}
