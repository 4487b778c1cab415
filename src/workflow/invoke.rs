//! `context.invoke`: a run starts a run of another workflow and waits for its end.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::client::{Client, FlowControl, Trigger};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Request, RunId, StepType, header};
use crate::workflow::call::parsed;
use crate::workflow::delivery::Delivery;
use crate::workflow::event::{Lists, resuming_headers, text_of};
use crate::workflow::step::not_json;

/// The start of another workflow's run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invoke {
    /// The other workflow: the last segment of its URL, which otherwise is that of the caller.
    pub workflow_id: String,
    /// The payload, as text.
    pub body: Option<String>,
    /// Headers that the other workflow sees.
    pub headers: Headers,
    /// The id of its run; a random one if `None`.
    pub run_id: Option<RunId>,
    /// How many tries of a delivery may follow the first.
    pub retries: Option<u32>,
    /// An expression that gives the delay before a retry in milliseconds.
    pub retry_delay: Option<String>,
    /// Limits for the run's deliveries.
    pub flow_control: Option<FlowControl>,
    /// Labels for logs and filters.
    pub labels: Vec<String>,
    /// Whether the payload is JSON whatever its `Content-Type` says.
    pub use_json_content: bool,
}

impl Invoke {
    /// The request that starts the run. The broker makes the result step when it has ended.
    pub(crate) fn request(
        &self,
        client: &Client,
        delivery: &Delivery,
        run_id: RunId,
        name: &str,
        step_id: u32,
        concurrent: u32,
    ) -> Result<Request> {
        let url = sibling(&delivery.url, &self.workflow_id)?;
        let mut trigger = Trigger::new(&url, run_id);
        trigger.headers.clone_from(&self.headers);
        trigger.retries = self.retries;
        trigger.retry_delay.clone_from(&self.retry_delay);
        trigger.flow_control.clone_from(&self.flow_control);
        trigger.labels.clone_from(&self.labels);
        trigger.invoke_count = delivery.invoke_count + 1;
        trigger.failure_url = Some(url.clone());
        let mut headers = trigger.into_batch_item()?.headers;
        headers.remove(&format!("{}Forward-{}", header::FAILURE_CALLBACK_PREFIX, header::LABEL));
        headers.set(header::WORKFLOW_INVOKE, "true");
        if self.use_json_content {
            headers.set(header::CONTENT_TYPE, "application/json");
        }
        let mut request = client.request(Method::Post, &format!("/v2/publish/{url}"));
        for (name, value) in client.with_own_headers(&headers).iter() {
            request.headers.set(name, value);
        }
        Ok(request.body(self.envelope(client, delivery, name, step_id, concurrent)?))
    }

    fn envelope(
        &self,
        client: &Client,
        delivery: &Delivery,
        name: &str,
        step_id: u32,
        concurrent: u32,
    ) -> Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Envelope<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            body: Option<&'a str>,
            headers: Lists<'a>,
            workflow_run_id: &'a RunId,
            workflow_run_created_at: u64,
            workflow_url: &'a str,
            step: StepHead<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct StepHead<'a> {
            step_id: u32,
            step_name: &'a str,
            step_type: StepType,
            concurrent: u32,
        }
        let mut headers = resuming_headers(delivery);
        for (name, value) in client.own_headers().iter() {
            headers.set(name.to_ascii_lowercase(), value);
        }
        let envelope = Envelope {
            body: self.body.as_deref(),
            headers: Lists { headers: &headers, run_id: &delivery.run_id },
            workflow_run_id: &delivery.run_id,
            workflow_run_created_at: delivery.created_at.unwrap_or(0),
            workflow_url: &delivery.url,
            step: StepHead { step_id, step_name: name, step_type: StepType::Invoke, concurrent },
        };
        serde_json::to_vec(&envelope).map_err(not_json)
    }
}

/// The URL of a workflow beside the one at `url`: its last segment, with the query, is replaced.
pub(crate) fn sibling(url: &str, workflow_id: &str) -> Result<String> {
    if workflow_id.is_empty() {
        return Err(Error::new(
            Code::InvalidRequest,
            "only a workflow that is served by serveMany can be invoked or called: it has an id",
        ));
    }
    Ok(match url.rfind('/') {
        Some(slash) if slash + 1 < url.len() => format!("{}{workflow_id}", &url[..=slash]),
        _ => url.to_owned(),
    })
}

/// The result of the step for the workflow: `{"body", "isFailed", "isCanceled"}`; the body is read as JSON if it is JSON.
pub(crate) fn invoked(out: &str) -> Result<String> {
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Out<'a> {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Box<RawValue>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        is_failed: Option<&'a RawValue>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        is_canceled: Option<&'a RawValue>,
    }
    let mut out: Out<'_> = serde_json::from_str(out).map_err(|error| {
        Error::new(Code::HistoryMalformed, format!("the remembered result of an Invoke step can't be read: {error}"))
    })?;
    if let Some(body) = out.body.take() {
        out.body = Some(if body.get().starts_with('"') { parsed(&text_of(body.get()))? } else { body });
    }
    serde_json::to_string(&out).map_err(not_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_replaces_the_last_segment() {
        for (url, expected) in [
            ("https://a.test/api/order", "https://a.test/api/ship"),
            ("https://a.test/api/order?x=1", "https://a.test/api/ship"),
            ("https://a.test/", "https://a.test/"),
            ("https://a.test/a/", "https://a.test/a/"),
        ] {
            assert_eq!(sibling(url, "ship").unwrap(), expected);
        }
        assert!(sibling("https://a.test/a", "").is_err());
    }

    #[test]
    fn the_result_is_read() {
        assert_eq!(
            invoked(r#"{"body":"{\"a\":1}","isFailed":false}"#).unwrap(),
            r#"{"body":{"a":1},"isFailed":false}"#
        );
        assert_eq!(invoked(r#"{"body":"text"}"#).unwrap(), r#"{"body":"text"}"#);
    }
}
