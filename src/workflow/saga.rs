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
    done: Vec<Done>,
    /// Why they are made up for; `None` as long as the run goes on.
    ending: Option<Failure>,
    /// The step that makes up, and the one that is made up for.
    waiting: Option<(Ticket, Done)>,
}

/// A step that was done and can be made up for.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub ticket: Ticket,
    pub name: String,
    /// Its result as JSON text; `None` for `undefined`.
    pub result: Option<String>,
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
    pub fn settled(&mut self, ticket: Ticket, request: &StepRequest, result: &Result<Option<String>, Failure>) {
        if self.waiting.as_ref().is_some_and(|(waiting, _)| *waiting == ticket) {
            self.waiting = None;
        } else if let StepKind::Run(RunOptions { compensated: true, .. }) = &request.kind
            && let Ok(result) = result
        {
            self.done.push(Done { ticket, name: request.name.clone(), result: result.clone() });
        }
    }

    /// The run fails, or cancels itself.
    pub fn begin(&mut self, failure: Failure) {
        self.ending = Some(failure);
    }

    /// Takes the next step to make up for.
    pub fn next(&mut self) -> Option<Done> {
        self.done.pop()
    }

    /// `ticket` makes up for `done`.
    pub fn wait(&mut self, ticket: Ticket, done: Done) {
        self.waiting = Some((ticket, done));
    }

    /// The step that the step of `ticket` makes up for.
    pub fn compensated_by(&self, ticket: Ticket) -> Option<&Done> {
        self.waiting.as_ref().filter(|(waiting, _)| *waiting == ticket).map(|(_, done)| done)
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
