//! A step's own retries, and how its failure is remembered when they are used up.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;
use crate::wire::expression::{LONGEST_DELAY, default_delay};
use crate::wire::{Expression, Number, parse_duration};
use crate::workflow::failure::{Failure, Recovery};

/// How often a step's function is tried again, and when.
///
/// Each failed try is remembered and costs one message; nothing is held while it waits. When the tries are used up, the
/// failure becomes the step's result: the workflow may catch it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retry {
    /// Tries after the first.
    pub retries: u32,
    /// The wait before a retry; by default 12 s, 2 min 28 s, 30 min, … as the broker's own.
    pub delay: Option<Expression>,
}

impl Retry {
    /// The default of steps that stand beside compensated ones: as often as a delivery is tried again by default.
    pub(crate) const DEFAULT: Self = Self { retries: 3, delay: None };

    /// `retries` tries after the first; `delay` as a duration such as `10s`, or an expression in milliseconds such as
    /// `1000 * (1 + retried)`.
    ///
    /// [`Code::InvalidExpression`] if `delay` is neither.
    pub fn new(retries: u32, delay: Option<&str>) -> Result<Self> {
        let delay = match delay {
            Some(text) if text.ends_with(|c: char| c.is_ascii_alphabetic()) && parse_duration(text).is_ok() => {
                Some(Expression::parse(&parse_duration(text)?.as_millis().to_string())?)
            }
            Some(text) => Some(Expression::parse(text)?),
            None => None,
        };
        Ok(Self { retries, delay })
    }

    /// The wait before the retry after `retried` ones, in seconds; `None` if there is none.
    pub(crate) fn delay(&self, retried: u32, failure: &Failure) -> Option<Number> {
        if retried >= self.retries || !failure.is_retryable() {
            return None;
        }
        if let Recovery::RetryAfter(delay) = &failure.recovery {
            return Some(match delay.parse::<u64>() {
                Ok(seconds) => Number::Number(seconds.into()),
                Err(_) if parse_duration(delay).is_ok() => Number::Text(delay.clone()),
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Rounded up, and in range.
                Err(_) => Number::Number(match delay.parse::<f64>() {
                    Ok(seconds) if (0.0..=LONGEST_DELAY.as_secs_f64()).contains(&seconds) => {
                        (seconds.ceil() as u64).into()
                    }
                    _ => default_delay(retried).as_secs().into(),
                }),
            });
        }
        let seconds = self.delay.as_ref().map_or(default_delay(retried).as_secs_f64(), |expression| {
            let millis = expression.evaluate(retried);
            if millis.is_nan() { 0.0 } else { (millis / 1000.0).clamp(0.0, LONGEST_DELAY.as_secs_f64()) }
        });
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Within a day, and not negative.
        Some(Number::Number(((seconds + 0.5).floor() as u64).into()))
    }
}

/// A failure as the result of a step. A result of the workflow's own is never of this shape.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Recorded<'a> {
    #[serde(borrow, rename = "orchestration:failure")]
    failure: RecordedFailure<'a>,
}

#[derive(Deserialize, Serialize)]
struct RecordedFailure<'a> {
    name: std::borrow::Cow<'a, str>,
    message: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stack: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cancel: bool,
}

/// What the text of a recorded failure starts with.
const PREFIX: &str = r#"{"orchestration:failure":"#;

/// The failure as the JSON text of a step's result.
pub(crate) fn record(failure: &Failure) -> Result<String> {
    let recorded = Recorded {
        failure: RecordedFailure {
            name: (&failure.name).into(),
            message: (&failure.message).into(),
            stack: failure.stack.as_deref().map(Into::into),
            cancel: failure.recovery == Recovery::Cancel,
        },
    };
    serde_json::to_string(&recorded).map_err(crate::workflow::step::not_json)
}

/// The failure that a step's result records, if it does. It is final: a retry would only replay it.
///
/// [`Code::HistoryMalformed`] if it can't be read.
pub(crate) fn recorded(result: &str) -> Result<Option<Failure>> {
    if !result.starts_with(PREFIX) {
        return Ok(None);
    }
    let Recorded { failure } = serde_json::from_str(result).map_err(|error| {
        Error::new(Code::HistoryMalformed, format!("a recorded failure can't be read: {}", shown(&error.to_string())))
    })?;
    let recovery = if failure.cancel { Recovery::Cancel } else { Recovery::Fail };
    Ok(Some(Failure {
        name: failure.name.into_owned(),
        message: failure.message.into_owned(),
        stack: failure.stack.map(std::borrow::Cow::into_owned),
        recovery,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(retry: &Retry, retried: u32, failure: &Failure) -> Option<Number> {
        retry.delay(retried, failure)
    }

    fn seconds(seconds: u64) -> Number {
        Number::Number(seconds.into())
    }

    #[test]
    fn waits_as_told_and_gives_up_in_the_end() {
        let failure = Failure::new("Error", "no");
        let default = Retry { retries: 2, delay: None };
        assert_eq!(delay(&default, 0, &failure), Some(seconds(12)));
        assert_eq!(delay(&default, 1, &failure), Some(seconds(148)));
        assert_eq!(delay(&default, 2, &failure), None);
        for (text, expected) in [("10s", 10), ("1m", 60), ("2000", 2), ("1000 * (1 + retried)", 1), ("0", 0), ("-5", 0)]
        {
            assert_eq!(delay(&Retry::new(1, Some(text)).unwrap(), 0, &failure), Some(seconds(expected)), "{text}");
        }
        assert_eq!(Retry::new(1, Some("soon")).map_err(|e| e.code()), Err(Code::InvalidExpression));
    }

    #[test]
    fn the_failure_has_a_say() {
        let retry = Retry { retries: 1, delay: None };
        assert_eq!(delay(&retry, 0, &Failure::retry_after("later", "30")), Some(seconds(30)));
        assert_eq!(delay(&retry, 0, &Failure::retry_after("later", "2m")), Some(Number::Text("2m".into())));
        assert_eq!(delay(&retry, 0, &Failure::retry_after("later", "1.2")), Some(seconds(2)));
        assert_eq!(delay(&retry, 0, &Failure::retry_after("later", "soon")), Some(seconds(12)));
        assert_eq!(delay(&retry, 1, &Failure::retry_after("later", "30")), None);
        assert_eq!(delay(&retry, 0, &Failure::non_retryable("never")), None);
        assert_eq!(delay(&retry, 0, &Failure::cancel()), None);
    }

    #[test]
    fn a_recorded_failure_comes_back_final() {
        let failure = Failure { stack: Some("at x".into()), ..Failure::new("TypeError", "a \"quoted\" one\n") };
        let read = recorded(&record(&failure).unwrap()).unwrap().unwrap();
        assert_eq!(read, Failure { recovery: Recovery::Fail, ..failure });
        assert_eq!(recorded(&record(&Failure::cancel()).unwrap()).unwrap().unwrap().recovery, Recovery::Cancel);
        assert_eq!(recorded(r#"{"orchestration":1}"#).unwrap(), None);
        assert!(recorded(r#"{"orchestration:failure":5}"#).is_err());
    }
}
