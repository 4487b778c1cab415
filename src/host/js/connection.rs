//! Where the broker is, and what its answers mean.

use std::time::Duration;

use wasm_bindgen::prelude::*;
use web_sys::console;

use super::error::thrown;
use super::text::{headers_of, timestamp};
use crate::client::fields::{Fields, Json};
use crate::client::region::{Sought, credentials};
use crate::client::retry::{Attempt, Backoff, Retry};
use crate::client::{self, check};
use crate::error::Result;
use crate::wire::{Environment, Headers, Method, Request, Response};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** Which broker to talk to: what code says, and the settings that fill the gaps. Absent texts count as not set. */
export interface ClientSettings {
  baseUrl?: string | undefined;
  token?: string | undefined;
  devMode?: boolean | undefined;
  /** The header `Upstash-Region` of the delivery that is being answered. */
  region?: string | undefined;
  environment?: Record<string, string | undefined> | undefined;
  headers?: [string, string][] | undefined;
}

/** A try that did not succeed; `status` 0 and no headers if there was no answer. Times in milliseconds. */
export interface FailedAttempt {
  method: string;
  url: string;
  headers: string;
  status: number;
  answerHeaders: string;
  retried: number;
  elapsed: number;
  now: number;
  /** `Infinity` is written as `null`, and means no limit, as for `budget`. */
  retries: number;
  budget: number;
  /** The caller's own wait, in place of the default. */
  backoff?: number | undefined;
}
";

/// Where the broker is, and what every message to it carries.
pub(super) struct ClientSettings {
    base_url: Option<String>,
    token: Option<String>,
    dev_mode: Option<bool>,
    region: Option<String>,
    environment: Environment,
    headers: Headers,
}

impl ClientSettings {
    /// Takes them from settings that may hold others too.
    pub(super) fn take(settings: &mut Fields) -> Result<Self> {
        Ok(Self {
            base_url: settings.text("baseUrl")?,
            token: settings.text("token")?,
            dev_mode: settings.choice("devMode")?,
            region: settings.text("region")?,
            environment: environment(settings)?,
            headers: settings.pairs("headers")?,
        })
    }

    /// The client. What is odd about the settings goes to the console.
    pub(super) fn read(&self) -> Result<client::Client> {
        let sought = Sought {
            base_url: self.base_url.as_deref(),
            token: self.token.as_deref(),
            development: self.dev_mode,
            delivered_from: self.region.as_deref(),
        };
        let found = credentials(&self.environment, &sought)?;
        for warning in &found.warnings {
            console::warn_1(&format!("[orchestration] {warning}").into());
        }
        let client = client::Client::new(&found.base_url, &found.token)?;
        client.headers(&self.headers)
    }
}

/// The texts of an environment. What is no text is left out.
pub(super) fn environment(settings: &mut Fields) -> Result<Environment> {
    let Some(values) = settings.object("environment")? else { return Ok(Environment::default()) };
    let texts = values.rest().into_iter().filter_map(|(name, value)| match value {
        Json::Text(text) => Some((name, text)),
        _ => None,
    });
    Ok(texts.collect())
}

/// Throws what a broker's answer that is not a 2xx says.
#[wasm_bindgen(js_name = checkAnswer)]
pub fn check_answer(status: u16, headers: &str, body: Vec<u8>) -> Result<(), JsValue> {
    check(&Response { status, headers: headers_of(headers), body }).map_err(|error| thrown(&error))
}

/// How many milliseconds to wait before a failed request is sent again; `undefined`: it is not. Takes a `FailedAttempt`
/// as JSON, and the request's body.
#[wasm_bindgen(js_name = waitBeforeRetry)]
pub fn wait_before_retry(attempt: &str, body: Vec<u8>) -> Result<Option<f64>, JsValue> {
    failed_attempt(attempt, body).map_err(|error| thrown(&error))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The cast saturates.
fn failed_attempt(json: &str, body: Vec<u8>) -> Result<Option<f64>> {
    let mut failed = Fields::read(json)?;
    let request = Request {
        method: Method::parse(&failed.required("method")?)?,
        url: failed.required("url")?,
        headers: headers_of(&failed.required("headers")?),
        body,
    };
    let status = failed.number("status")?.unwrap_or(0.0) as u16;
    let headers = headers_of(&failed.required("answerHeaders")?);
    let answer = (status != 0).then_some(Response { status, headers, body: Vec::new() });
    let retry = Retry {
        retries: failed.number("retries")?.map_or(u32::MAX, |retries| retries as u32),
        budget: failed.number("budget")?.map_or(Duration::MAX, millis),
        backoff: failed.number("backoff")?.map_or(Backoff::Exponential, |own| Backoff::Constant(millis(own))),
    };
    let attempt = Attempt {
        answer: answer.as_ref(),
        retried: failed.count("retried")?.unwrap_or(0),
        elapsed: millis(failed.number("elapsed")?.unwrap_or(0.0)),
        now: timestamp(failed.number("now")?.unwrap_or(0.0)),
    };
    Ok(retry.wait(&request, &attempt).map(|wait| wait.as_secs_f64() * 1000.0))
}

/// Nothing below zero, and at most what a [`Duration`] holds.
fn millis(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis.max(0.0) / 1000.0).unwrap_or(Duration::MAX)
}
