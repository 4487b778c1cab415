//! A step's own retries, and how its failure is remembered when they are used up.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::resilience::Backoff;
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
    /// The wait before a retry.
    pub delay: RetryDelay,
}

/// How long a step waits before it is tried again. Waits are whole seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RetryDelay {
    /// 12 s, 2 min 28 s, 30 min, … as the broker's own.
    #[default]
    Default,
    /// As many milliseconds as this comes to; at most a day.
    Expression(Expression),
    /// By this rule; all attempts are durable tries, whatever it says of waits in place.
    Backoff(Backoff),
}

impl Retry {
    /// The default of steps that stand beside compensated ones: as often as a delivery is tried again by default.
    pub(crate) const DEFAULT: Self = Self { retries: 3, delay: RetryDelay::Default };

    /// `retries` tries after the first; `delay` as a duration such as `10s`, or an expression in milliseconds such as
    /// `1000 * (1 + retried)`.
    ///
    /// [`Code::InvalidExpression`] if `delay` is neither.
    pub fn new(retries: u32, delay: Option<&str>) -> Result<Self> {
        let delay = match delay {
            Some(text) if text.ends_with(|c: char| c.is_ascii_alphabetic()) && parse_duration(text).is_ok() => {
                RetryDelay::Expression(Expression::parse(&parse_duration(text)?.as_millis().to_string())?)
            }
            Some(text) => RetryDelay::Expression(Expression::parse(text)?),
            None => RetryDelay::Default,
        };
        Ok(Self { retries, delay })
    }

    /// As many attempts as `backoff` says, with its waits.
    ///
    /// [`Code::InvalidConfiguration`] if it allows no attempt.
    pub fn backoff(backoff: Backoff) -> Result<Self> {
        let backoff = backoff.check()?;
        Ok(Self { retries: backoff.max_attempts - 1, delay: RetryDelay::Backoff(backoff) })
    }

    /// The wait before the retry after `retried` ones, in seconds; `None` if there is none. `chance` is a number from 0
    /// to 1.
    pub(crate) fn delay(&self, retried: u32, failure: &Failure, chance: f64) -> Option<Number> {
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
        let seconds = match &self.delay {
            RetryDelay::Default => default_delay(retried).as_secs_f64(),
            RetryDelay::Expression(expression) => {
                let millis = expression.evaluate(retried);
                if millis.is_nan() { 0.0 } else { (millis / 1000.0).clamp(0.0, LONGEST_DELAY.as_secs_f64()) }
            }
            RetryDelay::Backoff(backoff) => backoff.delay(retried.saturating_add(1), chance).as_secs_f64(),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // Not negative; too much is the most there is.
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
    use std::time::Duration;

    use super::*;

    fn delay(retry: &Retry, retried: u32, failure: &Failure) -> Option<Number> {
        retry.delay(retried, failure, 0.5)
    }

    fn seconds(seconds: u64) -> Number {
        Number::Number(seconds.into())
    }

    #[test]
    fn waits_as_told_and_gives_up_in_the_end() {
        let failure = Failure::new("Error", "no");
        let default = Retry { retries: 2, ..Retry::default() };
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
    fn a_backoff_says_how_often_and_how_long() {
        let backoff = Backoff { max_attempts: 4, first: Duration::from_millis(1600), ..Backoff::default() };
        let retry = Retry::backoff(backoff).unwrap();
        let waits = |chance| (0..4).map(|retried| retry.delay(retried, &Failure::new("Error", "no"), chance)).collect();
        let (least, most): (Vec<_>, Vec<_>) = (waits(0.0), waits(1.0));
        assert_eq!(least, [Some(seconds(1)), Some(seconds(2)), Some(seconds(3)), None]);
        assert_eq!(most, [Some(seconds(2)), Some(seconds(3)), Some(seconds(6)), None]);
        let endless = Backoff { first: Duration::MAX, max: Duration::MAX, max_attempts: u32::MAX, ..backoff };
        assert!(delay(&Retry::backoff(endless).unwrap(), 7, &Failure::new("Error", "no")).is_some());
        assert!(Retry::backoff(Backoff { max_attempts: 0, ..backoff }).is_err());
    }

    #[test]
    fn the_failure_has_a_say() {
        let retry = Retry { retries: 1, ..Retry::default() };
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
