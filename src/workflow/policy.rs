//! A step with a policy of its own.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::resilience::Backoff;
use crate::workflow::context::{Context, not_serializable};
use crate::workflow::failure::Failure;
use crate::workflow::results::read;
use crate::workflow::retry::Retry;
use crate::workflow::shared::{Compensation, Turn};
use crate::workflow::step::{RunOptions, StepKind, StepTools};

/// A step that is being described; see [`Context::step`].
pub struct PolicyStep {
    context: Context,
    name: String,
    retries: Option<u32>,
    delay: Delay,
    timeout: Option<Duration>,
    compensation: Option<Compensation>,
}

/// What was said of the waits between tries.
enum Delay {
    Unsaid,
    Text(String),
    Backoff(Backoff),
}

impl PolicyStep {
    pub(crate) fn new(context: &Context, name: &str) -> Self {
        Self {
            context: context.clone(),
            name: name.to_owned(),
            retries: None,
            delay: Delay::Unsaid,
            timeout: None,
            compensation: None,
        }
    }

    /// How often the step is tried again on its own account, whatever the run's settings. Each retry costs a message.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The wait before a retry: a duration such as `10s`, or an expression in milliseconds such as
    /// `1000 * (1 + retried)`. Without [`retries`](Self::retries) there are 3.
    #[must_use]
    pub fn retry_delay(mut self, delay: impl Into<String>) -> Self {
        self.delay = Delay::Text(delay.into());
        self
    }

    /// As many attempts as the rule says, and its waits between them: whole seconds, rounded. Every attempt is a durable
    /// try: nothing waits in place here. How much of a wait is left to chance follows from the run's id.
    ///
    /// ```
    /// # use orchestration::workflow::{Context, Failure};
    /// # use std::time::Duration;
    /// # async fn fetch() -> Result<u64, std::io::Error> { Ok(7) }
    /// use orchestration::resilience::Backoff;
    ///
    /// async fn download(ctx: Context) -> Result<u64, Failure> {
    ///     let backoff = Backoff { max_attempts: 5, first: Duration::from_secs(2), ..Backoff::default() };
    ///     ctx.step("download").backoff(backoff).run(fetch).await
    /// }
    /// ```
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.retries = None;
        self.delay = Delay::Backoff(backoff);
        self
    }

    /// How long one try may take; then it has failed with `StepTimeoutError`. What it was doing is dropped.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What makes up for the step, given its result, if the run fails or cancels itself later.
    ///
    /// Compensations run as steps, last first. They must be the same in every invocation.
    #[must_use]
    pub fn compensate<T, E, F>(mut self, compensation: F) -> Self
    where
        T: DeserializeOwned,
        E: Into<Failure>,
        F: AsyncFnOnce(T) -> Result<(), E> + 'static,
    {
        let name = self.name.clone();
        self.compensation = Some(Box::new(move |result| {
            Box::pin(async move {
                let result = read(&name, result.as_deref().unwrap_or("null")).map_err(|error| Failure::of(&error))?;
                compensation(result).await.map_err(Into::into)
            })
        }));
        self
    }

    /// Runs `step` once and remembers its result, as [`Context::run`] does.
    ///
    /// With retries of its own, or beside compensated steps, a step that has failed for good gives `Err`: the workflow may
    /// act on it. Passed on with `?`, it ends the run.
    pub async fn run<T, E, F>(self, step: F) -> Result<T, Failure>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Failure>,
        F: AsyncFnOnce() -> Result<T, E>,
    {
        self.run_with(async |_| step().await).await
    }

    /// [`run`](Self::run) of a function that is told which try it is.
    ///
    /// ```
    /// # use orchestration::workflow::{Context, Failure};
    /// # async fn download(mirror: u32) -> Result<u64, std::io::Error> { Ok(7) }
    /// async fn fetch(ctx: Context) -> Result<u64, Failure> {
    ///     ctx.step("download").retries(2).run_with(async |tools| download(tools.attempt).await).await
    /// }
    /// ```
    pub async fn run_with<T, E, F>(self, step: F) -> Result<T, Failure>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Failure>,
        F: AsyncFnOnce(StepTools) -> Result<T, E>,
    {
        let Self { context, name, retries, delay, timeout, compensation } = self;
        let retry = match (retries, delay) {
            (None, Delay::Unsaid) => None,
            (Some(retries), Delay::Unsaid) => Some(Ok(Retry { retries, ..Retry::default() })),
            (retries, Delay::Text(delay)) => Some(Retry::new(retries.unwrap_or(Retry::DEFAULT.retries), Some(&delay))),
            (retries, Delay::Backoff(backoff)) => {
                let retry = Retry::backoff(backoff);
                Some(retry.map(|retry| Retry { retries: retries.unwrap_or(retry.retries), ..retry }))
            }
        };
        let retry = retry.transpose().map_err(|error| Failure::of(&error))?;
        let shared = Rc::clone(&context.shared);
        let options = RunOptions { retry, compensated: compensation.is_some() };
        match shared.step(&name, StepKind::Run(options), compensation).await? {
            Turn::Recalled(result) => {
                read(&name, result.as_deref().unwrap_or("null")).map_err(|error| Failure::of(&error))
            }
            Turn::Run(tools) => {
                shared.timeout.set(timeout);
                let result = step(tools).await.map_err(Into::into).and_then(|value| {
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
