//! What a request to publish asks for: the publish headers, read and checked.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::broker::redaction::Redaction;
use crate::broker::settings::Limits;
use crate::broker::store::message::{CallbackTarget, Source};
use crate::broker::{forwarding, invalid_header, private, target};
use crate::error::{Code, Error, Result};
use crate::wire::Expression;
use crate::wire::duration::shown;
use crate::wire::{FlowLimits, Headers, Method, Timestamp, header, parse_duration};

/// A message that somebody wants to be delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Publication {
    /// The id that was told for it already.
    pub id: Option<String>,
    /// The destination.
    pub url: String,
    /// The method of the delivery.
    pub method: Method,
    /// The forwarded headers.
    pub headers: Headers,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The headers of the workflow protocol, as they came.
    pub workflow: Headers,
    /// The bytes that the destination gets.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// Before this moment there is no try.
    pub not_before: Timestamp,
    /// How many tries may follow the first.
    pub retries: Option<u32>,
    /// An expression that is known to be readable.
    pub retry_delay: Option<String>,
    /// How long the destination may take to answer.
    pub timeout: Option<Duration>,
    /// Labels, joined by commas.
    pub label: Option<String>,
    /// What makes another message a duplicate of this one.
    pub deduplication: Option<Deduplication>,
    /// Where every try is told to.
    pub callback: Option<CallbackTarget>,
    /// Where the failure is told to.
    pub failure_callback: Option<CallbackTarget>,
    /// What the SDK asks of the broker.
    pub features: String,
    /// The queue that it is to stand in.
    pub queue: Option<String>,
    /// The flow-control key, and the limits if the publisher says them.
    pub flow_control: Option<(String, Option<FlowLimits>)>,
    /// What views of it hide.
    pub redaction: Option<Redaction>,
    /// What it comes by.
    pub source: Source,
}

/// What makes a message a duplicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deduplication {
    /// The same id.
    Id(String),
    /// The same destination, body and headers.
    Content,
}

/// Headers of schedules only.
const OF_SCHEDULES: [&str; 2] = [header::CRON, header::SCHEDULE_ID];

impl Publication {
    /// Reads the headers of a request to publish `body` to `destination`.
    pub fn read(destination: &str, headers: &Headers, body: Vec<u8>, limits: &Limits, at: Timestamp) -> Result<Self> {
        Self::of(target::url(destination)?, headers, body, limits, at)
    }

    /// The same for a destination that was read before.
    pub fn of(url: String, headers: &Headers, body: Vec<u8>, limits: &Limits, at: Timestamp) -> Result<Self> {
        private::check(&url, limits)?;
        refuse_misplaced(headers)?;
        check_size(headers, body.len(), limits)?;
        let told = callback(headers, header::CALLBACK, header::CALLBACK_PREFIX, limits, at)?;
        let failure_callback =
            callback(headers, header::FAILURE_CALLBACK, header::FAILURE_CALLBACK_PREFIX, limits, at)?;
        Ok(Self {
            id: None,
            url,
            method: method(headers)?,
            headers: forwarding::forwarded(headers)?,
            content_type: content_type(headers)?,
            workflow: workflow(headers)?,
            body,
            not_before: not_before(headers, limits, at)?,
            retries: retries(headers, limits)?,
            retry_delay: retry_delay(headers)?,
            timeout: timeout(headers, limits)?,
            label: label(headers)?,
            deduplication: deduplication(headers)?,
            callback: told,
            failure_callback,
            features: headers.get(header::FEATURE_SET).unwrap_or_default().to_owned(),
            queue: headers.get(header::QUEUE_NAME).map(|name| queue_name(name).map(str::to_owned)).transpose()?,
            flow_control: flow_control(headers)?,
            redaction: headers.get(header::REDACT_FIELDS).map(Redaction::parse).transpose()?,
            source: Source::default(),
        })
    }
}

/// Headers as JSON has them: a value, or the list of a name's values.
pub fn json_headers(map: &serde_json::Map<String, Value>) -> Result<Headers> {
    let mut headers = Headers::new();
    for (name, value) in map {
        match value {
            Value::String(value) => headers.append(name, value),
            Value::Number(value) => headers.append(name, value.to_string()),
            Value::Bool(value) => headers.append(name, value.to_string()),
            Value::Array(values) if values.iter().all(Value::is_string) => {
                values.iter().filter_map(Value::as_str).for_each(|value| headers.append(name, value));
            }
            _ => {
                let name = shown(name);
                return Err(Error::new(Code::InvalidHeader, format!("the value of the header {name} is not a text")));
            }
        }
    }
    Ok(headers)
}

