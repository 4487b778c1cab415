//! Signatures from outside: known answers, secrets kept out of texts, and properties over arbitrary input.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "signature/vectors.rs"]
mod vectors;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use orchestration::Code;
use orchestration::signature::{
    BodyHash, Check, Claims, Expect, Keys, MAX_TOKEN_BYTES, Outcome, Signer, SigningKey, explain, sign, verify,
};
use orchestration::wire::{Timestamp, base64};
use proptest::prelude::*;

use vectors::Vectors;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const URL: &str = "https://example.com/hook";

fn keys() -> Keys {
    Keys::new("sig_current", Some("sig_next")).unwrap()
}

fn expect_at(now: Timestamp) -> Expect<'static> {
    Expect { url: Some(URL), now, tolerance: Duration::ZERO }
}

#[test]
fn known_answers() {
    for vector in Vectors::read().verify {
        vector.check();
    }
}

#[test]
fn known_answers_cover_every_code() {
    let seen: BTreeSet<String> = Vectors::read().verify.into_iter().map(|vector| vector.expect).collect();
    // What was accepted before is for a replay guard to say: tests/receiver.rs.
    let codes = Code::ALL.iter().filter(|code| **code != Code::SignatureReplayed);
    let codes = codes.map(|code| code.name()).filter(|name| name.starts_with("Signature"));
    assert_eq!(seen, codes.chain(["ok"]).map(str::to_owned).collect());
}

#[test]
fn signed_tokens_are_those_of_web_crypto() {
    for vector in Vectors::read().sign {
        vector.check();
    }
}

#[test]
fn no_error_shows_a_key_or_a_part_of_the_token() {
    for vector in Vectors::read().verify {
        let text = vector.verdict().1 + &vector.explained().1;
        let parts = vector.token.split('.').filter(|part| part.len() > 8);
        for secret in parts.chain([vector.keys.current.as_str()]).chain(vector.keys.next.as_deref()) {
            assert!(!text.contains(secret), "'{}' shows a secret: {text}", vector.name);
        }
    }
}

/// The outcome of each check: `+` passed, `-` failed, `.` skipped.
fn outcomes(token: &str, body: &[u8], keys: &Keys, expect: &Expect<'_>) -> String {
    let signs = explain(token, body, keys, expect).findings.into_iter().map(|finding| match finding.outcome {
        Outcome::Passed => '+',
        Outcome::Failed(_) => '-',
        Outcome::Skipped => '.',
    });
    signs.collect()
}

