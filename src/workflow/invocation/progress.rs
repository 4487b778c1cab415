//! Goes through the history with the function, and does what the delivery is in charge of.

use std::mem;

use crate::client::Ending;
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{RunId, Step, StepType};
use crate::workflow::failure::{Failure, Recovery};
use crate::workflow::invocation::{Duty, Invocation, Purpose, Settled, State, Ticket};
use crate::workflow::notes::{Awaited, Note};
use crate::workflow::replay::{Next, Place};
use crate::workflow::step::{StepKind, StepRequest, not_json};
use crate::workflow::{answer, call, event, invoke, now, retry};

impl Invocation {
    /// Tells the function the next event, or does what this delivery is in charge of.
    pub(super) fn advance(&mut self) -> Result<Duty> {
        if !self.group.is_empty() {
            let group = mem::take(&mut self.group);
            if let Some(next) = self.replay.ask(group)? {
                return self.perform(next);
            }
        }
        let next = self.replay.next()?;
        self.perform(next)
    }

    pub(super) fn perform(&mut self, next: Next) -> Result<Duty> {
        match next {
            Next::Settle { ticket, request, step, others } => self.settle(ticket, &request, &step, others),
            Next::Skip { ticket, taken } => {
                Ok(Duty::Settle(Settled { ticket, result: Ok(Some(taken.to_string())), others: false }))
            }
            Next::Execute(place) => self.execute(place),
            Next::Plan { first, requests, beside } => self.submit_plan(&requests, first, beside),
            Next::Discard | Next::Await => match self.returned.take() {
                Some(result) if !self.replay.lacks(|ticket, _| self.left.contains(&ticket)) => self.end(result),
                None if matches!(next, Next::Await) => Ok(Duty::Idle),
                returned => {
                    self.returned = returned;
                    self.settle_saga_or_discard()
                }
            },
        }
    }

    pub(super) fn settle(&mut self, ticket: Ticket, request: &StepRequest, step: &Step, others: bool) -> Result<Duty> {
        let result = match result_of(step)? {
            Some(text) if matches!(request.kind, StepKind::Run(_)) => match retry::recorded(&text)? {
                Some(failure) => Err(failure),
                None => Ok(Some(text)),
            },
            result => Ok(result),
        };
        if let Err(failure) = &result
            && self.saga.compensated_by(ticket).is_some()
            && self.replay.is_told()
        {
            self.notes.warn(|| format!("The step '{}' has failed for good: {}", request.name, failure.message));
        }
        self.saga.settled(ticket, request, &result);
        if self.saga.is_compensating() {
            return self.compensate();
        }
        if let Err(Failure { recovery: Recovery::Cancel, .. }) = &result {
            return self.end(result);
        }
        if result.is_ok() && self.replay.is_told() {
            self.notes.add(|| Note::AfterExecution(ticket));
        }
        Ok(Duty::Settle(Settled { ticket, result, others }))
    }

    pub(super) fn execute(&mut self, place: Place) -> Result<Duty> {
        let Place { ref request, step_id, concurrent, .. } = place;
        if self.is_announced_first(&place) {
            return self.submit_plan(std::slice::from_ref(request), step_id, place.beside);
        }
        self.notes.add(|| Note::BeforeExecution(request.name.clone()));
        self.notes.expect(|| Awaited::Step(request.name.clone()));
        let (client, delivery) = (&self.endpoint.client, &self.delivery);
        match &request.kind {
            StepKind::Run(_) => {
                let duty = match self.saga.compensated_by(place.ticket) {
                    Some(done) => Duty::Compensate { ticket: done.ticket, result: done.result.clone() },
                    None => Duty::Run { ticket: place.ticket, attempt: place.retried },
                };
                self.state = State::Executing(place);
                Ok(duty)
            }
            // These have no function: their result is that they have been submitted.
            StepKind::SleepFor(_) | StepKind::SleepUntil(_) => self.submit_result(&place, None),
            StepKind::Patch => self.submit_result(&place, Some("true".to_owned())),
            StepKind::CreateWebhook => {
                let event_id = format!("evt_{}", self.fresh_id.get(..15).unwrap_or(&self.fresh_id));
                let out = event::webhook(client, &delivery.run_id, &event_id)?;
                self.submit_result(&place, Some(out))
            }
            StepKind::Call(call) => {
                let mut message = call.message(&request.name, step_id, concurrent, delivery, self.repeatable.fresh());
                self.add_cause(&mut message.headers, place.beside);
                let request = client.send_alone(message)?;
                Ok(self.submit(request))
            }
            StepKind::Notify(notification) => {
                let request = notification.request(client);
                self.state = State::Notifying(place);
                Ok(Duty::Send(request))
            }
            StepKind::WaitForEvent(wait) | StepKind::WaitForWebhook(wait) => {
                let step_type = request.kind.step_type();
                let mut request = wait.request(client, delivery, step_type, &request.name, step_id, concurrent)?;
                self.notes.expect_nothing();
                self.add_cause(&mut request.headers, place.beside);
                Ok(self.submit(request))
            }
            StepKind::Invoke(invoke) => {
                let run_id =
                    invoke.run_id.clone().or_else(|| RunId::new(format!("{}{}", RunId::PREFIX, self.fresh_id)));
                let run_id = run_id.ok_or_else(|| Error::new(Code::Internal, "an invoked run without an id"))?;
                let mut request = invoke.request(client, delivery, run_id, &request.name, step_id, concurrent)?;
                self.add_cause(&mut request.headers, place.beside);
                Ok(self.submit(request))
            }
        }
    }

