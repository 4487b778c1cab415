//! The known answers of `tests/vectors/signature.json`, and what has to be true of each. The native test and the
//! tests in Node and the browser share this file.

use std::time::Duration;

use orchestration::signature::{BodyHash, Check, Claims, Expect, Keys, SigningKey, explain, sign, verify};
use orchestration::wire::{Timestamp, base64};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Vectors {
    pub verify: Vec<ToVerify>,
    pub sign: Vec<ToSign>,
}

impl Vectors {
    pub fn read() -> Self {
        serde_json::from_str(include_str!("../vectors/signature.json")).expect("signature.json has this form")
    }
}

#[derive(Deserialize)]
pub struct ToVerify {
    pub name: String,
    pub source: String,
    pub token: String,
    pub keys: KeyTexts,
    body_base64: String,
    body_repeat: usize,
    url: Option<String>,
    now: u64,
    tolerance: u64,
    pub expect: String,
}

#[derive(Deserialize)]
pub struct KeyTexts {
    pub current: String,
    pub next: Option<String>,
}

impl ToVerify {
    /// What `verify` says, as the file writes it, and the text that a person would see.
    pub fn verdict(&self) -> (&'static str, String) {
        self.ask(|body, keys, expect| match verify(&self.token, &BodyHash::of(body), keys, expect) {
            Ok(_) => ("ok", String::new()),
            Err(error) => (error.code().name(), format!("{error} {error:?}")),
        })
    }

    /// What `explain` says, in the same form. It makes each check once.
    pub fn explained(&self) -> (&'static str, String) {
        self.ask(|body, keys, expect| {
            let explanation = explain(&self.token, body, keys, expect);
            assert!(explanation.findings.iter().map(|finding| finding.check).eq(Check::ALL), "'{}'", self.name);
            let text = format!("{:?}", explanation.findings);
            (explanation.error().map_or("ok", |error| error.code().name()), text)
        })
    }

    fn ask<T>(&self, question: impl FnOnce(&[u8], &Keys, &Expect<'_>) -> T) -> T {
        let body = base64::decode(&self.body_base64).expect("a body in base64").repeat(self.body_repeat);
        let keys = Keys::new(&self.keys.current, self.keys.next.as_deref()).expect("usable keys");
        let expect = Expect {
            url: self.url.as_deref(),
            now: Timestamp::from_millis(self.now),
            tolerance: Duration::from_millis(self.tolerance),
        };
        question(&body, &keys, &expect)
    }

    pub fn check(&self) {
        assert!(!self.source.is_empty(), "'{}' has no source", self.name);
        let (verdict, text) = self.verdict();
        assert_eq!(verdict, self.expect, "'{}': {text}", self.name);
        let (explained, text) = self.explained();
        assert_eq!(explained, self.expect, "'{}', explained: {text}", self.name);
    }
}

#[derive(Deserialize)]
pub struct ToSign {
    pub name: String,
    key: String,
    claims: WrittenClaims,
    body_base64: String,
    token: String,
}

#[derive(Deserialize)]
struct WrittenClaims {
    sub: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
}

impl ToSign {
    pub fn check(&self) {
        let claims = Claims {
            subject: self.claims.sub.clone(),
            issued_at: Some(Timestamp::from_seconds(self.claims.iat)),
            not_before: Some(Timestamp::from_seconds(self.claims.nbf)),
            expires_at: Timestamp::from_seconds(self.claims.exp),
            token_id: Some(self.claims.jti.clone()),
            body: BodyHash::of(&base64::decode(&self.body_base64).expect("a body in base64")),
        };
        let key = SigningKey::new(&self.key).expect("a usable key");
        assert_eq!(sign(&claims, &key), self.token, "'{}'", self.name);
    }
}