#[test]
fn an_explanation_goes_on_after_what_failed() {
    let body = BodyHash::of(b"body");
    let key = |text| SigningKey::new(text).unwrap();
    let made_by = |name| sign(&Claims::of_delivery(URL, body, NOW, "jwt_1"), &key(name));
    let now = expect_at(NOW);
    let late = expect_at(NOW + Duration::from_mins(10));
    let good = made_by("sig_current");
    let of = |header: &str, payload: &str| format!("{}.{}.", base64::encode_url(header), base64::encode_url(payload));
    let (known, anyone) = (r#"{"alg":"HS256"}"#, r#"{"iss":"anyone","sub":"s","exp":1,"body":"x"}"#);

    assert_eq!(Check::ALL.map(Check::name).len(), 9);
    for (token, given, expect, told) in [
        (good.clone(), "body", now, "+++++++++"),
        (made_by("sig_next"), "body", now, "+++++++++"),
        (good.clone(), "body", Expect { url: None, ..now }, "+++++.+++"),
        (made_by("sig_other"), "other", late, "++-+++-+-"),
        (good.clone(), "body", Expect { url: Some("https://example.com/other"), ..now }, "+++++-+++"),
        (of(r#"{"alg":"none"}"#, anyone), "body", now, "+-.--...."),
        (of(known, anyone), "body", now, "++---...."),
        ("a.b".to_owned(), "body", now, "-........"),
    ] {
        assert_eq!(outcomes(&token, given.as_bytes(), &keys(), &expect), told, "{token}");
    }
}

#[test]
fn an_explanation_names_the_key_and_shows_the_claims() {
    let body = BodyHash::of(b"body");
    let claims = Claims::of_delivery(URL, body, NOW, "jwt_1");
    for (name, signer) in
        [("sig_current", Some(Signer::Current)), ("sig_next", Some(Signer::Next)), ("sig_other", None)]
    {
        let token = sign(&claims, &SigningKey::new(name).unwrap());
        let explanation = explain(&token, b"body", &keys(), &expect_at(NOW));
        assert_eq!(explanation.signer, signer, "{name}");
        assert_eq!(explanation.header.as_deref(), Some(r#"{"alg":"HS256","typ":"JWT"}"#));
        assert!(explanation.payload.unwrap().contains(r#""jti":"jwt_1""#));
    }
    assert!(explain("a.b", b"", &keys(), &expect_at(NOW)).payload.is_none());
}

#[test]
fn a_wrong_url_is_named_without_its_secrets() {
    let body = BodyHash::of(b"");
    let signed = "https://user:hunter2@signed.example/a?token=abc#frag";
    let token = sign(&Claims::of_delivery(signed, body, NOW, "jwt_1"), &keys().current);
    let url = Some("https://came.example/it's?token=def");
    let error = verify(&token, &body, &keys(), &Expect { url, ..expect_at(NOW) }).unwrap_err();
    assert_eq!(error.code(), Code::SignatureSubject);
    for shown in ["'https://signed.example/a'", "'https://came.example/it\\'s'"] {
        assert!(error.message().contains(shown), "{error}");
    }
    for secret in ["hunter2", "abc", "def", "frag"] {
        assert!(!error.message().contains(secret), "{error}");
    }
}

#[test]
fn a_wrong_body_gets_the_usual_cause() {
    let token = sign(&Claims::of_delivery(URL, BodyHash::of(b"{ }"), NOW, "jwt_1"), &keys().current);
    let error = verify(&token, &BodyHash::of(b"{}"), &keys(), &expect_at(NOW)).unwrap_err();
    assert_eq!(error.code(), Code::SignatureBody);
    assert!(error.message().contains("parsed before it was verified"), "{error}");
}

#[test]
fn keys_cannot_be_empty_and_do_not_show() {
    assert_eq!(Keys::new("", None).unwrap_err().code(), Code::EmptyKeySet);
    assert_eq!(Keys::new("sig_1", Some("")).unwrap_err().code(), Code::EmptyKeySet);
    for badly_copied in ["sig_1\n", " sig_1", "\u{feff} sig_1 "] {
        let error = Keys::new(badly_copied, None).unwrap_err();
        assert_eq!(error.code(), Code::InvalidConfiguration);
        assert!(!error.message().contains("sig_1"), "{error}");
    }
    let shown = format!("{:?}", keys());
    assert!(shown.contains("[redacted]") && !shown.contains("sig_"), "{shown}");
}

#[test]
fn verified_claims_are_the_signed_ones() {
    let body = BodyHash::of(b"body");
    let claims = Claims::of_delivery(URL, body, NOW, "jwt_1");
    assert_eq!(claims.expires_at, Timestamp::from_seconds(1_700_000_300));
    assert_eq!(claims.not_before, Some(Timestamp::from_seconds(0)));
    let token = sign(&claims, &keys().current);
    assert_eq!(verify(&token, &body, &keys(), &expect_at(NOW)), Ok(claims));
}

#[test]
fn a_delivery_signed_between_two_seconds_is_good_at_once() {
    let now = Timestamp::from_millis(NOW.millis() + 999);
    let body = BodyHash::of(b"");
    let token = sign(&Claims::of_delivery(URL, body, now, "jwt_1"), &keys().current);
    assert!(verify(&token, &body, &keys(), &expect_at(now)).is_ok());
}

#[test]
fn a_digest_of_the_host_is_the_hash() {
    // SHA-256("abc"), FIPS 180-4, as NIST's example file prints it.
    let digest = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
        0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    ];
    assert_eq!(BodyHash::of(b"abc"), BodyHash::from_digest(digest));
    assert_ne!(BodyHash::of(b"abd"), BodyHash::from_digest(digest));
    assert_eq!(BodyHash::of(b"abc").to_base64url(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

#[test]
fn a_token_over_the_limit_costs_nothing() {
    let token = ".".repeat(8 << 20);
    let start = Instant::now();
    for _ in 0..200 {
        let error = verify(&token, &BodyHash::of(b""), &keys(), &expect_at(NOW)).unwrap_err();
        assert_eq!(error.code(), Code::SignatureMalformed);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_token_under_the_limit_costs_little() {
    let room = MAX_TOKEN_BYTES / 4 * 3 - 200;
    let members: String = (0..room / 9).map(|n| [&format!("\"{n:04}\""), ":1,"].concat()).collect();
    let payloads = [
        "[".repeat(room),
        format!("{{\"exp\":{}}}", "9".repeat(room)),
        format!("{{\"exp\":1e{}}}", "9".repeat(room)),
        format!("{{\"iss\":\"{}\"}}", "\\u0000".repeat(room / 6)),
        format!("{{{members}\"z\":1}}"),
    ];
    let start = Instant::now();
    for payload in payloads {
        let token = format!("{}.{}.", base64::encode_url(r#"{"alg":"HS256"}"#), base64::encode_url(payload));
        assert!(token.len() <= MAX_TOKEN_BYTES, "{}", token.len());
        assert!(verify(&token, &BodyHash::of(b""), &keys(), &expect_at(NOW)).is_err());
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn arbitrary_text_is_refused(token in "\\PC{0,200}") {
        prop_assert!(verify(&token, &BodyHash::of(b""), &keys(), &expect_at(NOW)).is_err());
        prop_assert!(explain(&token, b"", &keys(), &expect_at(NOW)).error().is_some());
    }

    #[test]
    fn arbitrary_parts_are_refused(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), mac in any::<[u8; 32]>()) {
        let [header, payload, mac] = [&header[..], &payload, &mac].map(base64::encode_url);
        let good = base64::encode_url(r#"{"alg":"HS256","typ":"JWT"}"#);
        for token in [format!("{header}.{payload}.{mac}"), format!("{good}.{payload}.{mac}")] {
            prop_assert!(verify(&token, &BodyHash::of(b""), &keys(), &expect_at(NOW)).is_err());
        }
    }

    #[test]
    fn what_is_signed_verifies_and_only_that(
        body in any::<Vec<u8>>(),
        other in any::<Vec<u8>>(),
        subject in "\\PC{0,40}",
        id in "\\PC{0,40}",
        second in 0u64..253_402_300_800,
        later in 0u64..300,
        which in any::<bool>(),
    ) {
        let keys = keys();
        let now = Timestamp::from_seconds(second);
        let hash = BodyHash::of(&body);
        let claims = Claims::of_delivery(subject.as_str(), hash, now, id);
        let key = if which { &keys.current } else { keys.next.as_ref().unwrap() };
        let token = sign(&claims, key);

        let expect = Expect { url: Some(&subject), now: Timestamp::from_seconds(second + later), tolerance: Duration::ZERO };
        prop_assert_eq!(verify(&token, &hash, &keys, &expect), Ok(claims));
        if other != body {
            let error = verify(&token, &BodyHash::of(&other), &keys, &expect).unwrap_err();
            prop_assert_eq!(error.code(), Code::SignatureBody);
        }
        let stranger = Keys { current: SigningKey::new("sig_other").unwrap(), next: None };
        prop_assert_eq!(verify(&token, &hash, &stranger, &expect).unwrap_err().code(), Code::SignatureInvalid);
    }

    #[test]
    fn a_changed_character_breaks_a_token(place in any::<prop::sample::Index>(), with in proptest::char::any()) {
        let body = BodyHash::of(b"body");
        let token = sign(&Claims::of_delivery(URL, body, NOW, "jwt_1"), &keys().current);
        let place = place.index(token.len());
        let changed = format!("{}{with}{}", &token[..place], &token[place + 1..]);
        prop_assume!(changed != token);
        prop_assert!(verify(&changed, &body, &keys(), &expect_at(NOW)).is_err());
    }
}
