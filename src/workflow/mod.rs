//! The engine: which step of a run is next, what is sent to the broker, what is answered to a delivery.
//!
//! [`Invocation`] is one delivery's worth of a run, as a state machine without I/O. The host hands in what happened and
//! is handed a [`Duty`] back:
//!
//! 1. [`Invocation::begin`] with the delivered [`Request`](crate::wire::Request).
//! 2. Do the duty. [`Duty::Send`]: send, then [`Invocation::handle_response`]. [`Duty::Start`]: call the workflow's
//!    function; while it runs, tell of each step it asks for with [`Invocation::request_step`]; when it can't go on
//!    without a step, [`Invocation::poll`]; when it ends, [`Invocation::handle_return`].
//! 3. [`Duty::Settle`]: give the recorded results to the function and let it run on. [`Duty::Run`]: call that step's
//!    function, then [`Invocation::handle_result`].
//! 4. Until [`Duty::Respond`], which ends the invocation.
//!
//! The function runs once per invocation. Steps that it asks for before it yields form one parallel group.
//! Nothing is signalled by throwing into the function, so a `try`/`catch` or `?` around a step can't break a run.
//!
//! [`serve`] does all of this for a workflow written in Rust.

mod answer;
mod call;
mod context;
mod delivery;
mod driver;
mod endpoint;
mod event;
mod failure;
mod history;
mod invocation;
mod invoke;
mod notes;
mod now;
mod pipeline;
mod policy;
mod replay;
mod results;
mod retry;
mod saga;
mod shared;
mod step;

#[cfg(feature = "js")]
pub(crate) use answer::error as answer_error;
pub use call::Call;
pub use context::Context;
pub use delivery::Delivery;
pub use driver::{Host, serve, serve_with};
#[cfg(feature = "js")]
pub(crate) use endpoint::DEFAULT_CLOCK_TOLERANCE;
pub use endpoint::Endpoint;
pub use event::{Notification, Wait};
pub use failure::{Failure, Recovery};
pub use invocation::{Duty, FailedRun, Invocation, Settled, Start, Ticket};
pub use invoke::Invoke;
#[cfg(feature = "js")]
pub(crate) use invoke::sibling;
pub use notes::Note;
pub use pipeline::Pipeline;
pub use policy::PolicyStep;
pub use results::{CallResponse, Invoked, Webhook};
pub use retry::{Retry, RetryDelay};
pub use step::{RunOptions, StepKind, StepTools};
