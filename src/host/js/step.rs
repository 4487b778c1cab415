//! The steps that a workflow asks for, from their options as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use wasm_bindgen::prelude::*;

use crate::client::fields::{Fields, Json, mistaken};
use crate::client::options::flow_control;
use crate::error::{Code, Error, Result};
use crate::wire::{Method, RunId, parse_duration};
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
    if kind == "notify" {
        return notify(json).map(StepKind::Notify);
    }
    let mut options = Fields::read(json)?;
    let kind = match kind {
        "run" => StepKind::Run(run(&mut options)?),
        "call" => StepKind::Call(Box::new(call(&mut options, body)?)),
        "waitForEvent" => StepKind::WaitForEvent(wait(&mut options)?),
        "waitForWebhook" => StepKind::WaitForWebhook(wait(&mut options)?),
        "invoke" => StepKind::Invoke(Box::new(invoke(&mut options)?)),
        "createWebhook" => StepKind::CreateWebhook,
        "patch" => StepKind::Patch,
        _ => return Err(Error::new(Code::Internal, format!("there is no kind of step '{kind}'"))),
    };
    options.end()?;
    Ok(kind)
}

fn run(options: &mut Fields) -> Result<RunOptions> {
    let delay = options
        .take("retryDelay")
        .map(|delay| delay.shown().ok_or_else(|| mistaken("retryDelay", "an expression, or a number of milliseconds")));
    let retry = match (options.count("retries")?, delay.transpose()?) {
        (None, None) => None,
        (retries, delay) => Some(Retry::new(retries.unwrap_or(3), delay.as_deref())?),
    };
    Ok(RunOptions { retry, compensated: options.flag("compensated")? })
}

fn call(options: &mut Fields, body: Option<Vec<u8>>) -> Result<Call> {
    Ok(Call {
        url: options.required("url")?,
        method: options.text("method")?.as_deref().map_or(Ok(Method::Get), Method::parse)?,
        body,
        headers: options.pairs("headers")?,
        retries: options.count("retries")?.unwrap_or(0),
        retry_delay: options.text("retryDelay")?,
        // A number goes without a unit, as the official SDK sends it.
        timeout: timeout(options, "")?,
        flow_control: options.object("flowControl")?.map(flow_control).transpose()?,
    })
}

fn wait(options: &mut Fields) -> Result<Wait> {
    Ok(Wait { event_id: options.required("eventId")?, timeout: timeout(options, "s")? })
}

fn timeout(options: &mut Fields, unit: &str) -> Result<Option<String>> {
    match options.take("timeout") {
        None => Ok(None),
        Some(Json::Text(text)) => parse_duration(&text).map(|_| Some(text)),
        Some(Json::Number(seconds)) => Ok(Some(format!("{seconds}{unit}"))),
        Some(_) => Err(mistaken("timeout", "a number of seconds, or a duration such as '10s'")),
    }
}

fn invoke(options: &mut Fields) -> Result<Invoke> {
    Ok(Invoke {
        workflow_id: options.required("workflowId")?,
        body: options.text("body")?,
        headers: options.pairs("headers")?,
        run_id: options.text("workflowRunId")?.and_then(|id| RunId::new(format!("{}{id}", RunId::PREFIX))),
        retries: options.count("retries")?,
        retry_delay: options.text("retryDelay")?,
        flow_control: options.object("flowControl")?.map(flow_control).transpose()?,
        labels: options.texts("label")?.unwrap_or_default(),
        use_json_content: options.flag("useJSONContent")?,
    })
}

/// The event's data stay the text that they are.
fn notify(json: &str) -> Result<Notification> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Options {
        event_id: String,
        event_data: Option<Box<RawValue>>,
        workflow_run_id: Option<String>,
    }
    let options: Options = serde_json::from_str(json)
        .map_err(|error| Error::new(Code::InvalidRequest, format!("the options: {error}")))?;
    let data = options.event_data.map(|data| data.get().to_owned());
    Ok(Notification { event_id: options.event_id, data, run_id: options.workflow_run_id })
}
