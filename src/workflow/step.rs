//! What a workflow asks for, and the steps that tell the broker of it.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::error::{Code, Error, Result};
use crate::wire::{Headers, Number, Step, StepType, Timestamp, header};
use crate::workflow::call::Call;
use crate::workflow::event::{Notification, Wait, check_id};
use crate::workflow::invoke::Invoke;
use crate::workflow::retry::Retry;

/// A step that the workflow asks for: what it is, without the function that a host may hold for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepRequest {
    pub name: String,
    pub kind: StepKind,
}

/// The kinds of steps that a workflow can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Run a function and remember its result.
    Run(RunOptions),
    /// Sleep: seconds, or a duration such as `1d`.
    SleepFor(Number),
    /// Sleep until Unix seconds.
    SleepUntil(Number),
    /// Have the broker make an HTTP request, and remember the answer.
    Call(Box<Call>),
    /// Wait until somebody notifies of an event.
    WaitForEvent(Wait),
    /// Notify those who wait for an event.
    Notify(Notification),
    /// Start a run of another workflow and wait for its end.
    Invoke(Box<Invoke>),
    /// Make a URL whose next caller is an event of this run.
    CreateWebhook,
    /// Wait until somebody calls such a URL.
    WaitForWebhook(Wait),
    /// Ask whether this run has come here with the code that asks: `true` in runs that reach it for the first time,
    /// `false` in runs that were past this place before.
    Patch,
}

/// What can be asked for a step with a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// The step's own retries. Without them its failure is one of the delivery, tried again by the run's settings.
    pub retry: Option<Retry>,
    /// Whether the host holds a function that makes up for the step if the run fails later.
    pub compensated: bool,
}

/// What the function of a step is told of its try; see [`PolicyStep::run_with`](crate::workflow::PolicyStep::run_with).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepTools {
    /// How many tries of the step failed before this one, by its own retries: 0 in the first, and always without them.
    pub attempt: u32,
}

impl StepKind {
    /// Sleep for `duration`; the broker counts whole seconds, rounded half up.
    pub fn sleep(duration: Duration) -> Self {
        let seconds = duration.as_secs_f64();
        let number = if duration.subsec_nanos() == 0 {
            Some(duration.as_secs().into())
        } else {
            serde_json::Number::from_f64(seconds)
        };
        Self::SleepFor(number.map_or_else(|| Number::Text(format!("{}s", duration.as_secs())), Number::Number))
    }

    /// Sleep until `moment`, rounded to the second.
    pub fn sleep_until(moment: Timestamp) -> Self {
        Self::SleepUntil(Number::Number(((moment.millis() + 500) / 1000).into()))
    }

    /// The name of the kind on the wire.
    pub(crate) const fn step_type(&self) -> StepType {
        match self {
            StepKind::Run(_) | StepKind::Patch => StepType::Run,
            StepKind::SleepFor(_) => StepType::SleepFor,
            StepKind::SleepUntil(_) => StepType::SleepUntil,
            StepKind::Call(_) => StepType::Call,
            StepKind::WaitForEvent(_) => StepType::Wait,
            StepKind::Notify(_) => StepType::Notify,
            StepKind::Invoke(_) => StepType::Invoke,
            StepKind::CreateWebhook => StepType::CreateWebhook,
            StepKind::WaitForWebhook(_) => StepType::WaitForWebhook,
        }
    }
}

impl StepRequest {
    /// A step without options.
    ///
    /// [`Code::InvalidRequest`] for an empty name, or an empty id of an event or a run.
    pub fn new(name: &str, kind: StepKind) -> Result<Self> {
        if name.is_empty() {
            return Err(Error::new(Code::InvalidRequest, "a step needs a name that is not empty"));
        }
        match &kind {
            StepKind::WaitForEvent(wait) | StepKind::WaitForWebhook(wait) => check_id("event", &wait.event_id)?,
            StepKind::Notify(Notification { event_id, run_id, .. }) => {
                check_id("event", event_id)?;
                run_id.iter().try_for_each(|run_id| check_id("run", run_id))?;
            }
            _ => {}
        }
        let name = if kind == StepKind::Patch { format!("{PATCH_PREFIX}{name}") } else { name.to_owned() };
        Ok(Self { name, kind })
    }

