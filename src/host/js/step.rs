//! The steps that a workflow asks for, from their options as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use wasm_bindgen::prelude::*;

use super::client::{FlowControlOptions, Labels, options};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Number, RunId, parse_duration};
use crate::workflow::{Call, Invoke, Notification, Retry, RunOptions, StepKind, Wait};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** The options of the kinds of steps, as JSON. */
export interface StepOptions {
  run: { retries?: number | undefined; retryDelay?: string | number | undefined; compensated?: boolean | undefined };
  call: {
    url: string;
    method?: string | undefined;
    headers?: [string, string][] | undefined;
    retries?: number | undefined;
    retryDelay?: string | undefined;
    timeout?: number | string | undefined;
    flowControl?: object | undefined;
  };
  waitForEvent: { eventId: string; timeout?: number | string | undefined };
  waitForWebhook: { eventId: string; timeout?: number | string | undefined };
  notify: { eventId: string; eventData?: unknown; workflowRunId?: string | undefined };
  invoke: {
    workflowId: string;
    body?: string | undefined;
    headers?: [string, string][] | undefined;
    workflowRunId?: string | undefined;
    retries?: number | undefined;
    retryDelay?: string | undefined;
    flowControl?: object | undefined;
    label?: string | string[] | undefined;
    useJSONContent?: boolean | undefined;
  };
  createWebhook: object;
  patch: object;
}
"#;

/// Reads a step of the kind `kind`. `body` is that of a call.
///
/// [`Code::InvalidRequest`] names the option that is missing, unknown or of another type.
pub(super) fn read(kind: &str, json: &str, body: Option<Vec<u8>>) -> Result<StepKind> {
    Ok(match kind {
        "run" => StepKind::Run(options::<Run>(json)?.read()?),
        "call" => StepKind::Call(Box::new(options::<CallOptions>(json)?.read(body)?)),
        "waitForEvent" => StepKind::WaitForEvent(options::<WaitOptions>(json)?.read()?),
        "waitForWebhook" => StepKind::WaitForWebhook(options::<WaitOptions>(json)?.read()?),
        "notify" => StepKind::Notify(options::<NotifyOptions>(json)?.read()),
        "invoke" => StepKind::Invoke(Box::new(options::<InvokeOptions>(json)?.read()?)),
        "createWebhook" => StepKind::CreateWebhook,
        "patch" => StepKind::Patch,
        _ => return Err(Error::new(Code::Internal, format!("there is no kind of step '{kind}'"))),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Run {
    retries: Option<u32>,
    retry_delay: Option<Number>,
    #[serde(default)]
    compensated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CallOptions {
    url: String,
    method: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    retries: u32,
    retry_delay: Option<String>,
    timeout: Option<Number>,
    flow_control: Option<FlowControlOptions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WaitOptions {
    event_id: String,
    timeout: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NotifyOptions {
    event_id: String,
    event_data: Option<Box<RawValue>>,
    workflow_run_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InvokeOptions {
    workflow_id: String,
    body: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    workflow_run_id: Option<String>,
    retries: Option<u32>,
    retry_delay: Option<String>,
    flow_control: Option<FlowControlOptions>,
    label: Option<Labels>,
    #[serde(default, rename = "useJSONContent")]
    use_json_content: bool,
}

impl Run {
    fn read(self) -> Result<RunOptions> {
        let delay = self.retry_delay.map(|delay| match delay {
            Number::Text(text) => text,
            Number::Number(millis) => millis.to_string(),
        });
        let retry = match (self.retries, delay) {
            (None, None) => None,
            (retries, delay) => Some(Retry::new(retries.unwrap_or(3), delay.as_deref())?),
        };
        Ok(RunOptions { retry, compensated: self.compensated })
    }
}

impl CallOptions {
    fn read(self, body: Option<Vec<u8>>) -> Result<Call> {
        let timeout = self.timeout.map(|timeout| match timeout {
            Number::Text(text) => parse_duration(&text).map(|_| text),
            Number::Number(seconds) => Ok(seconds.to_string()),
        });
        Ok(Call {
            url: self.url,
            method: self.method.as_deref().map_or(Ok(Method::Get), Method::parse)?,
            body,
            headers: headers(self.headers),
            retries: self.retries,
            retry_delay: self.retry_delay,
            timeout: timeout.transpose()?,
            flow_control: self.flow_control.map(FlowControlOptions::read).transpose()?,
        })
    }
}

impl WaitOptions {
    fn read(self) -> Result<Wait> {
        let timeout = self.timeout.map(|timeout| match timeout {
            Number::Text(text) => parse_duration(&text).map(|_| text),
            Number::Number(seconds) => Ok(format!("{seconds}s")),
        });
        Ok(Wait { event_id: self.event_id, timeout: timeout.transpose()? })
    }
}

impl NotifyOptions {
    fn read(self) -> Notification {
        let data = self.event_data.map(|data| data.get().to_owned());
        Notification { event_id: self.event_id, data, run_id: self.workflow_run_id }
    }
}

impl InvokeOptions {
    fn read(self) -> Result<Invoke> {
        let run_id = self.workflow_run_id.and_then(|id| RunId::new(format!("{}{id}", RunId::PREFIX)));
        Ok(Invoke {
            workflow_id: self.workflow_id,
            body: self.body,
            headers: headers(self.headers),
            run_id,
            retries: self.retries,
            retry_delay: self.retry_delay,
            flow_control: self.flow_control.map(FlowControlOptions::read).transpose()?,
            labels: self.label.map(Labels::read).unwrap_or_default(),
            use_json_content: self.use_json_content,
        })
    }
}

fn headers(pairs: Vec<(String, String)>) -> Headers {
    pairs.into_iter().collect()
}
