//! An application's settings, read at once: what they come to, and everything that is wrong with them.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use orchestration::client::Configuration;
use orchestration::client::configuration::{ProblemKind, Problems};
use orchestration::error::{Code, Error};
use orchestration::wire::{Region, development};

const COMPLETE: [(&str, &str); 4] = [
    ("QSTASH_URL", "https://qstash.upstash.io/"),
    ("QSTASH_TOKEN", "t0k="),
    ("QSTASH_CURRENT_SIGNING_KEY", "sig_a"),
    ("QSTASH_NEXT_SIGNING_KEY", "sig_b"),
];

fn read(settings: &[(&str, &str)]) -> Result<Configuration, Problems> {
    Configuration::read(&settings.iter().copied().collect())
}

/// The complete settings, with these in place of those of the same name.
fn with(settings: &[(&str, &str)]) -> Result<Configuration, Problems> {
    Configuration::read(&COMPLETE.iter().chain(settings).copied().collect())
}

fn names(problems: &Problems, kind: ProblemKind) -> Vec<&str> {
    problems.iter().filter(|problem| problem.kind == kind).map(|problem| problem.name.as_str()).collect()
}

#[test]
fn complete_settings_are_read() {
    let found = with(&[
        ("UPSTASH_WORKFLOW_URL", "https://app.test"),
        ("UPSTASH_REDIS_REST_URL", "https://db.upstash.io"),
        ("UPSTASH_REDIS_REST_TOKEN", "r3d"),
    ])
    .unwrap();
    assert!(!found.development);
    assert_eq!((found.broker.base_url.as_str(), found.broker.token.as_str()), ("https://qstash.upstash.io", "t0k="));
    assert_eq!((found.current_signing_key.as_str(), found.next_signing_key.as_str()), ("sig_a", "sig_b"));
    assert_eq!((found.workflow_url.as_deref(), found.development_port), (Some("https://app.test"), 8080));
    let redis = found.redis.as_ref().unwrap();
    assert_eq!((redis.url.as_str(), redis.token.as_str()), ("https://db.upstash.io", "r3d"));
    let shown = format!("{found:?}");
    for secret in ["t0k", "sig_a", "sig_b", "r3d"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn what_may_be_absent_may_be_empty() {
    let found = with(&[("UPSTASH_REDIS_REST_URL", ""), ("UPSTASH_WORKFLOW_URL", ""), ("QSTASH_DEV_PORT", "")]).unwrap();
    assert_eq!((found.redis, found.workflow_url, found.development_port), (None, None, 8080));
}

#[test]
fn everything_that_is_missing_is_listed() {
    let required: Vec<_> = COMPLETE.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(&read(&[]).unwrap_err(), ProblemKind::Missing), required);
    for name in required {
        assert_eq!(names(&with(&[(name, "")]).unwrap_err(), ProblemKind::Missing), [name]);
    }
    let error = Error::from(read(&[]).unwrap_err());
    assert_eq!(error.code(), Code::InvalidConfiguration);
    for (name, _) in COMPLETE {
        assert!(error.message().contains(&format!("\n- {name} is missing: set it to ")), "{error}");
    }
    assert!(error.message().ends_with("QSTASH_DEV=true takes the place of the settings of QStash."), "{error}");
}

#[test]
fn what_is_malformed_is_listed_beside_it_and_never_shown() {
    let settings = [
        ("QSTASH_URL", "qstash-hunter2.upstash.io"),
        ("QSTASH_TOKEN", "hunter2 hunter2"),
        ("QSTASH_CURRENT_SIGNING_KEY", "\"hunter2\""),
        ("QSTASH_DEV", "hunter2"),
        ("QSTASH_DEV_PORT", "hunter2"),
        ("QSTASH_REGION", "hunter2"),
        ("UPSTASH_WORKFLOW_URL", "https://app.test/?hunter2"),
        ("UPSTASH_REDIS_REST_URL", "redis://hunter2@db.upstash.io:6379"),
        ("NODE_ENV", "production"),
    ];
    let problems = read(&settings).unwrap_err();
    let malformed: Vec<_> = [3, 4, 5, 0, 1, 2, 6, 7].map(|index: usize| settings[index].0).into();
    assert_eq!(names(&problems, ProblemKind::Malformed), malformed);
    assert_eq!(names(&problems, ProblemKind::Missing), ["QSTASH_NEXT_SIGNING_KEY", "UPSTASH_REDIS_REST_TOKEN"]);
    let text = problems.to_string();
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_value_that_was_copied_badly_is_malformed() {
    for (name, values) in [
        ("QSTASH_URL", ["https://qstash.upstash.io ", "'https://qstash.upstash.io'", "ftp://qstash.upstash.io"]),
        ("QSTASH_TOKEN", [" t0k", "\"t0k\"", "tök"]),
        ("QSTASH_NEXT_SIGNING_KEY", ["sig_b\n", "'sig_b'", " sig_b"]),
        ("QSTASH_DEV_PORT", ["0", "65536", "8080x"]),
        ("QSTASH_REGION", ["EU", "us-east-2", "US_EAST_1 "]),
    ] {
        for value in values {
            let problems = with(&[(name, value)]).expect_err(value);
            assert_eq!(names(&problems, ProblemKind::Malformed), [name], "{value}");
            assert_eq!(problems.iter().count(), 1, "{value}");
        }
    }
}

#[test]
fn redis_has_both_settings_or_none() {
    let [url, token] = [("UPSTASH_REDIS_REST_URL", "https://db.test"), ("UPSTASH_REDIS_REST_TOKEN", "r3d")];
    assert_eq!(names(&with(&[url]).unwrap_err(), ProblemKind::Missing), [token.0]);
    assert_eq!(names(&with(&[token]).unwrap_err(), ProblemKind::Missing), [url.0]);
}

#[test]
fn development_needs_nothing_and_refuses_production() {
    let found = read(&[("QSTASH_DEV", "1"), ("QSTASH_DEV_PORT", "9000")]).unwrap();
    assert!(found.development);
    assert_eq!((found.broker.base_url.as_str(), found.development_port), ("http://127.0.0.1:9000", 9000));
    assert_eq!(found.broker.token, development::TOKEN);
    assert_eq!(found.current_signing_key, development::CURRENT_SIGNING_KEY);
    assert_eq!(found.next_signing_key, development::NEXT_SIGNING_KEY);

    let problems = read(&[("QSTASH_DEV", "1"), ("NODE_ENV", "production")]).unwrap_err();
    assert_eq!(names(&problems, ProblemKind::Malformed), ["QSTASH_DEV"]);
    assert_eq!(names(&problems, ProblemKind::Missing).len(), 4);

    // Whoever wrote `yes` meant it: the rest is not asked for yet.
    let problems = read(&[("QSTASH_DEV", "yes")]).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.name.as_str()).collect::<Vec<_>>(), ["QSTASH_DEV"]);
}

