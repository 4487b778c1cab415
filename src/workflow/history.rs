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
    /// Whether the step that caused this delivery had been there before.
    pub ends_with_duplicate: bool,
}

impl History {
    /// Reads the JSON array of a delivery's body.
    ///
    /// [`Code::HistoryMalformed`] or [`Code::HistoryGap`], naming the entry.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let entries: Vec<RawStep> = serde_json::from_slice(body).map_err(|error| {
            Error::new(
                Code::HistoryMalformed,
                format!(
                    "the body is not a history (a JSON array of entries with messageId, body and callType): {error}"
                ),
            )
        })?;
        Self::decode(&entries)
    }

    /// Reads a fetched history up to the message that caused the delivery.
    pub fn fetched(body: &[u8], message_id: Option<&str>) -> Result<Self> {
        let entries: Vec<RawStep> = serde_json::from_slice(body).map_err(|error| {
            Error::new(Code::HistoryMalformed, format!("the fetched history is not a JSON array of entries: {error}"))
        })?;
        let entries = match message_id {
            Some(message_id) if entries.len() > 1 => {
                let index = entries.iter().position(|entry| entry.message_id == message_id).ok_or_else(|| {
                    Error::new(
                        Code::HistoryGap,
                        format!("the fetched history does not hold the delivered message '{}'", shown(message_id)),
                    )
                })?;
                &entries[..=index]
            }
            _ => &entries[..],
        };
        Self::decode(entries)
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
        let mut ends_with_duplicate = false;
        for (index, entry) in rest.iter().enumerate() {
            if entry.call_type != CallType::Step {
                continue;
            }
            let step = entry.decode(index + 1)?;
            if step.place() == 0 && step.step_type == StepType::Initial {
                // The payload is there already, as entry 0.
                ends_with_duplicate = true;
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
            ends_with_duplicate = !seen.insert((step.is_plan(), step.place()));
            if !ends_with_duplicate {
                steps.push(step);
            }
        }
        check_places(&steps)?;
        Ok(Self { payload: decode_utf8(&payload), steps, ends_with_duplicate })
    }
}

/// Every place up to the last must be there; inside a group that is under way, some may still be missing.
fn check_places(steps: &[Step]) -> Result<()> {
    let mut present: Vec<&Step> = steps.iter().collect();
    present.sort_by_key(|step| step.place());
    let mut last = 0;
    // The furthest place that a group seen so far may still fill, and the next group's reach backwards.
    let mut reach = 0;
    for step in present {
        let group_start = step.place().saturating_sub(step.concurrent.max(1) - 1);
        if step.place() > last + 1 && reach < step.place() - 1 && group_start > last + 1 {
            return Err(Error::new(
                Code::HistoryGap,
                format!(
                    "the history lacks step {}, though step {} ('{}') is there",
                    last + 1,
                    step.place(),
                    shown(&step.step_name)
                ),
            ));
        }
        last = step.place();
        reach = reach.max(step.place().saturating_add(step.concurrent.max(1) - 1));
    }
    Ok(())
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
        History::parse(serde_json::to_string(&entries).unwrap().as_bytes())
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
        assert!(!earlier.ends_with_duplicate && earlier.steps.len() == 2);
        assert!(history(&["p", &result(1), &result(1)]).unwrap().ends_with_duplicate);
        assert!(!history(&["p", &plan(1, 2), &plan(2, 2)]).unwrap().ends_with_duplicate);
    }

    #[test]
    fn a_gap_names_the_step() {
        let error = history(&["p", &result(1), &result(3)]).unwrap_err();
        assert_eq!(error.code(), Code::HistoryGap);
        assert!(error.message().contains("lacks step 2") && error.message().contains("'s3'"), "{error}");
        assert!(history(&["p", &plan(2, 2)]).is_ok(), "the other branch of a group may come later");
        assert_eq!(history(&["p", &plan(4_000_000_000, 2)]).map_err(|e| e.code()).unwrap_err(), Code::HistoryGap);
        assert!(history(&["p", &plan(1, 3), &plan(3, 3)]).is_ok());
        assert!(history(&["p", &plan(1, 2), &plan(4, 2)]).is_err());
    }

    #[test]
    fn what_is_not_a_history_says_so() {
        for body in
            ["", "{}", "null", "[1]", r#"[{"body":5}]"#, "[]", r#"[{"messageId":"m","body":"*","callType":"step"}]"#]
        {
            let error = History::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::HistoryMalformed, "{body}: {error}");
        }
    }
}
