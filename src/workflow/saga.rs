//! Making up for what was done: the compensations of a run, last first.

use crate::workflow::failure::Failure;
use crate::workflow::invocation::Ticket;
use crate::workflow::retry::Retry;
use crate::workflow::step::{RunOptions, StepKind, StepRequest};

/// The steps of a run that have a compensation, and how far these are.
#[derive(Debug, Default)]
pub(crate) struct Saga {
    /// Whether the run has asked for a step with a compensation.
    active: bool,
    /// The steps that were done, in this order.
    done: Vec<(Ticket, String)>,
    /// Why they are made up for; `None` as long as the run goes on.
    ending: Option<Failure>,
    /// The step that makes up, and the one that is made up for.
    waiting: Option<(Ticket, Ticket)>,
}

impl Saga {
    /// Beside compensated steps every step has retries of its own: a delivery that is given up takes the run with it,
    /// and nothing could be made up for.
    pub fn take(&mut self, options: &mut RunOptions) {
        self.active |= options.compensated;
        if self.active && options.retry.is_none() {
            options.retry = Some(Retry::DEFAULT);
        }
    }

    /// A step has its result.
    pub fn settled(&mut self, ticket: Ticket, request: &StepRequest, succeeded: bool) {
        if self.waiting.is_some_and(|(waiting, _)| waiting == ticket) {
            self.waiting = None;
        } else if succeeded && matches!(&request.kind, StepKind::Run(RunOptions { compensated: true, .. })) {
            self.done.push((ticket, request.name.clone()));
        }
    }

    /// The run fails, or cancels itself.
    pub fn begin(&mut self, failure: Failure) {
        self.ending = Some(failure);
    }

    /// Takes the next step to make up for.
    pub fn next(&mut self) -> Option<(Ticket, String)> {
        self.done.pop()
    }

    /// `ticket` makes up for `compensated`.
    pub fn wait(&mut self, ticket: Ticket, compensated: Ticket) {
        self.waiting = Some((ticket, compensated));
    }

    /// The step that the step of `ticket` makes up for.
    pub fn compensated_by(&self, ticket: Ticket) -> Option<Ticket> {
        self.waiting.filter(|(waiting, _)| *waiting == ticket).map(|(_, compensated)| compensated)
    }

    pub fn is_empty(&self) -> bool {
        !self.active
    }

    pub fn is_compensating(&self) -> bool {
        self.ending.is_some()
    }

    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// How the run ends, once everything is made up for.
    pub fn end(&self) -> Option<Failure> {
        self.ending.clone()
    }
}