    /// How the step is tried again when its function fails; `None` if that is up to the run.
    pub fn retry(&self) -> Option<&Retry> {
        match &self.kind {
            StepKind::Run(options) => options.retry.as_ref(),
            _ => None,
        }
    }

    /// The plan step that announces this step as a branch of a group.
    pub fn plan(&self, target: u32, concurrent: u32) -> Step {
        let mut step = self.step(0, concurrent);
        step.target_step = Some(target);
        if let StepKind::WaitForEvent(wait) | StepKind::WaitForWebhook(wait) = &self.kind {
            step.wait_event_id = Some(wait.event_id.clone());
            step.timeout.clone_from(&wait.timeout);
        }
        step
    }

    /// The step that tells its result; `out` is the result as JSON text.
    ///
    /// [`Code::NotSerializable`] never happens: a text can always be written.
    pub fn result(&self, step_id: u32, concurrent: u32, out: Option<String>) -> Result<Step> {
        // The result travels as a string that holds JSON.
        let out = out.map(|text| serde_json::value::to_raw_value(&text)).transpose().map_err(not_json)?;
        Ok(Step { out, ..self.step(step_id, concurrent) })
    }

    /// The step that tells that a try has failed, and that by its own policy there will be another after `delay`.
    ///
    /// On the wire it is a sleep: any broker delivers it when the time has come.
    pub fn failed_try(&self, step_id: u32, concurrent: u32, delay: Number, failure: String) -> Result<Step> {
        let step = self.result(step_id, concurrent, Some(failure))?;
        Ok(Step { step_type: StepType::SleepFor, sleep_for: Some(delay), ..step })
    }

    fn step(&self, step_id: u32, concurrent: u32) -> Step {
        let (sleep_for, sleep_until) = match &self.kind {
            StepKind::SleepFor(duration) => (Some(duration.clone()), None),
            StepKind::SleepUntil(moment) => (None, Some(moment.clone())),
            _ => (None, None),
        };
        Step {
            step_id,
            step_name: self.name.clone(),
            step_type: self.kind.step_type(),
            out: None::<Box<RawValue>>,
            sleep_for,
            sleep_until,
            wait_event_id: None,
            timeout: None,
            concurrent,
            target_step: None,
            wait_timeout: None,
            now: Vec::new(),
        }
    }

    /// The header by which the broker waits before it delivers this step's message.
    ///
    /// In a group the plan waits, outside of one the result does.
    pub fn wait(&self, headers: &mut Headers) {
        match &self.kind {
            StepKind::SleepFor(Number::Number(seconds)) => headers.set(header::DELAY, format!("{}s", rounded(seconds))),
            StepKind::SleepFor(Number::Text(duration)) => headers.set(header::DELAY, duration),
            StepKind::SleepUntil(Number::Number(seconds)) => headers.set(header::NOT_BEFORE, rounded(seconds)),
            StepKind::SleepUntil(Number::Text(moment)) => headers.set(header::NOT_BEFORE, moment),
            _ => {}
        }
    }
}

/// What the names of patch steps start with.
const PATCH_PREFIX: &str = "patch:";

#[allow(clippy::needless_pass_by_value)]
pub(crate) fn not_json(error: serde_json::Error) -> Error {
    Error::new(Code::NotSerializable, format!("not JSON: {error}"))
}

/// The number as JavaScript's `toFixed(0)` writes it: half is rounded up.
pub(crate) fn rounded(number: &serde_json::Number) -> String {
    match number.as_u64() {
        Some(whole) => whole.to_string(),
        None => format!("{:.0}", (number.as_f64().unwrap_or(0.0) + 0.5).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(seconds: f64) -> String {
        let mut headers = Headers::new();
        let kind = StepKind::SleepFor(Number::Number(serde_json::Number::from_f64(seconds).unwrap()));
        StepRequest { name: "s".into(), kind }.wait(&mut headers);
        headers.get(header::DELAY).unwrap().to_owned()
    }

    #[test]
    fn delays_are_whole_seconds_rounded_half_up() {
        for (seconds, expected) in [(10.0, "10s"), (1.5, "2s"), (2.5, "3s"), (0.4, "0s"), (1e9, "1000000000s")] {
            assert_eq!(delay(seconds), expected);
        }
    }

    #[test]
    fn a_whole_duration_is_a_whole_number() {
        assert_eq!(StepKind::sleep(Duration::from_secs(10)), StepKind::SleepFor(Number::Number(10.into())));
    }
}
