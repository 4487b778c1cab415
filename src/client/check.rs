//! Reading a broker's answers.

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::{Code, Error, Limit, RateLimit, Result};
use crate::wire::duration::shown;
use crate::wire::{Headers, Response};

const TOO_MANY_REQUESTS: u16 = 429;

/// Reads a broker's answer: the JSON of a 2xx, or the error of [`check`].
///
/// [`Code::BrokerAnswer`] if a 2xx has another shape than `T`.
pub fn read<T: DeserializeOwned>(response: &Response) -> Result<T> {
    check(response)?;
    serde_json::from_slice(&response.body)
        .map_err(|error| Error::new(Code::BrokerAnswer, format!("the broker's answer has another shape: {error}")))
}

/// `Ok` for a 2xx, else [`Code::BrokerRefused`] with the broker's own sentence, or for status 429 the code of the limit,
/// which [`Error::rate_limit`] tells.
pub fn check(response: &Response) -> Result<()> {
    if response.is_success() {
        return Ok(());
    }
    let limit = rate_limit(response);
    let error = match &limit {
        Some(limit) => {
            let (code, sentence) = exceeded(limit);
            let reason = if response.body.is_empty() { String::new() } else { format!(" {}", reason(response)) };
            Error::new(code, sentence + &reason)
        }
        None => {
            Error::new(Code::BrokerRefused, format!("the broker answered {}: {}", response.status, reason(response)))
        }
    };
    Err(error.refused(response.status, limit))
}

/// The limit that an answer with status 429 is about: which headers it has tells which.
pub fn rate_limit(response: &Response) -> Option<RateLimit> {
    if response.status != TOO_MANY_REQUESTS {
        return None;
    }
    let headers = &response.headers;
    let of = |prefix: &str, suffix: &str| limit(headers, prefix, suffix);
    let given = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
    Some(if given("x-ratelimit-limit-requests") {
        RateLimit::Chat { requests: of("x-ratelimit-", "-requests"), tokens: of("x-ratelimit-", "-tokens") }
    } else if given("RateLimit-Limit") {
        RateLimit::Daily(of("RateLimit-", ""))
    } else {
        RateLimit::Burst(of("Burst-RateLimit-", ""))
    })
}

fn limit(headers: &Headers, prefix: &str, suffix: &str) -> Limit {
    let text = |word: &str| headers.get(&format!("{prefix}{word}{suffix}")).map(str::to_owned);
    Limit { limit: text("limit"), remaining: text("remaining"), reset: text("reset") }
}

/// In the words of the official SDK.
fn exceeded(limit: &RateLimit) -> (Code, String) {
    let one = |Limit { limit, remaining, reset }: &Limit| {
        let [limit, remaining, reset] = [limit, remaining, reset].map(|text| json!(text).to_string());
        format!(r#"{{"limit":{limit},"remaining":{remaining},"reset":{reset}}}"#)
    };
    let (code, kind, facts) = match limit {
        RateLimit::Burst(limit) => (Code::RateLimited, "burst", one(limit)),
        RateLimit::Daily(limit) => (Code::DailyRateLimited, "daily", one(limit)),
        RateLimit::Chat { requests, tokens } => {
            let facts = [
                ("limit-requests", &requests.limit),
                ("limit-tokens", &tokens.limit),
                ("remaining-requests", &requests.remaining),
                ("remaining-tokens", &tokens.remaining),
                ("reset-requests", &requests.reset),
                ("reset-tokens", &tokens.reset),
            ];
            let facts = facts.map(|(name, value)| format!(r#""{name}":{}"#, json!(value)));
            (Code::ChatRateLimited, "chat", format!("{{{}}}", facts.join(",")))
        }
    };
    (code, format!("Exceeded {kind} rate limit. {facts}"))
}

/// The sentence in `{"error": …}`, or the start of whatever else came.
fn reason(response: &Response) -> String {
    #[derive(serde::Deserialize)]
    struct Body {
        error: String,
    }
    match serde_json::from_slice::<Body>(&response.body) {
        Ok(body) => body.error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect(),
        Err(_) if response.body.is_empty() => "no reason given".to_owned(),
        Err(_) => shown(&String::from_utf8_lossy(&response.body)),
    }
}
