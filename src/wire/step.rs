//! Steps as they travel: [`Step`] is what an SDK submits, [`RawStep`] is how the broker hands it back in a history.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, Error, Result};
use crate::wire::base64;
use crate::wire::duration::shown;

/// One remembered unit of a run.
///
/// Field order is that of the official SDK, so that bodies are equal byte for byte.
/// A *plan step* has `step_id` 0 and a `target_step`; a *result step* has its own id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The step's place in the run, from 1; 0 for the initial step and for plan steps.
    pub step_id: u32,
    /// The name that the workflow gave.
    pub step_name: String,
    /// What kind of step it is.
    pub step_type: StepType,
    /// The result: usually a JSON string that itself contains JSON. Absent for `undefined`; `null` is a result.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub out: Option<Box<RawValue>>,
    /// How long a `SleepFor` step sleeps: seconds, or text such as `1d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep_for: Option<Number>,
    /// Until when a `SleepUntil` step sleeps: Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep_until: Option<Number>,
    /// On the plan of a `Wait` or `WaitForWebhook` step: the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_event_id: Option<String>,
    /// On the plan of such a step: how long it waits, as a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// The size of the parallel group, 1 outside of one.
    pub concurrent: u32,
    /// On a plan step: the id that its result will have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_step: Option<u32>,
    /// On the result of a `Wait` step: whether the wait ended without an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_timeout: Option<bool>,
    /// The moments that the workflow was told when it asked for the time: the number of the question, and Unix
    /// milliseconds. An extension of this SDK, absent unless the workflow asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub now: Vec<(u32, u64)>,
}

/// A member that is there has a value, `null` too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

impl Step {
    /// Whether this step only announces a branch of a parallel group.
    pub fn is_plan(&self) -> bool {
        self.step_id == 0 && self.target_step.is_some_and(|target| target != 0)
    }

    /// The id that counts for ordering: a plan's target, else the step's own.
    pub fn place(&self) -> u32 {
        match self.target_step {
            Some(target) if target != 0 => target,
            _ => self.step_id,
        }
    }
}

/// A number or a text, kept exactly as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A JSON number.
    Number(serde_json::Number),
    /// A JSON string.
    Text(String),
}

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum StepType {
    Initial,
    Run,
    SleepFor,
    SleepUntil,
    Call,
    Wait,
    Notify,
    Invoke,
    CreateWebhook,
    WaitForWebhook,
}

impl StepType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            StepType::Initial => "Initial",
            StepType::Run => "Run",
            StepType::SleepFor => "SleepFor",
            StepType::SleepUntil => "SleepUntil",
            StepType::Call => "Call",
            StepType::Wait => "Wait",
            StepType::Notify => "Notify",
            StepType::Invoke => "Invoke",
            StepType::CreateWebhook => "CreateWebhook",
            StepType::WaitForWebhook => "WaitForWebhook",
        }
    }
}

/// Where an entry of a history came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallType {
    /// Submitted by the workflow.
    Step,
    /// A `context.call` on its way to the third party.
    ToCallback,
    /// The third party's answer on its way back.
    FromCallback,
}

/// One entry of a history: an element of the array that a delivery carries and that
/// `GET /v2/workflows/runs/{id}` answers. Element 0 is the run's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawStep {
    /// The message that carried the entry.
    #[serde(default)]
    pub message_id: String,
    /// The bytes, in standard base64.
    pub body: String,
    /// Where it came from; the payload's is not looked at.
    #[serde(default = "CallType::step")]
    pub call_type: CallType,
}

impl CallType {
    const fn step() -> Self {
        CallType::Step
    }
}

impl RawStep {
    /// The step inside; `index` is the entry's place in the history, for the message.
    ///
    /// [`Code::HistoryMalformed`] if the body is not base64 or not a step.
    pub fn decode(&self, index: usize) -> Result<Step> {
        let bytes = base64::decode(&self.body).ok_or_else(|| {
            Error::new(Code::HistoryMalformed, format!("history[{index}].body is not standard base64"))
        })?;
        // The official SDK decodes as UTF-8 and replaces what is not.
        serde_json::from_str(&String::from_utf8_lossy(&bytes)).map_err(|error| {
            Error::new(
                Code::HistoryMalformed,
                format!("history[{index}].body is not a step: {}", shown(&error.to_string())),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_keeps_the_order_of_its_fields() {
        let text = r#"{"stepId":1,"stepName":"a","stepType":"Run","out":"\"x\"","concurrent":1}"#;
        let step: Step = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&step).unwrap(), text);
        let plan = r#"{"stepId":0,"stepName":"s","stepType":"SleepFor","sleepFor":1.5,"concurrent":2,"targetStep":2}"#;
        let step: Step = serde_json::from_str(plan).unwrap();
        assert!(step.is_plan() && step.place() == 2);
        assert_eq!(serde_json::to_string(&step).unwrap(), plan);
    }

    #[test]
    fn a_bad_entry_names_its_place() {
        let raw = |body: &str| RawStep { message_id: "msg_1".into(), body: body.into(), call_type: CallType::Step };
        for (body, expected) in [
            ("***", "history[3].body is not standard base64"),
            (&base64::encode("{"), "history[3].body is not a step"),
            (&base64::encode(r#"{"stepId":1,"stepName":"a","stepType":"Dance","concurrent":1}"#), "Dance"),
        ] {
            let error = raw(body).decode(3).unwrap_err();
            assert_eq!(error.code(), Code::HistoryMalformed);
            assert!(error.message().contains(expected), "{error}");
        }
    }
}
