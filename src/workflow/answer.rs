//! The endpoint's answers to the broker.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::wire::{Response, RunId, header};
use crate::workflow::failure::{Failure, Recovery};

/// Why an invocation ended well; the names are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Success,
    DuplicateStep,
    AlreadyEnded,
    FromCallback,
    NoFailureFunction,
}

impl Finish {
    const fn name(self) -> &'static str {
        match self {
            Finish::Success => "success",
            Finish::DuplicateStep => "duplicate-step",
            Finish::AlreadyEnded => "workflow-already-ended",
            Finish::FromCallback => "fromCallback",
            Finish::NoFailureFunction => "failure-callback-undefined",
        }
    }
}

pub(crate) fn finished(run_id: &RunId, finish: Finish) -> Response {
    let answer = answer(200, &[("workflowRunId", run_id.as_str()), ("finishCondition", finish.name())]);
    match finish {
        Finish::NoFailureFunction => answer.header(header::WORKFLOW_FAILURE_CALLBACK_NOT_FOUND, "true"),
        _ => answer,
    }
}

/// `run_id` is `None` if the run has not begun.
pub(crate) fn refused(run_id: Option<&RunId>) -> Response {
    let message = "the workflow returned before its first step, which refuses the request. \
                   If it should have run, make sure that its first step is reached in every invocation";
    let run_id = run_id.map_or("no-workflow-id", RunId::as_str);
    answer(400, &[("message", message), ("workflowRunId", run_id)])
}

/// `result` is the failure function's result as JSON text.
pub(crate) fn failure_handled(result: Option<&str>) -> Response {
    match result.and_then(|text| serde_json::from_str::<&RawValue>(text).ok()) {
        Some(result) if result.get() != "null" => answer(200, &[("result", result)]),
        _ => answer::<&str>(200, &[]),
    }
}

/// An error of ours, or of the peer. A broker's limit fails the invocation: 429 would be the workflow's own wish to be
/// tried again later.
pub(crate) fn error(error: &Error) -> Response {
    let status = match error.code().status() {
        429 => 500,
        status => status,
    };
    let answer = answer(status, &[("error", error.code().name()), ("message", error.message())]);
    if status == 489 { answer.header(header::NON_RETRYABLE_ERROR, "true") } else { answer }
}

/// An error of the user's function; `step` names the step whose function it was.
pub(crate) fn failure(failure: &Failure, step: Option<&str>) -> Response {
    let mut body = vec![("error", failure.name.as_str()), ("message", &failure.message)];
    if let Some(stack) = &failure.stack {
        body.push(("stack", stack));
    }
    let answer = match &failure.recovery {
        Recovery::RetryAfter(delay) => answer(429, &body).header(header::RETRY_AFTER, header_text(delay)),
        Recovery::Fail => answer(489, &body).header(header::NON_RETRYABLE_ERROR, "true"),
        Recovery::Retry | Recovery::Cancel => answer(500, &body),
    };
    match step {
        Some(step) => answer.header(header::ERROR_STEP_NAME, header_text(step)),
        None => answer,
    }
}

/// An answer whose body is an object with these members, in this order.
fn answer<T: Serialize>(status: u16, members: &[(&str, T)]) -> Response {
    // Texts and JSON always serialise.
    let body = serde_json::to_vec(&Members(members)).unwrap_or_default();
    Response::new(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::WORKFLOW_SDK_VERSION, header::PROTOCOL_VERSION)
        .header(header::WORKFLOW_SDK, concat!("orchestration@", env!("CARGO_PKG_VERSION")))
        .body(body)
}

struct Members<'a, T>(&'a [(&'a str, T)]);

impl<T: Serialize> Serialize for Members<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// `text` as a header can carry it: a run of control characters becomes a blank, what Latin-1 lacks a question mark.
fn header_text(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut in_controls = false;
    for c in text.chars() {
        match c {
            c if c.is_ascii_control() && in_controls => continue,
            c if c.is_ascii_control() => value.push(' '),
            c if u32::from(c) > 0xff => value.push('?'),
            c => value.push(c),
        }
        in_controls = c.is_ascii_control();
    }
    value.trim().to_owned()
}