fn refuse_misplaced(headers: &Headers) -> Result<()> {
    if let Some(name) = OF_SCHEDULES.iter().find(|name| headers.contains(name)) {
        return Err(invalid_header(
            name,
            "no such header on a message; POST /v2/schedules/{destination} makes a schedule",
        ));
    }
    if headers.contains(header::HEADER_FORWARD) {
        return Err(invalid_header(
            header::HEADER_FORWARD,
            "no such header here; messages, runs and schedules take it",
        ));
    }
    Ok(())
}

/// What the headers begin with that are meant for the broker.
const PREFIX: &str = "Upstash-";

/// Refuses what is too large, by [`Code::PayloadTooLarge`]. Of the headers those count that are kept.
pub fn check_size(headers: &Headers, body: usize, limits: &Limits) -> Result<()> {
    let too_large = |what: String, limit: usize| {
        Err(Error::new(Code::PayloadTooLarge, format!("{what} over the limit of {limit} bytes")))
    };
    if body > limits.body_bytes {
        return too_large(format!("the body has {body} bytes,"), limits.body_bytes);
    }
    let (mut total, mut count) = (0, 0);
    for (name, value) in headers.iter() {
        let own = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
        if !own && !name.eq_ignore_ascii_case(header::CONTENT_TYPE) {
            continue;
        }
        let size = name.len() + value.len() - if own { PREFIX.len() } else { 0 };
        if size > limits.header_value_bytes {
            return too_large(format!("the header {} is", shown(name)), limits.header_value_bytes);
        }
        total += size;
        count += usize::from(own);
    }
    if count > limits.headers {
        let text = format!("the message has {count} headers, over the limit of {} headers", limits.headers);
        return Err(Error::new(Code::PayloadTooLarge, text));
    }
    if total > limits.header_bytes {
        return too_large("the headers together are".to_owned(), limits.header_bytes);
    }
    Ok(())
}

fn method(headers: &Headers) -> Result<Method> {
    const EXPECTED: &str = "GET, POST, PUT, PATCH or DELETE";
    let Some(text) = headers.get(header::METHOD) else { return Ok(Method::Post) };
    match Method::parse(text) {
        Ok(method @ (Method::Get | Method::Post | Method::Put | Method::Patch | Method::Delete)) => Ok(method),
        _ => Err(invalid_header(header::METHOD, EXPECTED)),
    }
}

fn content_type(headers: &Headers) -> Result<Option<String>> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    check_value(header::CONTENT_TYPE, content_type)?;
    Ok(Some(content_type.to_owned()))
}

fn workflow(headers: &Headers) -> Result<Headers> {
    headers
        .with_prefix(header::WORKFLOW_PREFIX)
        .map(|(name, value)| {
            let name = format!("{}{name}", header::WORKFLOW_PREFIX);
            check_value(&name, value)?;
            Ok((name, value.to_owned()))
        })
        .collect()
}

/// A header value travels as one byte a character.
pub fn check_value(name: &str, value: &str) -> Result<()> {
    if value.chars().all(|c| c == '\t' || (!c.is_control() && u32::from(c) <= 0xff)) {
        return Ok(());
    }
    Err(invalid_header(&shown(name), "characters of Latin-1 without control characters"))
}

fn not_before(headers: &Headers, limits: &Limits, at: Timestamp) -> Result<Timestamp> {
    let moment = if let Some(text) = headers.get(header::NOT_BEFORE) {
        let seconds = text
            .trim()
            .parse()
            .map_err(|_| invalid_header(header::NOT_BEFORE, "whole seconds since the Unix epoch"))?;
        Timestamp::from_seconds(seconds).max(at)
    } else if let Some(text) = headers.get(header::DELAY) {
        let delay = parse_duration(text.trim())
            .map_err(|error| invalid_header(header::DELAY, error.message().trim_start_matches("expected ")))?;
        at + delay
    } else {
        at
    };
    if moment - at > limits.delay {
        return Err(invalid_header(
            if headers.contains(header::NOT_BEFORE) { header::NOT_BEFORE } else { header::DELAY },
            &format!("at most {} days from now", limits.delay.as_secs() / 86_400),
        ));
    }
    Ok(moment)
}

fn retries(headers: &Headers, limits: &Limits) -> Result<Option<u32>> {
    headers
        .get(header::RETRIES)
        .map(|text| {
            text.trim()
                .parse()
                .ok()
                .filter(|retries| *retries <= limits.retries)
                .ok_or_else(|| invalid_header(header::RETRIES, &format!("a whole number from 0 to {}", limits.retries)))
        })
        .transpose()
}

fn retry_delay(headers: &Headers) -> Result<Option<String>> {
    headers.get(header::RETRY_DELAY).map(|text| Expression::parse(text).map(|_| text.to_owned())).transpose()
}