    /// Whether a plan goes before the step although it is on its own.
    pub(super) fn is_announced_first(&self, place: &Place) -> bool {
        match &place.request.kind {
            // The result of a sleep is in the history before its time has come. Other branches must not see it there.
            StepKind::SleepFor(_) | StepKind::SleepUntil(_) => place.beside,
            // The broker makes the result of these, so what the workflow was told of the time must travel before.
            StepKind::WaitForEvent(_) | StepKind::WaitForWebhook(_) | StepKind::Invoke(_) => {
                !self.repeatable.fresh().is_empty() && place.concurrent == 1
            }
            _ => false,
        }
    }

    pub(super) fn handle_step_failure(&mut self, place: &Place, failure: &Failure) -> Result<Duty> {
        let Some(retry) = place.request.retry() else {
            return match failure.recovery {
                Recovery::Cancel => Ok(self.submit_ending(Ending::Cancelled)),
                _ => Ok(self.respond(answer::failure(failure, Some(&place.request.name)))),
            };
        };
        let record = retry::record(failure)?;
        // Every try has a place of its own.
        let chance = now::chance(&self.delivery.run_id, place.step_id);
        let Some(delay) = retry.delay(place.retried, failure, chance) else {
            return self.submit_result(place, Some(record));
        };
        let step = place.request.failed_try(place.step_id, place.concurrent, delay.clone(), record)?;
        let mut headers = self.step_headers();
        self.add_cause(&mut headers, place.beside);
        StepRequest { name: String::new(), kind: StepKind::SleepFor(delay) }.wait(&mut headers);
        let item = self.item(&step, headers)?;
        Ok(self.send(Purpose::Steps, &[item]))
    }
}

/// The result of a remembered step, as the official SDK reads it.
fn result_of(step: &Step) -> Result<Option<String>> {
    let kind = step.step_type;
    let Some(out) = &step.out else {
        return match kind {
            StepType::Wait => event::waited(step).map(Some),
            StepType::WaitForWebhook => event::called(step).map(Some),
            StepType::Call | StepType::Invoke | StepType::CreateWebhook => Err(unexpected_out(step, "nothing")),
            _ => Ok(None),
        };
    };
    let text = match out.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(out.get()).map_err(not_json)?,
        Some(b'{' | b'[' | b'n') => return Ok(Some(out.get().to_owned())),
        _ => return Err(unexpected_out(step, out.get())),
    };
    match kind {
        StepType::SleepUntil => Ok(None),
        StepType::Call => call::result(&text).map(Some),
        StepType::Notify => event::notified(&text).map(Some),
        StepType::Invoke => invoke::invoked(&text).map(Some),
        StepType::Wait => event::waited(step).map(Some),
        StepType::WaitForWebhook => event::called(step).map(Some),
        _ => Ok(Some(text)),
    }
}

fn unexpected_out(step: &Step, found: &str) -> Error {
    let (place, name, found) = (step.place(), shown(&step.step_name), shown(found));
    Error::new(
        Code::HistoryMalformed,
        format!("field 'out' of step {place} ('{name}') must be a string that holds JSON, got {found}"),
    )
}
