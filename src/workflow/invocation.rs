//! One delivery's worth of a run, as a state machine that names the host's next duty.

use std::mem;
use std::sync::Arc;

use crate::client::{BatchItem, Ending, Trigger, check, engine_headers};
use crate::error::{Code, Error, Result};
use crate::signature::{self, BodyHash};
use crate::wire::callback::CallbackBody;
use crate::wire::duration::shown;
use crate::wire::{Entropy, Headers, Method, Request, Response, Step, StepType, Timestamp, base64, header};
use crate::workflow::answer::{self, Finish};
use crate::workflow::delivery::{Delivery, DeliveryKind};
use crate::workflow::endpoint::Endpoint;
use crate::workflow::failure::{Failure, Recovery};
use crate::workflow::history::History;
use crate::workflow::replay::{Replay, Verdict};
use crate::workflow::step::{StepKind, StepRequest};

/// What the host has to do next.
#[derive(Debug, PartialEq)]
pub enum Duty {
    /// Send this request, then call [`Invocation::handle_response`].
    Send(Request),
    /// Call the workflow's function.
    Start(Start),
    /// Give these results to the function, in this order, and let it run on.
    Settle(Vec<Settled>),
    /// Call the function of this step, then [`Invocation::handle_result`].
    Run(Ticket),
    /// Call the failure function, then [`Invocation::handle_failure_result`].
    RunFailureFunction(FailedRun),
    /// Answer the delivery. The invocation is over; what the function still asks for is never settled.
    Respond(Response),
    /// Nothing, until the function asks for a step or ends.
    Idle,
}

/// Names a step that the function asked for, within one invocation: 0, 1, 2, …
pub type Ticket = u32;

/// What the workflow's function is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The payload as text; `None` if there is none (a failed run whose source is unknown).
    pub payload: Option<String>,
}

/// A remembered result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The step that asked.
    pub ticket: Ticket,
    /// The result: JSON text, or a text that is not JSON and stands for itself. `None` for `undefined`.
    pub result: Option<String>,
}

/// What a failure function is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    /// The status of the last answer.
    pub status: u16,
    /// The error's message in the last answer.
    pub message: String,
    /// The error's stack in the last answer, or nothing.
    pub stack: String,
    /// The headers of the last answer.
    pub headers: Vec<(String, Vec<String>)>,
}

/// One delivery's worth of a run. See the [module](crate::workflow) for the order of calls.
#[derive(Debug)]
pub struct Invocation {
    endpoint: Arc<Endpoint>,
    delivery: Delivery,
    replay: Replay,
    state: State,
    asked: Ticket,
    group: Vec<(Ticket, StepRequest)>,
    trigger_body: Option<String>,
    failed_run: Option<FailedRun>,
    returned: Option<Result<Option<String>, Failure>>,
}

#[derive(Debug)]
enum State {
    Fetching,
    Running,
    Executing { request: StepRequest, step_id: u32, concurrent: u32 },
    Submitting(Purpose),
    RunningFailureFunction,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Trigger,
    Steps,
    Finish,
    Cancel,
}

impl Invocation {
    /// Takes a delivery. `body_hash` saves hashing a large body twice when the host has hashed it; else pass `None`.
    ///
    /// `Err` holds the answer to a request that is not a delivery of a run: forged, or unreadable.
    pub fn begin(
        endpoint: &Arc<Endpoint>,
        request: &Request,
        body_hash: Option<BodyHash>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, Duty), Response> {
        let delivery = accept(endpoint, request, body_hash, now, entropy).map_err(|error| answer::error(&error))?;
        let mut invocation = Self {
            endpoint: Arc::clone(endpoint),
            delivery,
            replay: Replay::new(Vec::new()),
            state: State::Running,
            asked: 0,
            group: Vec::new(),
            trigger_body: None,
            failed_run: None,
            returned: None,
        };
        let duty = invocation.open(&request.body).unwrap_or_else(|error| invocation.respond_error(&error));
        Ok((invocation, duty))
    }

    /// What the delivery says about its run.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Replaces the payload that a first invocation submits, `None` for no body. JavaScript hosts normalise it as the
    /// official SDK does. Without effect on other invocations.
    pub fn set_trigger_body(&mut self, body: Option<String>) {
        self.trigger_body = body;
    }

