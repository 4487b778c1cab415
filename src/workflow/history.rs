//! The remembered steps that a delivery carries.

use std::collections::HashSet;

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::{CallType, RawStep, Step, StepType, base64};

/// A run's payload and remembered steps: decoded, without duplicates, every place accounted for.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// The payload that started the run, as text.
    pub payload: String,
    /// Plan and result steps in the order in which the broker took them.
    pub steps: Vec<Step>,
    /// Name and id of the step that caused this delivery, if it had been there before.
    pub duplicate: Option<(String, u32)>,
}

impl History {
    /// Reads the JSON array of a delivery's body, up to the message that caused the delivery if it is there.
    ///
    /// [`Code::HistoryMalformed`] or [`Code::HistoryGap`], naming the entry.
    pub fn parse(body: &[u8], message_id: Option<&str>) -> Result<Self> {
        let entries =
            entries(body, "the body is not a history (a JSON array of entries with messageId, body and callType)")?;
        let end = position(&entries, message_id).map_or(entries.len(), |index| index + 1);
        Self::decode(&entries[..end])
    }

    /// Reads a fetched history up to the message that caused the delivery.
    pub fn fetched(body: &[u8], message_id: Option<&str>) -> Result<Self> {
        let entries = entries(body, FETCHED)?;
        let end = match message_id {
            Some(id) if entries.len() > 1 => position(&entries, message_id).ok_or_else(|| lacks(id))? + 1,
            _ => entries.len(),
        };
        Self::decode(&entries[..end])
    }

    /// How many entries a fetched history has, and up to the message that caused the delivery; the second only if it
    /// matters.
    pub fn counted(body: &[u8], message_id: Option<&str>) -> Option<(usize, Option<usize>)> {
        let entries = entries(body, FETCHED).ok().filter(|entries| entries.len() > 1)?;
        match message_id {
            None => Some((entries.len(), None)),
            Some(_) => position(&entries, message_id).map(|index| (entries.len(), Some(index + 1))),
        }
    }

    /// The body of one message in a fetched history.
    pub fn fetched_body(body: &[u8], message_id: Option<&str>) -> Result<Vec<u8>> {
        let entries = entries(body, FETCHED)?;
        let entry = position(&entries, message_id)
            .and_then(|index| entries.get(index))
            .ok_or_else(|| lacks(message_id.unwrap_or_default()))?;
        base64::decode(&entry.body).ok_or_else(|| {
            Error::new(Code::HistoryMalformed, "the body of the fetched callback is not standard base64")
        })
    }

    fn decode(entries: &[RawStep]) -> Result<Self> {
        let Some((first, rest)) = entries.split_first() else {
            return Err(Error::new(
                Code::HistoryMalformed,
                "the history is empty: expected the run's payload in history[0]",
            ));
        };
        let payload = base64::decode(&first.body)
            .ok_or_else(|| Error::new(Code::HistoryMalformed, "history[0].body is not standard base64"))?;
        let mut steps: Vec<Step> = Vec::with_capacity(rest.len());
        let mut seen = HashSet::with_capacity(rest.len());
        let mut duplicate = None;
        for (index, entry) in rest.iter().enumerate() {
            if entry.call_type != CallType::Step {
                continue;
            }
            let step = entry.decode(index + 1)?;
            if step.place() == 0 && step.step_type == StepType::Initial {
                // The payload is there already, as entry 0.
                duplicate = Some((step.step_name, step.step_id));
                continue;
            }
            if step.place() == 0 {
                return Err(Error::new(
                    Code::HistoryMalformed,
                    format!(
                        "history[{}] ('{}') has neither a stepId nor a targetStep",
                        index + 1,
                        shown(&step.step_name)
                    ),
                ));
            }
            if seen.insert((step.is_plan(), step.place())) {
                duplicate = None;
                steps.push(step);
            } else {
                duplicate = Some((step.step_name, step.step_id));
            }
        }
        Ok(Self { payload: decode_utf8(&payload), steps, duplicate })
    }
}

const FETCHED: &str = "the fetched history is not a JSON array of entries";

fn entries(body: &[u8], complaint: &str) -> Result<Vec<RawStep>> {
    serde_json::from_slice(body).map_err(|error| Error::new(Code::HistoryMalformed, format!("{complaint}: {error}")))
}

/// Where the message is that caused the delivery.
fn position(entries: &[RawStep], message_id: Option<&str>) -> Option<usize> {
    let message_id = message_id.filter(|id| !id.is_empty())?;
    entries.iter().position(|entry| entry.message_id == message_id)
}

fn lacks(message_id: &str) -> Error {
    let message = format!("the fetched history does not hold the delivered message '{}'", shown(message_id));
    Error::new(Code::HistoryGap, message)
}

/// As `TextDecoder` does: a byte order mark is dropped, what is not UTF-8 is replaced.
fn decode_utf8(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(entries: &[&str]) -> Result<History> {
        let entries: Vec<_> = entries
            .iter()
            .enumerate()
            .map(|(index, body)| serde_json::json!({"messageId": format!("msg_{index}"), "body": base64::encode(body), "callType": "step"}))
            .collect();
        History::parse(serde_json::to_string(&entries).unwrap().as_bytes(), None)
    }

    fn result(id: u32) -> String {
        format!(r#"{{"stepId":{id},"stepName":"s{id}","stepType":"Run","out":"1","concurrent":1}}"#)
    }

    fn plan(target: u32, concurrent: u32) -> String {
        format!(
            r#"{{"stepId":0,"stepName":"s{target}","stepType":"Run","concurrent":{concurrent},"targetStep":{target}}}"#
        )
    }

    #[test]
    fn only_a_last_duplicate_ends_the_delivery() {
        let earlier = history(&["p", &result(1), &result(1), &result(2)]).unwrap();
        assert!(earlier.duplicate.is_none() && earlier.steps.len() == 2);
        assert!(history(&["p", &result(1), &result(1)]).unwrap().duplicate.is_some());
        assert!(history(&["p", &plan(1, 2), &plan(2, 2)]).unwrap().duplicate.is_none());
    }

    #[test]
    fn what_is_not_a_history_says_so() {
        for body in
            ["", "{}", "null", "[1]", r#"[{"body":5}]"#, "[]", r#"[{"messageId":"m","body":"*","callType":"step"}]"#]
        {
            let error = History::parse(body.as_bytes(), None).unwrap_err();
            assert_eq!(error.code(), Code::HistoryMalformed, "{body}: {error}");
        }
    }
}
