//! The steps that a workflow asks for, from their options as JSON.

use wasm_bindgen::prelude::*;

use crate::client::fields::{Fields, Json, mistaken};
use crate::client::options::{flow_control, provider};
use crate::client::{FlowControl, check_name};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, RunId, parse_duration};
use crate::workflow::{Call, Invoke, Notification, Retry, RunOptions, StepKind, Wait, sibling};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** The options of the kinds of steps, as JSON. Those of JavaScript's callers are handed on as they are. */
export interface StepOptions {
  run: { retries?: unknown; retryDelay?: unknown; timeout?: unknown; compensate?: boolean };
  /** One of `url`, `workflowId` (of a sibling) and `provider` says where to. `method` is the default. */
  call: { url?: unknown; workflowId?: unknown; provider?: object; headers?: [string, string][] | undefined };
  waitForEvent: { eventId: unknown; timeout?: unknown };
  waitForWebhook: { eventId: unknown; timeout?: unknown };
  /** `eventData` is JSON text. */
  notify: { eventId: unknown; eventData?: string | undefined; workflowRunId?: unknown };
  invoke: { workflowId: unknown; body?: string | undefined; headers?: [string, string][] | undefined };
  createWebhook: object;
  patch: object;
}
"#;

/// Reads a step of the kind `kind`. `body` is that of a call, `url` the workflow's own.
///
/// [`Code::InvalidRequest`] names the option that is missing, unknown or of another type.
pub(super) fn read(kind: &str, json: &str, body: Option<Vec<u8>>, url: &str) -> Result<StepKind> {
    let mut options = Fields::read(json)?;
    let kind = match kind {
        "run" => StepKind::Run(run(&mut options)?),
        "call" => StepKind::Call(Box::new(call(&mut options, body, url)?)),
        "waitForEvent" => StepKind::WaitForEvent(wait_for_event(&mut options)?),
        "waitForWebhook" => StepKind::WaitForWebhook(wait(&mut options)?),
        "notify" => StepKind::Notify(notify(&mut options)?),
        "invoke" => StepKind::Invoke(Box::new(invoke(&mut options)?)),
        "createWebhook" => StepKind::CreateWebhook,
        "patch" => StepKind::Patch,
        _ => return Err(Error::new(Code::Internal, format!("there is no kind of step '{kind}'"))),
    };
    options.end()?;
    Ok(kind)
}

/// The milliseconds of a step's option `timeout`: a number of seconds from 0 on, or a duration.
#[allow(clippy::cast_precision_loss)] // Exact for 285,000 years.
pub(super) fn millis(duration: &JsValue) -> Result<f64> {
    match (duration.as_f64(), duration.as_string()) {
        (Some(seconds), _) if seconds >= 0.0 && seconds.is_finite() => Ok(seconds * 1000.0),
        (_, Some(text)) => parse_duration(&text).map(|duration| duration.as_millis() as f64),
        _ => Err(mistaken("timeout", TIMEOUT)),
    }
}

const TIMEOUT: &str = "a number of seconds from 0 on, or a duration such as '10s'";

fn run(options: &mut Fields) -> Result<RunOptions> {
    timeout(options, "")?;
    let delay = options
        .take("retryDelay")
        .map(|delay| delay.shown().ok_or_else(|| mistaken("retryDelay", "an expression, or a number of milliseconds")));
    let retry = match (options.count("retries")?, delay.transpose()?) {
        (None, None) => None,
        (retries, delay) => Some(Retry::new(retries.unwrap_or(3), delay.as_deref())?),
    };
    Ok(RunOptions { retry, compensated: options.flag("compensate")? })
}

fn call(options: &mut Fields, body: Option<Vec<u8>>, own_url: &str) -> Result<Call> {
    let headers: Headers = options.pairs("headers")?;
    let mut call = match (options.object("provider")?, options.text("workflowId")?) {
        (Some(mut given), _) => {
            let message = provider(&mut given)?.message()?;
            Call { method: Method::Post, headers: message.headers, ..Call::new(message.destination) }
        }
        (None, Some(workflow_id)) => {
            // What an invocation takes and a request to the other workflow has no use for.
            labels(options)?;
            options.take("workflowRunId");
            Call { method: Method::Post, ..Call::new(sibling(own_url, &workflow_id)?) }
        }
        (None, None) => Call::new(options.required("url")?),
    };
    if let Some(method) = options.text("method")? {
        call.method = Method::parse(&method)?;
    }
    for (name, value) in headers.iter() {
        call.headers.set(name, value);
    }
    Ok(Call {
        body,
        retries: options.count("retries")?.unwrap_or(0),
        retry_delay: options.text("retryDelay")?,
        // A number goes without a unit, as the official SDK sends it.
        timeout: timeout(options, "")?.filter(|timeout| timeout != "0"),
        flow_control: limits(options)?,
        ..call
    })
}

/// Seven days, unless said otherwise: as the official SDK has it.
fn wait_for_event(options: &mut Fields) -> Result<Wait> {
    let Wait { event_id, timeout } = wait(options)?;
    Ok(Wait { event_id, timeout: timeout.or_else(|| Some("7d".to_owned())) })
}

fn wait(options: &mut Fields) -> Result<Wait> {
    Ok(Wait { event_id: options.required("eventId")?, timeout: timeout(options, "s")? })
}

fn timeout(options: &mut Fields, unit: &str) -> Result<Option<String>> {
    match options.take("timeout") {
        None => Ok(None),
        Some(Json::Text(text)) => parse_duration(&text).map(|_| Some(text)),
        Some(Json::Number(seconds)) if seconds.as_f64().is_some_and(|seconds| seconds >= 0.0) => {
            Ok(Some(format!("{seconds}{unit}")))
        }
        Some(_) => Err(mistaken("timeout", TIMEOUT)),
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
        flow_control: limits(options)?,
        labels: labels(options)?,
        use_json_content: options.flag("useJSONContent")?,
    })
}

fn notify(options: &mut Fields) -> Result<Notification> {
    Ok(Notification {
        event_id: options.required("eventId")?,
        data: options.text("eventData")?,
        run_id: options.text("workflowRunId")?,
    })
}

fn labels(options: &mut Fields) -> Result<Vec<String>> {
    let labels = options.texts("label")?;
    if labels.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::new(Code::InvalidName, "the option label must not be an empty array"));
    }
    let labels = labels.unwrap_or_default();
    labels.iter().try_for_each(|label| named(label))?;
    Ok(labels)
}

fn limits(options: &mut Fields) -> Result<Option<FlowControl>> {
    let limits = options.object("flowControl")?.map(flow_control).transpose()?;
    limits.iter().try_for_each(|limits| named(&limits.key))?;
    Ok(limits)
}

/// No other try would mend a name: the run fails at once.
fn named(name: &str) -> Result<()> {
    check_name(name).map_err(|error| Error::new(Code::InvalidName, error.message()))
}