#[test]
fn a_region_has_settings_of_its_own() {
    let own = [
        ("QSTASH_REGION", "us-east-1"),
        ("US_EAST_1_QSTASH_URL", "https://us.test"),
        ("US_EAST_1_QSTASH_TOKEN", "us"),
        ("US_EAST_1_QSTASH_CURRENT_SIGNING_KEY", "sig_us"),
        ("US_EAST_1_QSTASH_NEXT_SIGNING_KEY", "sig_us2"),
    ];
    for found in [read(&own).unwrap(), with(&own).unwrap()] {
        assert_eq!(found.broker.region, Some(Region::UsEast1));
        assert_eq!((found.broker.base_url.as_str(), found.broker.token.as_str()), ("https://us.test", "us"));
        assert_eq!((found.current_signing_key.as_str(), found.next_signing_key.as_str()), ("sig_us", "sig_us2"));
    }
    // Without all of them, those without a region count.
    let found = with(&own[..2]).unwrap();
    assert_eq!((found.broker.region, found.broker.token.as_str()), (None, "t0k="));
    assert_eq!(found.current_signing_key, "sig_a");
    let malformed = with(&[own[0], ("US_EAST_1_QSTASH_URL", "us.test"), own[2]]).unwrap_err();
    assert_eq!(names(&malformed, ProblemKind::Malformed), ["US_EAST_1_QSTASH_URL"]);
    assert_eq!(names(&read(&own[..4]).unwrap_err(), ProblemKind::Missing), ["US_EAST_1_QSTASH_NEXT_SIGNING_KEY"]);
}
