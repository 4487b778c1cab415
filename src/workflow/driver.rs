//! Serves a delivery with a workflow written in Rust: does the [`Duty`] that the engine names, until it is to respond.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Code, Error};
use crate::wire::{Request, Response, Timestamp};
use crate::workflow::answer;
use crate::workflow::context::{Context, not_serializable};
use crate::workflow::endpoint::Endpoint;
use crate::workflow::failure::Failure;
use crate::workflow::invocation::{Duty, FailedRun, Invocation};
use crate::workflow::shared::Shared;

/// What [`serve`] needs of its host. Nothing has to be `Send`: Workers run on one thread.
pub trait Host {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` from a cryptographic source.
    fn fill(&self, bytes: &mut [u8]);

    /// Ends after `duration`; for the timeouts of steps.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// Sends a request; `Err` says in a sentence why there is no answer.
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, String>>;
}

/// Serves one delivery: verifies it, replays the run, runs the next step, submits its result, and answers.
///
/// `workflow` is called at most once. A failed run is acknowledged; see [`serve_with`] to act on it.
pub async fn serve<T: Serialize>(
    endpoint: &Arc<Endpoint>,
    request: &Request,
    host: &impl Host,
    workflow: impl AsyncFnOnce(Context) -> Result<T, Failure>,
) -> Response {
    let none = None::<fn(Context, FailedRun) -> std::future::Ready<Result<(), Failure>>>;
    serve_with(endpoint, request, host, workflow, none).await
}

/// [`serve`], with a function that is called when a run has failed for good.
pub async fn serve_with<T: Serialize>(
    endpoint: &Arc<Endpoint>,
    request: &Request,
    host: &impl Host,
    workflow: impl AsyncFnOnce(Context) -> Result<T, Failure>,
    on_failure: Option<impl AsyncFnOnce(Context, FailedRun) -> Result<(), Failure>>,
) -> Response {
    let endpoint = if endpoint.has_failure_function == on_failure.is_some() {
        Arc::clone(endpoint)
    } else {
        Arc::new(Endpoint::clone(endpoint).has_failure_function(on_failure.is_some()))
    };
    let begun = Invocation::begin(&endpoint, request, None, host.now(), &mut |bytes: &mut [u8]| host.fill(bytes));
    let (invocation, mut duty) = match begun {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let shared = Rc::new(Shared::new(invocation, host.now()));
    let context = Context { shared: Rc::clone(&shared) };
    let mut function = pin!(call(workflow, context.clone()));
    let mut ended = false;
    let mut on_failure = on_failure;
    loop {
        duty = match duty {
            Duty::Respond(response) => return response,
            Duty::Send(request) => {
                let response = host.send(request).await;
                shared.invocation.borrow_mut().handle_response(response)
            }
            Duty::Start(start) => {
                shared.payload.replace(start.payload);
                advance(&shared, host, function.as_mut(), &mut ended).await
            }
            Duty::Settle(settled) => {
                shared.settle(settled);
                advance(&shared, host, function.as_mut(), &mut ended).await
            }
            Duty::Run { ticket, attempt } => {
                shared.run(ticket, attempt);
                advance(&shared, host, function.as_mut(), &mut ended).await
            }
            Duty::Compensate { ticket, result } => {
                let result = match shared.compensation(ticket) {
                    Some(compensation) => compensation(result).await.map(|()| None),
                    // The step was described without one: the code has changed since it ran.
                    None => Ok(None),
                };
                shared.invocation.borrow_mut().handle_result(result)
            }
            Duty::RunFailureFunction(failed_run) => {
                let result = match on_failure.take() {
                    Some(on_failure) => on_failure(context.clone(), failed_run).await,
                    None => Ok(()),
                };
                shared.invocation.borrow_mut().handle_failure_result(result.map(|()| None))
            }
            Duty::Idle => {
                let message = "the engine has nothing to do for a workflow that has ended";
                return answer::error(&Error::new(Code::Internal, message));
            }
        };
    }
}

/// The workflow's function with its result as JSON text.
async fn call<T: Serialize>(
    workflow: impl AsyncFnOnce(Context) -> Result<T, Failure>,
    context: Context,
) -> Result<Option<String>, Failure> {
    let value = workflow(context).await?;
    serde_json::to_string(&value).map(Some).map_err(|error| not_serializable("the workflow", &error))
}

/// Polls the function until the engine has a duty. One poll gathers one parallel group.
async fn advance<F>(shared: &Shared, host: &impl Host, mut function: Pin<&mut F>, ended: &mut bool) -> Duty
where
    F: Future<Output = Result<Option<String>, Failure>>,
{
    shared.clock.set(host.now());
    let mut timer = None;
    poll_fn(|cx| {
        if *ended {
            return Poll::Ready(shared.invocation.borrow_mut().poll());
        }
        if let Poll::Ready(result) = function.as_mut().poll(cx) {
            *ended = true;
            return Poll::Ready(shared.invocation.borrow_mut().handle_return(result));
        }
        if let Some(timeout) = shared.timeout.take() {
            timer = Some((Box::pin(host.sleep(timeout)), timeout));
        }
        let mut result = shared.result.take();
        if result.is_none()
            && let Some((timer, timeout)) = &mut timer
            && timer.as_mut().poll(cx).is_ready()
        {
            let message = format!("the step took longer than {} ms", timeout.as_millis());
            result = Some(Err(Failure::new("StepTimeoutError", message)));
        }
        let mut invocation = shared.invocation.borrow_mut();
        let duty = match result {
            Some(result) => invocation.handle_result(result),
            None => invocation.poll(),
        };
        // Idle: the function waits for something else than a step, and its waker is set.
        if duty == Duty::Idle { Poll::Pending } else { Poll::Ready(duty) }
    })
    .await
}
