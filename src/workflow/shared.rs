//! What the workflow's futures and the driver say to each other.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::wire::Timestamp;
use crate::workflow::failure::Failure;
use crate::workflow::invocation::{Invocation, Settled, Ticket};
use crate::workflow::step::{StepKind, StepTools};

/// A future on the one thread of the invocation.
pub(crate) type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Makes up for a step, given its result as JSON text.
pub(crate) type Compensation = Box<dyn FnOnce(Option<String>) -> LocalFuture<Result<(), Failure>>>;

/// The result of a step's function as JSON text.
pub(crate) type StepResult = Result<Option<String>, Failure>;

pub(crate) struct Shared {
    pub invocation: RefCell<Invocation>,
    pub payload: RefCell<Option<String>>,
    /// The time on the host's clock.
    pub clock: Cell<Timestamp>,
    /// What the function that is running has come to.
    pub result: RefCell<Option<StepResult>>,
    /// How long it may take.
    pub timeout: Cell<Option<Duration>>,
    running: Cell<Option<(Ticket, StepTools)>>,
    settled: RefCell<HashMap<Ticket, StepResult>>,
    wakers: RefCell<HashMap<Ticket, Waker>>,
    compensations: RefCell<HashMap<Ticket, Compensation>>,
}

/// What becomes of a step that was asked for.
pub(crate) enum Turn {
    /// It is remembered.
    Recalled(Option<String>),
    /// Its function is to run now.
    Run(StepTools),
}

impl Shared {
    pub fn new(invocation: Invocation, now: Timestamp) -> Self {
        Self {
            invocation: RefCell::new(invocation),
            payload: RefCell::new(None),
            clock: Cell::new(now),
            result: RefCell::new(None),
            timeout: Cell::new(None),
            running: Cell::new(None),
            settled: RefCell::default(),
            wakers: RefCell::default(),
            compensations: RefCell::default(),
        }
    }

    /// Asks for a step and waits until the driver says what becomes of it.
    pub async fn step(&self, name: &str, kind: StepKind, compensation: Option<Compensation>) -> Result<Turn, Failure> {
        let ticket = self.invocation.borrow_mut().request_step(name, kind).map_err(|error| Failure::of(&error))?;
        if let Some(compensation) = compensation {
            self.compensations.borrow_mut().insert(ticket, compensation);
        }
        let _asked = AskedStep { shared: self, ticket };
        poll_fn(|task| {
            if let Some(result) = self.settled.borrow_mut().remove(&ticket) {
                return Poll::Ready(result.map(Turn::Recalled));
            }
            if let Some((_, tools)) = self.running.get().filter(|(running, _)| *running == ticket) {
                self.running.set(None);
                return Poll::Ready(Ok(Turn::Run(tools)));
            }
            self.wakers.borrow_mut().insert(ticket, task.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Gives a result to whoever asked.
    pub fn settle(&self, Settled { ticket, result, .. }: Settled) {
        self.settled.borrow_mut().insert(ticket, result);
        self.wake(ticket);
    }

    /// Lets a step's function run.
    pub fn run(&self, ticket: Ticket, attempt: u32) {
        self.running.set(Some((ticket, StepTools { attempt })));
        self.wake(ticket);
    }

    /// What makes up for a step.
    pub fn compensation(&self, ticket: Ticket) -> Option<Compensation> {
        self.compensations.borrow_mut().remove(&ticket)
    }

    /// A future that holds several steps may poll only those that were woken.
    fn wake(&self, ticket: Ticket) {
        if let Some(waker) = self.wakers.borrow_mut().remove(&ticket) {
            waker.wake();
        }
    }
}

/// A step that a future waits for; tells the engine when the future is dropped.
struct AskedStep<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

impl Drop for AskedStep<'_> {
    fn drop(&mut self) {
        // Borrowed only if a step is dropped while the engine works, which runs nothing of the workflow.
        if let Ok(mut invocation) = self.shared.invocation.try_borrow_mut() {
            invocation.drop_step(self.ticket);
        }
    }
}
