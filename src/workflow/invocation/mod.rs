//! One delivery's worth of a run, as a state machine that names the host's next duty.

mod ending;
mod opening;
mod progress;
mod submission;

use std::mem;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::signature::BodyHash;
use crate::wire::duration::shown;
use crate::wire::{Entropy, Request, Response, RunId, Timestamp};
use crate::workflow::delivery::{Delivery, DeliveryKind};
use crate::workflow::endpoint::Endpoint;
use crate::workflow::failure::Failure;
use crate::workflow::invocation::opening::accept;
use crate::workflow::notes::{Note, Notes};
use crate::workflow::now::Repeatable;
use crate::workflow::replay::{Place, Replay};
use crate::workflow::saga::Saga;
use crate::workflow::step::{StepKind, StepRequest};
use crate::workflow::{answer, now};

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
    Run {
        /// The step that asked.
        ticket: Ticket,
        /// How many tries of it failed before, by its own retries; 0 without them.
        attempt: u32,
    },
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

    fn ticket(&mut self) -> Ticket {
        self.asked += 1;
        self.asked - 1
    }
}
