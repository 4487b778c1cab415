//! Events and webhooks: waiting for them, and notifying of them.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::client::{Client, engine_headers};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Method, Request, RunId, Step, StepType, base64, header};
use crate::workflow::call::parsed;
use crate::workflow::delivery::Delivery;
use crate::workflow::step::not_json;

/// A wait for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The event.
    pub event_id: String,
    /// How long to wait, as a duration.
    pub timeout: Option<String>,
}

/// News of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The event.
    pub event_id: String,
    /// The data, as JSON text.
    pub data: Option<String>,
    /// The run that shall hear of it, also if it waits only later. Everybody who waits now if `None`.
    pub run_id: Option<String>,
}

impl Wait {
    /// The request that registers the wait. The broker makes the result step.
    pub(crate) fn request(
        &self,
        client: &Client,
        delivery: &Delivery,
        step_type: StepType,
        name: &str,
        step_id: u32,
        concurrent: u32,
    ) -> Result<Request> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            url: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            timeout: Option<&'a str>,
            timeout_url: &'a str,
            timeout_headers: Lists<'a>,
            step: StepHead<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct StepHead<'a> {
            step_id: u32,
            step_type: StepType,
            step_name: &'a str,
            concurrent: u32,
        }
        let mut headers = resuming_headers(delivery);
        headers.set(header::WORKFLOW_CALL_TYPE, "step");
        let body = Body {
            url: &delivery.url,
            timeout: self.timeout.as_deref(),
            timeout_url: &delivery.url,
            timeout_headers: Lists { headers: &headers, run_id: &delivery.run_id },
            step: StepHead { step_id, step_type, step_name: name, concurrent },
        };
        let body = serde_json::to_vec(&body).map_err(not_json)?;
        let mut request = client.request(Method::Post, &format!("/v2/wait/{}", self.event_id)).body(body);
        for (name, value) in headers.iter() {
            request.headers.set(name, value);
        }
        Ok(request)
    }
}

impl Notification {
    /// The request that tells the broker.
    pub(crate) fn request(&self, client: &Client) -> Request {
        let path = match &self.run_id {
            Some(run_id) => format!("/v2/notify/{run_id}/{}", self.event_id),
            None => format!("/v2/notify/{}", self.event_id),
        };
        let request = client.request(Method::Post, &path);
        match &self.data {
            // `fetch` gives a text body this type; the official SDK leaves it so.
            Some(json) => request.header(header::CONTENT_TYPE, "text/plain;charset=UTF-8").body(text_of(json)),
            None => request,
        }
    }

    /// The result of the step, given the broker's answer.
    pub(crate) fn out(&self, answer: &[u8]) -> Result<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Out<'a> {
            event_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            event_data: Option<&'a RawValue>,
            notify_response: &'a RawValue,
        }
        let event_data = self.data.as_deref().map(serde_json::from_str).transpose().map_err(not_json)?;
        let notify_response = serde_json::from_slice(answer).map_err(|error| {
            Error::new(Code::BrokerAnswer, format!("the broker's answer to a notification is not JSON: {error}"))
        })?;
        serde_json::to_string(&Out { event_id: &self.event_id, event_data, notify_response }).map_err(not_json)
    }
}

/// The result of a notification for the workflow: event data that is a text of JSON is read.
pub(crate) fn notified(out: &str) -> Result<String> {
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Out<'a> {
        #[serde(borrow)]
        event_id: &'a RawValue,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event_data: Option<Box<RawValue>>,
        #[serde(borrow)]
        notify_response: &'a RawValue,
    }
    let mut out: Out<'_> = serde_json::from_str(out).map_err(|error| unreadable("Notify", &error))?;
    if let Some(data) = out.event_data.take() {
        out.event_data = Some(if data.get().starts_with('"') { parsed(&text_of(data.get()))? } else { data });
    }
    serde_json::to_string(&out).map_err(not_json)
}