    /// The function asks for a step. Steps asked for before the next [`poll`](Self::poll) form one parallel group.
    ///
    /// [`Code::InvalidRequest`] for an empty name; or while the failure function is running; [`Code::NestedStep`]
    /// while a step's function is running.
    pub fn request_step(&mut self, name: &str, kind: StepKind) -> Result<Ticket> {
        if name.is_empty() {
            return Err(Error::new(Code::InvalidRequest, "a step needs a name that is not empty"));
        }
        if let State::Executing { request, .. } = &self.state {
            return Err(Error::new(
                Code::NestedStep,
                format!(
                    "step '{}' was asked for while the function of step '{}' was running. A step can't run inside another one; \
                     steps that shall run in parallel must be asked for together",
                    shown(name),
                    request.name
                ),
            ));
        }
        if matches!(self.state, State::RunningFailureFunction) {
            let message = "a failure function can't ask for steps: its run has ended";
            return Err(Error::new(Code::InvalidRequest, message));
        }
        let ticket = self.asked;
        self.asked += 1;
        if matches!(self.state, State::Running) {
            self.group.push((ticket, StepRequest { name: name.to_owned(), kind }));
        }
        Ok(ticket)
    }

    /// Takes back the steps asked for since the last [`poll`](Self::poll): the function has dropped them.
    /// A Rust future that is dropped does nothing more; a JavaScript promise that nobody awaits still runs its step.
    pub fn withdraw_steps(&mut self) {
        self.group.clear();
    }

    /// The function can't go on without the steps that it asked for.
    pub fn poll(&mut self) -> Duty {
        if !matches!(self.state, State::Running) {
            return Duty::Idle;
        }
        if self.group.is_empty() {
            return match self.returned.take() {
                Some(result) => self.end(result),
                None => Duty::Idle,
            };
        }
        match self.delivery.kind {
            DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk => self.submit_trigger(),
            DeliveryKind::Failure => self.run_failure_function(),
            DeliveryKind::Resume => self.resolve().unwrap_or_else(|error| self.respond_error(&error)),
        }
    }

    /// The step's function has ended: with its result as JSON text (`None` for `undefined`), or with a failure.
    pub fn handle_result(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        let (request, step_id, concurrent) = match mem::replace(&mut self.state, State::Running) {
            State::Executing { request, step_id, concurrent } => (request, step_id, concurrent),
            state => {
                self.state = state;
                return Duty::Idle;
            }
        };
        match result {
            Ok(out) => self
                .submit_result(&request, step_id, concurrent, out)
                .unwrap_or_else(|error| self.respond_error(&error)),
            Err(Failure { recovery: Recovery::Cancel, .. }) => self.submit_ending(Ending::Cancelled),
            Err(failure) => self.respond(answer::failure(&failure, Some(&request.name))),
        }
    }

    /// A step's or the workflow's result could not be written as JSON: it was computed, but can't be remembered.
    pub fn handle_unserializable_result(&mut self, reason: &str) -> Duty {
        let error = |what: &str| {
            let reason = shown(reason);
            let message =
                format!("the result of {what} can't be written as JSON ({reason}); return plain data from it");
            Error::new(Code::NotSerializable, message)
        };
        match &self.state {
            State::Executing { request, .. } => {
                let error = error(&format!("step '{}'", request.name));
                self.respond_error(&error)
            }
            State::Running => self.handle_return(Err(Failure::of(&error("the workflow")))),
            _ => Duty::Idle,
        }
    }

    /// The workflow's function has ended: with its result as JSON text (`None` for `undefined`), or with a failure.
    pub fn handle_return(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        if !matches!(self.state, State::Running) {
            return Duty::Idle;
        }
        if self.group.is_empty() {
            return self.end(result);
        }
        // It asked for steps that it did not wait for: they still have to run.
        self.returned = Some(result);
        self.poll()
    }

    /// The failure function has ended.
    pub fn handle_failure_result(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        if !matches!(self.state, State::RunningFailureFunction) {
            return Duty::Idle;
        }
        match result {
            Ok(result) => self.respond(answer::failure_handled(result.as_deref())),
            Err(failure) => self.respond(answer::failure(&failure, None)),
        }
    }

    /// The broker has answered; `Err` says why it could not be reached.
    pub fn handle_response(&mut self, response: Result<Response, String>) -> Duty {
        let response = match response {
            Ok(response) => response,
            Err(reason) => {
                let message = format!("the broker can't be reached: {}", shown(&reason));
                return self.respond_error(&Error::new(Code::BrokerUnreachable, message));
            }
        };
        match mem::replace(&mut self.state, State::Running) {
            State::Fetching => self.handle_history(&response).unwrap_or_else(|error| self.respond_error(&error)),
            State::Submitting(purpose) => self.handle_submitted(purpose, &response),
            state => {
                self.state = state;
                Duty::Idle
            }
        }
    }

