//! Reads a delivery: what it is, and with what the function starts.

use crate::client::check;
use crate::error::{Code, Error, Result};
use crate::signature;
use crate::signature::BodyHash;
use crate::wire::callback::CallbackBody;
use crate::wire::{Entropy, Request, Response, Timestamp, base64, header};
use crate::workflow::answer::Finish;
use crate::workflow::call::Callback;
use crate::workflow::delivery::{Delivery, DeliveryKind};
use crate::workflow::endpoint::Endpoint;
use crate::workflow::history::History;
use crate::workflow::invocation::{Duty, FailedRun, Invocation, Purpose, Start, State};
use crate::workflow::notes::{Awaited, Note};
use crate::workflow::now::Repeatable;
use crate::workflow::replay::Replay;

impl Invocation {
    pub(super) fn open(&mut self, request: &Request) -> Result<Duty> {
        let body = &request.body;
        match self.delivery.kind {
            DeliveryKind::First => Ok(start(Some(String::from_utf8_lossy(body).into_owned()), &mut self.trigger_body)),
            DeliveryKind::FirstOfUnknownSdk => {
                let payload = History::parse(body, None)?.payload;
                Ok(start(Some(payload), &mut self.trigger_body))
            }
            DeliveryKind::Resume | DeliveryKind::Callback if body.is_empty() => {
                if self.delivery.kind == DeliveryKind::Resume {
                    self.notes.info(|| "request payload is empty, steps will be fetched from QStash.".to_owned());
                }
                self.state = State::Fetching;
                Ok(Duty::Send(self.endpoint.client.fetch_run(&self.delivery.run_id)))
            }
            DeliveryKind::Resume => {
                let history = History::parse(body, self.delivery.message_id.as_deref())?;
                Ok(self.replay(history))
            }
            DeliveryKind::Callback => self.handle_callback(body),
            DeliveryKind::Failure => self.open_failure(body),
        }
    }

    /// A third party has answered a call: its answer becomes the step's result. The function does not run.
    pub(super) fn handle_callback(&mut self, body: &[u8]) -> Result<Duty> {
        match Callback::read(&self.delivery.wire_headers, body)? {
            Callback::WillRetry { status, retried, max_retries } => {
                self.notes.warn(|| {
                    format!("Third party call returned status {status}. Retrying ({retried} out of {max_retries}).")
                });
                Ok(self.finish(Finish::FromCallback))
            }
            Callback::Done { run_id, step } => {
                self.delivery.run_id = run_id;
                let item = self.item(&step, self.step_headers())?;
                let message = item.into_message();
                let told = format!("{} ({})", step.step_name, step.step_id);
                self.notes.info(|| format!("Submitting third party call result, step {told}."));
                self.notes.expect(|| Awaited::CallResult(told));
                self.state = State::Submitting(Purpose::CallResult);
                Ok(Duty::Send(self.endpoint.client.publish(&message)?))
            }
        }
    }

    pub(super) fn open_failure(&mut self, body: &[u8]) -> Result<Duty> {
        if !self.endpoint.has_failure_function {
            self.notes.info(|| "Failure callback invoked but no failure function defined.".to_owned());
            return Ok(self.finish(Finish::NoFailureFunction));
        }
        let callback: CallbackBody = serde_json::from_slice(body).map_err(|error| {
            Error::new(Code::HistoryMalformed, format!("the body is not that of a failure callback: {error}"))
        })?;
        let field = |name: &str, text: &str| {
            base64::decode(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).ok_or_else(|| {
                Error::new(
                    Code::HistoryMalformed,
                    format!("field '{name}' of the failure callback is not standard base64"),
                )
            })
        };
        let (message, stack) = reason_of(&field("body", &callback.body)?);
        let payload =
            (!callback.source_body.is_empty()).then(|| field("sourceBody", &callback.source_body)).transpose()?;
        if let Some(run_id) = callback.workflow_run_id.and_then(crate::wire::RunId::new) {
            self.delivery.run_id = run_id;
        }
        self.delivery.created_at = callback.workflow_created_at.or(self.delivery.created_at);
        self.failed_run =
            Some(FailedRun { status: callback.status, message, stack, headers: callback.header.into_iter().collect() });
        Ok(Duty::Start(Start { payload }))
    }