fn timeout(headers: &Headers, limits: &Limits) -> Result<Option<Duration>> {
    headers
        .get(header::TIMEOUT)
        .map(|text| {
            parse_duration(text.trim())
                .ok()
                .filter(|timeout| !timeout.is_zero() && *timeout <= limits.timeout)
                .ok_or_else(|| {
                    invalid_header(
                        header::TIMEOUT,
                        &format!("a duration such as '30s', at least 1s and at most {}s", limits.timeout.as_secs()),
                    )
                })
        })
        .transpose()
}

/// The name of a queue, checked.
pub fn queue_name(text: &str) -> Result<&str> {
    if is_plain(text) {
        return Ok(text);
    }
    Err(invalid_header(header::QUEUE_NAME, PLAIN))
}

/// The key and its limits. A key alone keeps the limits that are known.
fn flow_control(headers: &Headers) -> Result<Option<(String, Option<FlowLimits>)>> {
    let limits = headers.get(header::FLOW_CONTROL_VALUE).map(FlowLimits::parse).transpose()?;
    match headers.get(header::FLOW_CONTROL_KEY).map(str::trim) {
        Some(key) if is_plain(key) => Ok(Some((key.to_owned(), limits))),
        Some(_) => Err(invalid_header(header::FLOW_CONTROL_KEY, PLAIN)),
        None if limits.is_none() => Ok(None),
        None => Err(invalid_header(
            header::FLOW_CONTROL_VALUE,
            &format!("the header {} beside it", header::FLOW_CONTROL_KEY),
        )),
    }
}

/// What [`is_plain`] accepts.
pub const PLAIN: &str = "1 to 256 letters, digits, '-', '_' and '.'";

/// Whether a text can be the name of a queue, a key, a group, a schedule or a label.
pub fn is_plain(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The most labels of a message.
const MOST_LABELS: usize = 32;

/// Labels as the official SDK accepts them.
fn label(headers: &Headers) -> Result<Option<String>> {
    let Some(text) = headers.get(header::LABEL) else { return Ok(None) };
    let labels: Vec<&str> = text.split(',').map(str::trim).collect();
    if labels.len() <= MOST_LABELS && labels.iter().all(|label| is_plain(label)) {
        return Ok(Some(labels.join(",")));
    }
    Err(invalid_header(header::LABEL, "up to 32 labels of letters, digits, '-', '_' and '.', joined by commas"))
}

/// The longest id that somebody else makes up: of a deduplication, of an event.
pub const MOST_ID_BYTES: usize = 1024;

fn deduplication(headers: &Headers) -> Result<Option<Deduplication>> {
    if let Some(id) = headers.get(header::DEDUPLICATION_ID) {
        if id.is_empty() || id.contains(':') || id.len() > MOST_ID_BYTES {
            let expected = "an id of 1 to 1024 bytes without ':'";
            return Err(invalid_header(header::DEDUPLICATION_ID, expected));
        }
        return Ok(Some(Deduplication::Id(id.to_owned())));
    }
    Ok(flag(headers, header::CONTENT_BASED_DEDUPLICATION)?.unwrap_or(false).then_some(Deduplication::Content))
}

/// `true` or `false`.
pub fn flag(headers: &Headers, name: &str) -> Result<Option<bool>> {
    match headers.get(name).map(str::trim) {
        None => Ok(None),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(invalid_header(name, "true or false")),
    }
}

/// The settings of a callback are publish headers with another prefix, so they are checked as such.
fn callback(
    headers: &Headers,
    name: &str,
    prefix: &str,
    limits: &Limits,
    at: Timestamp,
) -> Result<Option<CallbackTarget>> {
    let Some(url) = headers.get(name) else { return Ok(None) };
    let headers: Headers =
        headers.with_prefix(prefix).map(|(name, value)| (format!("Upstash-{name}"), value)).collect();
    let publication = Publication::read(url, &headers, Vec::new(), limits, at)
        .map_err(|error| Error::new(error.code(), format!("in the settings of {name}: {}", error.message())))?;
    if publication.queue.is_some() {
        return Err(invalid_header(
            &format!("{prefix}Queue-Name"),
            "no queue: a callback belongs to its message, and the next message of the queue waits for it",
        ));
    }
    if publication.deduplication.is_some() {
        let name = [header::DEDUPLICATION_ID, header::CONTENT_BASED_DEDUPLICATION]
            .into_iter()
            .find(|name| headers.contains(name))
            .unwrap_or(header::DEDUPLICATION_ID);
        return Err(invalid_header(
            &name.replacen(PREFIX, prefix, 1),
            "no deduplication: a callback tells one try of one message, so there are no duplicates of it",
        ));
    }
    Ok(Some(CallbackTarget { url: publication.url, headers }))
}
