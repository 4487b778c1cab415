//! The limits of a flow-control key as messages write them: `parallelism=5, rate=10, period=1m`
//! (`qstash/features/flowcontrol.mdx`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::wire::{header, parse_duration};

/// Limits that all messages of one key share. What is `None` is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLimits {
    /// How many deliveries may be open at once.
    pub parallelism: Option<u32>,
    /// How many deliveries may start in one period.
    pub rate: Option<Rate>,
}

/// So many in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// The period; whole seconds.
    pub period: Duration,
}

/// The period of a rate that names none.
pub const DEFAULT_PERIOD: Duration = Duration::from_secs(1);

/// The longest period.
pub const LONGEST_PERIOD: Duration = Duration::from_hours(7 * 24);

impl FlowLimits {
    /// Reads the header's value; blanks don't matter.
    ///
    /// [`Code::InvalidHeader`] with what was expected for anything else, an empty value included.
    pub fn parse(text: &str) -> Result<Self> {
        let mut limits = Self::default();
        let (mut rate, mut period) = (None, None);
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(invalid)?;
            let value = value.trim();
            match name.trim() {
                "parallelism" => set(&mut limits.parallelism, parse_count(value)?)?,
                "rate" => set(&mut rate, parse_count(value)?)?,
                "period" => set(&mut period, parse_period(value)?)?,
                _ => return Err(invalid()),
            }
        }
        limits.rate = rate.map(|count| Rate { count, period: period.unwrap_or(DEFAULT_PERIOD) });
        if limits == Self::default() { Err(invalid()) } else { Ok(limits) }
    }
}

/// Reads a count, from 1.
pub fn parse_count(text: &str) -> Result<u32> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(invalid)
}

/// Reads a period: a duration, or a number of seconds; from 1 s to 7 days.
pub fn parse_period(text: &str) -> Result<Duration> {
    let period = text.parse().map_or_else(|_| parse_duration(text), |seconds| Ok(Duration::from_secs(seconds)));
    period.ok().filter(|period| (DEFAULT_PERIOD..=LONGEST_PERIOD).contains(period)).ok_or_else(invalid)
}

fn set<T>(place: &mut Option<T>, value: T) -> Result<()> {
    if place.replace(value).is_some() { Err(invalid()) } else { Ok(()) }
}

fn invalid() -> Error {
    Error::new(
        Code::InvalidHeader,
        format!(
            "the header {} is not valid: expected 'parallelism=5, rate=10, period=1m' with a parallelism or a rate \
             of at least 1 and a period from 1s to 7d",
            header::FLOW_CONTROL_VALUE
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_sdks_and_docs_write() {
        let rate = |count, seconds| Some(Rate { count, period: Duration::from_secs(seconds) });
        for (text, parallelism, expected) in [
            ("parallelism=5", Some(5), None),
            ("rate=10", None, rate(10, 1)),
            ("parallelism=1, rate=2, period=3s", Some(1), rate(2, 3)),
            ("rate=10,period=1m,parallelism=5", Some(5), rate(10, 60)),
            ("rate = 1 , period = 30", None, rate(1, 30)),
            ("rate=1,period=7d", None, rate(1, 604_800)),
            ("parallelism=5, period=1m", Some(5), None),
        ] {
            assert_eq!(FlowLimits::parse(text), Ok(FlowLimits { parallelism, rate: expected }), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "5",
            "parallelism",
            "parallelism=0",
            "rate=-1",
            "rate=1.5",
            "period=1m",
            "rate=1,period=0s",
            "rate=1,period=8d",
            "rate=1,rate=2",
            "paralellism=5",
            "parallelism=5,",
        ] {
            let error = FlowLimits::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::InvalidHeader, "{text}");
        }
    }
}
