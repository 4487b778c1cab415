//! Requests to the broker, from options as JSON. The package sends them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use super::duty::request_tuple;
use super::error::thrown;
use super::text::SystemEntropy;
use crate::client::{self, FlowControl, Message, NotBefore, Trigger, check};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Number, Response, RunId, parse_duration};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** Where the broker is. Absent texts count as not set. */
export interface ClientSettings {
  brokerUrl?: string | undefined;
  token?: string | undefined;
  headers?: [string, string][] | undefined;
}
";

/// Makes requests to one broker.
#[wasm_bindgen]
pub struct Client(client::Client);

/// Where the broker is, and what every message to it carries.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClientSettings {
    broker_url: Option<String>,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

#[wasm_bindgen]
impl Client {
    /// A client from `ClientSettings` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<Client, JsValue> {
        let client = options::<ClientSettings>(settings).and_then(|settings| settings.read());
        client.map(Self).map_err(|error| thrown(&error))
    }

    /// The request that publishes a message; the body is for the package to add.
    #[wasm_bindgen(unchecked_return_type = "RequestTuple")]
    pub fn publish(&self, message: &str) -> Result<JsValue, JsValue> {
        let request = options::<MessageOptions>(message).and_then(|options| self.0.publish(&options.read()?.0));
        request.map(|request| request_tuple(&request).into()).map_err(|error| thrown(&error))
    }

    /// The request that publishes several messages.
    #[wasm_bindgen(unchecked_return_type = "RequestTuple")]
    pub fn batch(&self, messages: &str) -> Result<JsValue, JsValue> {
        let items = options::<Vec<MessageOptions>>(messages).and_then(|messages| {
            let items = messages.into_iter().map(|options| {
                let (message, queue) = options.read()?;
                Ok(client::BatchItem { queue, ..message.into_batch_item()? })
            });
            items.collect::<Result<Vec<_>>>()
        });
        items.map(|items| request_tuple(&self.0.batch(&items)).into()).map_err(|error| thrown(&error))
    }

    /// The request that starts runs, followed by their ids.
    #[wasm_bindgen(unchecked_return_type = "[request: RequestTuple, ...runIds: string[]]")]
    pub fn trigger(&self, runs: &str) -> Result<JsValue, JsValue> {
        let triggers = options::<Vec<TriggerOptions>>(runs).and_then(|runs| {
            let mut entropy = SystemEntropy::default();
            let triggers = runs.into_iter().map(|options| options.read(&mut entropy)).collect::<Result<Vec<_>>>()?;
            entropy.check()?;
            let run_ids: Vec<_> = triggers.iter().map(|trigger| trigger.run_id.clone()).collect();
            let items = triggers.into_iter().map(Trigger::into_batch_item).collect::<Result<Vec<_>>>()?;
            Ok((self.0.batch(&items), run_ids))
        });
        let (request, run_ids) = triggers.map_err(|error| thrown(&error))?;
        let tuple = js_sys::Array::of1(&request_tuple(&request));
        for run_id in run_ids {
            tuple.push(&run_id.as_str().into());
        }
        Ok(tuple.into())
    }

    /// The request that cancels runs.
    #[wasm_bindgen(js_name = cancelRuns, unchecked_return_type = "RequestTuple")]
    pub fn cancel_runs(&self, run_ids: Vec<String>) -> Result<JsValue, JsValue> {
        let request = self.0.cancel_runs(run_ids.iter().map(String::as_str));
        request.map(|request| request_tuple(&request).into()).map_err(|error| thrown(&error))
    }
}

/// Throws what a broker's answer that is not a 2xx says.
#[wasm_bindgen(js_name = checkAnswer)]
pub fn check_answer(status: u16, body: Vec<u8>) -> Result<(), JsValue> {
    check(&Response { status, headers: Headers::new(), body }).map_err(|error| thrown(&error))
}

impl ClientSettings {
    pub(super) fn read(&self) -> Result<client::Client> {
        let base_url = self.broker_url.as_deref().filter(|url| !url.is_empty()).unwrap_or(client::DEFAULT_BASE_URL);
        let client = client::Client::new(base_url, self.token.as_deref().unwrap_or_default())?;
        client.headers(&self.headers.iter().cloned().collect())
    }
}

/// The official SDK's options of a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageOptions {
    url: Option<String>,
    #[serde(alias = "topic")]
    url_group: Option<String>,
    queue_name: Option<String>,
    body: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    method: Option<String>,
    delay: Option<Number>,
    not_before: Option<f64>,
    retries: Option<u32>,
    retry_delay: Option<String>,
    timeout: Option<Number>,
    callback: Option<String>,
    failure_callback: Option<String>,
    deduplication_id: Option<String>,
    #[serde(default)]
    content_based_deduplication: bool,
    label: Option<Labels>,
    flow_control: Option<FlowControlOptions>,
}

