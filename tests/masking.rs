//! The corpus of secrets and of what only looks like one; JSON walked through; time in proportion to the text.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use orchestration::privacy::mask::{MASKED, is_secret_name, mask_text, masked};
use proptest::prelude::proptest;
use proptest::{prop_assert, prop_assert_eq};
use serde::Deserialize;
use serde_json::{Value, json};

/// `tests/vectors/masking.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    #[serde(rename = "about")]
    _about: String,
    samples: Vec<Sample>,
    values: Vec<Walked>,
}

/// A value in JSON, and what masking makes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Walked {
    name: String,
    value: Value,
    masked: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    name: String,
    kind: Kind,
    /// Parts to be joined.
    input: Vec<String>,
    /// Each in parts to be joined.
    secrets: Vec<Vec<String>>,
    /// What stands beside the secrets and must stay.
    #[serde(default)]
    keeps: Vec<String>,
    source: String,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Secret,
    Harmless,
}

fn corpus() -> Corpus {
    serde_json::from_str(include_str!("vectors/masking.json")).unwrap()
}

fn samples() -> Vec<Sample> {
    corpus().samples
}

/// So much of a secret may be left that nobody can tell it from anything else.
const REST: usize = 8;

impl Sample {
    fn secrets(&self) -> impl Iterator<Item = String> {
        self.secrets.iter().map(|parts| parts.concat())
    }

    /// What is wrong with a text in which the secrets should be masked.
    fn complaint(&self, masked: &str) -> Option<String> {
        for secret in self.secrets() {
            let letters: Vec<char> = secret.chars().collect();
            for left in letters.windows(REST.min(letters.len())) {
                let left: String = left.iter().collect();
                // What is kept on purpose may look like a part of the secret.
                if masked.contains(&left) && !self.keeps.iter().any(|kept| kept.contains(&left)) {
                    return Some(format!("'{left}' of '{secret}' is left: {masked}"));
                }
            }
        }
        let lost = self.keeps.iter().find(|kept| !masked.contains(*kept));
        lost.map(|lost| format!("'{lost}' is lost: {masked}"))
    }
}

fn check(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn the_corpus_is_sound() {
    let samples = samples();
    let names: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names.len(), samples.len(), "two samples have one name");
    let secrets = samples.iter().filter(|sample| sample.kind == Kind::Secret).count();
    assert!(secrets >= 150 && samples.len() - secrets >= 150, "{secrets} of {}", samples.len());
    for sample in &samples {
        let input = sample.input.concat();
        assert_eq!(sample.secrets.is_empty(), sample.kind == Kind::Harmless, "{}", sample.name);
        assert!(sample.secrets().all(|secret| secret.len() >= 3 && input.contains(&secret)), "{}", sample.name);
        assert!(sample.keeps.iter().all(|kept| input.contains(kept)), "{}", sample.name);
        assert!(sample.source.starts_with("https://"), "{}", sample.name);
    }
}

#[test]
fn no_secret_survives() {
    let complaints = samples().into_iter().filter(|sample| sample.kind == Kind::Secret).filter_map(|sample| {
        let masked = mask_text(&sample.input.concat()).unwrap_or_else(|| sample.input.concat());
        sample.complaint(&masked).map(|complaint| format!("{}: {complaint}", sample.name))
    });
    check(&complaints.collect::<Vec<_>>());
}

#[test]
fn nothing_harmless_is_masked() {
    let complaints = samples().into_iter().filter(|sample| sample.kind == Kind::Harmless).filter_map(|sample| {
        let input = sample.input.concat();
        mask_text(&input).map(|masked| format!("{}: {input} -> {masked}", sample.name))
    });
    check(&complaints.collect::<Vec<_>>());
}

#[test]
fn what_is_masked_is_not_masked_again() {
    let complaints = samples().into_iter().filter_map(|sample| {
        let once = mask_text(&sample.input.concat())?;
        mask_text(&once).map(|twice| format!("{}: {once} -> {twice}", sample.name))
    });
    check(&complaints.collect::<Vec<_>>());
}

/// A secret is one whatever stands around it, and so is what is none.
#[test]
fn samples_are_told_apart_within_a_log() {
    let samples = samples();
    let complaints = samples.iter().filter_map(|sample| {
        let input = sample.input.concat();
        let log = format!("12:30:01 INFO started\n{input}\n12:30:02 INFO run wfr_1 is done");
        let masked = mask_text(&log).unwrap_or(log);
        // A key that was cut off has no end.
        if !masked.ends_with("is done") && !input.contains("-----BEGIN") {
            return Some(format!("{}: too much is masked: {masked}", sample.name));
        }
        match sample.kind {
            Kind::Secret => sample.complaint(&masked),
            Kind::Harmless => (!masked.contains(&input)).then_some(masked),
        }
        .map(|complaint| format!("{}: {complaint}", sample.name))
    });
    check(&complaints.collect::<Vec<_>>());
}

