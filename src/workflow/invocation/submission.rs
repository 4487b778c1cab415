//! What is sent to the broker, and what its answer means.

use crate::client::{BatchItem, Ending, Trigger, check, engine_headers};
use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Method, Request, Response, Step, header};
use crate::workflow::answer;
use crate::workflow::answer::Finish;
use crate::workflow::delivery::DeliveryKind;
use crate::workflow::failure::Failure;
use crate::workflow::invocation::{Duty, Invocation, Purpose, State};
use crate::workflow::notes::{Awaited, Note};
use crate::workflow::replay::Place;
use crate::workflow::step::{StepKind, StepRequest, not_json};

impl Invocation {
    pub(super) fn handle_notified(&mut self, place: &Place, response: &Response) -> Duty {
        let StepKind::Notify(notification) = &place.request.kind else {
            return self.respond_error(&Error::new(Code::Internal, "an answer to a notification that was not sent"));
        };
        if !response.is_success() {
            return self.handle_submitted(Purpose::Steps, response);
        }
        notification
            .out(&response.body)
            .and_then(|out| self.submit_result(place, Some(out)))
            .unwrap_or_else(|error| self.respond_error(&error))
    }

    pub(super) fn submit_plan(&mut self, requests: &[StepRequest], first: u32, beside: bool) -> Result<Duty> {
        let concurrent = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let items = (first..)
            .zip(requests)
            .map(|(target, request)| {
                let mut headers = self.step_headers();
                self.add_cause(&mut headers, beside);
                request.wait(&mut headers);
                self.item(&request.plan(target, concurrent), headers)
            })
            .collect::<Result<Vec<_>>>()?;
        let count = items.len();
        self.notes.info(|| format!("Submitting {count} parallel steps."));
        self.notes.expect(|| Awaited::Plan(count));
        Ok(self.send(Purpose::Steps, &items))
    }

    pub(super) fn submit_result(&mut self, place: &Place, out: Option<String>) -> Result<Duty> {
        let mut headers = self.step_headers();
        self.add_cause(&mut headers, place.beside);
        if !place.is_planned {
            place.request.wait(&mut headers);
        }
        let item = self.item(&place.request.result(place.step_id, place.concurrent, out)?, headers)?;
        Ok(self.send(Purpose::Steps, &[item]))
    }

    pub(super) fn submit_trigger(&mut self) -> Duty {
        self.group.clear();
        let mut trigger = Trigger::new(&self.delivery.url, self.delivery.run_id.clone());
        trigger.body = self.trigger_body.take();
        trigger.headers = self.delivery.headers.clone();
        trigger.invoke_count = self.delivery.invoke_count;
        trigger.failure_url.clone_from(&self.endpoint.failure_url);
        trigger.retries = self.endpoint.retries;
        trigger.retry_delay.clone_from(&self.endpoint.retry_delay);
        trigger.flow_control.clone_from(&self.endpoint.flow_control);
        let item = trigger.into_batch_item().map(|mut item| {
            if self.endpoint.json_content {
                item.headers.set(header::CONTENT_TYPE, "application/json");
            }
            if let Some(label) = &self.delivery.label {
                item.headers.set(header::LABEL, label);
            }
            if self.delivery.kind == DeliveryKind::FirstOfUnknownSdk {
                item.headers.set(header::WORKFLOW_TRIGGER_BY_SDK, "true");
            }
            item
        });
        self.notes.expect(|| Awaited::Trigger { run_id: self.delivery.run_id.clone(), url: self.delivery.url.clone() });
        match item {
            Ok(item) => self.send(Purpose::Trigger, &[item]),
            Err(error) => self.respond_error(&error),
        }
    }

    pub(super) fn submit_ending(&mut self, ending: Ending) -> Duty {
        let purpose = if ending == Ending::Cancelled { Purpose::Cancel } else { Purpose::Finish };
        if purpose == Purpose::Finish {
            let run_id = &self.delivery.run_id;
            self.notes.add(|| Note::RunCompleted);
            self.notes.info(|| format!("Deleting workflow run {run_id} from QStash."));
            self.notes.expect(|| Awaited::Finish(run_id.clone()));
        }
        let request = self.endpoint.client.end_run(&self.delivery.run_id, ending);
        self.state = State::Submitting(purpose);
        Duty::Send(request)
    }

    pub(super) fn submit(&mut self, request: Request) -> Duty {
        self.state = State::Submitting(Purpose::Steps);
        Duty::Send(request)
    }

    pub(super) fn send(&mut self, purpose: Purpose, items: &[BatchItem]) -> Duty {
        self.state = State::Submitting(purpose);
        Duty::Send(self.endpoint.client.batch(items))
    }

    pub(super) fn step_headers(&self) -> Headers {
        let mut headers = Headers::new();
        headers.set(header::METHOD, Method::Post.as_str());
        headers.set(header::CONTENT_TYPE, "application/json");
        engine_headers(&mut headers, &self.delivery.run_id, &self.delivery.url, false, self.delivery.invoke_count);
        headers
    }

    /// Says which delivery a submission answers, where its place does not.
    pub(super) fn add_cause(&self, headers: &mut Headers, beside: bool) {
        if let Some(message_id) = self.delivery.message_id.as_ref().filter(|_| beside) {
            headers.set(header::WORKFLOW_CAUSE, message_id);
        }
    }

    pub(super) fn item(&self, step: &Step, headers: Headers) -> Result<BatchItem> {
        let fresh = self.repeatable.fresh();
        let body = if fresh.is_empty() {
            serde_json::to_string(step)
        } else {
            serde_json::to_string(&Step { now: fresh.to_vec(), ..step.clone() })
        };
        let body = body.map_err(not_json)?;
        Ok(BatchItem { destination: self.delivery.url.clone(), headers, body: Some(body), queue: None })
    }

    pub(super) fn handle_submitted(&mut self, purpose: Purpose, response: &Response) -> Duty {
        match (purpose, response.status) {
            // The run has ended or was cancelled meanwhile; its last message must not be tried again.
            (Purpose::Steps | Purpose::Finish, 400) => {
                let reason = check(response).err();
                self.notes.warn(|| {
                    let reason = reason.as_ref().map(Error::message).unwrap_or_default();
                    format!("Tried to append to a cancelled workflow. Exiting without publishing. Error: {reason}")
                });
                self.finish(Finish::Success)
            }
            (Purpose::Steps, 412) => {
                let reason = check(response).err().map(|error| error.message().to_owned()).unwrap_or_default();
                self.respond(answer::failure(&Failure::non_retryable(reason), None))
            }
            _ => match check(response).inspect(|()| self.notes.accepted(response)) {
                Ok(()) if purpose == Purpose::CallResult => self.finish(Finish::FromCallback),
                Ok(()) => self.finish(Finish::Success),
                Err(error) => self.respond_error(&error),
            },
        }
    }
}