/// The result of a wait for the workflow: `{"eventData", "timeout"}`.
pub(crate) fn waited(step: &Step) -> Result<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        #[serde(skip_serializing_if = "Option::is_none")]
        event_data: Option<Box<RawValue>>,
        timeout: bool,
    }
    let event_data = match out_text(step)?.filter(|out| !out.is_empty()) {
        Some(out) => Some(parsed(&String::from_utf8_lossy(&event_bytes(step, &out)?))?),
        None => None,
    };
    serde_json::to_string(&Told { event_data, timeout: step.wait_timeout.unwrap_or(false) }).map_err(not_json)
}

/// The result of a wait for a webhook, for the host to make a request of: `{"timeout", "webhook"}`, where `webhook` is
/// `{method, header: {name: [values]}, body: base64, proto, host, url}`.
pub(crate) fn called(step: &Step) -> Result<String> {
    #[derive(Serialize)]
    struct Told {
        timeout: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        webhook: Option<Box<RawValue>>,
    }
    let webhook = match out_text(step)? {
        Some(out) => {
            let bytes = event_bytes(step, &out)?;
            Some(serde_json::from_slice(&bytes).map_err(|error| unreadable("WaitForWebhook", &error))?)
        }
        None => None,
    };
    serde_json::to_string(&Told { timeout: webhook.is_none(), webhook }).map_err(not_json)
}

/// The result of a step that makes a webhook: a public URL, and the event that a call of it is.
pub(crate) fn webhook(client: &Client, run_id: &RunId, event_id: &str) -> Result<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Out<'a> {
        webhook_url: String,
        event_id: &'a str,
    }
    let user = client.user_id()?;
    let webhook_url = format!("{}/v2/workflows/hooks/{user}/{run_id}/{event_id}", client.base_url());
    serde_json::to_string(&Out { webhook_url, event_id }).map_err(not_json)
}

/// The text that a JSON string holds; any other JSON as it is.
pub(crate) fn text_of(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

/// [`Code::InvalidRequest`] for an id that is empty or blank.
pub(crate) fn check_id(what: &str, id: &str) -> Result<()> {
    if id.trim().is_empty() {
        return Err(Error::new(Code::InvalidRequest, format!("the id of the {what} must not be empty")));
    }
    Ok(())
}

fn out_text(step: &Step) -> Result<Option<String>> {
    step.out
        .as_ref()
        .map(|out| serde_json::from_str(out.get()).map_err(|error| unreadable(step.step_type.as_str(), &error)))
        .transpose()
}

fn event_bytes(step: &Step, out: &str) -> Result<Vec<u8>> {
    base64::decode(out).ok_or_else(|| {
        let message = format!("field 'out' of step {} ('{}') is not base64", step.place(), shown(&step.step_name));
        Error::new(Code::HistoryMalformed, message)
    })
}

fn unreadable(kind: &str, error: &serde_json::Error) -> Error {
    Error::new(Code::HistoryMalformed, format!("the remembered result of a {kind} step can't be read: {error}"))
}

/// The headers of the message by which the broker lets the run go on, in the official SDK's order.
pub(crate) fn resuming_headers(delivery: &Delivery) -> Headers {
    let mut headers = Headers::new();
    engine_headers(&mut headers, &delivery.run_id, &delivery.url, false, 0);
    headers.set("content-type", "application/json");
    if delivery.invoke_count != 0 {
        let name = format!("{}{}", header::FORWARD_PREFIX, header::WORKFLOW_INVOKE_COUNT);
        headers.set(name, delivery.invoke_count.to_string());
    }
    headers
}

/// Headers as an object of one-element arrays, in their order; the run's id also under the spelling that Go makes of it.
pub(crate) struct Lists<'a> {
    pub headers: &'a Headers,
    pub run_id: &'a RunId,
}

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.headers.iter() {
            map.serialize_entry(name, &[value])?;
        }
        map.serialize_entry("Upstash-Workflow-Runid", &[self.run_id.as_str()])?;
        map.end()
    }
}
