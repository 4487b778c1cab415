//! One delivery's worth of a run, as a state machine that names the host's next duty.

use std::mem;
use std::sync::Arc;

use crate::client::{BatchItem, Ending, Trigger, check, engine_headers};
use crate::error::{Code, Error, Result};
use crate::signature::{self, BodyHash};
use crate::wire::callback::CallbackBody;
use crate::wire::duration::shown;
use crate::wire::{Entropy, Headers, Method, Request, Response, RunId, Step, StepType, Timestamp, base64, header};
use crate::workflow::answer::{self, Finish};
use crate::workflow::call::{self, Callback};
use crate::workflow::delivery::{Delivery, DeliveryKind};
use crate::workflow::endpoint::Endpoint;
use crate::workflow::event;
use crate::workflow::failure::{Failure, Recovery};
use crate::workflow::history::History;
use crate::workflow::invoke;
use crate::workflow::notes::{Awaited, Note, Notes};
use crate::workflow::now::{self, Repeatable};
use crate::workflow::replay::{Next, Place, Replay};
use crate::workflow::retry::{self, Retry};
use crate::workflow::saga::Saga;
use crate::workflow::step::{RunOptions, StepKind, StepRequest, not_json};

/// What the host has to do next.
#[derive(Debug, PartialEq)]
pub enum Duty {
    /// Send this request, then call [`Invocation::handle_response`].
    Send(Request),
    /// Call the workflow's function.
    Start(Start),
    /// Give this result to the function, and let it run on.
    Settle(Settled),
    /// Call the function of this step, then [`Invocation::handle_result`].
    Run(Ticket),
    /// Call the function that makes up for a step, with its result, then [`Invocation::handle_result`].
    Compensate {
        /// The step that asked.
        ticket: Ticket,
        /// Its result: JSON text, or a text that is not JSON and stands for itself; `None` for `undefined`.
        result: Option<String>,
    },
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
    /// The result: JSON text, or a text that is not JSON and stands for itself; `None` for `undefined`.
    /// Or how the step failed for good, by its own retries.
    pub result: Result<Option<String>, Failure>,
    /// Whether other steps are still without result. Then the function may not react to this one: when nothing else can
    /// run in it, [`poll`](Invocation::poll). Else it will ask for a step or end.
    pub others: bool,
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
    repeatable: Repeatable,
    saga: Saga,
    notes: Notes,
    state: State,
    asked: Ticket,
    group: Vec<(Ticket, StepRequest)>,
    /// The steps that were asked for when the function ended: it did not wait for them, but they still have to run.
    left: Vec<Ticket>,
    returned: Option<Result<Option<String>, Failure>>,
    trigger_body: Option<String>,
    failed_run: Option<FailedRun>,
    /// Drawn at the beginning for the one id that an invocation may need.
    fresh_id: String,
}