/// The official SDK's options of a run's start.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TriggerOptions {
    url: String,
    body: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    workflow_run_id: Option<String>,
    retries: Option<u32>,
    retry_delay: Option<String>,
    delay: Option<Number>,
    not_before: Option<f64>,
    label: Option<Labels>,
    flow_control: Option<FlowControlOptions>,
    failure_url: Option<String>,
    /// There is none: accepted for callers of the official SDK.
    #[allow(dead_code)]
    disable_telemetry: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Labels {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FlowControlOptions {
    key: String,
    parallelism: Option<u32>,
    #[serde(alias = "ratePerSecond")]
    rate: Option<u32>,
    period: Option<Number>,
}

impl MessageOptions {
    fn read(self) -> Result<(Message, Option<String>)> {
        let Some(destination) = self.url.or(self.url_group) else {
            return Err(Error::new(
                Code::InvalidRequest,
                "expected the option url or urlGroup: where the message goes",
            ));
        };
        let message = Message {
            destination,
            body: self.body.map(String::into_bytes),
            headers: self.headers.into_iter().collect(),
            method: Some(self.method.as_deref().map_or(Ok(Method::Post), Method::parse)?),
            delay: self.delay.map(duration).transpose()?,
            not_before: self.not_before.map(moment).transpose()?.map(NotBefore),
            retries: self.retries,
            retry_delay: self.retry_delay,
            timeout: self.timeout.map(duration).transpose()?.map(|text| parse_duration(&text)).transpose()?,
            callback: self.callback,
            failure_callback: self.failure_callback,
            deduplication_id: self.deduplication_id,
            content_based_deduplication: self.content_based_deduplication,
            labels: self.label.map(Labels::read).unwrap_or_default(),
            flow_control: self.flow_control.map(FlowControlOptions::read).transpose()?,
        };
        Ok((message, self.queue_name))
    }
}

impl TriggerOptions {
    fn read(self, entropy: &mut SystemEntropy) -> Result<Trigger> {
        let run_id = match self.workflow_run_id {
            Some(id) => RunId::new(format!("{}{id}", RunId::PREFIX)),
            None => None,
        };
        let run_id = run_id.unwrap_or_else(|| RunId::generate(entropy));
        let mut trigger = Trigger::new(&self.url, run_id);
        trigger.body = self.body;
        trigger.headers = self.headers.into_iter().collect();
        trigger.retries = self.retries;
        trigger.retry_delay = self.retry_delay;
        trigger.delay = self.delay.map(duration).transpose()?;
        trigger.not_before = self.not_before.map(moment).transpose()?;
        trigger.labels = self.label.map(Labels::read).unwrap_or_default();
        trigger.flow_control = self.flow_control.map(FlowControlOptions::read).transpose()?;
        // A workflow's endpoint hears of its own failures unless somebody else shall.
        trigger.failure_url = Some(self.failure_url.unwrap_or(self.url));
        Ok(trigger)
    }
}

impl Labels {
    pub(super) fn read(self) -> Vec<String> {
        match self {
            Labels::One(label) => vec![label],
            Labels::Many(labels) => labels,
        }
    }
}

impl FlowControlOptions {
    pub(super) fn read(self) -> Result<FlowControl> {
        let period = self.period.map(duration).transpose()?;
        Ok(FlowControl { key: self.key, parallelism: self.parallelism, rate: self.rate, period })
    }
}

/// Reads options. [`Code::InvalidRequest`] names the one that is unknown or of another type.
pub(super) fn options<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::new(Code::InvalidRequest, format!("the options: {error}")))
}

/// A duration as a header carries it: a number counts as seconds, rounded.
fn duration(duration: Number) -> Result<String> {
    match duration {
        Number::Text(text) => parse_duration(&text).map(|_| text),
        Number::Number(seconds) => {
            let seconds = seconds.as_f64().filter(|seconds| *seconds >= 0.0).ok_or_else(|| {
                Error::new(Code::InvalidDuration, "expected a number of seconds from 0 on, or a duration such as '10s'")
            })?;
            Ok(format!("{:.0}s", (seconds + 0.5).floor()))
        }
    }
}

/// Unix seconds, rounded.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The cast saturates.
fn moment(seconds: f64) -> Result<u64> {
    if seconds >= 0.0 {
        return Ok((seconds + 0.5).floor() as u64);
    }
    Err(Error::new(Code::InvalidDuration, "notBefore must be Unix seconds, from 0 on"))
}
