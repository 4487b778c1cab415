//! One delivery: the engine's state machine with JavaScript's types.

use wasm_bindgen::prelude::*;

use super::duty::{note_tuple, tuple};
use super::endpoint::Endpoint;
use super::error::thrown;
use super::failure::Failure;
use super::receiver::body_hash;
use super::step;
use super::text::{SystemEntropy, headers_of, timestamp};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Number, Request, Response, parse_duration};
use crate::workflow::{self, Duty, RunOptions, StepKind, answer_error};

/// One delivery's worth of a run. Call [`begin`](Self::begin) first, then do the duty that is handed back, and so on
/// until `respond`.
#[wasm_bindgen]
pub struct Invocation {
    engine: Option<workflow::Invocation>,
    first: Duty,
}

#[wasm_bindgen]
impl Invocation {
    /// Takes a delivery. `digest` is the SHA-256 of `body` if the host has computed it, `now` is `Date.now()`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        endpoint: &Endpoint,
        method: &str,
        url: &str,
        headers: &str,
        body: Vec<u8>,
        digest: Option<Vec<u8>>,
        now: f64,
    ) -> Self {
        match begin(endpoint, method, url, headers, body, digest.as_deref(), now) {
            Ok((engine, first)) => Self { engine: Some(engine), first },
            Err(response) => Self { engine: None, first: Duty::Respond(response) },
        }
    }

    /// The first duty.
    #[wasm_bindgen(unchecked_return_type = "Duty")]
    pub fn begin(&mut self) -> JsValue {
        let duty = std::mem::replace(&mut self.first, Duty::Idle);
        self.tuple(duty)
    }

    /// The run; nothing if the request names none.
    #[wasm_bindgen(js_name = runId)]
    pub fn run_id(&self) -> Option<String> {
        self.engine.as_ref().map(|engine| engine.delivery().run_id.as_str().to_owned())
    }

    /// What happened since it was last asked, to be told before the last duty is done.
    #[wasm_bindgen(js_name = takeNotes, unchecked_return_type = "Note[]")]
    pub fn take_notes(&mut self) -> js_sys::Array {
        let notes = self.engine.as_mut().map(workflow::Invocation::take_notes).unwrap_or_default();
        notes.into_iter().map(note_tuple).collect()
    }

    /// Replaces the payload that a first invocation submits; nothing for no body.
    #[wasm_bindgen(js_name = setTriggerBody)]
    pub fn set_trigger_body(&mut self, body: Option<String>) {
        if let Some(engine) = &mut self.engine {
            engine.set_trigger_body(body);
        }
    }

    /// The workflow asks for a step with a function and without options. Gives the step's ticket.
    #[wasm_bindgen(js_name = requestRun)]
    pub fn request_run(&mut self, name: &str) -> Result<u32, JsValue> {
        self.request(name, || Ok(StepKind::Run(RunOptions::default())))
    }

    /// The workflow asks for a step of a kind: a key of `StepOptions`, whose value `options` is as JSON. `body` is that
    /// of a call.
    #[wasm_bindgen(js_name = requestStep)]
    pub fn request_step(
        &mut self,
        name: &str,
        #[wasm_bindgen(unchecked_param_type = "keyof StepOptions")] kind: &str,
        options: &str,
        body: Option<Vec<u8>>,
    ) -> Result<u32, JsValue> {
        let url = self.engine.as_ref().map(|engine| engine.delivery().url.clone()).unwrap_or_default();
        self.request(name, || step::read(kind, options, body, &url))
    }

    /// A number in [0, 1), the same in every invocation.
    pub fn random(&mut self) -> f64 {
        self.engine.as_mut().map_or(0.0, workflow::Invocation::random)
    }

    /// A UUID of version 4, the same in every invocation.
    pub fn uuid(&mut self) -> String {
        self.engine.as_mut().map(workflow::Invocation::uuid).unwrap_or_default()
    }

    /// The time, the same in every invocation; `now` is `Date.now()`.
    #[allow(clippy::cast_precision_loss)] // Exact until the year 287396.
    pub fn now(&mut self, now: f64) -> f64 {
        self.engine.as_mut().map_or(now, |engine| engine.now(timestamp(now)).millis() as f64)
    }

    /// The workflow asks for a sleep: a number of seconds, or a duration such as `1d`.
    #[wasm_bindgen(js_name = requestSleep)]
    pub fn request_sleep(
        &mut self,
        name: &str,
        #[wasm_bindgen(unchecked_param_type = "number | string")] duration: &JsValue,
    ) -> Result<u32, JsValue> {
        self.request(name, || sleep_for(name, duration).map(StepKind::SleepFor))
    }

    /// The workflow asks for a sleep until a moment, in Unix seconds; `NaN` stands for what is no moment.
    #[wasm_bindgen(js_name = requestSleepUntil)]
    pub fn request_sleep_until(&mut self, name: &str, seconds: f64) -> Result<u32, JsValue> {
        self.request(name, || {
            number(seconds).map(|seconds| StepKind::SleepUntil(Number::Number(seconds))).ok_or_else(|| {
                Error::new(
                    Code::InvalidDuration,
                    format!("sleepUntil '{name}' needs a Date, Unix seconds from 0 on, or a text that Date can read"),
                )
            })
        })
    }

    /// The workflow can't go on without the steps that it asked for.
    #[wasm_bindgen(unchecked_return_type = "Duty")]
    pub fn poll(&mut self) -> JsValue {
        self.handle(workflow::Invocation::poll)
    }

    /// The payload can't be read, or is not what the workflow's schema says: the function is not called.
    #[wasm_bindgen(js_name = refusePayload, unchecked_return_type = "Duty")]
    pub fn refuse_payload(&mut self, failure: Failure) -> JsValue {
        self.handle(|engine| engine.refuse_payload(&failure.0))
    }

    /// A step's function has ended with a result as JSON text; nothing for `undefined`.
    #[wasm_bindgen(js_name = handleResult, unchecked_return_type = "Duty")]
    pub fn handle_result(&mut self, out: Option<String>) -> JsValue {
        self.handle(|engine| engine.handle_result(Ok(out)))
    }

    /// A step's function has failed.
    #[wasm_bindgen(js_name = handleStepFailure, unchecked_return_type = "Duty")]
    pub fn handle_step_failure(&mut self, failure: Failure) -> JsValue {
        self.handle(|engine| engine.handle_result(Err(failure.0)))
    }

    /// A step's or the workflow's result can't be written as JSON.
    #[wasm_bindgen(js_name = handleUnserializableResult, unchecked_return_type = "Duty")]
    pub fn handle_unserializable_result(&mut self, reason: &str) -> JsValue {
        self.handle(|engine| engine.handle_unserializable_result(reason))
    }

    /// The workflow's function has ended with a result as JSON text; nothing for `undefined`.
    #[wasm_bindgen(js_name = handleReturn, unchecked_return_type = "Duty")]
    pub fn handle_return(&mut self, result: Option<String>) -> JsValue {
        self.handle(|engine| engine.handle_return(Ok(result)))
    }

    /// The workflow's function has failed.
    #[wasm_bindgen(js_name = handleFailure, unchecked_return_type = "Duty")]
    pub fn handle_failure(&mut self, failure: Failure) -> JsValue {
        self.handle(|engine| engine.handle_return(Err(failure.0)))
    }

    /// The failure function has ended with a result as JSON text; nothing for `undefined`.
    #[wasm_bindgen(js_name = handleRecovered, unchecked_return_type = "Duty")]
    pub fn handle_recovered(&mut self, result: Option<String>) -> JsValue {
        self.handle(|engine| engine.handle_failure_result(Ok(result)))
    }

    /// The failure function has failed.
    #[wasm_bindgen(js_name = handleRecoveryFailure, unchecked_return_type = "Duty")]
    pub fn handle_recovery_failure(&mut self, failure: Failure) -> JsValue {
        self.handle(|engine| engine.handle_failure_result(Err(failure.0)))
    }

    /// The broker has answered.
    #[wasm_bindgen(js_name = handleResponse, unchecked_return_type = "Duty")]
    pub fn handle_response(&mut self, status: u16, body: Vec<u8>) -> JsValue {
        let response = Response { status, headers: Headers::new(), body };
        self.handle(|engine| engine.handle_response(Ok(response)))
    }

    /// The broker can't be reached.
    #[wasm_bindgen(js_name = handleSendError, unchecked_return_type = "Duty")]
    pub fn handle_send_error(&mut self, reason: String) -> JsValue {
        self.handle(|engine| engine.handle_response(Err(reason)))
    }
}