#[derive(Debug)]
enum State {
    Fetching,
    Running,
    Executing(Place),
    Notifying(Place),
    Submitting(Purpose),
    RunningFailureFunction,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Trigger,
    Steps,
    CallResult,
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
            replay: Replay::default(),
            repeatable: Repeatable::default(),
            saga: Saga::default(),
            notes: Notes::new(endpoint.observed),
            state: State::Running,
            asked: 0,
            group: Vec::new(),
            left: Vec::new(),
            returned: None,
            trigger_body: None,
            failed_run: None,
            fresh_id: RunId::generate(entropy).as_str().trim_start_matches(RunId::PREFIX).to_owned(),
        };
        invocation.note_delivery(request);
        let duty = invocation.open(request).unwrap_or_else(|error| invocation.respond_error(&error));
        Ok((invocation, duty))
    }

    /// What happened since it was last asked, if the endpoint is [`observed`](Endpoint::observed). To be told before the
    /// duty is done that was handed out with it.
    pub fn take_notes(&mut self) -> Vec<Note> {
        self.notes.take()
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

    /// The payload can't be read, or is not what the workflow expects: the function is not called.
    pub fn refuse_payload(&mut self, failure: &Failure) -> Duty {
        self.respond(answer::failure(failure, None))
    }

    /// The function asks for a step. Steps asked for before the next [`poll`](Self::poll) form one parallel group.
    ///
    /// [`Code::InvalidRequest`] for an empty name; or while the failure function is running; [`Code::NestedStep`]
    /// while a step's function is running.
    pub fn request_step(&mut self, name: &str, kind: StepKind) -> Result<Ticket> {
        let mut request = StepRequest::new(name, kind)?;
        if let State::Executing(place) = &self.state {
            return Err(Error::new(
                Code::NestedStep,
                format!(
                    "step '{}' was asked for while the function of step '{}' was running. A step can't run inside another one; \
                     steps that shall run in parallel must be asked for together",
                    shown(name),
                    place.request.name
                ),
            ));
        }
        if matches!(self.state, State::RunningFailureFunction) {
            let message = "a failure function can't ask for steps: its run has ended";
            return Err(Error::new(Code::InvalidRequest, message));
        }
        let ticket = self.ticket();
        if let StepKind::Run(options) = &mut request.kind {
            self.saga.take(options);
        }
        if matches!(self.state, State::Running) && !self.saga.is_compensating() {
            self.group.push((ticket, request));
        }
        Ok(ticket)
    }

    /// A number in [0, 1) that is the same in every invocation, as long as the function draws in the same order.
    pub fn random(&mut self) -> f64 {
        now::unit(self.repeatable.bytes(&self.delivery.run_id))
    }

    /// A UUID of version 4 that is the same in every invocation. Whoever knows the run's id can compute it.
    pub fn uuid(&mut self) -> String {
        now::uuid(self.repeatable.bytes(&self.delivery.run_id))
    }

    /// The time; in later invocations the same as in the first that came here. `now` is the time on the host's clock.
    pub fn now(&mut self, now: Timestamp) -> Timestamp {
        self.repeatable.now(now)
    }

    /// The function has dropped a step that it asked for. If that was since the last [`poll`](Self::poll), the step is not
    /// asked for; else it runs, but is not tried again. A Rust future that is dropped does nothing more; a JavaScript
    /// promise that nobody awaits still runs its step.
    pub fn drop_step(&mut self, ticket: Ticket) {
        self.group.retain(|(other, _)| *other != ticket);
        self.replay.drop_step(ticket);
    }

    /// The function can't go on without the steps that it asked for.
    pub fn poll(&mut self) -> Duty {
        if !matches!(self.state, State::Running) || self.saga.is_compensating() {
            return Duty::Idle;
        }
        match self.delivery.kind {
            DeliveryKind::Resume => self.advance().unwrap_or_else(|error| self.respond_error(&error)),
            _ if self.group.is_empty() => Duty::Idle,
            DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk => self.submit_trigger(),
            DeliveryKind::Failure => self.run_failure_function(),
            DeliveryKind::Callback => Duty::Idle,
        }
    }

    /// The step's function has ended: with its result as JSON text (`None` for `undefined`), or with a failure.
    pub fn handle_result(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        let place = match mem::replace(&mut self.state, State::Running) {
            State::Executing(place) => place,
            state => {
                self.state = state;
                return Duty::Idle;
            }
        };
        match result {
            Ok(out) => self.submit_result(&place, out),
            Err(failure) => self.handle_step_failure(&place, &failure),
        }
        .unwrap_or_else(|error| self.respond_error(&error))
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
            State::Executing(place) => {
                let error = error(&format!("step '{}'", place.request.name));
                if place.request.retry().is_some() {
                    return self.handle_result(Err(Failure::of(&error)));
                }
                self.respond_error(&error)
            }
            State::Running => self.handle_return(Err(Failure::of(&error("the workflow")))),
            _ => Duty::Idle,
        }
    }

    /// The workflow's function has ended: with its result as JSON text (`None` for `undefined`), or with a failure.
    pub fn handle_return(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        if !matches!(self.state, State::Running) || self.saga.is_compensating() {
            return Duty::Idle;
        }
        if self.group.is_empty() {
            return self.end(result).unwrap_or_else(|error| self.respond_error(&error));
        }
        self.left = self.group.iter().map(|(ticket, _)| *ticket).collect();
        self.returned = Some(result);
        self.poll()
    }

    /// The failure function has ended.
    pub fn handle_failure_result(&mut self, result: Result<Option<String>, Failure>) -> Duty {
        if !matches!(self.state, State::RunningFailureFunction) {
            return Duty::Idle;
        }
        match result {
            Ok(result) => {
                self.notes.info(|| "Handled failure callback.".to_owned());
                self.respond(answer::failure_handled(result.as_deref()))
            }
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
            State::Notifying(place) => self.handle_notified(&place, &response),
            State::Submitting(purpose) => self.handle_submitted(purpose, &response),
            state => {
                self.state = state;
                Duty::Idle
            }
        }
    }

    fn open(&mut self, request: &Request) -> Result<Duty> {
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
    fn handle_callback(&mut self, body: &[u8]) -> Result<Duty> {
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

    fn open_failure(&mut self, body: &[u8]) -> Result<Duty> {
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

    fn handle_history(&mut self, response: &Response) -> Result<Duty> {
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

    fn replay(&mut self, history: History) -> Duty {
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

    /// Tells the function the next event, or does what this delivery is in charge of.
    fn advance(&mut self) -> Result<Duty> {
        if !self.group.is_empty() {
            let group = mem::take(&mut self.group);
            if let Some(next) = self.replay.ask(group)? {
                return self.perform(next);
            }
        }
        let next = self.replay.next()?;
        self.perform(next)
    }

    fn perform(&mut self, next: Next) -> Result<Duty> {
        match next {
            Next::Settle { ticket, request, step, others } => self.settle(ticket, &request, &step, others),
            Next::Skip { ticket, taken } => {
                Ok(Duty::Settle(Settled { ticket, result: Ok(Some(taken.to_string())), others: false }))
            }
            Next::Execute(place) => self.execute(place),
            Next::Plan { first, requests, beside } => self.submit_plan(&requests, first, beside),
            Next::Discard | Next::Await => match self.returned.take() {
                Some(result) if !self.replay.lacks(|ticket, _| self.left.contains(&ticket)) => self.end(result),
                None if matches!(next, Next::Await) => Ok(Duty::Idle),
                returned => {
                    self.returned = returned;
                    self.settle_saga_or_discard()
                }
            },
        }
    }

    fn settle(&mut self, ticket: Ticket, request: &StepRequest, step: &Step, others: bool) -> Result<Duty> {
        let result = match result_of(step)? {
            Some(text) if matches!(request.kind, StepKind::Run(_)) => match retry::recorded(&text)? {
                Some(failure) => Err(failure),
                None => Ok(Some(text)),
            },
            result => Ok(result),
        };
        if let Err(failure) = &result
            && self.saga.compensated_by(ticket).is_some()
            && self.replay.is_told()
        {
            self.notes.warn(|| format!("The step '{}' has failed for good: {}", request.name, failure.message));
        }
        self.saga.settled(ticket, request, &result);
        if self.saga.is_compensating() {
            return self.compensate();
        }
        if let Err(Failure { recovery: Recovery::Cancel, .. }) = &result {
            return self.end(result);
        }
        if result.is_ok() && self.replay.is_told() {
            self.notes.add(|| Note::AfterExecution(ticket));
        }
        Ok(Duty::Settle(Settled { ticket, result, others }))
    }

    fn execute(&mut self, place: Place) -> Result<Duty> {
        let Place { ref request, step_id, concurrent, .. } = place;
        if self.is_announced_first(&place) {
            return self.submit_plan(std::slice::from_ref(request), step_id, place.beside);
        }
        self.notes.add(|| Note::BeforeExecution(request.name.clone()));
        self.notes.expect(|| Awaited::Step(request.name.clone()));
        let (client, delivery) = (&self.endpoint.client, &self.delivery);
        match &request.kind {
            StepKind::Run(_) => {
                let duty = match self.saga.compensated_by(place.ticket) {
                    Some(done) => Duty::Compensate { ticket: done.ticket, result: done.result.clone() },
                    None => Duty::Run(place.ticket),
                };
                self.state = State::Executing(place);
                Ok(duty)
            }
            // These have no function: their result is that they have been submitted.
            StepKind::SleepFor(_) | StepKind::SleepUntil(_) => self.submit_result(&place, None),
            StepKind::Patch => self.submit_result(&place, Some("true".to_owned())),
            StepKind::CreateWebhook => {
                let event_id = format!("evt_{}", self.fresh_id.get(..15).unwrap_or(&self.fresh_id));
                let out = event::webhook(client, &delivery.run_id, &event_id)?;
                self.submit_result(&place, Some(out))
            }
            StepKind::Call(call) => {
                let mut message = call.message(&request.name, step_id, concurrent, delivery, self.repeatable.fresh());
                self.add_cause(&mut message.headers, place.beside);
                let request = client.send_alone(message)?;
                Ok(self.submit(request))
            }
            StepKind::Notify(notification) => {
                let request = notification.request(client);
                self.state = State::Notifying(place);
                Ok(Duty::Send(request))
            }
            StepKind::WaitForEvent(wait) | StepKind::WaitForWebhook(wait) => {
                let step_type = request.kind.step_type();
                let mut request = wait.request(client, delivery, step_type, &request.name, step_id, concurrent)?;
                self.notes.expect_nothing();
                self.add_cause(&mut request.headers, place.beside);
                Ok(self.submit(request))
            }
            StepKind::Invoke(invoke) => {
                let run_id =
                    invoke.run_id.clone().or_else(|| RunId::new(format!("{}{}", RunId::PREFIX, self.fresh_id)));
                let run_id = run_id.ok_or_else(|| Error::new(Code::Internal, "an invoked run without an id"))?;
                let mut request = invoke.request(client, delivery, run_id, &request.name, step_id, concurrent)?;
                self.add_cause(&mut request.headers, place.beside);
                Ok(self.submit(request))
            }
        }
    }

    /// Whether a plan goes before the step although it is on its own.
    fn is_announced_first(&self, place: &Place) -> bool {
        match &place.request.kind {
            // The result of a sleep is in the history before its time has come. Other branches must not see it there.
            StepKind::SleepFor(_) | StepKind::SleepUntil(_) => place.beside,
            // The broker makes the result of these, so what the workflow was told of the time must travel before.
            StepKind::WaitForEvent(_) | StepKind::WaitForWebhook(_) | StepKind::Invoke(_) => {
                !self.repeatable.fresh().is_empty() && place.concurrent == 1
            }
            _ => false,
        }
    }

    fn handle_step_failure(&mut self, place: &Place, failure: &Failure) -> Result<Duty> {
        let Some(retry) = place.request.retry() else {
            return match failure.recovery {
                Recovery::Cancel => Ok(self.submit_ending(Ending::Cancelled)),
                _ => Ok(self.respond(answer::failure(failure, Some(&place.request.name)))),
            };
        };
        let record = retry::record(failure)?;
        let Some(delay) = retry.delay(place.retried, failure) else {
            return self.submit_result(place, Some(record));
        };
        let step = place.request.failed_try(place.step_id, place.concurrent, delay.clone(), record)?;
        let mut headers = self.step_headers();
        self.add_cause(&mut headers, place.beside);
        StepRequest { name: String::new(), kind: StepKind::SleepFor(delay) }.wait(&mut headers);
        let item = self.item(&step, headers)?;
        Ok(self.send(Purpose::Steps, &[item]))
    }

    fn handle_notified(&mut self, place: &Place, response: &Response) -> Duty {
        let StepKind::Notify(notification) = &place.request.kind else {
            return self.respond_error(&Error::new(Code::Internal, "an answer to a notification that was not sent"));
        };
        if !response.is_success() {
            return self.handle_submitted(Purpose::Steps, response);
        }
        notification
            .out(&response.body)
            .and_then(|out| self.submit_result(place, Some(out)))
            .unwrap_or_else(|error| self.respond_error(&error))
    }

    fn submit_plan(&mut self, requests: &[StepRequest], first: u32, beside: bool) -> Result<Duty> {
        let concurrent = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let items = (first..)
            .zip(requests)
            .map(|(target, request)| {
                let mut headers = self.step_headers();
                self.add_cause(&mut headers, beside);
                request.wait(&mut headers);
                self.item(&request.plan(target, concurrent), headers)
            })
            .collect::<Result<Vec<_>>>()?;
        let count = items.len();
        self.notes.info(|| format!("Submitting {count} parallel steps."));
        self.notes.expect(|| Awaited::Plan(count));
        Ok(self.send(Purpose::Steps, &items))
    }

    fn submit_result(&mut self, place: &Place, out: Option<String>) -> Result<Duty> {
        let mut headers = self.step_headers();
        self.add_cause(&mut headers, place.beside);
        if !place.is_planned {
            place.request.wait(&mut headers);
        }
        let item = self.item(&place.request.result(place.step_id, place.concurrent, out)?, headers)?;
        Ok(self.send(Purpose::Steps, &[item]))
    }

    fn submit_trigger(&mut self) -> Duty {
        self.group.clear();
        let mut trigger = Trigger::new(&self.delivery.url, self.delivery.run_id.clone());
        trigger.body = self.trigger_body.take();
        trigger.headers = self.delivery.headers.clone();
        trigger.invoke_count = self.delivery.invoke_count;
        trigger.failure_url.clone_from(&self.endpoint.failure_url);
        trigger.retries = self.endpoint.retries;
        trigger.retry_delay.clone_from(&self.endpoint.retry_delay);
        trigger.flow_control.clone_from(&self.endpoint.flow_control);
        let item = trigger.into_batch_item().map(|mut item| {
            if self.endpoint.json_content {
                item.headers.set(header::CONTENT_TYPE, "application/json");
            }
            if let Some(label) = &self.delivery.label {
                item.headers.set(header::LABEL, label);
            }
            if self.delivery.kind == DeliveryKind::FirstOfUnknownSdk {
                item.headers.set(header::WORKFLOW_TRIGGER_BY_SDK, "true");
            }
            item
        });
        self.notes.expect(|| Awaited::Trigger { run_id: self.delivery.run_id.clone(), url: self.delivery.url.clone() });
        match item {
            Ok(item) => self.send(Purpose::Trigger, &[item]),
            Err(error) => self.respond_error(&error),
        }
    }

    fn submit_ending(&mut self, ending: Ending) -> Duty {
        let purpose = if ending == Ending::Cancelled { Purpose::Cancel } else { Purpose::Finish };
        if purpose == Purpose::Finish {
            let run_id = &self.delivery.run_id;
            self.notes.add(|| Note::RunCompleted);
            self.notes.info(|| format!("Deleting workflow run {run_id} from QStash."));
            self.notes.expect(|| Awaited::Finish(run_id.clone()));
        }
        let request = self.endpoint.client.end_run(&self.delivery.run_id, ending);
        self.state = State::Submitting(purpose);
        Duty::Send(request)
    }

    fn submit(&mut self, request: Request) -> Duty {
        self.state = State::Submitting(Purpose::Steps);
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

    /// Says which delivery a submission answers, where its place does not.
    fn add_cause(&self, headers: &mut Headers, beside: bool) {
        if let Some(message_id) = self.delivery.message_id.as_ref().filter(|_| beside) {
            headers.set(header::WORKFLOW_CAUSE, message_id);
        }
    }

    fn item(&self, step: &Step, headers: Headers) -> Result<BatchItem> {
        let fresh = self.repeatable.fresh();
        let body = if fresh.is_empty() {
            serde_json::to_string(step)
        } else {
            serde_json::to_string(&Step { now: fresh.to_vec(), ..step.clone() })
        };
        let body = body.map_err(not_json)?;
        Ok(BatchItem { destination: self.delivery.url.clone(), headers, body: Some(body), queue: None })
    }

    fn handle_submitted(&mut self, purpose: Purpose, response: &Response) -> Duty {
        match (purpose, response.status) {
            // The run has ended or was cancelled meanwhile; its last message must not be tried again.
            (Purpose::Steps | Purpose::Finish, 400) => {
                let reason = check(response).err();
                self.notes.warn(|| {
                    let reason = reason.as_ref().map(Error::message).unwrap_or_default();
                    format!("Tried to append to a cancelled workflow. Exiting without publishing. Error: {reason}")
                });
                self.finish(Finish::Success)
            }
            (Purpose::Steps, 412) => {
                let reason = check(response).err().map(|error| error.message().to_owned()).unwrap_or_default();
                self.respond(answer::failure(&Failure::non_retryable(reason), None))
            }
            _ => match check(response).inspect(|()| self.notes.accepted(response)) {
                Ok(()) if purpose == Purpose::CallResult => self.finish(Finish::FromCallback),
                Ok(()) => self.finish(Finish::Success),
                Err(error) => self.respond_error(&error),
            },
        }
    }

    fn end(&mut self, result: Result<Option<String>, Failure>) -> Result<Duty> {
        let before_first_step = self.asked == 0 && !self.endpoint.authorized;
        Ok(match (result, self.delivery.kind) {
            (Ok(_), DeliveryKind::Failure) if self.endpoint.authorized => self.run_failure_function(),
            (Ok(_), DeliveryKind::Failure) => {
                let message = "the workflow refused the failed run: it returned before its first step";
                self.respond(answer::error(&Error::new(Code::Refused, message)))
            }
            (Ok(_), _) if before_first_step => {
                let run_id = (!self.delivery.is_first()).then_some(&self.delivery.run_id);
                let response = answer::refused(run_id);
                self.respond(response)
            }
            (Ok(_), DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk) => self.submit_trigger(),
            (Ok(result), _) => self.submit_ending(Ending::Finished(result)),
            (Err(failure), DeliveryKind::Resume) => return self.fail(failure),
            (Err(failure), _) if failure.recovery == Recovery::Retry => self.respond(answer::failure(&failure, None)),
            // The broker can only hear of such an end from a run that has begun.
            (Err(_), DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk) => self.submit_trigger(),
            (Err(_), _) => self.run_failure_function(),
        })
    }

    /// The function has failed, or cancels its run. What was done before is made up for first, if there is a way.
    fn fail(&mut self, failure: Failure) -> Result<Duty> {
        let tries_left = self.delivery.retried < self.endpoint.retries.unwrap_or(Retry::DEFAULT.retries);
        // Once something is made up for, the run has failed: the deliveries that follow go on with that.
        let another_try = failure.is_retryable() && tries_left && !self.replay.goes_on_with(COMPENSATION);
        if self.saga.is_empty() || another_try {
            return Ok(self.respond_failure(&failure));
        }
        self.saga.begin(failure);
        self.compensate()
    }

    /// Makes up for the last step that has not been made up for, or ends the run.
    fn compensate(&mut self) -> Result<Duty> {
        if self.saga.is_waiting() {
            return self.advance();
        }
        let Some(done) = self.saga.next() else { return self.settle_saga_or_discard() };
        // With retries of its own: the broker would give up the run with the delivery, and the rest would stay undone.
        let options = RunOptions { retry: Some(Retry::DEFAULT), ..RunOptions::default() };
        let request = StepRequest::new(&format!("{COMPENSATION}{}", done.name), StepKind::Run(options))?;
        let ticket = self.ticket();
        self.saga.wait(ticket, done);
        self.group = vec![(ticket, request)];
        self.advance()
    }

    /// Nothing is left to do in this delivery, unless everything is made up for and no step is under way that would
    /// have to be.
    fn settle_saga_or_discard(&mut self) -> Result<Duty> {
        let lacks =
            self.replay.lacks(|_, request| matches!(&request.kind, StepKind::Run(options) if options.compensated));
        if self.saga.is_waiting() || lacks {
            return match self.replay.next()? {
                Next::Discard | Next::Await => Ok(self.finish(Finish::Success)),
                next => self.perform(next),
            };
        }
        match self.saga.end() {
            Some(failure) => {
                let recovery = if failure.recovery == Recovery::Cancel { Recovery::Cancel } else { Recovery::Fail };
                Ok(self.respond_failure(&Failure { recovery, ..failure }))
            }
            None => Ok(self.finish(Finish::Success)),
        }
    }

    fn respond_failure(&mut self, failure: &Failure) -> Duty {
        match failure.recovery {
            Recovery::Cancel => self.submit_ending(Ending::Cancelled),
            _ => self.respond(answer::failure(failure, None)),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.asked += 1;
        self.asked - 1
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

    fn note_delivery(&mut self, request: &Request) {
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

    fn finish(&mut self, finish: Finish) -> Duty {
        if finish == Finish::Success {
            self.notes.info(|| "Workflow endpoint execution completed successfully.".to_owned());
        }
        let response = answer::finished(&self.delivery.run_id, finish);
        self.respond(response)
    }

    /// Whatever went wrong in a run is a failure of the run: its status is 500, or 489 where no other try can help.
    fn respond_error(&mut self, error: &Error) -> Duty {
        self.respond(answer::failure(&Failure::of(error), None))
    }

    fn respond(&mut self, response: Response) -> Duty {
        self.state = State::Done;
        self.group.clear();
        Duty::Respond(response)
    }
}

/// What the names of compensating steps start with.
const COMPENSATION: &str = "compensate ";

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

/// The result of a remembered step, as the official SDK reads it.
fn result_of(step: &Step) -> Result<Option<String>> {
    let kind = step.step_type;
    let Some(out) = &step.out else {
        return match kind {
            StepType::Wait => event::waited(step).map(Some),
            StepType::WaitForWebhook => event::called(step).map(Some),
            StepType::Call | StepType::Invoke | StepType::CreateWebhook => Err(unexpected_out(step, "nothing")),
            _ => Ok(None),
        };
    };
    let text = match out.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(out.get()).map_err(not_json)?,
        Some(b'{' | b'[' | b'n') => return Ok(Some(out.get().to_owned())),
        _ => return Err(unexpected_out(step, out.get())),
    };
    match kind {
        StepType::SleepUntil => Ok(None),
        StepType::Call => call::result(&text).map(Some),
        StepType::Notify => event::notified(&text).map(Some),
        StepType::Invoke => invoke::invoked(&text).map(Some),
        StepType::Wait => event::waited(step).map(Some),
        StepType::WaitForWebhook => event::called(step).map(Some),
        _ => Ok(Some(text)),
    }
}

fn unexpected_out(step: &Step, found: &str) -> Error {
    let (place, name, found) = (step.place(), shown(&step.step_name), shown(found));
    Error::new(
        Code::HistoryMalformed,
        format!("field 'out' of step {place} ('{name}') must be a string that holds JSON, got {found}"),
    )
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
