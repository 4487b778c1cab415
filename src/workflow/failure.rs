//! What a user's function failed with, in the words of the wire.

use crate::error::Error;

/// An error that a step's or workflow's function ended with, as the host saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error's class, such as `TypeError`.
    pub name: String,
    /// The error's message.
    pub message: String,
    /// The stack, if the host has one.
    pub stack: Option<String>,
    /// What the broker shall do about it.
    pub recovery: Recovery,
}

/// What the broker does after a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Recovery {
    /// Try again by the run's retry settings: status 500.
    #[default]
    Retry,
    /// Try again after this long, whatever the settings: status 429 with `Retry-After`.
    RetryAfter(String),
    /// Don't try again, the run has failed: status 489 with `Upstash-NonRetryable-Error`.
    Fail,
    /// Not an error: the function asked for the run to be cancelled.
    Cancel,
}

impl Failure {
    /// A failure that is tried again.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), stack: None, recovery: Recovery::Retry }
    }

    /// A failure that is not tried again.
    pub fn non_retryable(message: impl Into<String>) -> Self {
        Self { recovery: Recovery::Fail, ..Self::new("WorkflowNonRetryableError", message) }
    }

    /// A failure that is tried again after `delay`: seconds, or a duration such as `2m`.
    pub fn retry_after(message: impl Into<String>, delay: impl Into<String>) -> Self {
        Self { recovery: Recovery::RetryAfter(delay.into()), ..Self::new("WorkflowRetryAfterError", message) }
    }

    /// Whether another try may succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self.recovery, Recovery::Retry | Recovery::RetryAfter(_))
    }

    /// A failure with an error of ours: one whose status is 489 is not tried again.
    pub fn of(error: &Error) -> Self {
        let recovery = if error.code().status() == 489 { Recovery::Fail } else { Recovery::Retry };
        Self { recovery, ..Self::new(error.code().name(), error.message()) }
    }

    /// The end of a run by its own wish; not an error.
    pub fn cancel() -> Self {
        Self { recovery: Recovery::Cancel, ..Self::new("WorkflowCancelled", "the workflow cancelled its run") }
    }
}

/// Any error of a Rust step is tried again; its type's name is not known, its text is.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new("Error", error.to_string())
    }
}
