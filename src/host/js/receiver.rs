//! Verification of a signature outside of a workflow.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::connection::environment;
use super::endpoint;
use super::error::thrown;
use super::text::timestamp;
use crate::client::fields::Fields;
use crate::error::{Code, Error, Result};
use crate::signature::{
    self, BodyHash, Expect, Explanation, Finding, KeyRing, Outcome, OwnKeys, Signer, Ticket, explain, replayed, verify,
    verify_bytes,
};
use crate::wire::Environment;
use crate::workflow::DEFAULT_CLOCK_TOLERANCE;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** What signing keys are taken from. Keys that are absent come from `environment`. */
export interface SigningSettings {
  currentSigningKey?: string | undefined;
  nextSigningKey?: string | undefined;
  devMode?: boolean | undefined;
  environment?: Record<string, string> | undefined;
}

/** Key, header and claims as texts, then check, outcome, code and message of each check. */
export type ExplainedSignature = (string | undefined)[];
";

/// What signing keys are taken from.
pub(super) struct SigningSettings {
    current_signing_key: Option<String>,
    next_signing_key: Option<String>,
    dev_mode: Option<bool>,
    environment: Environment,
}

impl SigningSettings {
    /// Takes them from settings that may hold others too.
    pub(super) fn take(settings: &mut Fields) -> Result<Self> {
        Ok(Self {
            current_signing_key: settings.text("currentSigningKey")?,
            next_signing_key: settings.text("nextSigningKey")?,
            dev_mode: settings.choice("devMode")?,
            environment: environment(settings)?,
        })
    }

    pub(super) fn read(&self) -> Result<Option<KeyRing>> {
        let own = OwnKeys {
            current: self.current_signing_key.as_deref(),
            next: self.next_signing_key.as_deref(),
            development: self.dev_mode,
        };
        KeyRing::from_settings(own, &self.environment)
    }

    /// [`Self::read`], where no key is a mistake.
    pub(super) fn read_required(&self) -> Result<KeyRing> {
        self.read()?.ok_or_else(|| {
            Error::new(
                Code::EmptyKeySet,
                "a receiver needs a signing key: set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY, or hand the \
                 keys in; without one every request would be refused",
            )
        })
    }
}

/// Verifies signatures.
#[wasm_bindgen]
pub struct Receiver(KeyRing);

#[wasm_bindgen]
impl Receiver {
    /// A receiver from `SigningSettings` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<Receiver, JsValue> {
        let settings = Fields::read(settings).and_then(|mut settings| SigningSettings::take(&mut settings));
        let settings = settings.map_err(|error| misconfigured("receiver", &error));
        settings.and_then(|settings| settings.read_required()).map(Self).map_err(|error| thrown(&error))
    }

    /// Throws unless `signature` was made for this body. `digest` is its SHA-256 if the host has computed it, and the
    /// body isn't looked at then; `region` is the value of `Upstash-Region`; `tolerance` is in seconds (5 if absent), `now`
    /// in milliseconds. With `once`, returns what a replay guard has to remember.
    #[allow(clippy::too_many_arguments)] // One crossing, without an object to take apart.
    #[wasm_bindgen(unchecked_return_type = "[tokenId: string, expiresAt: number] | undefined")]
    pub fn verify(
        &self,
        signature: &str,
        body: &[u8],
        digest: Option<Vec<u8>>,
        url: Option<String>,
        region: Option<String>,
        tolerance: Option<f64>,
        once: bool,
        now: f64,
    ) -> Result<JsValue, JsValue> {
        let check = || {
            let tolerance = tolerance.map_or(Ok(DEFAULT_CLOCK_TOLERANCE), endpoint::tolerance)?;
            let keys = self.0.keys_for(region.as_deref())?;
            let expect = Expect { url: url.as_deref(), now: timestamp(now), tolerance };
            let claims = match digest {
                Some(digest) => verify(signature, &body_hash(&digest)?, keys, &expect),
                None => verify_bytes(signature, body, keys, &expect),
            }?;
            if once { Ticket::of(&claims, tolerance).map(|ticket| tuple(&ticket)) } else { Ok(JsValue::UNDEFINED) }
        };
        check().map_err(|error| thrown(&error))
    }

    /// What `verify` looks at, with the outcome of each check: `ExplainedSignature`.
    #[wasm_bindgen(unchecked_return_type = "ExplainedSignature")]
    pub fn explain(
        &self,
        signature: &str,
        body: &[u8],
        url: Option<String>,
        region: Option<String>,
        tolerance: Option<f64>,
        now: f64,
    ) -> Result<Array, JsValue> {
        let explained = || {
            let tolerance = tolerance.map_or(Ok(DEFAULT_CLOCK_TOLERANCE), endpoint::tolerance)?;
            let keys = self.0.keys_for(region.as_deref())?;
            let expect = Expect { url: url.as_deref(), now: timestamp(now), tolerance };
            Ok(row(&explain(signature, body, keys, &expect)))
        };
        explained().map_err(|error: Error| thrown(&error))
    }
}

/// Four texts a check, after the signing key, the header and the claims; `undefined` for what there is not.
fn row(explanation: &Explanation) -> Array {
    let row = Array::new();
    let push = |text: Option<&str>| row.push(&text.map_or(JsValue::UNDEFINED, JsValue::from_str));
    push(explanation.signer.map(Signer::name));
    push(explanation.header.as_deref());
    push(explanation.payload.as_deref());
    for Finding { check, outcome } in &explanation.findings {
        let (word, error) = match outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Skipped => ("skipped", None),
            Outcome::Failed(error) => ("failed", Some(error)),
        };
        push(Some(check.name()));
        push(Some(word));
        push(error.map(|error| error.code().name()));
        push(error.map(Error::message));
    }
    row
}

/// A setting of another kind than it has to be.
pub(super) fn misconfigured(what: &str, error: &Error) -> Error {
    Error::new(Code::InvalidConfiguration, format!("the settings of the {what}: {}", error.message()))
}

/// Throws what a replay guard says of a signature that it has seen.
#[wasm_bindgen(js_name = refuseReplayed)]
pub fn refuse_replayed() -> Result<(), JsValue> {
    Err(thrown(&replayed()))
}

/// The ids of accepted signatures, in memory.
#[wasm_bindgen]
#[derive(Default)]
pub struct SeenTokens(signature::SeenTokens);

#[wasm_bindgen]
impl SeenTokens {
    /// Remembers nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers `token_id` until `expires_at`; `false` if it is remembered already. Times are in milliseconds.
    pub fn add(&mut self, token_id: &str, expires_at: f64, now: f64) -> bool {
        self.0.add(token_id, timestamp(expires_at), timestamp(now))
    }
}

/// A SHA-256 that the host computed.
pub(super) fn body_hash(digest: &[u8]) -> Result<BodyHash> {
    let digest = digest.try_into().map_err(|_| Error::new(Code::Internal, "a SHA-256 is 32 bytes long"))?;
    Ok(BodyHash::from_digest(digest))
}

#[allow(clippy::cast_precision_loss)] // Milliseconds of this age are exact.
fn tuple(ticket: &Ticket<'_>) -> JsValue {
    Array::of2(&ticket.token_id.into(), &(ticket.expires_at.millis() as f64).into()).into()
}
