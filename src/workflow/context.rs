//! What a workflow written in Rust sees of its run.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Display;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error};
use crate::wire::{Headers, RunId, Timestamp};
use crate::workflow::failure::Failure;
use crate::workflow::invocation::{Invocation, Ticket};
use crate::workflow::step::{RunOptions, StepKind};

/// A run, as its workflow sees it.
///
/// Code outside of steps runs again in every invocation, so it must do the same each time: take time, randomness and
/// I/O inside of [`run`](Self::run). Futures of steps that are polled together (`join!`) form one parallel group.
///
/// ```
/// # use orchestration::workflow::{Context, Failure};
/// # use std::time::Duration;
/// # async fn charge(order: &str) -> Result<u32, std::io::Error> { Ok(7) }
/// async fn order(ctx: Context) -> Result<u32, Failure> {
///     let id: String = ctx.payload()?;
///     let receipt = ctx.run("charge", async || charge(&id).await).await?;
///     ctx.sleep("cool off", Duration::from_secs(3600)).await?;
///     ctx.run("ship", async || Ok::<_, Failure>(receipt + 1)).await
/// }
/// ```
#[derive(Clone)]
pub struct Context {
    pub(crate) shared: Rc<Shared>,
}

impl Context {
    /// The payload that started the run, read as JSON. A text that is not JSON can be read as a `String`.
    ///
    /// The failure is not retried: another try would bring the same payload.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let payload = self.shared.payload.borrow();
        let text = payload.as_deref().unwrap_or_default();
        serde_json::from_str(text)
            .or_else(|error| serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| error))
            .map_err(|error| {
                Failure::non_retryable(format!("the payload has another shape than the workflow expects: {error}"))
            })
    }

    /// The payload that started the run, as text.
    pub fn raw_payload(&self) -> String {
        self.shared.payload.borrow().clone().unwrap_or_default()
    }

    /// The run's id.
    pub fn run_id(&self) -> RunId {
        self.shared.invocation.borrow().delivery().run_id.clone()
    }

    /// The headers that the run was started with.
    pub fn headers(&self) -> Headers {
        self.shared.invocation.borrow().delivery().headers.clone()
    }

    /// How many tries of this delivery came before.
    pub fn retried(&self) -> u32 {
        self.shared.invocation.borrow().delivery().retried
    }

    /// Runs `step` once and remembers its result; later invocations get the remembered one.
    ///
    /// If `step` fails, this future never ends: the invocation answers the broker, which tries again by the run's
    /// settings. `Err` means that the step could not be asked for, or that its remembered result is not a `T`.
    pub fn run<T, E, F>(&self, name: &str, step: F) -> impl Future<Output = Result<T, Failure>> + use<T, E, F>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Failure>,
        F: AsyncFnOnce() -> Result<T, E>,
    {
        let shared = Rc::clone(&self.shared);
        let name = name.to_owned();
        async move {
            match shared.step(&name, StepKind::Run(RunOptions::default())).await? {
                Turn::Recalled(result) => recall(&name, result),
                Turn::Run => {
                    let result = step().await.map_err(Into::into).and_then(|value| {
                        serde_json::to_string(&value)
                            .map(Some)
                            .map_err(|error| not_serializable(&format!("step '{name}'"), &error))
                    });
                    shared.result.replace(Some(result));
                    pending().await
                }
            }
        }
    }

    /// Sleeps without holding anything: the broker starts the next invocation when the time has come.
    /// It counts whole seconds.
    pub fn sleep(&self, name: &str, duration: Duration) -> impl Future<Output = Result<(), Failure>> + use<> {
        self.wait(name, StepKind::sleep(duration))
    }

    /// Sleeps until a moment, rounded to the second.
    pub fn sleep_until(&self, name: &str, moment: Timestamp) -> impl Future<Output = Result<(), Failure>> + use<> {
        self.wait(name, StepKind::sleep_until(moment))
    }

    fn wait(&self, name: &str, kind: StepKind) -> impl Future<Output = Result<(), Failure>> + use<> {
        let shared = Rc::clone(&self.shared);
        let name = name.to_owned();
        async move { shared.step(&name, kind).await.map(|_| ()) }
    }
}

/// What the workflow's futures and the driver say to each other.
pub(crate) struct Shared {
    pub invocation: RefCell<Invocation>,
    pub payload: RefCell<Option<String>>,
    pub settled: RefCell<HashMap<Ticket, Result<Option<String>, Failure>>>,
    pub running: Cell<Option<Ticket>>,
    pub result: RefCell<Option<Result<Option<String>, Failure>>>,
}

enum Turn {
    Recalled(Option<String>),
    Run,
}

impl Shared {
    pub fn new(invocation: Invocation) -> Self {
        Self {
            invocation: RefCell::new(invocation),
            payload: RefCell::new(None),
            settled: RefCell::new(HashMap::new()),
            running: Cell::new(None),
            result: RefCell::new(None),
        }
    }

    /// Asks for a step and waits until the driver says what becomes of it.
    /// No waker is kept: the driver polls the workflow again whenever it has said something.
    async fn step(&self, name: &str, kind: StepKind) -> Result<Turn, Failure> {
        let ticket = self.invocation.borrow_mut().request_step(name, kind).map_err(|error| Failure::of(&error))?;
        poll_fn(|_| {
            if let Some(result) = self.settled.borrow_mut().remove(&ticket) {
                return Poll::Ready(result.map(Turn::Recalled));
            }
            if self.running.get() == Some(ticket) {
                self.running.set(None);
                return Poll::Ready(Ok(Turn::Run));
            }
            Poll::Pending
        })
        .await
    }
}

fn recall<T: DeserializeOwned>(name: &str, result: Option<String>) -> Result<T, Failure> {
    let text = result.unwrap_or_else(|| "null".to_owned());
    serde_json::from_str(&text).map_err(|error| {
        Failure::of(&Error::new(
            Code::ResultMismatch,
            format!("the remembered result of step '{name}' has another shape than the workflow expects: {error}"),
        ))
    })
}

pub(crate) fn not_serializable(what: &str, error: &impl Display) -> Failure {
    Failure::of(&Error::new(Code::NotSerializable, format!("the result of {what} can't be written as JSON: {error}")))
}