    pub(super) fn handle_history(&mut self, response: &Response) -> Result<Duty> {
        if response.status == 404 {
            self.notes.warn(|| {
                "Couldn't fetch workflow run steps. This can happen if the workflow run succesfully ends before some \
                 callback is executed."
                    .to_owned()
            });
            return Ok(self.finish(Finish::AlreadyEnded));
        }
        check(response)?;
        let message_id = self.delivery.message_id.as_deref();
        if self.notes.is_wanted() {
            let counted = History::counted(&response.body, message_id);
            self.notes.extend(counted.map(|(all, needed)| pulled(all, needed)));
        }
        if self.delivery.kind == DeliveryKind::Callback {
            let body = History::fetched_body(&response.body, message_id)?;
            return self.handle_callback(&body);
        }
        let history = History::fetched(&response.body, message_id)?;
        Ok(self.replay(history))
    }

    pub(super) fn replay(&mut self, history: History) -> Duty {
        if let Some((name, id)) = history.duplicate {
            self.notes.warn(|| {
                format!(
                    "Upstash Workflow: The step '{name}' with id '{id}'  has run twice during workflow execution. Rest \
                     of the workflow will continue running as usual."
                )
            });
            return self.finish(Finish::DuplicateStep);
        }
        if history.steps.is_empty() {
            self.notes.add(|| Note::RunStarted);
        }
        self.repeatable = Repeatable::new(&history.steps);
        self.replay = Replay::new(history.steps);
        self.state = State::Running;
        Duty::Start(Start { payload: Some(history.payload) })
    }

    pub(super) fn note_delivery(&mut self, request: &Request) {
        if !self.notes.is_wanted() {
            return;
        }
        let url = &self.delivery.url;
        let initial = self.endpoint.url.as_deref().unwrap_or(&request.url);
        if url != initial {
            self.notes.info(|| {
                format!(
                    "The workflow URL's base URL has been replaced with the provided baseUrl. Original URL: {initial}, \
                     New URL: {url}"
                )
            });
        }
        if url.contains("localhost") {
            self.notes.info(|| {
                format!(
                    "Workflow URL contains localhost. This can happen in local development, but shouldn't happen in \
                     production unless you have a route which contains localhost. Received: {url}"
                )
            });
        }
        let kind = self.delivery.kind;
        self.notes.info(|| {
            format!(
                "Run id identified. isFirstInvocation: {}, unknownSdk: {}",
                kind != DeliveryKind::Resume,
                kind == DeliveryKind::FirstOfUnknownSdk
            )
        });
    }
}

pub(super) fn accept(
    endpoint: &Endpoint,
    request: &Request,
    body_hash: Option<BodyHash>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Delivery> {
    let url = endpoint.workflow_url(&request.url)?;
    if let Some(keys) = &endpoint.keys {
        let token = request.headers.get(header::SIGNATURE).ok_or_else(|| {
            Error::new(
                Code::SignatureMissing,
                format!(
                    "expected header {}: start runs by publishing to the broker, not by calling the endpoint",
                    header::SIGNATURE
                ),
            )
        })?;
        let expect = signature::Expect {
            url: endpoint.check_subject.then_some(url.as_str()),
            now,
            tolerance: endpoint.clock_tolerance,
        };
        let keys = keys.keys_for(request.headers.get(header::REGION))?;
        match body_hash {
            Some(hash) => signature::verify(token, &hash, keys, &expect)?,
            None => signature::verify_bytes(token, &request.body, keys, &expect)?,
        };
    }
    Delivery::read(request, url, entropy)
}

fn start(payload: Option<String>, trigger_body: &mut Option<String>) -> Duty {
    *trigger_body = payload.clone().filter(|payload| !payload.is_empty());
    Duty::Start(Start { payload })
}

/// What was fetched, and how much of it counts.
fn pulled(all: usize, needed: Option<usize>) -> Note {
    Note::Info(match needed {
        Some(needed) => {
            format!("Pulled {all} steps from QStash and filtered them to {needed} using messageId.")
        }
        None => format!("Pulled {all} steps from QStashand returned them without filtering with messageId."),
    })
}

/// Message and stack in the JSON that a workflow endpoint answers when it fails.
fn reason_of(body: &str) -> (String, String) {
    #[derive(serde::Deserialize)]
    struct Reason {
        #[serde(default)]
        message: String,
        #[serde(default)]
        stack: String,
    }
    match serde_json::from_str::<Reason>(body) {
        Ok(Reason { message, stack }) if !message.is_empty() => (message, stack),
        _ => {
            let body = if body.is_empty() { "{}" } else { body };
            (format!("Couldn't parse 'failResponse' in 'failureFunction', received: '{body}'"), String::new())
        }
    }
}
