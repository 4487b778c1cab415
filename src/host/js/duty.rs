//! Duties as tuples: the first member names the duty.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::text::text_of;
use crate::wire::{Request, Response};
use crate::workflow::{Delivery, Duty, FailedRun, Note, Settled, Start};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Method, URL, headers (a line for each name and each value) and body. */
export type RequestTuple = [method: string, url: string, headers: string, body: Uint8Array];

/** What the engine asks of its host; see `Duty` in `src/workflow/invocation/mod.rs`. `headers` of `recover` is JSON. */
export type Duty =
  | ["send", ...RequestTuple]
  | [
      "start",
      payload: string | undefined,
      first: boolean,
      runId: string,
      url: string,
      headers: string,
      label: string | undefined,
      retried: number,
      createdAt: number | undefined,
      invokeCount: number,
    ]
  | ["settle", ticket: number, others: boolean, result: string | undefined]
  | ["reject", ticket: number, others: boolean, name: string, message: string, stack: string | undefined]
  | ["run", ticket: number, attempt: number]
  | ["compensate", ticket: number, result: string | undefined]
  | ["recover", status: number, message: string, stack: string, headers: string]
  | ["respond", status: number, headers: string, body: Uint8Array]
  | ["idle"];

/** What happened; see `Note` in `src/workflow/notes.rs`. */
export type Note =
  | ["runStarted"]
  | ["beforeExecution", stepName: string]
  | ["afterExecution", ticket: number]
  | ["runCompleted"]
  | ["onInfo", info: string]
  | ["onWarning", warning: string];
"#;

pub(super) fn note_tuple(note: Note) -> Array {
    match note {
        Note::RunStarted => Array::of1(&"runStarted".into()),
        Note::BeforeExecution(name) => Array::of2(&"beforeExecution".into(), &name.into()),
        Note::AfterExecution(ticket) => Array::of2(&"afterExecution".into(), &ticket.into()),
        Note::RunCompleted => Array::of1(&"runCompleted".into()),
        Note::Info(text) => Array::of2(&"onInfo".into(), &text.into()),
        Note::Warning(text) => Array::of2(&"onWarning".into(), &text.into()),
    }
}

/// The tuple for a duty; `delivery` is told with the duties that make a context.
pub(super) fn tuple(duty: Duty, delivery: Option<&Delivery>) -> JsValue {
    let tuple = match duty {
        Duty::Send(request) => {
            let tuple = request_tuple(&request);
            tuple.unshift(&"send".into());
            tuple
        }
        Duty::Start(start) => start_tuple(start, delivery),
        Duty::Settle(settled) => settled_tuple(settled),
        Duty::Run { ticket, attempt } => Array::of3(&"run".into(), &ticket.into(), &attempt.into()),
        Duty::Compensate { ticket, result } => Array::of3(&"compensate".into(), &ticket.into(), &result.into()),
        Duty::RunFailureFunction(failed_run) => recover_tuple(&failed_run),
        Duty::Respond(response) => response_tuple(&response),
        Duty::Idle => Array::of1(&"idle".into()),
    };
    tuple.into()
}

pub(super) fn request_tuple(request: &Request) -> Array {
    Array::of4(
        &request.method.as_str().into(),
        &request.url.as_str().into(),
        &text_of(&request.headers).into(),
        &Uint8Array::from(request.body.as_slice()).into(),
    )
}

fn response_tuple(response: &Response) -> Array {
    Array::of4(
        &"respond".into(),
        &response.status.into(),
        &text_of(&response.headers).into(),
        &Uint8Array::from(response.body.as_slice()).into(),
    )
}

fn start_tuple(start: Start, delivery: Option<&Delivery>) -> Array {
    let tuple = Array::of2(&"start".into(), &start.payload.into());
    if let Some(delivery) = delivery {
        tuple.push(&delivery.is_first().into());
        tuple.push(&delivery.run_id.as_str().into());
        tuple.push(&delivery.url.as_str().into());
        tuple.push(&text_of(&delivery.headers).into());
        tuple.push(&delivery.label.as_deref().into());
        tuple.push(&delivery.retried.into());
        tuple.push(&created_at(delivery));
        tuple.push(&delivery.invoke_count.into());
    }
    tuple
}

fn settled_tuple(Settled { ticket, result, others }: Settled) -> Array {
    match result {
        Ok(result) => Array::of4(&"settle".into(), &ticket.into(), &others.into(), &result.into()),
        Err(failure) => {
            let tuple = Array::of4(&"reject".into(), &ticket.into(), &others.into(), &failure.name.into());
            tuple.push(&failure.message.into());
            tuple.push(&failure.stack.into());
            tuple
        }
    }
}

fn recover_tuple(failed_run: &FailedRun) -> Array {
    let tuple = Array::of4(
        &"recover".into(),
        &failed_run.status.into(),
        &failed_run.message.as_str().into(),
        &failed_run.stack.as_str().into(),
    );
    let headers: serde_json::Map<String, serde_json::Value> =
        failed_run.headers.iter().map(|(name, values)| (name.clone(), values.as_slice().into())).collect();
    tuple.push(&serde_json::Value::Object(headers).to_string().into());
    tuple
}

/// Milliseconds as JavaScript counts them, exact until the year 287396.
#[allow(clippy::cast_precision_loss)]
fn created_at(delivery: &Delivery) -> JsValue {
    delivery.created_at.map(|millis| millis as f64).into()
}
