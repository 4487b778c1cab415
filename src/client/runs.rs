//! Runs: starting, reading and ending them (`/v2/batch`, `/v2/workflows/runs`).

use serde::Serialize;

use crate::client::filter::Kind;
use crate::client::{BatchItem, Bulk, Client, FlowControl, Redact};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::url::is_http;
use crate::wire::{Headers, Method, Request, RunId, header};

/// How a run ends on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The workflow returned; its result as JSON, `None` for `undefined`.
    Finished(Option<String>),
    /// The workflow asked to be cancelled.
    Cancelled,
}

/// What starts a run: everything that the broker remembers for the run's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The workflow's endpoint.
    pub url: String,
    /// The run's id.
    pub run_id: RunId,
    /// The payload as text; no body at all if `None`.
    pub body: Option<String>,
    /// Headers that reach the workflow with every delivery.
    pub headers: Headers,
    /// How many tries of a delivery may follow the first; 3 is the broker's default and isn't sent.
    pub retries: Option<u32>,
    /// An expression that gives the delay before a retry in milliseconds.
    pub retry_delay: Option<String>,
    /// Wait before the first delivery; a duration.
    pub delay: Option<String>,
    /// Wait until this moment before the first delivery; Unix seconds.
    pub not_before: Option<u64>,
    /// Labels for logs and filters.
    pub labels: Vec<String>,
    /// Limits for the run's deliveries.
    pub flow_control: Option<FlowControl>,
    /// Who is told when the run fails. `None`: nobody.
    pub failure_url: Option<String>,
    /// How deep this run is nested by `invoke`.
    pub invoke_count: u32,
    /// What the broker's logs hide.
    pub redact: Redact,
}

impl Trigger {
    /// A trigger with the wire's defaults.
    pub fn new(url: impl Into<String>, run_id: RunId) -> Self {
        Self {
            url: url.into(),
            run_id,
            body: None,
            headers: Headers::new(),
            retries: None,
            retry_delay: None,
            delay: None,
            not_before: None,
            labels: Vec::new(),
            flow_control: None,
            failure_url: None,
            invoke_count: 0,
            redact: Redact::default(),
        }
    }

    /// Sets the payload, written as JSON.
    ///
    /// [`Code::NotSerializable`] if it can't be.
    pub fn json<T: Serialize>(mut self, payload: &T) -> Result<Self> {
        let json = serde_json::to_string(payload).map_err(|error| {
            Error::new(Code::NotSerializable, format!("the payload can't be written as JSON: {error}"))
        })?;
        self.body = Some(json);
        Ok(self)
    }

    /// The trigger as an item of a batch.
    ///
    /// [`Code::InvalidUrl`] unless the URL is http(s); [`Code::InvalidRequest`] for a label or flow-control key with a
    /// character outside `[A-Za-z0-9_.-]`.
    pub fn into_batch_item(self) -> Result<BatchItem> {
        check_url(&self.url)?;
        for name in self.labels.iter().chain(self.flow_control.as_ref().map(|flow| &flow.key)) {
            check_name(name)?;
        }
        let mut message = crate::client::Message::new(&self.url);
        message.headers.set(header::METHOD, Method::Post.as_str());
        message.delay.clone_from(&self.delay);
        message.not_before = self.not_before.map(crate::client::NotBefore);
        message.labels.clone_from(&self.labels);
        message.redact.clone_from(&self.redact);
        message.flow_control.clone_from(&self.flow_control);
        message.retries = self.retries.filter(|retries| *retries != 3);
        message.retry_delay = self.retry_delay.clone().filter(|expression| !expression.is_empty());
        let mut headers = message.wire_headers()?;

        engine_headers(&mut headers, &self.run_id, &self.url, true, self.invoke_count);
        headers.set(header::CONTENT_TYPE, self.headers.get(header::CONTENT_TYPE).unwrap_or("application/json"));
        for (name, value) in self.headers.iter() {
            headers.set(format!("{}{name}", header::FORWARD_PREFIX), value);
        }
        if !self.labels.is_empty() {
            headers.set(format!("{}{}", header::FORWARD_PREFIX, header::LABEL), self.labels.join(","));
        }
        if let Some(failure_url) = &self.failure_url {
            check_url(failure_url)?;
            self.failure_headers(failure_url, &mut headers);
        }
        Ok(BatchItem { destination: self.url, headers, body: self.body, queue: None })
    }

    fn failure_headers(&self, failure_url: &str, headers: &mut Headers) {
        let prefix = header::FAILURE_CALLBACK_PREFIX;
        let copies: Vec<(String, String)> =
            [header::RETRIES, header::RETRY_DELAY, header::FLOW_CONTROL_KEY, header::FLOW_CONTROL_VALUE]
                .into_iter()
                .filter_map(|name| {
                    Some((name.trim_start_matches("Upstash-").to_owned(), headers.get(name)?.to_owned()))
                })
                .chain(
                    headers
                        .with_prefix(header::FORWARD_PREFIX)
                        .filter(|(name, _)| !name.eq_ignore_ascii_case(header::WORKFLOW_SDK_VERSION))
                        .map(|(name, value)| (format!("Forward-{name}"), value.to_owned())),
                )
                .collect();
        headers.set(header::FAILURE_CALLBACK, failure_url);
        for (name, value) in copies {
            headers.set(format!("{prefix}{name}"), value);
        }
        for (name, value) in [
            ("Forward-Upstash-Workflow-Is-Failure", "true"),
            ("Forward-Upstash-Workflow-Failure-Callback", "true"),
            ("Workflow-Runid", self.run_id.as_str()),
            ("Workflow-Init", "false"),
            ("Workflow-Url", &self.url),
            ("Workflow-Calltype", "failureCall"),
            ("Feature-Set", header::STEP_FEATURES),
        ] {
            headers.set(format!("{prefix}{name}"), value);
        }
    }
}