#[test]
fn samples_are_told_apart_within_json() {
    let complaints = samples().into_iter().filter_map(|sample| {
        let input = sample.input.concat();
        let value = json!({"run": {"id": "wfr_1", "log": [1, {"message": input}], "token": sample.name}});
        let masked = masked(&value);
        assert_eq!((&masked["run"]["id"], &masked["run"]["token"]), (&json!("wfr_1"), &json!(MASKED)));
        let message = masked["run"]["log"][1]["message"].as_str().unwrap();
        match sample.kind {
            Kind::Secret => sample.complaint(message),
            Kind::Harmless => (message != input).then(|| message.to_owned()),
        }
        .map(|complaint| format!("{}: {complaint}", sample.name))
    });
    check(&complaints.collect::<Vec<_>>());
}

#[test]
fn values_are_walked_through() {
    for Walked { name, value, masked: expected } in corpus().values {
        let once = masked(&value);
        assert_eq!(once, expected, "{name}");
        assert_eq!(masked(&once), expected, "{name}, masked again");
    }
}

/// Looking at all names of before for each would take a hundred times as long.
#[test]
fn thousands_of_names_that_are_masked_alike_take_time_in_proportion() {
    let time = |members: usize| {
        let object: serde_json::Map<String, Value> =
            (0..members).map(|member| (format!("jane{member}@example.com"), json!(member))).collect();
        let begun = Instant::now();
        let masked = masked(&Value::Object(object));
        assert!(masked.get(format!("[masked email] {members}")).is_some());
        begun.elapsed()
    };
    let is_linear = (0..6).any(|_| time(20_000) < time(2_000) * 40 + Duration::from_millis(2));
    assert!(is_linear, "{:?} and {:?}", time(2_000), time(20_000));
}

/// Rules that looked far ahead at every word would take 64 times as long for 8 times the text.
#[test]
fn long_texts_take_time_in_proportion() {
    for piece in PIECES {
        let time = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let begun = Instant::now();
            let _ = mask_text(&text);
            begun.elapsed()
        };
        // Something else may have taken the processor meanwhile, but not each time.
        let is_linear = (0..6).any(|_| time(24_000) < time(3_000) * 18 + Duration::from_millis(2));
        assert!(is_linear, "texts of '{piece}' take {:?} and {:?}", time(3_000), time(24_000));
    }
}

/// What begins as something that is masked does, again and again.
const PIECES: [&str; 29] = [
    "eyJ-",
    "a.",
    "sk-",
    "token=[",
    "bearer ",
    "-----BEGIN ",
    "4 ",
    "a://",
    "token: a ",
    "\"",
    "é",
    "a@",
    "token: ",
    "\"token\":{",
    "\"token\":[\"",
    "a:b://c:d",
    "--token ",
    "<token>",
    "<token>a",
    "eyJhbGciOiJI.eyJ.",
    "123456789:",
    "4444-",
    "é@",
    "curl -u ",
    "pi_secret_",
    "MTAyOTM4NDc1NjEwMjkzODQ3.",
    "cookie: ",
    "key-0fa1ce2b",
    "a-_secret_",
];

proptest! {
    #[test]
    fn any_text_can_be_masked(text in "(?s).{0,200}") {
        if let Some(masked) = mask_text(&text) {
            prop_assert!(masked.contains("[masked "));
        }
    }

    #[test]
    fn any_value_of_a_secret_name_is_masked(
        name in "(DB_PASSWORD|apiKey|x-api-key|client_secret|token)",
        value in "[A-Za-z0-9!$^*+/~]{9,40}",
    ) {
        // A value may look as if it said where it comes from.
        if value.starts_with('$') || value.bytes().all(|byte| b"*xX".contains(&byte)) {
            return Ok(());
        }
        for text in [format!("{name}={value}"), format!(r#"{{"{name}":"{value}"}}"#), format!("a=1&{name}={value}&b=2")] {
            let masked = mask_text(&text);
            prop_assert!(masked.as_ref().is_some_and(|masked| !masked.contains(&value)), "{text} -> {masked:?}");
        }
    }

    #[test]
    fn json_keeps_its_shape(names in proptest::collection::vec("[a-z]{1,6}(Token|Id)?", 1..6), text in "[a-z ]{0,12}") {
        let object: serde_json::Map<String, Value> = names.iter().map(|name| (name.clone(), json!([text]))).collect();
        let masked = masked(&Value::Object(object.clone()));
        for (name, member) in object {
            let expected = if is_secret_name(&name) && !text.is_empty() { json!([MASKED]) } else { member };
            prop_assert_eq!(&masked[&name], &expected);
        }
    }
}
