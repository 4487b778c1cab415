//! What a workflow written in Rust sees of its run.

use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error};
use crate::wire::{Headers, Request, RunId, Timestamp};
use crate::workflow::call::Call;
use crate::workflow::event::{Notification, Wait};
use crate::workflow::failure::Failure;
use crate::workflow::invoke::Invoke;
use crate::workflow::policy::PolicyStep;
use crate::workflow::results::{self, CallResponse, Invoked, Webhook};
use crate::workflow::shared::{Shared, Turn};
use crate::workflow::step::StepKind;

/// A run, as its workflow sees it.
///
/// Code outside of steps runs again in every invocation, so it must do the same each time: take time and randomness from
/// [`now`](Self::now), [`random`](Self::random) and [`uuid`](Self::uuid), and do I/O inside of [`run`](Self::run).
/// Futures of steps that are polled together (`join!`) form one parallel group; `select` goes on with the one that is
/// done first, in every invocation the same.
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
///
/// Parallel steps, and a race of an approval against the clock:
///
/// ```
/// # use orchestration::workflow::{Context, Failure};
/// # use std::time::Duration;
/// # use std::pin::pin;
/// use futures_util::future::{Either, select};
/// use futures_util::join;
///
/// async fn approve(ctx: Context) -> Result<bool, Failure> {
///     let (stock, price) = join!(
///         ctx.run("stock", async || Ok::<_, Failure>(3)),
///         ctx.run("price", async || Ok::<_, Failure>(5)),
///     );
///     let total: u32 = stock? * price?;
///     let approval = pin!(ctx.wait_for_event::<bool>("approval", "order-7", Duration::from_secs(86_400)));
///     let reminder = pin!(ctx.sleep("remind", Duration::from_secs(3600)));
///     match select(approval, reminder).await {
///         Either::Left((approved, _)) => Ok(approved?.unwrap_or(false)),
///         Either::Right((_, approval)) => {
///             ctx.run("send reminder", async || Ok::<_, Failure>(total)).await?;
///             Ok(approval.await?.unwrap_or(false))
///         }
///     }
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

    /// The URL that the run's steps are submitted for.
    pub fn url(&self) -> String {
        self.shared.invocation.borrow().delivery().url.clone()
    }

    /// The run's labels.
    pub fn labels(&self) -> Vec<String> {
        let invocation = self.shared.invocation.borrow();
        let labels = invocation.delivery().label.as_deref().unwrap_or_default();
        labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect()
    }

    /// When the run was created, if the broker has said so.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.shared.invocation.borrow().delivery().created_at.map(Timestamp::from_millis)
    }

    /// How many tries of this delivery came before.
    pub fn retried(&self) -> u32 {
        self.shared.invocation.borrow().delivery().retried
    }

    /// How deep the run is nested by [`invoke`](Self::invoke).
    pub fn invoke_count(&self) -> u32 {
        self.shared.invocation.borrow().delivery().invoke_count
    }

    /// A number in [0, 1), the same in every invocation as long as the workflow draws in the same order. Not for
    /// secrets: it follows from the run's id.
    pub fn random(&self) -> f64 {
        self.shared.invocation.borrow_mut().random()
    }

    /// A UUID of version 4, the same in every invocation; see [`random`](Self::random).
    pub fn uuid(&self) -> String {
        self.shared.invocation.borrow_mut().uuid()
    }

    /// The time; in later invocations the same as in the first that came here. It travels with the next step.
    pub fn now(&self) -> Timestamp {
        self.shared.invocation.borrow_mut().now(self.shared.clock.get())
    }

    /// Runs `step` once and remembers its result; later invocations get the remembered one.
    ///
    /// If `step` fails, this future never ends: the invocation answers the broker, which tries again by the run's
    /// settings. `Err` means that the step could not be asked for, that its remembered result is not a `T`, or, beside
    /// [compensated](PolicyStep::compensate) steps, that it has failed for good.
    pub fn run<T, E, F>(&self, name: &str, step: F) -> impl Future<Output = Result<T, Failure>> + use<T, E, F>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Failure>,
        F: AsyncFnOnce() -> Result<T, E>,
    {
        self.step(name).run(step)
    }

    /// Describes a step with retries, a timeout or a compensation of its own.
    ///
    /// ```
    /// # use orchestration::workflow::{Context, Failure};
    /// # use std::time::Duration;
    /// # async fn book() -> Result<String, Failure> { Ok("b1".into()) }
    /// # async fn cancel(booking: String) -> Result<(), Failure> { Ok(()) }
    /// async fn trip(ctx: Context) -> Result<(), Failure> {
    ///     let booking: String = ctx
    ///         .step("book")
    ///         .retries(5)
    ///         .retry_delay("30s")
    ///         .timeout(Duration::from_secs(10))
    ///         .compensate(async |booking: String| cancel(booking).await)
    ///         .run(async || book().await)
    ///         .await?;
    ///     // If this fails for good, the booking is cancelled.
    ///     ctx.run("pay", async || Err::<(), _>(Failure::non_retryable(format!("no money for {booking}")))).await
    /// }
    /// ```
    pub fn step(&self, name: &str) -> PolicyStep {
        PolicyStep::new(self, name)
    }

    /// Has the broker make an HTTP request. Nothing of the workflow runs meanwhile, however long it takes.
    ///
    /// An answer of any status is a result; see [`CallResponse::expect_success`].
    ///
    /// ```
    /// # use orchestration::workflow::{Call, Context, Failure};
    /// async fn rate(ctx: Context) -> Result<f64, Failure> {
    ///     let call = Call { retries: 3, ..Call::new("https://rates.example/eur") };
    ///     ctx.call("rate", call).await?.expect_success()?.json()
    /// }
    /// ```
    pub fn call(&self, name: &str, call: Call) -> impl Future<Output = Result<CallResponse, Failure>> + use<> {
        self.recall(name, StepKind::Call(Box::new(call)), CallResponse::read)
    }

    /// Starts a run of another workflow, which is served beside this one, and waits for its end.
    pub fn invoke<T: DeserializeOwned>(
        &self,
        name: &str,
        invoke: Invoke,
    ) -> impl Future<Output = Result<Invoked<T>, Failure>> + use<T> {
        self.recall(name, StepKind::Invoke(Box::new(invoke)), results::read)
    }

    /// Waits until somebody notifies of an event. `None` if nobody did in time.
    pub fn wait_for_event<T: DeserializeOwned>(
        &self,
        name: &str,
        event_id: &str,
        timeout: Duration,
    ) -> impl Future<Output = Result<Option<T>, Failure>> + use<T> {
        let wait = Wait { event_id: event_id.to_owned(), timeout: Some(format!("{}s", timeout.as_secs())) };
        self.recall(name, StepKind::WaitForEvent(wait), results::event)
    }

    /// Notifies everybody who waits for an event now. Gives the broker's list of who heard of it.
    pub fn notify<D: Serialize>(
        &self,
        name: &str,
        event_id: &str,
        data: &D,
    ) -> impl Future<Output = Result<serde_json::Value, Failure>> + use<D> {
        self.notify_with(name, event_id, None, data)
    }

    /// Notifies one run of an event, also if it waits for it only later.
    pub fn notify_run<D: Serialize>(
        &self,
        name: &str,
        run_id: &RunId,
        event_id: &str,
        data: &D,
    ) -> impl Future<Output = Result<serde_json::Value, Failure>> + use<D> {
        self.notify_with(name, event_id, Some(run_id.as_str().to_owned()), data)
    }

    /// Makes a public URL whose next caller is an event of this run.
    pub fn create_webhook(&self, name: &str) -> impl Future<Output = Result<Webhook, Failure>> + use<> {
        self.recall(name, StepKind::CreateWebhook, results::read)
    }

    /// Waits until somebody calls a webhook. `None` if nobody did in time.
    ///
    /// ```
    /// # use orchestration::workflow::{Context, Failure};
    /// # use std::time::Duration;
    /// # async fn order(notify: &str) -> Result<(), Failure> { Ok(()) }
    /// async fn supply(ctx: Context) -> Result<bool, Failure> {
    ///     let webhook = ctx.create_webhook("delivered").await?;
    ///     ctx.run("order", async || order(&webhook.webhook_url).await).await?;
    ///     let request = ctx.wait_for_webhook("delivery", &webhook, Duration::from_secs(604_800)).await?;
    ///     Ok(request.is_some_and(|request| request.body == b"ok"))
    /// }
    /// ```
    pub fn wait_for_webhook(
        &self,
        name: &str,
        webhook: &Webhook,
        timeout: Duration,
    ) -> impl Future<Output = Result<Option<Request>, Failure>> + use<> {
        let wait = Wait { event_id: webhook.event_id.clone(), timeout: Some(format!("{}s", timeout.as_secs())) };
        self.recall(name, StepKind::WaitForWebhook(wait), results::webhook_request)
    }

    /// Whether this run reaches this place for the first time with code that asks: `false` in runs that were past it
    /// before. So new code can run beside runs that began with the old one. The first answer holds for the whole run,
    /// wherever it asks again. Costs one step in new runs.
    ///
    /// ```
    /// # use orchestration::workflow::{Context, Failure};
    /// async fn order(ctx: Context) -> Result<u32, Failure> {
    ///     if ctx.patch("tax").await? {
    ///         ctx.run("tax", async || Ok::<_, Failure>(19)).await?;
    ///     }
    ///     ctx.run("ship", async || Ok::<_, Failure>(1)).await
    /// }
    /// ```
    pub fn patch(&self, id: &str) -> impl Future<Output = Result<bool, Failure>> + use<> {
        self.recall(id, StepKind::Patch, results::read)
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
        async move { shared.step(&name, kind, None).await.map(|_| ()) }
    }

    fn notify_with<D: Serialize>(
        &self,
        name: &str,
        event_id: &str,
        run_id: Option<String>,
        data: &D,
    ) -> impl Future<Output = Result<serde_json::Value, Failure>> + use<D> {
        let data =
            serde_json::to_string(data).map_err(|error| not_serializable(&format!("event '{event_id}'"), &error));
        let (shared, name, event_id) = (Rc::clone(&self.shared), name.to_owned(), event_id.to_owned());
        async move {
            let kind = StepKind::Notify(Notification { event_id, data: Some(data?), run_id });
            let mut result: serde_json::Value = recall(&shared, &name, kind, results::read).await?;
            Ok(result["notifyResponse"].take())
        }
    }

    fn recall<T, R>(&self, name: &str, kind: StepKind, read: R) -> impl Future<Output = Result<T, Failure>> + use<T, R>
    where
        R: FnOnce(&str, &str) -> Result<T, Error>,
    {
        let (shared, name) = (Rc::clone(&self.shared), name.to_owned());
        async move { recall(&shared, &name, kind, read).await }
    }
}

/// Asks for a step without a function, and reads its result.
async fn recall<T>(
    shared: &Shared,
    name: &str,
    kind: StepKind,
    read: impl FnOnce(&str, &str) -> Result<T, Error>,
) -> Result<T, Failure> {
    match shared.step(name, kind, None).await? {
        Turn::Recalled(result) => read(name, result.as_deref().unwrap_or("null")).map_err(|error| Failure::of(&error)),
        Turn::Run(_) => Err(Failure::of(&Error::new(Code::Internal, "a step without a function was to run"))),
    }
}

pub(crate) fn not_serializable(what: &str, error: &impl Display) -> Failure {
    Failure::of(&Error::new(Code::NotSerializable, format!("the result of {what} can't be written as JSON: {error}")))
}