    fn open(&mut self, body: &[u8]) -> Result<Duty> {
        match self.delivery.kind {
            DeliveryKind::First => Ok(start(Some(String::from_utf8_lossy(body).into_owned()), &mut self.trigger_body)),
            DeliveryKind::FirstOfUnknownSdk => {
                let payload = History::parse(body)?.payload;
                Ok(start(Some(payload), &mut self.trigger_body))
            }
            DeliveryKind::Resume if body.is_empty() => {
                self.state = State::Fetching;
                Ok(Duty::Send(self.endpoint.client.fetch_run(&self.delivery.run_id)))
            }
            DeliveryKind::Resume => {
                let history = History::parse(body)?;
                Ok(self.replay(history))
            }
            DeliveryKind::Failure => self.open_failure(body),
        }
    }

    fn open_failure(&mut self, body: &[u8]) -> Result<Duty> {
        if !self.endpoint.has_failure_function {
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

    fn handle_history(&mut self, response: &Response) -> Result<Duty> {
        if response.status == 404 {
            return Ok(self.finish(Finish::AlreadyEnded));
        }
        check(response)?;
        let history = History::fetched(&response.body, self.delivery.message_id.as_deref())?;
        Ok(self.replay(history))
    }

    fn replay(&mut self, history: History) -> Duty {
        if history.ends_with_duplicate {
            return self.finish(Finish::DuplicateStep);
        }
        self.replay = Replay::new(history.steps);
        self.state = State::Running;
        Duty::Start(Start { payload: Some(history.payload) })
    }

    fn resolve(&mut self) -> Result<Duty> {
        let group = mem::take(&mut self.group);
        let (tickets, requests): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        match self.replay.resolve(&requests)? {
            Verdict::Recall(steps) => {
                let results = tickets
                    .into_iter()
                    .zip(&steps)
                    .map(|(ticket, step)| Ok(Settled { ticket, result: result_of(step)? }));
                Ok(Duty::Settle(results.collect::<Result<_>>()?))
            }
            Verdict::Execute { member, step_id } => {
                let concurrent = u32::try_from(requests.len()).unwrap_or(u32::MAX);
                let (Some(request), Some(&ticket)) = (requests.into_iter().nth(member), tickets.get(member)) else {
                    return Err(Error::new(Code::Internal, "the step to run is not a member of its group"));
                };
                match request.kind {
                    StepKind::Run => {
                        self.state = State::Executing { request, step_id, concurrent };
                        Ok(Duty::Run(ticket))
                    }
                    // These have no function: their result is that they have been submitted.
                    StepKind::SleepFor(_) | StepKind::SleepUntil(_) => {
                        self.submit_result(&request, step_id, concurrent, None)
                    }
                }
            }
            Verdict::Plan { first } => self.submit_plan(&requests, first),
            Verdict::Discard => Ok(self.finish(Finish::Success)),
        }
    }

    fn submit_plan(&mut self, requests: &[StepRequest], first: u32) -> Result<Duty> {
        let concurrent = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let items = (first..)
            .zip(requests)
            .map(|(target, request)| {
                let mut headers = self.step_headers();
                request.wait(&mut headers);
                self.item(&request.plan(target, concurrent), headers)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(self.send(Purpose::Steps, &items))
    }

    fn submit_result(
        &mut self,
        request: &StepRequest,
        step_id: u32,
        concurrent: u32,
        out: Option<String>,
    ) -> Result<Duty> {
        // The result travels as a string that holds JSON.
        let out = out.map(|text| serde_json::value::to_raw_value(&text)).transpose().map_err(not_json)?;
        let mut headers = self.step_headers();
        if concurrent == 1 {
            request.wait(&mut headers);
        }
        let item = self.item(&request.result(step_id, concurrent, out), headers)?;
        Ok(self.send(Purpose::Steps, &[item]))
    }

    fn submit_trigger(&mut self) -> Duty {
        self.group.clear();
        let mut trigger = Trigger::new(&self.delivery.url, self.delivery.run_id.clone());
        trigger.body = self.trigger_body.take();
        trigger.headers = self.delivery.headers.clone();
        trigger.invoke_count = self.delivery.invoke_count;
        let item = trigger.into_batch_item().map(|mut item| {
            if let Some(label) = &self.delivery.label {
                item.headers.set(header::LABEL, label);
            }
            if self.delivery.kind == DeliveryKind::FirstOfUnknownSdk {
                item.headers.set(header::WORKFLOW_TRIGGER_BY_SDK, "true");
            }
            item
        });
        match item {
            Ok(item) => self.send(Purpose::Trigger, &[item]),
            Err(error) => self.respond_error(&error),
        }
    }

    fn submit_ending(&mut self, ending: Ending) -> Duty {
        let purpose = if ending == Ending::Cancelled { Purpose::Cancel } else { Purpose::Finish };
        let request = self.endpoint.client.end_run(&self.delivery.run_id, ending);
        self.state = State::Submitting(purpose);
        Duty::Send(request)
    }

    fn send(&mut self, purpose: Purpose, items: &[BatchItem]) -> Duty {
        self.state = State::Submitting(purpose);
        Duty::Send(self.endpoint.client.batch(items))
    }

    fn step_headers(&self) -> Headers {
        let mut headers = Headers::new();
        headers.set(header::METHOD, Method::Post.as_str());
        headers.set(header::CONTENT_TYPE, "application/json");
        engine_headers(&mut headers, &self.delivery.run_id, &self.delivery.url, false, self.delivery.invoke_count);
        headers
    }

    fn item(&self, step: &Step, headers: Headers) -> Result<BatchItem> {
        let body = serde_json::to_string(step).map_err(not_json)?;
        Ok(BatchItem { destination: self.delivery.url.clone(), headers, body: Some(body), queue: None })
    }

    fn handle_submitted(&mut self, purpose: Purpose, response: &Response) -> Duty {
        match (purpose, response.status) {
            // The run has ended or was cancelled meanwhile; its last message must not be tried again.
            (Purpose::Steps | Purpose::Finish, 400) => self.finish(Finish::Success),
            (Purpose::Steps, 412) => {
                let reason = check(response).err().map(|error| error.message().to_owned()).unwrap_or_default();
                self.respond(answer::failure(&Failure::non_retryable(reason), None))
            }
            _ => match check(response) {
                Ok(()) => self.finish(Finish::Success),
                Err(error) => self.respond_error(&error),
            },
        }
    }

    fn end(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        let before_first_step = self.asked == 0;
        match (result, self.delivery.kind) {
            (Ok(_), DeliveryKind::Failure) => {
                let message = "the workflow refused the failed run: it returned before its first step";
                self.respond_error(&Error::new(Code::Refused, message))
            }
            (Ok(_), _) if before_first_step => {
                let run_id = (!self.delivery.is_first()).then_some(&self.delivery.run_id);
                let response = answer::refused(run_id);
                self.respond(response)
            }
            (Ok(result), _) => self.submit_ending(Ending::Finished(result)),
            (Err(failure), _) if failure.recovery == Recovery::Retry => self.respond(answer::failure(&failure, None)),
            // The broker can only hear of such an end from a run that has begun.
            (Err(_), DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk) => self.submit_trigger(),
            (Err(_), DeliveryKind::Failure) => self.run_failure_function(),
            (Err(failure), DeliveryKind::Resume) if failure.recovery == Recovery::Cancel => {
                self.submit_ending(Ending::Cancelled)
            }
            (Err(failure), DeliveryKind::Resume) => self.respond(answer::failure(&failure, None)),
        }
    }

    fn run_failure_function(&mut self) -> Duty {
        self.group.clear();
        match self.failed_run.take() {
            Some(failed_run) => {
                self.state = State::RunningFailureFunction;
                Duty::RunFailureFunction(failed_run)
            }
            None => self.respond_error(&Error::new(Code::Internal, "a failure callback without a failed run")),
        }
    }

    fn finish(&mut self, finish: Finish) -> Duty {
        let response = answer::finished(&self.delivery.run_id, finish);
        self.respond(response)
    }

    fn respond_error(&mut self, error: &Error) -> Duty {
        self.respond(answer::error(error))
    }

    fn respond(&mut self, response: Response) -> Duty {
        self.state = State::Done;
        self.group.clear();
        Duty::Respond(response)
    }
}

fn accept(
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
        signature::verify(token, &body_hash.unwrap_or_else(|| BodyHash::of(&request.body)), keys, &expect)?;
    }
    if request.headers.contains(header::WORKFLOW_CALLBACK) {
        return Err(Error::new(Code::Unsupported, "this version of the engine has no step that waits for a callback"));
    }
    Delivery::read(request, url, entropy)
}

fn start(payload: Option<String>, trigger_body: &mut Option<String>) -> Duty {
    *trigger_body = payload.clone().filter(|payload| !payload.is_empty());
    Duty::Start(Start { payload })
}

/// The result of a remembered step, as the official SDK reads it.
fn result_of(step: &Step) -> Result<Option<String>> {
    let Some(out) = &step.out else { return Ok(None) };
    match (step.step_type, out.get().as_bytes().first()) {
        (StepType::SleepUntil, _) => Ok(None),
        (_, Some(b'"')) => serde_json::from_str(out.get()).map(Some).map_err(not_json),
        (_, Some(b'{' | b'[' | b'n')) => Ok(Some(out.get().to_owned())),
        _ => Err(Error::new(
            Code::HistoryMalformed,
            format!(
                "field 'out' of step {} ('{}') must be a string that holds JSON, got {}",
                step.place(),
                shown(&step.step_name),
                shown(out.get())
            ),
        )),
    }
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

#[allow(clippy::needless_pass_by_value)]
fn not_json(error: serde_json::Error) -> Error {
    Error::new(Code::NotSerializable, format!("not JSON: {error}"))
}