/// The milliseconds of a step's option `timeout`: a number of seconds from 0 on, or a duration.
#[wasm_bindgen(js_name = timeoutMillis)]
pub fn timeout_millis(
    #[wasm_bindgen(unchecked_param_type = "number | string")] duration: &JsValue,
) -> Result<f64, JsValue> {
    step::millis(duration).map_err(|error| thrown(&error))
}

impl Invocation {
    fn handle(&mut self, transition: impl FnOnce(&mut workflow::Invocation) -> Duty) -> JsValue {
        let duty = self.engine.as_mut().map_or(Duty::Idle, transition);
        self.tuple(duty)
    }

    fn request(&mut self, name: &str, kind: impl FnOnce() -> Result<StepKind>) -> Result<u32, JsValue> {
        let ticket = match &mut self.engine {
            Some(engine) => kind().and_then(|kind| engine.request_step(name, kind)),
            None => Err(Error::new(Code::Internal, "a step was asked for in an invocation that did not begin")),
        };
        ticket.map_err(|error| thrown(&error))
    }

    fn tuple(&self, duty: Duty) -> JsValue {
        tuple(duty, self.engine.as_ref().map(workflow::Invocation::delivery))
    }
}

fn begin(
    endpoint: &Endpoint,
    method: &str,
    url: &str,
    headers: &str,
    body: Vec<u8>,
    digest: Option<&[u8]>,
    now: f64,
) -> Result<(workflow::Invocation, Duty), Response> {
    let refuse = |error: Error| answer_error(&error);
    let endpoint = endpoint.0.as_ref().map_err(answer_error)?;
    let method = Method::parse(method).map_err(refuse)?;
    let digest = digest.map(body_hash).transpose().map_err(refuse)?;
    let request = Request { method, url: url.to_owned(), headers: headers_of(headers), body };
    let mut entropy = SystemEntropy::default();
    let begun = workflow::Invocation::begin(endpoint, &request, digest, timestamp(now), &mut entropy)?;
    entropy.check().map_err(refuse)?;
    Ok(begun)
}

fn sleep_for(name: &str, duration: &JsValue) -> Result<Number> {
    let invalid = || {
        Error::new(
            Code::InvalidDuration,
            format!("sleep '{name}' needs a number of seconds from 0 on, or a duration such as '10s' or '1d10h'"),
        )
    };
    match (duration.as_f64(), duration.as_string()) {
        (Some(seconds), _) => number(seconds).map(Number::Number).ok_or_else(invalid),
        (_, Some(text)) => parse_duration(&text).map(|_| Number::Text(text)),
        _ => Err(invalid()),
    }
}

/// A number from 0 on as JavaScript writes it: without a fraction if it is whole.
fn number(value: f64) -> Option<serde_json::Number> {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&value) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It is whole and in range.
        return Some((value as u64).into());
    }
    if value > 0.0 { serde_json::Number::from_f64(value) } else { None }
}
