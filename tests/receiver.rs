//! What a receiver decides besides the signature itself: which keys it believes, what it has seen, what became of a body.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use orchestration::error::{Code, Result};
use orchestration::signature::{
    BodyHash, Claims, Expect, KeyRing, Keys, LIFETIME, OwnKeys, ReplayStore, SeenTokens, SigningKey, accept_once, sign,
    verify, verify_bytes,
};
use orchestration::wire::{Environment, Timestamp, development};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn ring(own: OwnKeys<'_>, settings: &[(&str, &str)]) -> Result<Option<KeyRing>> {
    KeyRing::from_settings(own, &settings.iter().copied().collect::<Environment>())
}

/// Which of `candidates` the ring believes, for a request from `region`.
fn believed<'a>(ring: &KeyRing, region: Option<&str>, candidates: &[&'a str]) -> Vec<&'a str> {
    let keys = ring.keys_for(region).unwrap();
    let expect = Expect { url: None, now: NOW, tolerance: Duration::ZERO };
    let body = BodyHash::of(b"");
    let made_by =
        |key: &str| sign(&Claims::of_delivery("https://a.test", body, NOW, "jwt_1"), &SigningKey::new(key).unwrap());
    candidates.iter().copied().filter(|key| verify(&made_by(key), &body, keys, &expect).is_ok()).collect()
}

const OWN: OwnKeys<'_> = OwnKeys { current: Some("own"), next: Some("own next"), development: None };

const SETTINGS: [(&str, &str); 7] = [
    ("QSTASH_CURRENT_SIGNING_KEY", "default"),
    ("QSTASH_NEXT_SIGNING_KEY", "default next"),
    ("EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY", "eu"),
    ("EU_CENTRAL_1_QSTASH_NEXT_SIGNING_KEY", "eu next"),
    ("US_EAST_1_QSTASH_CURRENT_SIGNING_KEY", "us"),
    ("US_EAST_1_QSTASH_NEXT_SIGNING_KEY", "us next"),
    ("QSTASH_REGION", "EU_CENTRAL_1"),
];

const ALL: [&str; 8] = ["own", "own next", "default", "default next", "eu", "eu next", "us", "us next"];

#[test]
fn every_setting_of_a_region_is_listed() {
    for (name, _) in SETTINGS.iter().chain(&[("QSTASH_DEV", "")]) {
        assert!(KeyRing::SETTINGS.contains(name), "{name}");
    }
}

#[test]
fn the_keys_that_are_handed_in_come_first() {
    let ring = ring(OWN, &SETTINGS).unwrap().unwrap();
    for region in [None, Some("us-east-1")] {
        assert_eq!(believed(&ring, region, &ALL), ["own", "own next"]);
    }
}

#[test]
fn the_regions_keys_are_those_of_the_request() {
    let ring = ring(OwnKeys::default(), &SETTINGS).unwrap().unwrap();
    for (region, expected) in [
        (Some("US-EAST-1"), ["us", "us next"]),
        (Some("eu_central_1"), ["eu", "eu next"]),
        (Some("mars-1"), ["default", "default next"]),
        (None, ["default", "default next"]),
    ] {
        assert_eq!(believed(&ring, region, &ALL), expected, "{region:?}");
    }
}

#[test]
fn without_a_region_of_its_own_a_receiver_has_its_default_keys() {
    let ring = ring(OwnKeys::default(), &SETTINGS[..6]).unwrap().unwrap();
    assert_eq!(believed(&ring, Some("us-east-1"), &ALL), ["default", "default next"]);
}

#[test]
fn a_region_without_keys_has_the_default_ones_and_without_those_nothing_is_believed() {
    let only = |settings: &[(&str, &str)]| ring(OwnKeys::default(), settings).unwrap().unwrap();
    let default_and_eu = only(&[SETTINGS[0], SETTINGS[2], SETTINGS[6]]);
    assert_eq!(believed(&default_and_eu, Some("us-east-1"), &ALL), ["default"]);
    let eu = only(&[SETTINGS[2], SETTINGS[6]]);
    assert_eq!(believed(&eu, Some("eu-central-1"), &ALL), ["eu"]);
    assert_eq!(eu.keys_for(Some("us-east-1")).unwrap_err().code(), Code::InvalidConfiguration);
    assert_eq!(eu.keys_for(None).unwrap_err().code(), Code::InvalidConfiguration);
}

