//! Every check of a signature with its outcome, for people who want to know why one is refused.

use super::claims::check_issuer;
use super::token::Token;
use super::verify::{another_key, check_body, check_expiry, check_start, check_subject};
use super::{Claims, Expect, Keys};
use crate::error::{Error, Result};

/// Makes each check that [`verify_bytes`](super::verify_bytes) makes, in its order, and doesn't stop at the first that
/// fails: each is made that can be.
///
/// The first that failed is the error of [`verify_bytes`](super::verify_bytes). Header and payload are told whoever made
/// them: nothing here is to be believed unless [`Explanation::error`] is `None`.
pub fn explain(token: &str, body: &[u8], keys: &Keys, expect: &Expect<'_>) -> Explanation {
    let mut explanation = Explanation::default();
    let Some(token) = explanation.note(Check::Form, Token::parse(token)) else { return explanation.skip_rest() };
    let [header, payload] = token.texts();
    explanation.header = Some(header);
    explanation.payload = Some(payload);

    if explanation.note(Check::Algorithm, token.check_header()).is_some() {
        let made = |key| token.is_made_by(key);
        explanation.signer = if made(&keys.current) {
            Some(Signer::Current)
        } else {
            keys.next.as_ref().is_some_and(made).then_some(Signer::Next)
        };
        explanation.note(Check::Key, explanation.signer.ok_or_else(another_key));
    } else {
        explanation.skip(Check::Key);
    }
    explanation.note(Check::Issuer, check_issuer(token.members()));
    let Some(claims) = explanation.note(Check::Claims, Claims::read(token.members())) else {
        return explanation.skip_rest();
    };
    if expect.url.is_some() {
        explanation.note(Check::Subject, check_subject(&claims, expect));
    } else {
        explanation.skip(Check::Subject);
    }
    explanation.note(Check::Expiry, check_expiry(&claims, expect));
    explanation.note(Check::Start, check_start(&claims, expect));
    explanation.note(Check::Body, check_body(&claims, body));
    explanation
}

/// What was found of one signature.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// Each of [`Check::ALL`] once, in that order.
    pub findings: Vec<Finding>,
    /// The key that made the signature, if one of the receiver's did.
    pub signer: Option<Signer>,
    /// The header's JSON as it was written; `None` if it can't be read.
    pub header: Option<String>,
    /// The claims' JSON as it was written; `None` if it can't be read.
    pub payload: Option<String>,
}

impl Explanation {
    /// Why the signature is refused: the first check that failed. `None` if it is good.
    pub fn error(&self) -> Option<&Error> {
        self.findings.iter().find_map(|finding| match &finding.outcome {
            Outcome::Failed(error) => Some(error),
            Outcome::Passed | Outcome::Skipped => None,
        })
    }

    fn note<T>(&mut self, check: Check, result: Result<T>) -> Option<T> {
        let (value, outcome) = match result {
            Ok(value) => (Some(value), Outcome::Passed),
            Err(error) => (None, Outcome::Failed(error)),
        };
        self.findings.push(Finding { check, outcome });
        value
    }

    fn skip(&mut self, check: Check) {
        self.findings.push(Finding { check, outcome: Outcome::Skipped });
    }

    fn skip_rest(mut self) -> Self {
        for check in Check::ALL.into_iter().skip(self.findings.len()) {
            self.skip(check);
        }
        self
    }
}

/// A check and how it ended.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How that ended.
    pub outcome: Outcome,
}

/// How a check ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// As it has to be.
    Passed,
    /// The signature is refused for this.
    Failed(Error),
    /// Not looked at: an earlier check failed that it needs, or there is nothing to compare with.
    Skipped,
}

/// What a receiver looks at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Three parts in base64url, header and payload JSON objects with each name once.
    Form,
    /// `HS256`, and no extension that would have to be understood.
    Algorithm,
    /// The MAC, with the current key and then the next.
    Key,
    /// `iss`.
    Issuer,
    /// The other claims are there, and of the right kind.
    Claims,
    /// `sub` is the URL that the request came to.
    Subject,
    /// `exp` lies ahead.
    Expiry,
    /// `nbf` has passed.
    Start,
    /// `body` is the hash of the raw body.
    Body,
}

impl Check {
    /// All, in the order in which they are made.
    pub const ALL: [Self; 9] = [
        Self::Form,
        Self::Algorithm,
        Self::Key,
        Self::Issuer,
        Self::Claims,
        Self::Subject,
        Self::Expiry,
        Self::Start,
        Self::Body,
    ];

    /// Its name for hosts, such as `notBefore`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Issuer => "issuer",
            Self::Claims => "claims",
            Self::Subject => "subject",
            Self::Expiry => "expiry",
            Self::Start => "notBefore",
            Self::Body => "body",
        }
    }
}

/// Which of a receiver's keys made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The one that the broker signs with.
    Current,
    /// The one that comes after it: the keys were rotated.
    Next,
}

impl Signer {
    /// Its name for hosts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
        }
    }
}
