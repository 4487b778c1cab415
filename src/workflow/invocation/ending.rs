//! How the function, the run and the invocation end.

use crate::client::Ending;
use crate::error::{Code, Error, Result};
use crate::wire::Response;
use crate::workflow::answer;
use crate::workflow::answer::Finish;
use crate::workflow::delivery::DeliveryKind;
use crate::workflow::failure::{Failure, Recovery};
use crate::workflow::invocation::{Duty, Invocation, State};
use crate::workflow::replay::Next;
use crate::workflow::retry::Retry;
use crate::workflow::step::{RunOptions, StepKind, StepRequest};

/// What the names of compensating steps start with.
const COMPENSATION: &str = "compensate ";

impl Invocation {
    pub(super) fn end(&mut self, result: Result<Option<String>, Failure>) -> Result<Duty> {
        let before_first_step = self.asked == 0 && !self.endpoint.authorized;
        Ok(match (result, self.delivery.kind) {
            (Ok(_), DeliveryKind::Failure) if self.endpoint.authorized => self.run_failure_function(),
            (Ok(_), DeliveryKind::Failure) => {
                let message = "the workflow refused the failed run: it returned before its first step";
                self.respond(answer::error(&Error::new(Code::Refused, message)))
            }
            (Ok(_), _) if before_first_step => {
                let run_id = (!self.delivery.is_first()).then_some(&self.delivery.run_id);
                let response = answer::refused(run_id);
                self.respond(response)
            }
            (Ok(_), DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk) => self.submit_trigger(),
            (Ok(result), _) => self.submit_ending(Ending::Finished(result)),
            (Err(failure), DeliveryKind::Resume) => return self.fail(failure),
            (Err(failure), _) if failure.recovery == Recovery::Retry => self.respond(answer::failure(&failure, None)),
            // The broker can only hear of such an end from a run that has begun.
            (Err(_), DeliveryKind::First | DeliveryKind::FirstOfUnknownSdk) => self.submit_trigger(),
            (Err(_), _) => self.run_failure_function(),
        })
    }

    /// The function has failed, or cancels its run. What was done before is made up for first, if there is a way.
    pub(super) fn fail(&mut self, failure: Failure) -> Result<Duty> {
        // How many tries a delivery has stands in none. Unless the endpoint knows, this may be the last one.
        let tries_left = self.delivery.retried < self.endpoint.retries.unwrap_or(0);
        // Once something is made up for, the run has failed: the deliveries that follow go on with that.
        let another_try = failure.is_retryable() && tries_left && !self.replay.goes_on_with(COMPENSATION);
        if self.saga.is_empty() || another_try {
            return Ok(self.respond_failure(&failure));
        }
        self.saga.begin(failure);
        self.compensate()
    }

    /// Makes up for the last step that has not been made up for, or ends the run.
    pub(super) fn compensate(&mut self) -> Result<Duty> {
        if self.saga.is_waiting() {
            return self.advance();
        }
        let Some(done) = self.saga.next() else { return self.settle_saga_or_discard() };
        // With retries of its own: the broker would give up the run with the delivery, and the rest would stay undone.
        let options = RunOptions { retry: Some(Retry::DEFAULT), ..RunOptions::default() };
        let request = StepRequest::new(&format!("{COMPENSATION}{}", done.name), StepKind::Run(options))?;
        let ticket = self.ticket();
        self.saga.wait(ticket, done);
        self.group = vec![(ticket, request)];
        self.advance()
    }

    /// Nothing is left to do in this delivery, unless everything is made up for and no step is under way that would
    /// have to be.
    pub(super) fn settle_saga_or_discard(&mut self) -> Result<Duty> {
        let lacks =
            self.replay.lacks(|_, request| matches!(&request.kind, StepKind::Run(options) if options.compensated));
        if self.saga.is_waiting() || lacks {
            return match self.replay.next()? {
                Next::Discard | Next::Await => Ok(self.finish(Finish::Success)),
                next => self.perform(next),
            };
        }
        match self.saga.end() {
            Some(failure) => {
                let recovery = if failure.recovery == Recovery::Cancel { Recovery::Cancel } else { Recovery::Fail };
                Ok(self.respond_failure(&Failure { recovery, ..failure }))
            }
            None => Ok(self.finish(Finish::Success)),
        }
    }

    pub(super) fn respond_failure(&mut self, failure: &Failure) -> Duty {
        match failure.recovery {
            Recovery::Cancel => self.submit_ending(Ending::Cancelled),
            _ => self.respond(answer::failure(failure, None)),
        }
    }

    pub(super) fn run_failure_function(&mut self) -> Duty {
        self.group.clear();
        match self.failed_run.take() {
            Some(failed_run) => {
                self.state = State::RunningFailureFunction;
                Duty::RunFailureFunction(failed_run)
            }
            None => self.respond_error(&Error::new(Code::Internal, "a failure callback without a failed run")),
        }
    }

    pub(super) fn finish(&mut self, finish: Finish) -> Duty {
        if finish == Finish::Success {
            self.notes.info(|| "Workflow endpoint execution completed successfully.".to_owned());
        }
        let response = answer::finished(&self.delivery.run_id, finish);
        self.respond(response)
    }

    /// Whatever went wrong in a run is a failure of the run: its status is 500, or 489 where no other try can help.
    pub(super) fn respond_error(&mut self, error: &Error) -> Duty {
        self.respond(answer::failure(&Failure::of(error), None))
    }

    pub(super) fn respond(&mut self, response: Response) -> Duty {
        self.state = State::Done;
        self.group.clear();
        Duty::Respond(response)
    }
}