#[test]
fn development_has_its_own_keys_and_no_other() {
    let keys = [development::CURRENT_SIGNING_KEY, development::NEXT_SIGNING_KEY, "own", "default"];
    let by_setting = ring(OWN, &[("QSTASH_DEV", "true")]).unwrap().unwrap();
    assert_eq!(believed(&by_setting, None, &keys), keys[..2]);
    let refused = ring(OwnKeys { development: Some(false), ..OWN }, &[("QSTASH_DEV", "true")]).unwrap().unwrap();
    assert_eq!(believed(&refused, None, &keys), ["own"]);
}

#[test]
fn one_key_is_enough_none_is_none_and_an_empty_one_is_a_mistake() {
    assert!(ring(OwnKeys::default(), &[]).unwrap().is_none());
    let next_only = ring(OwnKeys::default(), &[SETTINGS[1]]).unwrap().unwrap();
    assert_eq!(believed(&next_only, None, &ALL), ["default next"]);
    assert_eq!(ring(OwnKeys::default(), &[(SETTINGS[0].0, "")]).unwrap_err().code(), Code::EmptyKeySet);
    assert_eq!(ring(OwnKeys::default(), &[("QSTASH_REGION", "x")]).unwrap_err().code(), Code::InvalidConfiguration);
}

/// A store in memory, and one that fails.
struct Memory(RefCell<SeenTokens>);

impl ReplayStore for Memory {
    async fn add(&self, token_id: &str, expires_at: Timestamp) -> Result<bool> {
        Ok(self.0.borrow_mut().add(token_id, expires_at, NOW))
    }
}

#[test]
fn a_signature_is_accepted_once_and_the_next_try_of_its_message_too() {
    let store = Memory(RefCell::default());
    let delivery = |id: &str| Claims::of_delivery("https://a.test", BodyHash::of(b""), NOW, id);
    let accept = |claims: &Claims| ready(accept_once(claims, Duration::from_secs(5), &store));
    assert_eq!(accept(&delivery("jwt_1")), Ok(()));
    assert_eq!(accept(&delivery("jwt_1")).unwrap_err().code(), Code::SignatureReplayed);
    assert_eq!(accept(&delivery("jwt_2")), Ok(()), "a retry is signed anew");
    let nameless = Claims { token_id: None, ..delivery("") };
    assert_eq!(accept(&nameless).unwrap_err().code(), Code::SignatureClaim);
    assert_eq!(accept(&delivery("")).unwrap_err().code(), Code::SignatureClaim);
}

#[test]
fn signatures_are_forgotten_as_they_expire() {
    let mut seen = SeenTokens::default();
    for second in 0..1_000 {
        let now = NOW + Duration::from_secs(second);
        for n in 0..100 {
            let id = format!("jwt_{second}_{n}");
            assert!(seen.add(&id, now + LIFETIME, now));
            assert!(!seen.add(&id, now + LIFETIME, now));
        }
    }
    assert_eq!(seen.len(), 100 * 300, "as many as a lifetime of five minutes sees");
    let first = NOW + LIFETIME;
    assert!(seen.add("jwt_0_0", first, NOW + Duration::from_secs(1_000)), "what has expired is refused elsewhere");
}

#[test]
fn a_body_that_was_written_again_is_recognised_and_still_refused() {
    let keys = Keys::new("sig", None).unwrap();
    let expect = Expect { url: None, now: NOW, tolerance: Duration::ZERO };
    let token =
        |body: &[u8]| sign(&Claims::of_delivery("https://a.test", BodyHash::of(body), NOW, "jwt_1"), &keys.current);
    let verdict = |signed: &[u8], given: &[u8]| verify_bytes(&token(signed), given, &keys, &expect);
    assert!(verdict(b"{\"a\":1}", b"{\"a\":1}").is_ok());
    let error = verdict(b"{\"a\":1}", b"{\"a\": 1}").unwrap_err();
    assert_eq!(error.code(), Code::SignatureBody);
    assert!(error.message().starts_with("the body was parsed before it was verified: "), "{error}");
    let error = verdict(b"{\"a\":1}", b"{\"a\":2}").unwrap_err();
    assert_eq!(error.code(), Code::SignatureBody);
    assert!(!error.message().starts_with("the body was parsed"), "{error}");
}

/// The result of a future that is ready at once.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the store in memory waits for nothing"),
    }
}
