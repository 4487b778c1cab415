//! What a signature says: claims as values, and their JSON.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::BodyHash;
use super::token::Members;
use crate::error::{Code, Error, Result};
use crate::wire::Timestamp;

/// The `iss` claim of every signature.
pub const ISSUER: &str = "Upstash";

/// How long the signature of a delivery is good.
pub const LIFETIME: Duration = Duration::from_mins(5);

/// The claims of a signature. `iss` is not among them: it is always [`ISSUER`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: the URL that the delivery goes to.
    pub subject: String,
    /// `iat`: when it was signed. Written in whole seconds.
    pub issued_at: Option<Timestamp>,
    /// `nbf`: not good before. Written in whole seconds.
    pub not_before: Option<Timestamp>,
    /// `exp`: not good from this moment on. Written in whole seconds.
    pub expires_at: Timestamp,
    /// `jti`: the signature's own id, `jwt_…`.
    pub token_id: Option<String>,
    /// `body`: the hash of the raw body.
    pub body: BodyHash,
}

impl Claims {
    /// The claims that hosted QStash makes for a delivery to `url` at `now`: good at once
    /// (`nbf` is 0 since September 2024, `qstash/overall/changelog.mdx`) and for [`LIFETIME`].
    pub fn of_delivery(url: impl Into<String>, body: BodyHash, now: Timestamp, token_id: impl Into<String>) -> Self {
        let now = Timestamp::from_seconds(now.seconds());
        Self {
            subject: url.into(),
            issued_at: Some(now),
            not_before: Some(Timestamp::default()),
            expires_at: now + LIFETIME,
            token_id: Some(token_id.into()),
            body,
        }
    }

    pub(super) fn to_json(&self) -> String {
        let claims = Written {
            iss: ISSUER,
            sub: &self.subject,
            exp: self.expires_at.seconds(),
            nbf: self.not_before.map(Timestamp::seconds),
            iat: self.issued_at.map(Timestamp::seconds),
            jti: self.token_id.as_deref(),
            body: self.body.to_base64url(),
        };
        // Numbers and texts only: writing them can't fail.
        serde_json::to_string(&claims).unwrap_or_default()
    }

    /// Reads the claims of a token whose MAC was right. The first claim that can't be used is the error.
    pub(super) fn from_members(members: &Members) -> Result<Self> {
        check_issuer(members)?;
        Self::read(members)
    }

    /// Reads the claims, whoever the issuer is.
    pub(super) fn read(members: &Members) -> Result<Self> {
        Ok(Self {
            subject: required(members, "sub", text)?,
            issued_at: optional(members, "iat", date)?,
            not_before: optional(members, "nbf", date)?,
            expires_at: required(members, "exp", date)?,
            token_id: optional(members, "jti", text)?,
            body: required(members, "body", hash)?,
        })
    }
}

/// Whether the broker says that it is one.
pub(super) fn check_issuer(members: &Members) -> Result<()> {
    let issuer = required(members, "iss", text)?;
    if issuer == ISSUER {
        return Ok(());
    }
    Err(invalid(format_args!("expected the claim 'iss' to be '{ISSUER}', got another issuer")))
}

/// The claims as JSON, in the order of QStash's documentation.
#[derive(Serialize)]
struct Written<'a> {
    iss: &'static str,
    sub: &'a str,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    body: String,
}

/// How a claim is read: a function, and what it expects.
type Read<T> = fn(&Value) -> Result<T, &'static str>;

fn required<T>(members: &Members, name: &str, read: Read<T>) -> Result<T> {
    optional(members, name, read)?.ok_or_else(|| invalid(format_args!("the claim '{name}' is missing")))
}

fn optional<T>(members: &Members, name: &str, read: Read<T>) -> Result<Option<T>> {
    members
        .get(name)
        .map(|value| {
            read(value).map_err(|expected| invalid(format_args!("expected the claim '{name}' to be {expected}")))
        })
        .transpose()
}

fn text(value: &Value) -> Result<String, &'static str> {
    value.as_str().map(str::to_owned).ok_or("a text")
}

/// A `NumericDate` (RFC 7519 §2): seconds since the Unix epoch, fractions allowed. What lies before the epoch or
/// after the end of [`Timestamp`] is clamped.
fn date(value: &Value) -> Result<Timestamp, &'static str> {
    let Value::Number(number) = value else { return Err("a number of seconds since the Unix epoch") };
    if let Some(seconds) = number.as_u64() {
        return Ok(Timestamp::from_seconds(seconds));
    }
    let seconds = number.as_f64().ok_or("a number of seconds since the Unix epoch")?;
    let end = if seconds < 0.0 { Duration::ZERO } else { Duration::MAX };
    Ok(Timestamp::default() + Duration::try_from_secs_f64(seconds).unwrap_or(end))
}

fn hash(value: &Value) -> Result<BodyHash, &'static str> {
    value.as_str().and_then(BodyHash::from_base64url).ok_or("a SHA-256 in base64url")
}

fn invalid(message: std::fmt::Arguments<'_>) -> Error {
    Error::new(Code::SignatureClaim, format!("the signature can't be accepted: {message}"))
}
