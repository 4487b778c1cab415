//! What a workflow asks for, and the steps that tell the broker of it.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::wire::{Headers, Number, Step, StepType, Timestamp, header};

/// A step that the workflow asks for: what it is, without the function that a host may hold for it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRequest {
    pub(crate) name: String,
    pub(crate) kind: StepKind,
}

/// The kinds of steps that a workflow can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Run a function and remember its result.
    Run,
    /// Sleep: seconds, or a duration such as `1d`.
    SleepFor(Number),
    /// Sleep until Unix seconds.
    SleepUntil(Number),
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
            StepKind::Run => StepType::Run,
            StepKind::SleepFor(_) => StepType::SleepFor,
            StepKind::SleepUntil(_) => StepType::SleepUntil,
        }
    }
}

impl StepRequest {
    /// The plan step that announces this step as a branch of a group.
    pub(crate) fn plan(&self, target: u32, concurrent: u32) -> Step {
        Step { target_step: Some(target), ..self.step(0, concurrent) }
    }

    /// The step that tells its result; `out` is the result as JSON text.
    pub(crate) fn result(&self, step_id: u32, concurrent: u32, out: Option<Box<RawValue>>) -> Step {
        Step { out, ..self.step(step_id, concurrent) }
    }

    fn step(&self, step_id: u32, concurrent: u32) -> Step {
        let (sleep_for, sleep_until) = match &self.kind {
            StepKind::Run => (None, None),
            StepKind::SleepFor(duration) => (Some(duration.clone()), None),
            StepKind::SleepUntil(moment) => (None, Some(moment.clone())),
        };
        Step {
            step_id,
            step_name: self.name.clone(),
            step_type: self.kind.step_type(),
            out: None,
            sleep_for,
            sleep_until,
            concurrent,
            target_step: None,
            wait_timeout: None,
        }
    }

    /// The header by which the broker waits before it delivers this step's message.
    ///
    /// In a group the plan waits, outside of one the result does.
    pub(crate) fn wait(&self, headers: &mut Headers) {
        match &self.kind {
            StepKind::Run => {}
            StepKind::SleepFor(Number::Number(seconds)) => headers.set(header::DELAY, format!("{}s", rounded(seconds))),
            StepKind::SleepFor(Number::Text(duration)) => headers.set(header::DELAY, duration),
            StepKind::SleepUntil(Number::Number(seconds)) => headers.set(header::NOT_BEFORE, rounded(seconds)),
            StepKind::SleepUntil(Number::Text(moment)) => headers.set(header::NOT_BEFORE, moment),
        }
    }
}

/// The number as JavaScript's `toFixed(0)` writes it: half is rounded up.
fn rounded(number: &serde_json::Number) -> String {
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