/// The headers that every message of the engine carries.
pub(crate) fn engine_headers(headers: &mut Headers, run_id: &RunId, url: &str, init: bool, invoke_count: u32) {
    headers.set(header::WORKFLOW_INIT, if init { "true" } else { "false" });
    headers.set(header::WORKFLOW_RUN_ID, run_id.as_str());
    headers.set(header::WORKFLOW_URL, url);
    headers.set(header::FEATURE_SET, header::STEP_FEATURES);
    headers.set(header::WORKFLOW_SDK_VERSION, header::PROTOCOL_VERSION);
    headers.set(format!("{}{}", header::FORWARD_PREFIX, header::WORKFLOW_SDK_VERSION), header::PROTOCOL_VERSION);
    if invoke_count != 0 {
        headers.set(format!("{}{}", header::FORWARD_PREFIX, header::WORKFLOW_INVOKE_COUNT), invoke_count.to_string());
    }
}

impl Client {
    /// Starts runs: answers with a list of [`Published`](crate::client::Published), one for each run.
    ///
    /// ```
    /// use orchestration::client::{Client, Trigger};
    /// use orchestration::wire::RunId;
    /// use serde_json::json;
    ///
    /// # fn random(bytes: &mut [u8]) {}
    /// let client = Client::new("https://qstash.upstash.io", "token")?;
    /// // `random` fills bytes from a cryptographic source.
    /// let mut run = Trigger::new("https://app.test/order", RunId::generate(&mut random)).json(&json!({"orderId": 7}))?;
    /// run.labels = vec!["eu".into()];
    /// // The endpoint hears of the run's failure itself.
    /// run.failure_url = Some(run.url.clone());
    /// let request = client.trigger([run])?;
    /// assert_eq!(request.url, "https://qstash.upstash.io/v2/batch");
    /// # Ok::<(), orchestration::Error>(())
    /// ```
    ///
    /// Errors are those of [`Trigger::into_batch_item`].
    pub fn trigger(&self, runs: impl IntoIterator<Item = Trigger>) -> Result<Request> {
        let items = runs.into_iter().map(Trigger::into_batch_item).collect::<Result<Vec<_>>>()?;
        Ok(self.batch(&items))
    }

    /// Asks for a run's history.
    pub fn fetch_run(&self, run_id: &RunId) -> Request {
        self.request(Method::Get, &format!("/v2/workflows/runs/{run_id}"))
    }

    /// Tells the broker that a run has ended on its own.
    pub fn end_run(&self, run_id: &RunId, ending: Ending) -> Request {
        let cancel = matches!(ending, Ending::Cancelled);
        let request = self.request(Method::Delete, &format!("/v2/workflows/runs/{run_id}?cancel={cancel}"));
        match ending {
            // `fetch` gives a text body this type; the official SDK leaves it so.
            Ending::Finished(Some(result)) => {
                request.header(header::CONTENT_TYPE, "text/plain;charset=UTF-8").body(result)
            }
            Ending::Finished(None) | Ending::Cancelled => request,
        }
    }

    /// Cancels runs from outside: answers with [`Cancelled`](crate::client::Cancelled).
    ///
    /// ```
    /// use orchestration::client::{Bulk, Client, Field, Filter};
    ///
    /// let client = Client::new("https://qstash.upstash.io", "token")?;
    /// let request = client.cancel_runs(&Bulk::ids(["wfr_1", "wfr_2"]))?;
    /// assert!(request.url.ends_with("/v2/workflows/runs?workflowRunIds=wfr_1&workflowRunIds=wfr_2"));
    /// let nightly = Filter::new().with(Field::WorkflowUrl, "https://app.test/nightly");
    /// let request = client.cancel_runs(&Bulk::matching(nightly))?;
    /// assert!(request.url.ends_with("nightly&workflowUrlExactMatch=true&count=100"));
    /// # Ok::<(), orchestration::Error>(())
    /// ```
    ///
    /// [`Code::EmptyArray`] without an id or filter: such a request would cancel everything.
    pub fn cancel_runs(&self, which: &Bulk) -> Result<Request> {
        Ok(self.request(Method::Delete, &which.query(Kind::Runs)?.after("/v2/workflows/runs")))
    }
}

fn check_url(url: &str) -> Result<()> {
    if is_http(url) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidUrl,
        format!("a workflow's URL must start with http:// or https://, got '{}'", shown(url)),
    ))
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidRequest,
        format!("labels and flow-control keys are letters, digits, '-', '_' and '.', got '{}'", shown(name)),
    ))
}
