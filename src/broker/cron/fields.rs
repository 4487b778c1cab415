//! The five fields of a cron expression, as sets of numbers.

use jiff::civil::{Date, DateTime, Time};

use super::{SHAPE, invalid};
use crate::error::Result;
use crate::wire::duration::shown;

/// Which minutes fit; bit `n` of a set stands for the number `n`.
#[derive(Clone, Debug)]
pub struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    either_day: bool,
    times_of_day: bool,
}

/// What a field may hold.
struct Kind {
    what: &'static str,
    first: u32,
    last: u32,
    /// Names of the numbers from `first` on.
    names: &'static [&'static str],
}

const MINUTES: Kind = Kind { what: "minutes", first: 0, last: 59, names: &[] };
const HOURS: Kind = Kind { what: "hours", first: 0, last: 23, names: &[] };
const DAYS: Kind = Kind { what: "days of the month", first: 1, last: 31, names: &[] };
const MONTHS: Kind = Kind {
    what: "months",
    first: 1,
    last: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAYS: Kind =
    Kind { what: "weekdays", first: 0, last: SUNDAY, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

/// The other number of Sunday. No other kind of field ends with it.
const SUNDAY: u32 = 7;

const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Fields {
    /// Reads five fields, or one of the words that stand for them.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let text = if text.starts_with('@') { meaning(text)? } else { text };
        let [minutes, hours, days, months, weekdays] = text.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(invalid(&format!("{SHAPE}, got '{}'", shown(text))));
        };
        let any = |field: &str| field.starts_with('*');
        let named = WEEKDAYS.parse(weekdays)?;
        Ok(Self {
            minutes: MINUTES.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days: DAYS.parse(days)?,
            months: MONTHS.parse(months)?,
            weekdays: named | named >> 7,
            either_day: !any(days) && !any(weekdays),
            times_of_day: !any(minutes) && !any(hours),
        })
    }

    /// Whether they name times of the day, rather than a rhythm.
    pub fn are_times_of_day(&self) -> bool {
        self.times_of_day
    }

    /// The first minute that fits, at or after `from` and before `end`.
    pub fn first(&self, from: DateTime, end: DateTime) -> Option<DateTime> {
        let mut date = from.date();
        let mut earliest = from.time();
        while date <= end.date() {
            if !has(self.months, date.month()) {
                date = date.last_of_month().tomorrow().ok()?;
                earliest = Time::midnight();
                continue;
            }
            if let Some(time) = self.first_time(earliest).filter(|_| self.has_day(date)) {
                return Some(date.to_datetime(time)).filter(|found| *found < end);
            }
            date = date.tomorrow().ok()?;
            earliest = Time::midnight();
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        if self.either_day { day || weekday } else { day && weekday }
    }

    fn first_time(&self, earliest: Time) -> Option<Time> {
        let (hour, mut minute) = (earliest.hour(), earliest.minute());
        // An offset may have seconds; fields do not.
        if earliest.second() > 0 || earliest.subsec_nanosecond() > 0 {
            minute += 1;
        }
        let (hour, minute) = if has(self.hours, hour)
            && let Some(minute) = at_or_after(self.minutes, minute)
        {
            (hour, minute)
        } else {
            (at_or_after(self.hours, hour + 1)?, at_or_after(self.minutes, 0)?)
        };
        Time::new(hour, minute, 0, 0).ok()
    }
}

fn meaning(word: &str) -> Result<&'static str> {
    MACROS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, fields)| *fields)
        .ok_or_else(|| invalid(&format!("one of {}, got '{}'", MACROS.map(|(name, _)| name).join(", "), shown(word))))
}

fn has(set: u64, number: i8) -> bool {
    set >> number & 1 == 1
}

fn at_or_after(set: u64, number: i8) -> Option<i8> {
    let rest = set >> number;
    i8::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0).map(|distance| number + distance)
}

impl Kind {
    fn parse(&self, field: &str) -> Result<u64> {
        field.split(',').try_fold(0, |set, item| Ok(set | self.item(item).ok_or_else(|| self.refuse(item))?))
    }

    /// `*`, a value or a range, and perhaps a step.
    fn item(&self, item: &str) -> Option<u64> {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
        };
        // Both 0 and 7 are Sunday: what is left open ends before it comes again.
        let open_end = if self.last == SUNDAY { SUNDAY - 1 } else { self.last };
        let (first, last) = if range == "*" {
            (self.first, open_end)
        } else if let Some((first, last)) = range.split_once('-') {
            let (first, last) = (self.value(first)?, self.value(last)?);
            // A week may be said to end with Sunday.
            (first, if self.last == SUNDAY && last == 0 && first > 0 { SUNDAY } else { last })
        } else {
            let first = self.value(range)?;
            (first, if step.is_some() { open_end } else { first })
        };
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        (first <= last).then(|| (first..=last).step_by(step).fold(0, |set, number| set | 1 << number))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = || self.names.iter().zip(self.first..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        number(text).filter(|number| (self.first..=self.last).contains(number)).or_else(|| Some(named()?.1))
    }

    fn refuse(&self, item: &str) -> crate::error::Error {
        let names = match self.names {
            [] => String::new(),
            names => format!(" or {}", names.join(" ")),
        };
        invalid(&format!(
            "{} from {} to {}{names}, each a value, a range 'a-b', or '*', perhaps with a step '/n', joined by commas; got '{}'",
            self.what,
            self.first,
            self.last,
            shown(item)
        ))
    }
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}
